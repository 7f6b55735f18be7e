"""Whose plate is on the site's list: recorded as exempt, with why, and never silently dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from rules.finding import Finding, Status
from rules.site import ExemptPlate


def judged(finding: Finding, listed: Sequence[ExemptPlate], today: date | None) -> Finding:
    """The finding, exempt where its plate is listed and the entry is valid ``today`` (the local date).

    A police, armed police or rescue plate that is not listed is held: no camera sees whether it was on duty.

    Where nobody knows the date, an entry with a period can neither be applied nor denied: held.
    """
    text = None if finding.plate is None else finding.plate.text
    entries = [entry for entry in listed if entry.text == text]
    for entry in entries:
        always = entry.first is None and entry.last is None
        if always or (today is not None and _valid(entry, today)):
            return replace(finding, status=Status.EXEMPT, reasons=(f"exempt: {entry.why}", *finding.reasons))
    if entries and today is None and finding.status is Status.ASSERTED:
        why = "the plate is exempt for a period, and without a wall clock nobody knows whether it is now"
        return replace(finding, status=Status.HELD, reasons=(*finding.reasons, why))
    if text is not None and finding.status is Status.ASSERTED and is_emergency(text):
        why = "the plate is one of police, armed police or rescue: was the vehicle on duty?"
        return replace(finding, status=Status.HELD, reasons=(*finding.reasons, why))
    return finding


def is_emergency(text: str) -> bool:
    """Whether the plate is one of police (警), armed police (WJ) or rescue (应急), GA 36."""
    return text.startswith("WJ") or text.endswith(("警", "应急"))


def _valid(entry: ExemptPlate, today: date) -> bool:
    return (entry.first is None or entry.first <= today) and (entry.last is None or today <= entry.last)
