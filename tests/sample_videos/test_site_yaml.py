"""Site files of the scenes, whether rendered or not, against the product's own reader."""

from __future__ import annotations

import pytest

from api.site_file import parse_site_file
from sample_videos.clips import CLIPS
from sample_videos.site_yaml import site_text


@pytest.mark.parametrize("clip", ["junction_red_approaching", "junction_crosswalk", "parking_limited_hours"])
def test_site_of_a_script_is_in_order(clip: str) -> None:
    site = parse_site_file(site_text(CLIPS[clip]()).encode(), clip).site
    heads = {head.head_id for head in site.heads}
    for line in site.cameras[0].stop_lines:
        assert set(line.head_ids) <= heads
