"""What spoils a camera's picture or clock in a scenario: observations changed from a given moment on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rules.finding import Disarmed, Output
from rules.observation import ClockSource, Observation, SceneFault, SceneState

EVERY_S = 0.5
MIDDAY = datetime(2024, 4, 1, 4, tzinfo=UTC)


def with_scene(
    seen: Sequence[Observation], fault: SceneFault, from_s: float, to_s: float = 1e9
) -> list[Observation]:
    """The scene looked at every half second, with that fault in the interval."""
    looked: list[Observation] = []
    next_s = 0.0
    for observation in seen:
        now_s = observation.stamp.media_s
        if now_s < next_s:
            looked.append(observation)
            continue
        next_s = now_s + EVERY_S
        faults = frozenset({fault}) if from_s <= now_s < to_s else frozenset[SceneFault]()
        shift = 0.03 if fault is SceneFault.MOVED and faults else 0.0
        looked.append(replace(observation, scene=SceneState(faults=faults, shift=shift)))
    return looked


def with_clock(
    seen: Sequence[Observation], error_s: float = 0.5, jumps: Iterable[tuple[float, float]] = ()
) -> list[Observation]:
    """A wall clock of that error; ``jumps`` are (when, by how many seconds)."""
    steps = tuple(jumps)

    def at(media_s: float) -> datetime:
        return MIDDAY + timedelta(seconds=media_s + sum(by_s for when_s, by_s in steps if when_s <= media_s))

    return [
        replace(
            observation,
            stamp=replace(
                observation.stamp,
                captured_at=at(observation.stamp.media_s),
                clock_source=ClockSource.RTCP,
                error_s=error_s,
            ),
        )
        for observation in seen
    ]


def disarmed(said: Iterable[Output]) -> list[tuple[str, str | None, float, float | None]]:
    """(cause, place, from, to) of each time that the rules were disarmed and armed again, as said."""
    return [
        (output.cause.value, output.place_id, round(output.from_s, 2), output.to_s and round(output.to_s, 2))
        for output in said
        if isinstance(output, Disarmed)
    ]
