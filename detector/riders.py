"""Joins riders and the motorcycle or bicycle under them into one road user each.

The joined box spans the machine and its riders, but its bottom is the machine's: there the wheels touch the ground.
A person on a machine that was not found stays a person; a machine whose rider was not found stays itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from detector.detection import TWO_WHEELED, Detection
from rules.observation import Box, ObjectClass

MOST_RIDERS = 3
"""On one machine. More ride together, but a fourth box at one place is more often somebody beside it."""

LEAST_SHARED_WIDTH = 0.5
"""The part of the narrower box, person or machine, that must lie above or below the other."""

FEET_BELOW = 0.15
"""How far, in parts of the machine's height, a rider's box may reach below the wheels: boxes are not exact."""

HEAD_BELOW = 0.25
"""How far, in parts of the machine's height, a rider's head may lie below its top: some machines' boxes include
their rider, but a person whose head is lower stands before or behind it."""

SAME_PLACE = 0.7
"""The part of a left-over machine's box inside a joined one at which it is that machine found a second time."""


def join_riders(detections: Sequence[Detection]) -> tuple[Detection, ...]:
    """``detections`` with each rider joined to the machine under them, best score first.

    A person goes to the machine that shares most width with them, weighted by its score; a machine takes
    ``MOST_RIDERS`` persons, those with the best scores. A machine nobody was joined to is dropped where it lies
    inside a joined box.
    """
    machines = [d for d in detections if d.object_class in TWO_WHEELED]
    riders: list[list[Detection]] = [[] for _ in machines]
    alone = []
    for person in sorted(
        (d for d in detections if d.object_class is ObjectClass.PERSON), key=lambda d: -d.score
    ):
        fits = [_fit(person.box_px, machine.box_px) * machine.score for machine in machines]
        best = max(range(len(machines)), key=fits.__getitem__, default=None)
        if best is not None and fits[best] > 0 and len(riders[best]) < MOST_RIDERS:
            riders[best].append(person)
        else:
            alone.append(person)
    joined = [_join(machine, on) for machine, on in zip(machines, riders, strict=True) if on]
    riderless = [
        machine
        for machine, on in zip(machines, riders, strict=True)
        if not on and all(_part_inside(machine.box_px, whole.box_px) < SAME_PLACE for whole in joined)
    ]
    others = [
        d
        for d in detections
        if d.object_class not in TWO_WHEELED and d.object_class is not ObjectClass.PERSON
    ]
    return tuple(sorted((*joined, *riderless, *alone, *others), key=lambda d: -d.score))


def _fit(person: Box, machine: Box) -> float:
    """How well ``person`` sits on ``machine``: shared width by united width (0..1), 0 where they cannot."""
    shared = min(person[2], machine[2]) - max(person[0], machine[0])
    height = machine[3] - machine[1]
    sits = (
        shared >= LEAST_SHARED_WIDTH * min(person[2] - person[0], machine[2] - machine[0])
        and machine[1] <= person[3] <= machine[3] + FEET_BELOW * height
        and person[1] <= machine[1] + HEAD_BELOW * height
    )
    return shared / (max(person[2], machine[2]) - min(person[0], machine[0])) if sits else 0.0


def _join(machine: Detection, riders: Sequence[Detection]) -> Detection:
    boxes = [machine.box_px, *(rider.box_px for rider in riders)]
    return Detection(
        object_class=machine.object_class,
        box_px=(
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            machine.box_px[3],
        ),
        score=max(machine.score, *(rider.score for rider in riders)),
        class_score=machine.class_score,
    )


def _part_inside(box: Box, other: Box) -> float:
    """The part of the area of ``box`` that lies in ``other``."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    return max(wide, 0.0) * max(high, 0.0) / ((box[2] - box[0]) * (box[3] - box[1]))
