"""All clips by name, the ones for the rules that exist first."""

from __future__ import annotations

from collections.abc import Callable

from sample_videos.clips import junctions, streets
from sample_videos.scene import Scene

CLIPS: dict[str, Callable[[], Scene]] = {
    "junction_red_departing": junctions.red_departing,
    "junction_late_amber": junctions.late_amber,
    "junction_stopped_past_line": junctions.stopped_past,
    "parking_all_day": streets.parking_all_day,
    "parking_queue": streets.parking_queue,
    "junction_red_approaching": junctions.red_approaching,
    "junction_queue_pushed": junctions.queue_pushed,
    "checkpoint": streets.checkpoint,
    "junction_night": junctions.night,
    "junction_rain": junctions.rain,
    "junction_left_arrow": junctions.left_arrow,
    "junction_right_turn": junctions.right_turn,
    "junction_waiting_area": junctions.waiting_area,
    "parking_limited_hours": streets.parking_limited_hours,
    "junction_crosswalk": junctions.crosswalk,
    "junction_quiet": junctions.quiet,
}

fresh = junctions.fresh
