"""A stop line, vehicles at it and heads above it, told in metres and seconds: for single functions of the red-light rule.

Metres count from the line along the approach (negative before it), 20 px each; the line lies across the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rules.approaching import Approaching
from rules.observation import Box, LampState, ObjectClass, Observation, TrackPoint
from rules.sighting import Cut, Sighting
from rules.signal import HeadState, Span
from rules.site import Camera, StopLine, View
from rules.site_movement import HeadKind
from tests.builders.scene import a_stamp

PX_PER_M = 20.0
LINE_Y_PX = 400.0
FPS = 10.0
CAMERA = Camera(camera_id="cam", width_px=640, height_px=1600)


def a_line(view: View = View.DEPARTING, **options: Any) -> StopLine:
    """From 100 to 500 px across the picture, the line further on 5 m behind it; seen from behind, traffic drives up."""
    ahead = -1.0 if view is View.DEPARTING else 1.0
    further_y_px = LINE_Y_PX + ahead * 5.0 * PX_PER_M
    fields: dict[str, Any] = {
        "line_id": "north",
        "movement": "straight",
        "line_px": ((100.0, LINE_Y_PX), (500.0, LINE_Y_PX)),
        "further_on_px": ((100.0, further_y_px), (500.0, further_y_px)),
        "direction": (0.0, ahead),
        "view": view,
        "scale_px_per_m": PX_PER_M,
        "head_ids": ("main",),
    }
    return StopLine(**{**fields, **options})


def a_box(
    ground_m: float,
    view: View = View.DEPARTING,
    x_px: float = 300.0,
    size_px: tuple[float, float] = (40.0, 60.0),
) -> Box:
    """The box of a vehicle whose visible end is on the ground there."""
    ahead = -1.0 if view is View.DEPARTING else 1.0
    bottom_px = LINE_Y_PX + ahead * ground_m * PX_PER_M
    return (x_px - size_px[0] / 2.0, bottom_px - size_px[1], x_px + size_px[0] / 2.0, bottom_px)


def a_point(
    track_id: int, box_px: Box, object_class: ObjectClass = ObjectClass.CAR, score: float = 0.9
) -> TrackPoint:
    return TrackPoint(track_id=track_id, object_class=object_class, box_px=box_px, score=score)


def a_sighting(
    at_s: float,
    ground_m: float,
    view: View = View.DEPARTING,
    x_px: float = 300.0,
    bounds_m: tuple[float, float] | None = None,
    cut: Cut | None = None,
) -> Sighting:
    box_px = a_box(ground_m, view, x_px)
    return Sighting(
        stamp=a_stamp(at_s, FPS, "cam"),
        box_px=box_px,
        ground_px=(x_px, box_px[3]),
        ground_m=ground_m,
        bounds_m=bounds_m or (ground_m, ground_m),
        cut=cut,
    )


def seen_at(
    ground_m: Iterable[float], view: View = View.DEPARTING, from_s: float = 0.0, x_px: float = 300.0
) -> tuple[Sighting, ...]:
    """One sighting each tenth of a second."""
    return tuple(
        a_sighting(from_s + index / FPS, metres, view, x_px) for index, metres in enumerate(ground_m)
    )


def a_track(
    history: Sequence[Sighting], object_class: ObjectClass = ObjectClass.CAR, **options: Any
) -> Approaching:
    """Seen as one class in all its sightings."""
    return Approaching(
        **{
            "last_seen_s": history[-1].stamp.media_s,
            "history": tuple(history),
            "classes": ((object_class, len(history)),),
            **options,
        }
    )


def a_head(
    *runs: tuple[LampState, float, float], head_id: str = "main", kind: HeadKind = HeadKind.ROUND, **rest: Any
) -> HeadState:
    """A head that showed these states, each from its first sample to its last; the changes between them were seen."""
    spans: list[Span] = []
    for state, first_s, last_s in runs:
        onset_s = (spans[-1].last_s, first_s) if spans else None
        if spans:
            spans[-1] = replace(spans[-1], end_s=onset_s)
        spans.append(Span(state=state, onset_s=onset_s, first_s=first_s, last_s=last_s))
    usable_s = spans[-1].last_s if spans else None
    return HeadState(
        **{"head_id": head_id, "kind": kind, "spans": tuple(spans), "last_usable_s": usable_s, **rest}
    )


def a_frame(at_s: float, *seen: TrackPoint, fps: float = FPS, **options: Any) -> Observation:
    """One frame in which these road users were seen."""
    return Observation(stamp=a_stamp(at_s, fps, "cam"), tracks=seen, **options)
