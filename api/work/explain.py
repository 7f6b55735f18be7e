"""Says in words for the officer why a finding was made, and what each character of its plate may be instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.records import CaseRecord
from rules.finding import Rule, Status

Facts = Mapping[str, Any]
"""The JSON object of a finding, as in ``events.jsonl``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterChoice:
    """One character of a plate (empty where this reading has none) with its confidence (0..1), None where none was given."""

    text: str
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateCell:
    """One place of the plate: what was read there, and what else the other readings saw, best first."""

    read: CharacterChoice
    instead: tuple[CharacterChoice, ...]


def why(record: CaseRecord, facts: Facts) -> str:
    """One sentence: what happened, and by how much it passes the limit (asserted), or what is missing (held)."""
    reasons = " ".join(str(reason) for reason in facts.get("reasons", ()))
    if record.status is Status.HELD:
        return f"Not asserted: {reasons}" if reasons else "Not asserted; the rule gave no reason."
    if record.status is Status.EXEMPT:
        return f"Exempt: {reasons}" if reasons else "The vehicle is exempt."
    happened = _parking(record, facts) if record.rule is Rule.NO_PARKING else _on_red(record, facts)
    return happened or reasons or "The rule gave no reason."


def plate_cells(plate: Facts | None) -> tuple[PlateCell, ...]:
    """The cells of the plate as voted; empty where it is unreadable.

    Alternatives of another length are whole other readings and belong to no cell. What two readings have
    in common at a place is not an alternative there; the share of the vote of all that differ is added up.
    """
    text = str(plate.get("text") or "") if plate else ""
    if plate is None or not text:
        return ()
    given = plate.get("char_confidences") or ()
    confidences: Sequence[float | None] = (
        [float(value) for value in given] if len(given) == len(text) else [None] * len(text)
    )
    cells = []
    for place, (char, confidence) in enumerate(zip(text, confidences, strict=True)):
        shares: dict[str, float] = {}
        for other in plate.get("alternatives", ()):
            if len(other["text"]) == len(text) and other["text"][place] != char:
                shares[other["text"][place]] = shares.get(other["text"][place], 0.0) + float(
                    other["confidence"]
                )
        ranked = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))
        cells.append(
            PlateCell(
                read=CharacterChoice(text=char, confidence=confidence),
                instead=tuple(CharacterChoice(text=other, confidence=share) for other, share in ranked),
            )
        )
    return tuple(cells)


def _on_red(record: CaseRecord, facts: Facts) -> str:
    least = facts.get("time_into_red_min_s")
    if least is None:
        return ""
    who = f"The {record.vehicle_class}"
    red = f"at least {least:.2f} s after red began"
    match record.rule:
        case Rule.RED_LIGHT:
            moment = f"at {record.t_s:.2f} s (± {float(facts.get('t_error_s', 0.0)):.2f} s)"
            return (
                f"{who} reached stop line '{record.place_id}' {moment}, {red}, "
                "and drove on beyond the further-on line."
            )
        case Rule.STOPPED_PAST_LINE:
            return f"{who} passed stop line '{record.place_id}' {red} and then stood beyond it."
        case Rule.RIGHT_TURN_WITHOUT_STOP:
            return f"{who} turned right across stop line '{record.place_id}' {red} without having stopped."
        case _:
            return f"{who} entered '{record.place_id}' {red}."


def _parking(record: CaseRecord, facts: Facts) -> str:
    dwell, unseen, allowed = (facts.get(name) for name in ("dwell_s", "unseen_s", "allowed_stop_s"))
    if dwell is None:
        return ""
    seen = f", unseen for {unseen:.1f} s of it" if unseen else ", in view all the time"
    limit = f"; {allowed:.0f} s are allowed" if allowed is not None else ""
    return f"The {record.vehicle_class} stood in zone '{record.place_id}' for {dwell:.1f} s{seen}{limit}."
