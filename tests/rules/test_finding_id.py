"""The name of a finding: the same on every replay, and safe as a folder's."""

from __future__ import annotations

import pytest

from rules.finding import Rule
from rules.finding_id import finding_id
from tests.builders.scene import a_stamp


def test_a_name_says_camera_rule_frame_and_track() -> None:
    stamp = a_stamp(20.48, camera_id="kerb-1_a")
    assert finding_id("kerb-1_a", Rule.NO_PARKING, stamp, 7) == "kerb-1_a-no_parking-s0-f000512-t7"


@pytest.mark.parametrize("camera_id", ["", "a/b", "..", "a b", "카메라", "a.b"])
def test_a_camera_id_that_is_no_folder_name_is_refused(camera_id: str) -> None:
    with pytest.raises(ValueError, match="camera id"):
        finding_id(camera_id, Rule.RED_LIGHT, a_stamp(1), 1)
