"""The committed sample clips and their truth, as the tests read them."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"

ALL_CLIPS = (
    "junction_red_departing", "junction_late_amber", "junction_stopped_past_line", "parking_all_day", "parking_queue",
    "junction_red_approaching", "junction_queue_pushed", "checkpoint", "junction_night", "junction_rain",
    "junction_left_arrow", "junction_right_turn", "junction_waiting_area", "parking_limited_hours", "junction_crosswalk",
    "junction_quiet",
)  # fmt: skip
"""Every clip that the sample world is to have; tests/sample_videos/test_scenes.py holds it against the scripts."""


@cache
def truth() -> dict[str, dict[str, Any]]:
    """The truth by clip name, of the clips that are there."""
    path = SAMPLES / "truth.json"
    whole = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name.removesuffix(".mp4"): entry for name, entry in whole.items() if not name.startswith("_")}


def present() -> list[str]:
    """The names of the clips that are there."""
    return sorted(path.stem for path in SAMPLES.glob("*.mp4"))


def frame_rows(clip: str) -> list[list[list[Any]]]:
    """Per frame, the rows of what is in it."""
    lines = gzip.decompress((SAMPLES / "frames" / f"{clip}.jsonl.gz").read_bytes()).decode().splitlines()
    return [json.loads(line) for line in lines[1:]]
