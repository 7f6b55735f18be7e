"""The name of a finding: the same on every replay, and safe as the name of a folder."""

from __future__ import annotations

from rules.finding import Rule
from rules.observation import FrameStamp


def finding_id(camera_id: str, rule: Rule, stamp: FrameStamp, track_id: int) -> str:
    """A name made of camera, rule, frame and track, such as ``kerb1-no_parking-s0-f000512-t7``.

    It tells two findings apart because a rule names a track at most once per frame. Raises ValueError for
    a camera id that holds anything but ``A-Z a-z 0-9 _ -`` (it would not be safe as a folder name).
    """
    if not camera_id or not all(char.isascii() and (char.isalnum() or char in "_-") for char in camera_id):
        raise ValueError(f"camera id {camera_id!r} must consist of A-Z a-z 0-9 _ -")
    return f"{camera_id}-{rule.value}-s{stamp.segment}-f{stamp.index:06d}-t{track_id}"
