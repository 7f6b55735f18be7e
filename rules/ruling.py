"""The ruling on one drive over a stop line: how long all heads of its movement had been red, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rules import aspect, signal
from rules.drive import Drive
from rules.finding import Rule, Status
from rules.signal import HeadState
from rules.site_movement import HeadKind, Movement, TurnOnRed
from rules.turn_on_red import has_stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """How long all heads had been red, as an interval, and what follows from it.

    ``movement`` is None where it is not known which way it went; ``doubtful``: one of the ways was lawful.
    """

    status: Status
    min_s: float | None
    max_s: float | None
    reason: str
    rule: Rule = Rule.RED_LIGHT
    movement: str | None = None
    doubtful: bool = False

    def held(self, why: str) -> Ruling:
        """The same times, but held for another reason."""
        return replace(self, status=Status.HELD, reason=why)


def rule_on(drive: Drive) -> Ruling | None:
    """The ruling that holds whatever class of vehicle it is and whichever way it went; None where it did nothing unlawful.

    Of several classes, the one that accuses least counts, and its times span those of all; where it was lawful for one
    of them, it is held.
    """
    ruling = _as_seen(drive)
    if ruling is None:
        return None
    rulings = [ruling]
    for other in drive.others:
        likewise = None if other is None else _as_seen(other)
        if likewise is None:
            held = ruling.held(
                "It may be of another class of vehicle, whose front was not over the line on red."
            )
            return replace(held, doubtful=True)
        rulings.append(likewise)
    return _spanning(min(rulings, key=_weight), rulings, drive.line.grace_s)


def _spanning(weakest: Ruling, rulings: Sequence[Ruling], grace_s: float) -> Ruling:
    """The weakest ruling, with times that hold for all of them."""
    lower = [ruling.min_s for ruling in rulings if ruling.min_s is not None]
    upper = [ruling.max_s for ruling in rulings if ruling.max_s is not None]
    min_s = min(lower) if len(lower) == len(rulings) else None
    max_s = max(upper) if len(upper) == len(rulings) else None
    if (min_s, max_s) == (weakest.min_s, weakest.max_s):
        return weakest
    spanning = replace(weakest, min_s=min_s, max_s=max_s)
    if weakest.status is not Status.ASSERTED or min_s is None:
        return spanning
    return replace(spanning, reason=_asserted(min_s, max_s, grace_s))


def _weight(ruling: Ruling) -> tuple[bool, float]:
    """How much a ruling accuses."""
    return ruling.status is Status.ASSERTED, ruling.min_s or 0.0


def _as_seen(drive: Drive) -> Ruling | None:
    """The ruling that holds whichever way the vehicle went; None where every way was lawful.

    Of several ways, the one that accuses least counts; where one of them was lawful, it is held.
    """
    rulings = [_on_way(drive, way) for way in drive.ways]
    known = [ruling for ruling in rulings if ruling is not None]
    if not known:
        return None
    weakest = min(known, key=_weight)
    if len(rulings) == 1:
        return weakest
    if len(known) == len(rulings):
        return replace(weakest, movement=None)
    doubtful = replace(weakest, movement=None, doubtful=True)
    return doubtful.held("It was not seen which way it went, and one of the ways was allowed.")


def _on_way(drive: Drive, way: Movement) -> Ruling | None:
    """The ruling for one movement: a round red may let it turn, a red arrow never does."""
    earliest_s, latest_s = drive.earliest_s, drive.crossing.latest_s
    named = [head for head in drive.heads if head.head_id in way.head_ids]
    heads = aspect.controlling(named, earliest_s, latest_s)
    ruling = _on_red(drive, heads)
    if ruling is None:
        return None
    ruling = replace(ruling, movement=way.name)
    if way.on_red is TurnOnRed.FORBIDDEN or any(head.kind is not HeadKind.ROUND for head in heads):
        return ruling
    stopped = has_stopped(drive.history, drive.reach_m, drive.line.view, drive.max_gap_s)
    if way.on_red is TurnOnRed.ALLOWED or stopped:
        return None
    ruling = replace(ruling, rule=Rule.RIGHT_TURN_WITHOUT_STOP)
    return ruling.held("It may have stopped where it was not seen.") if stopped is None else ruling


def _on_red(drive: Drive, heads: Sequence[HeadState]) -> Ruling | None:
    """Asserted when the lower end of the time into red reaches the grace, held when only the upper end does.

    None where the crossing was no offence: a head surely was not red, or most likely no longer, or red had not lasted
    for the grace.
    The time into red of a movement counts from when the last of its heads turned red.
    """
    crossing, line = drive.crossing, drive.line
    earliest_s = crossing.t_s if crossing.earliest_s is None else crossing.earliest_s
    reds = [signal.time_into_red(head, earliest_s, crossing.latest_s) for head in heads]
    known = [red for red in reds if red is not None]
    if not known or len(known) < len(reds):
        return None
    min_s = min(red.min_s for red in known)
    upper = [red.max_s for red in known if red.max_s is not None]
    max_s = min(upper) if upper else None
    if max_s is not None and max_s < line.grace_s:
        return None
    ruling = Ruling(status=Status.HELD, min_s=min_s, max_s=max_s, reason="")
    if crossing.earliest_s is None:
        return replace(ruling.held("It was not surely seen before the stop line."), min_s=None)
    if any(red.ended_s is not None and crossing.t_s >= red.ended_s for red in known):
        return None
    if not all(red.certain for red in known):
        return ruling.held("The signal may no longer have been red when it crossed.")
    if not all(red.steady for red in known):
        return ruling.held("The red was seen too short to tell it from a flash.")
    ambers = [red.amber_s for red in known if red.amber_s is not None]
    if ambers and min(ambers) < line.min_amber_s:
        return ruling.held(
            f"The amber before it lasted {max(min(ambers), 0.0):.2f} s at most; the site's least is {line.min_amber_s:.2f} s."
        )
    if min_s >= line.grace_s:
        return replace(ruling, status=Status.ASSERTED, reason=_asserted(min_s, max_s, line.grace_s))
    if max_s is None:
        return ruling.held(
            f"The change to red was not seen; red was seen for {max(min_s, 0.0):.2f} s; grace {line.grace_s:.2f} s."
        )
    middle_s, error_s = (min_s + max_s) / 2.0, (max_s - min_s) / 2.0
    return ruling.held(f"{middle_s:.2f} s into red, ± {error_s:.2f} s; grace {line.grace_s:.2f} s.")


def _asserted(min_s: float, max_s: float | None, grace_s: float) -> str:
    if max_s is None:
        return f"Its front crossed the stop line at least {min_s:.2f} s into red (the change to red was not seen)."
    middle_s, error_s = (min_s + max_s) / 2.0, (max_s - min_s) / 2.0
    return (
        f"Its front crossed the stop line {middle_s:.2f} s into red (± {error_s:.2f} s, at least {min_s:.2f} s; "
        f"grace {grace_s:.2f} s)."
    )
