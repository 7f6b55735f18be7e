"""Says in words what a segment lacked."""

from __future__ import annotations

from ingest.decoding import Skipped


def account_of(ending: str | None, skipped: Skipped) -> str | None:
    """One line of what a reader must know of a segment; None when it is sound and whole."""
    parts = [ending] if ending else []
    for count, what in (
        (skipped.packets_damaged, "damaged packets skipped"),
        (skipped.packets_skipped, "packets not decoded, since the machine was too slow"),
        (skipped.frames_damaged, "damaged pictures skipped"),
        (skipped.frames_doubtful, "pictures skipped that build on damaged ones"),
        (skipped.frames_not_advancing, "pictures skipped that were not later than the one before"),
        (skipped.frames_undated, "pictures without a time stamp, timed by their duration"),
    ):
        if count:
            parts.append(f"{what}: {count}")
    return "; ".join(parts) or None
