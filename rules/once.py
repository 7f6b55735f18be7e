"""One vehicle, one case: what was said of a vehicle before, under whatever track, is not said of it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.finding import Finding, Rule, Status
from rules.site import StopLine

REMEMBERED_S = 60.0
"""The same plate at the same camera within this time is the same drive; nobody is back from around the block sooner."""

DRIVES = frozenset({Rule.RED_LIGHT, Rule.RIGHT_TURN_WITHOUT_STOP, Rule.STOPPED_PAST_LINE})
"""The rules about a drive over a stop line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A finding about a drive over a stop line, as far as it is needed to know the drive again."""

    rule: Rule
    place_id: str
    tracks: frozenset[int]
    plate: str | None
    t_s: float
    status: Status


def is_told(said: Sequence[Said], finding: Finding, lines: Sequence[StopLine]) -> bool:
    """Whether a finding about the same drive was said before, so that this one adds nothing.

    The same drive: the same plate and rule, or the same track at the waiting line that belongs to the stop
    line. What was only held before may still be asserted.
    """
    if finding.rule not in DRIVES:
        return False
    new = said_of(finding)
    before = {line.line_id: line.waiting_for for line in lines}
    return any(
        (old.status is not Status.HELD or new.status is Status.HELD)
        and new.t_s - old.t_s <= REMEMBERED_S
        and (_same_plate(old, new) or (old.place_id == before.get(new.place_id) and old.tracks & new.tracks))
        for old in said
    )


def _same_plate(old: Said, new: Said) -> bool:
    return new.plate is not None and old.plate == new.plate and old.rule is new.rule


def said_of(finding: Finding) -> Said:
    """The finding, to be remembered."""
    return Said(
        rule=finding.rule,
        place_id=finding.place_id,
        tracks=frozenset({finding.track_id, *finding.earlier_tracks}),
        plate=None if finding.plate is None else finding.plate.text,
        t_s=finding.t_s,
        status=finding.status,
    )


def remembered(said: Sequence[Said], findings: Sequence[Finding], now_s: float) -> tuple[Said, ...]:
    """What is remembered after these findings; who crossed long ago is forgotten."""
    kept = [one for one in said if now_s - one.t_s <= 2.0 * REMEMBERED_S]
    return (*kept, *(said_of(finding) for finding in findings if finding.rule in DRIVES))
