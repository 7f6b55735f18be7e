"""Reads one message of a signal controller into reports for the rules: the state of a head, or a SPaT-like one of a junction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isfinite
from types import MappingProxyType

from rules.observation import LampState, SignalMode, SignalReport

FLASHING = "flashing_"
DEFAULT_ERROR_S = 0.1
"""What a message that states no error is given: controllers log in tenths of a second."""

CONTROLLER = "controller"
"""The source that its reports name."""

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

STATUS_BITS = (
    "manualControlIsEnabled",
    "stopTimeIsActivated",
    "failureFlash",
    "preemptIsActive",
    "signalPriorityIsActive",
    "fixedTimeOperation",
    "trafficDependentOperation",
    "standbyOperation",
    "failureMode",
    "off",
    "recentMAPmessageUpdate",
    "recentChangeInMAPassignedLanesIDsUsed",
    "noValidMAPisAvailableAtThisTime",
    "noValidSPATisAvailableAtThisTime",
)
"""J2735 IntersectionStatusObject by bit; the last two of its 16 bits are reserved."""

_SUSPENDING: Mapping[str, SignalMode] = MappingProxyType(
    {
        "failureMode": SignalMode.FAILURE,
        "failureFlash": SignalMode.FAILURE,
        "noValidSPATisAvailableAtThisTime": SignalMode.FAILURE,
        "off": SignalMode.OFF,
        "standbyOperation": SignalMode.OFF,
        "manualControlIsEnabled": SignalMode.MANUAL,
        "stopTimeIsActivated": SignalMode.MANUAL,
    }
)
"""What suspends enforcement, the gravest first."""

MAX_TIME_MARK = 36_001
"""J2735 TimeMark: tenths of a second in the hour, 36,001 for unknown."""

Group = tuple[int, int, int]
"""(region, intersection, signal group) of J2735; the region is 0 where nobody numbers regions."""


class MessageError(ValueError):
    """A message that makes no sense; the text names its field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHeads:
    """Which heads a feed may speak of: by their ids (None: any), or by the signal groups that they belong to."""

    head_ids: frozenset[str] | None = None
    groups: Mapping[Group, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class FeedCounts:
    """What was read of a feed.

    ``unknown_states`` are those that nobody knows, which say unknown; ``unmapped`` counts states of heads
    and signal groups that the site file does not have.
    """

    messages: int = 0
    unknown_states: dict[str, int] = field(default_factory=dict)
    unmapped: int = 0


def read_message(
    message: object, heads: FeedHeads, counts: FeedCounts, near: datetime | None
) -> tuple[SignalReport, ...]:
    """The reports of one decoded JSON message; ``counts`` grows with them.

    Of one head: ``head``, ``state`` (red, amber, green, red_amber, off, unknown, flashing_red, flashing_amber,
    flashing_green, or a J2735 phase state by name or number) and ``at`` (ISO 8601 with its offset from UTC), and
    perhaps ``mode`` (automatic, manual, failure, off) and ``error_s``. Of an intersection: as in J2735 and
    ISO/TS 19091, an ``intersections`` list or one intersection with ``id`` and ``states``; its minute of the
    year lies in the year that brings it next to ``near`` (aware). Raises MessageError.
    """
    if not isinstance(message, dict):
        raise MessageError("is no JSON object")
    if "intersections" in message:
        listed = _list(message, "intersections")
        reports = [
            report
            for i, part in enumerate(listed)
            for report in _intersection(f"intersections[{i}]", part, message, heads, counts, near)
        ]
    elif "states" in message:
        reports = list(_intersection("", message, {}, heads, counts, near))
    else:
        reports = list(_one_head(message, heads, counts))
    counts.messages += 1
    return tuple(reports)


def _one_head(message: Mapping[str, object], heads: FeedHeads, counts: FeedCounts) -> Iterator[SignalReport]:
    head_id = message.get("head")
    if not isinstance(head_id, str) or not head_id:
        raise MessageError("has no head: the head's id in the site file is wanted")
    at = _moment(message.get("at"))
    if at is None:
        raise MessageError(
            f"at is {message.get('at')!r}; a time with its offset from UTC, 2024-05-01T08:30:00.1+08:00, is wanted"
        )
    mode, error_s = _mode(message), _error_s(message)
    state, flashing = _state(message.get("state"), counts)
    if heads.head_ids is not None and head_id not in heads.head_ids:
        counts.unmapped += 1
        return
    yield _report(head_id, state, flashing, mode, at, error_s)


def _intersection(
    where: str,
    part: object,
    message: Mapping[str, object],
    heads: FeedHeads,
    counts: FeedCounts,
    near: datetime | None,
) -> Iterator[SignalReport]:
    if not isinstance(part, dict):
        raise MessageError(f"{where}: must be an object")
    region, number = _intersection_id(where, part)
    at = _spat_time(where, part, message, near)
    error_s = _error_s(part if "error_s" in part else message)
    mode = _mode(part if "mode" in part else message)
    if mode is SignalMode.AUTOMATIC:
        mode = _status_mode(where, part.get("status", message.get("status")))
    for i, movement in enumerate(_list(part, "states", where)):
        place = f"{where}.states[{i}]".lstrip(".")
        if not isinstance(movement, dict):
            raise MessageError(f"{place}: must be an object")
        group = _integer(place, movement, "signalGroup", 255)
        state, flashing = _state(_event_state(place, movement), counts)
        known = heads.groups.get((region, number, group), ())
        if not known:
            counts.unmapped += 1
        for head_id in known:
            yield _report(head_id, state, flashing, mode, at, error_s)


def _report(
    head_id: str, state: LampState, flashing: bool, mode: SignalMode, at: datetime, error_s: float
) -> SignalReport:
    return SignalReport(
        head_id=head_id,
        state=state,
        at=at,
        error_s=error_s,
        source=CONTROLLER,
        flashing=flashing,
        mode=mode,
    )


def _state(said: object, counts: FeedCounts) -> tuple[LampState, bool]:
    """The state and whether it flashes; what nobody knows is unknown, and counted."""
    name = _state_name(said)
    try:
        return LampState(name.removeprefix(FLASHING)), name.startswith(FLASHING)
    except ValueError:
        text = str(said)[:40]
        counts.unknown_states[text] = counts.unknown_states.get(text, 0) + 1
        return LampState.UNKNOWN, False


def _state_name(said: object) -> str:
    text = str(said).strip().lower()
    if text.isascii() and text.isdigit() and int(text) < len(_NUMBERED):
        return _NUMBERED[int(text)]
    return SPAT_STATES.get(text.replace("_", "-"), text)


def _event_state(place: str, movement: Mapping[str, object]) -> object:
    """The state that holds now: J2735 lists it first, and what is foreseen after it."""
    event: object = movement
    if "eventState" not in movement:
        name = "state-time-speed"
        events = _list(movement, name, place)
        if not events:
            raise MessageError(f"{place}.{name}: is empty; the state that holds now is wanted")
        event, place = events[0], f"{place}.{name}[0]"
    if not isinstance(event, dict) or "eventState" not in event:
        raise MessageError(f"{place}: has no eventState")
    timing = event.get("timing", {})
    if not isinstance(timing, dict):
        raise MessageError(f"{place}.timing: must be an object")
    if "minEndTime" in timing:
        # A promise, not an observation: nobody is judged by it, but a feed that garbles it may garble more.
        _integer(f"{place}.timing", timing, "minEndTime", MAX_TIME_MARK)
    return event["eventState"]


def _intersection_id(where: str, part: Mapping[str, object]) -> tuple[int, int]:
    """(region, id); ``id`` is a number, or an object with ``id`` and perhaps ``region``."""
    named = part.get("id")
    if not isinstance(named, dict):
        return 0, _integer(where, part, "id", 65_535)
    place = f"{where}.id".lstrip(".")
    region = _integer(place, named, "region", 65_535) if "region" in named else 0
    return region, _integer(place, named, "id", 65_535)


def _spat_time(
    where: str, part: Mapping[str, object], message: Mapping[str, object], near: datetime | None
) -> datetime:
    """``at`` where it is given, else the minute of the year and the millisecond in it."""
    said = part.get("at", message.get("at"))
    if said is not None:
        at = _moment(said)
        if at is None:
            raise MessageError(
                f"{where}.at is {said!r}; a time with its offset from UTC is wanted".lstrip(".")
            )
        return at
    minutes = part if "moy" in part else message
    name = "moy" if "moy" in part else "timeStamp"
    if name not in minutes or "timeStamp" not in part:
        raise MessageError(f"{where}: has no time; at, or moy and timeStamp, are wanted".lstrip(": "))
    minute = _integer(where, minutes, name, 527_039)
    since = timedelta(minutes=minute, milliseconds=_integer(where, part, "timeStamp", 60_999))
    if near is None:
        raise MessageError(f"{where}.moy says no year; use at, or say when the recording began".lstrip("."))
    years = (datetime(near.year + step, 1, 1, tzinfo=UTC) + since for step in (-1, 0, 1))
    return min(years, key=lambda moment: abs(moment - near))


def _mode(message: Mapping[str, object]) -> SignalMode:
    said = message.get("mode", "automatic")
    try:
        return SignalMode(str(said))
    except ValueError as exc:
        raise MessageError(f"mode is {said!r}; one of {', '.join(SignalMode)} is wanted") from exc


def _status_mode(where: str, status: object) -> SignalMode:
    """The mode that a J2735 status says: a list of names, an object of name to true or false, or 16 bits as text."""
    place = f"{where}.status".lstrip(".")
    if status is None:
        return SignalMode.AUTOMATIC
    if isinstance(status, str) and len(status) == 16 and set(status) <= {"0", "1"}:
        names = {name for name, bit in zip(STATUS_BITS, status, strict=False) if bit == "1"}
    elif isinstance(status, dict) and all(isinstance(value, bool) for value in status.values()):
        names = {name for name, value in status.items() if value}
    elif isinstance(status, list) and all(isinstance(name, str) for name in status):
        names = set(status)
    else:
        raise MessageError(f"{place} is {status!r}; names, names with true or false, or 16 bits are wanted")
    unknown = sorted(names - set(STATUS_BITS))
    if unknown:
        raise MessageError(f"{place}: nobody knows {unknown[0]!r}; one of {', '.join(STATUS_BITS)} is wanted")
    return next((mode for name, mode in _SUSPENDING.items() if name in names), SignalMode.AUTOMATIC)


def _error_s(message: Mapping[str, object]) -> float:
    said = message.get("error_s", DEFAULT_ERROR_S)
    try:
        error_s = float(str(said))
    except ValueError as exc:
        raise MessageError(f"error_s is {said!r}; a number of seconds is wanted") from exc
    if not isfinite(error_s) or error_s < 0.0:
        raise MessageError(f"error_s is {error_s}; seconds from 0 on are wanted")
    return error_s


def _integer(where: str, part: Mapping[str, object], name: str, most: int) -> int:
    value = part.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise MessageError(f"{where}.{name} is {value!r}; a whole number, 0 to {most}, is wanted".lstrip("."))
    return value


def _list(part: Mapping[str, object], name: str, where: str = "") -> list[object]:
    value = part.get(name)
    if not isinstance(value, list):
        raise MessageError(f"{where}.{name}: must be a list".lstrip("."))
    return value


def _moment(value: object) -> datetime | None:
    """Aware, in UTC; None for anything else than a time with its offset."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return None if moment.utcoffset() is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
