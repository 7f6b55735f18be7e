"""All clips by name, the ones for the rules that exist first."""

from __future__ import annotations

from collections.abc import Callable

from sample_videos.clips import movements, red_lights, streets
from sample_videos.scene import Scene

CLIPS: dict[str, Callable[[], Scene]] = {
    "junction_red_departing": red_lights.red_departing,
    "junction_late_amber": red_lights.late_amber,
    "junction_stopped_past_line": red_lights.stopped_past,
    "parking_all_day": streets.parking_all_day,
    "parking_queue": streets.parking_queue,
    "junction_red_approaching": red_lights.red_approaching,
    "junction_queue_pushed": red_lights.queue_pushed,
    "checkpoint": streets.checkpoint,
    "junction_night": red_lights.night,
    "junction_rain": red_lights.rain,
    "junction_left_arrow": movements.left_arrow,
    "junction_right_turn": movements.right_turn,
    "junction_waiting_area": movements.waiting_area,
    "parking_limited_hours": streets.parking_limited_hours,
    "junction_crosswalk": movements.crosswalk,
    "junction_quiet": movements.quiet,
}

fresh = red_lights.fresh
