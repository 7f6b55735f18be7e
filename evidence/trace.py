"""``trace.json``: all that the rule said of its finding, the moment of each photo, and the clip's place in media time."""

from __future__ import annotations

from collections.abc import Sequence

from evidence.canonical import Json, json_bytes, plain
from evidence.clip import Part
from evidence.moments import heads_at
from evidence.stills import TakenPhoto
from rules.finding import Finding

FORMAT = "stopline-trace/1"

CLIP_FILE = "clip.mp4"

DRAWN = ("trace", "signal", "dwell", "crossing_s", "line_px", "further_line_px", "zone_px", "allowed_stop_s")
"""The finding's fields that a diagram is drawn from; they stand beside the finding, not in it."""


def trace_bytes(finding: Finding, photos: Sequence[TakenPhoto], clip: Sequence[Part]) -> bytes:
    """The file: every field of the finding by its name, ``photos`` and ``clip`` as in the manifest; equal input, equal bytes."""
    rest = plain(finding)
    assert isinstance(rest, dict)
    del rest["photos"]
    drawn = {name: rest.pop(name) for name in DRAWN}
    return json_bytes(
        {
            **drawn,
            "format": FORMAT,
            "finding": rest,
            "photos": [photo_entry(finding, taken) for taken in photos],
            "clip": clip_entry(clip),
        }
    )


def photo_entry(finding: Finding, taken: TakenPhoto) -> Json:
    """One scene photo: file, role, frame, moment, the accused vehicle and the tested points, what the heads showed."""
    photo, stamp = taken.photo, taken.photo.stamp
    return {
        "file": taken.name,
        "role": photo.role.value,
        "segment": stamp.segment,
        "index": stamp.index,
        "media_s": stamp.media_s,
        "captured_at": plain(stamp.captured_at),
        "clock_source": stamp.clock_source.value,
        "clock_error_s": stamp.error_s,
        "box_px": plain(photo.box_px),
        "leading_px": plain(photo.leading_px),
        "trailing_px": plain(photo.trailing_px),
        "heads": [plain(head) for head in heads_at(finding.signal, stamp.media_s)],
        "frame_sha256": taken.frame_sha256,
        "frame_size_px": plain(taken.size_px),
    }


def clip_entry(clip: Sequence[Part]) -> Json:
    """None without a clip. A second of the clip is a second of media time: ``media_s = first_media_s + clip_s``."""
    if not clip:
        return None
    return {
        "file": CLIP_FILE,
        "first_media_s": clip[0].first_s,
        "last_media_s": clip[-1].last_s,
        "parts": [
            {
                "what": part.what,
                "first_media_s": part.first_s,
                "last_media_s": part.last_s,
                "pictures": len(part.packets),
            }
            for part in clip
        ],
    }
