"""Reads what a signal controller logged, as JSON lines or CSV, into reports for the rules."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from types import MappingProxyType

from ingest.errors import FileUnreadableError, SignalFeedError
from rules.observation import LampState, SignalMode, SignalReport

FLASHING = "flashing_"
DEFAULT_ERROR_S = 0.1
"""What a message that states no error is given: controllers log in tenths of a second."""

SPAT_STATES: Mapping[str, str] = MappingProxyType(
    {
        "unavailable": "unknown",
        "dark": "off",
        "stop-then-proceed": "flashing_red",
        "stop-and-remain": "red",
        "pre-movement": "red_amber",
        "permissive-movement-allowed": "green",
        "protected-movement-allowed": "green",
        "permissive-clearance": "amber",
        "protected-clearance": "amber",
        "caution-conflicting-traffic": "flashing_amber",
    }
)
"""J2735 MovementPhaseState by name, in the order of its numbers 0 to 9; pre-movement is red with amber, not amber."""

_NUMBERED = tuple(SPAT_STATES.values())


@dataclass(slots=True)
class FeedCounts:
    """What was read of a feed: ``unknown_states`` are messages whose state nobody knows; they say unknown."""

    messages: int = 0
    unknown_states: dict[str, int] = field(default_factory=dict)


def read_feed(path: Path, counts: FeedCounts) -> Iterator[SignalReport]:
    """The reports of a ``.csv`` file or of a file of JSON lines, in its order; ``counts`` grows with them.

    A message has ``head``, ``state`` (red, amber, green, red_amber, off, unknown, flashing_red, flashing_amber,
    flashing_green, or a J2735 phase state by name or number) and ``at`` (ISO 8601 with its offset from UTC), and
    may have ``mode`` (automatic, manual, failure, off) and ``error_s``. Raises SignalFeedError naming the line,
    FileUnreadableError.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = _csv_rows(path, lines) if path.suffix.lower() == ".csv" else _json_rows(path, lines)
            for number, row in rows:
                yield _report(path, number, row, counts)
    except UnicodeDecodeError as exc:
        raise SignalFeedError(str(path), None, "is not UTF-8 text") from exc
    except OSError as exc:
        raise FileUnreadableError(str(path), exc.strerror or type(exc).__name__) from exc


def _csv_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.DictReader(lines)
    missing = {"head", "state", "at"} - set(reader.fieldnames or ())
    if missing:
        raise SignalFeedError(str(path), 1, f"has no column {', '.join(sorted(missing))}")
    for row in reader:
        yield reader.line_num, {key: value for key, value in row.items() if key and value}


def _json_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as exc:
            raise SignalFeedError(str(path), number, f"is no JSON: {exc}") from exc
        if not isinstance(row, dict):
            raise SignalFeedError(str(path), number, "is no JSON object")
        yield number, row


def _report(path: Path, number: int, row: Mapping[str, object], counts: FeedCounts) -> SignalReport:
    def wrong(what: str) -> SignalFeedError:
        return SignalFeedError(str(path), number, what)

    head_id, said = row.get("head"), row.get("state")
    if not isinstance(head_id, str) or not head_id:
        raise wrong("has no head: the head's id in the site file is wanted")
    at = _moment(row.get("at"))
    if at is None:
        raise wrong(
            f"at is {row.get('at')!r}; a time with its offset from UTC, 2024-05-01T08:30:00.1+08:00, is wanted"
        )
    try:
        mode = SignalMode(str(row.get("mode", "automatic")))
        error_s = float(str(row.get("error_s", DEFAULT_ERROR_S)))
    except ValueError as exc:
        raise wrong(f"{exc}; mode is one of {', '.join(SignalMode)}, error_s a number of seconds") from exc
    if not isfinite(error_s) or error_s < 0.0:
        raise wrong(f"error_s is {error_s}; seconds from 0 on are wanted")
    counts.messages += 1
    name = _state_name(said)
    flashing = name.startswith(FLASHING)
    try:
        state = LampState(name.removeprefix(FLASHING))
    except ValueError:
        counts.unknown_states[str(said)] = counts.unknown_states.get(str(said), 0) + 1
        state, flashing = LampState.UNKNOWN, False
    return SignalReport(
        head_id=head_id,
        state=state,
        at=at,
        error_s=error_s,
        source="controller",
        flashing=flashing,
        mode=mode,
    )


def _state_name(said: object) -> str:
    text = str(said).strip().lower()
    if text.isascii() and text.isdigit() and int(text) < len(_NUMBERED):
        return _NUMBERED[int(text)]
    return SPAT_STATES.get(text.replace("_", "-"), text)


def _moment(value: object) -> datetime | None:
    """Aware, in UTC; None for anything else than a time with its offset."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if moment.utcoffset() is None else moment.astimezone(UTC)
