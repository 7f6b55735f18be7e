"""What a red-light finding says: the verdict over all heads with its sentence, the photos and the trace."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rules import approach, aspect, signal
from rules.approach import Crossing, Sighting
from rules.finding import Finding, Photo, PhotoRole, Rule, SignalSpan, Status
from rules.finding_id import finding_id
from rules.geometry import interpolate
from rules.observation import FrameStamp, ObjectClass
from rules.signal import HeadState
from rules.site import StopLine

SIGNAL_BEFORE_S = 10.0
"""How much of the signal before the first sighting the trace shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One track's drive over one line: what a verdict is about."""

    track_id: int
    object_class: ObjectClass
    history: tuple[Sighting, ...]
    crossing: Crossing
    line: StopLine
    heads: tuple[HeadState, ...]

    @property
    def reach_m(self) -> float:
        """How far its unseen tested point lies from the seen one."""
        return approach.reach_m(self.object_class, self.line.view)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How long all heads had been red, as an interval, and what follows from it."""

    status: Status
    min_s: float | None
    max_s: float | None
    reason: str

    def held(self, why: str) -> Judged:
        """The same times, but held for another reason."""
        return replace(self, status=Status.HELD, reason=why)


def verdict(drive: Drive) -> Judged | None:
    """Asserted when the lower end of the time into red reaches the grace, held when only the upper end does.

    None where the crossing surely was not an offence: a head was not red, or red had not lasted for the grace.
    The time into red of a movement counts from when the last of its heads turned red.
    """
    crossing, line = drive.crossing, drive.line
    earliest_s = crossing.t_s if crossing.earliest_s is None else crossing.earliest_s
    heads = aspect.controlling(drive.heads, earliest_s, crossing.latest_s)
    reds = [signal.time_into_red(head, earliest_s, crossing.latest_s) for head in heads]
    known = [red for red in reds if red is not None]
    if not known or len(known) < len(reds):
        return None
    min_s = min(red.min_s for red in known)
    upper = [red.max_s for red in known if red.max_s is not None]
    max_s = min(upper) if upper else None
    if max_s is not None and max_s < line.grace_s:
        return None
    judged = Judged(status=Status.HELD, min_s=min_s, max_s=max_s, reason="")
    if crossing.earliest_s is None:
        return replace(judged.held("It was not surely seen before the stop line."), min_s=None)
    if not all(red.certain for red in known):
        return judged.held("The signal may no longer have been red when it crossed.")
    if not all(red.steady for red in known):
        return judged.held("The red was seen too short to tell it from a flash.")
    ambers = [red.amber_s for red in known if red.amber_s is not None]
    if ambers and min(ambers) < line.min_amber_s:
        return judged.held(
            f"The amber before it lasted {max(min(ambers), 0.0):.2f} s at most; the site's least is {line.min_amber_s:.2f} s."
        )
    if min_s >= line.grace_s:
        return replace(judged, status=Status.ASSERTED, reason=_asserted(min_s, max_s, line.grace_s))
    if max_s is None:
        return judged.held(
            f"The change to red was not seen; red was seen for {max(min_s, 0.0):.2f} s; grace {line.grace_s:.2f} s."
        )
    middle_s, error_s = (min_s + max_s) / 2.0, (max_s - min_s) / 2.0
    return judged.held(f"{middle_s:.2f} s into red, ± {error_s:.2f} s; grace {line.grace_s:.2f} s.")


def _asserted(min_s: float, max_s: float | None, grace_s: float) -> str:
    if max_s is None:
        return f"Its front crossed the stop line at least {min_s:.2f} s into red (the change to red was not seen)."
    middle_s, error_s = (min_s + max_s) / 2.0, (max_s - min_s) / 2.0
    return (
        f"Its front crossed the stop line {middle_s:.2f} s into red (± {error_s:.2f} s, at least {min_s:.2f} s; "
        f"grace {grace_s:.2f} s)."
    )


def red_light_finding(drive: Drive, past: int, judged: Judged) -> Finding:
    """The finding for a vehicle that drove on: ``past`` indexes the sighting with its trailing point past the line.

    Unless it is held for not having been seen there, the last sighting is the one beyond the further-on line.
    """
    history, crossing = drive.history, drive.crossing
    photos = [
        _photo(PhotoRole.BEFORE_LINE, history[crossing.photo_before], drive),
        _photo(PhotoRole.PAST_LINE, history[past], drive),
    ]
    missing: tuple[tuple[PhotoRole, str], ...] = ()
    if approach.past_further_on(history[-1], drive.line):
        photos.append(_photo(PhotoRole.FURTHER_ON, history[-1], drive))
    else:
        missing = ((PhotoRole.FURTHER_ON, "it was not seen beyond the further-on line"),)
    stamp = history[crossing.after].stamp
    finding = _finding(Rule.RED_LIGHT, drive, judged, stamp, tuple(photos))
    error_s = max(crossing.t_s - _earliest_s(drive), crossing.latest_s - crossing.t_s)
    return replace(finding, t_s=crossing.t_s, t_error_s=error_s, missing=missing)


def stopped_finding(drive: Drive, judged: Judged) -> Finding:
    """The finding for a vehicle that crossed on red and then stood past the line for the line's standing time."""
    history, line = drive.history, drive.line
    last = history[-1]
    stands_from_s = max(last.stamp.media_s - line.standing_s, history[drive.crossing.after].stamp.media_s)
    standing = next(sighting for sighting in history if sighting.stamp.media_s >= stands_from_s)
    photos = (
        _photo(PhotoRole.BEFORE_LINE, history[drive.crossing.photo_before], drive),
        _photo(PhotoRole.PAST_LINE, standing, drive),
        _photo(PhotoRole.LAST, last, drive),
    )
    finding = _finding(Rule.STOPPED_PAST_LINE, drive, judged, last.stamp, photos)
    return replace(
        finding,
        t_error_s=last.stamp.media_s - history[-2].stamp.media_s,
        at_px=approach.leading_px(last, drive.reach_m, line),
        reasons=(*finding.reasons, f"It then stood past the line for {line.standing_s:.1f} s."),
    )


def _finding(
    rule: Rule, drive: Drive, judged: Judged, stamp: FrameStamp, photos: tuple[Photo, ...]
) -> Finding:
    middle_s = judged.min_s
    if judged.min_s is not None and judged.max_s is not None:
        middle_s = interpolate(judged.min_s, judged.max_s, 0.5)
    return Finding(
        id=finding_id(stamp.camera_id, rule, stamp, drive.track_id),
        rule=rule,
        camera_id=stamp.camera_id,
        place_id=drive.line.line_id,
        track_id=drive.track_id,
        stamp=stamp,
        t_s=stamp.media_s,
        t_error_s=0.0,
        at_px=drive.crossing.at_px,
        object_class=drive.object_class,
        status=judged.status,
        reasons=(judged.reason,),
        time_into_red_s=middle_s,
        time_into_red_min_s=judged.min_s,
        time_into_red_max_s=judged.max_s,
        crossing_s=(_earliest_s(drive), drive.crossing.latest_s),
        grace_s=drive.line.grace_s,
        photos=photos,
        trace=tuple(approach.trace_point(sighting, drive.reach_m, drive.line) for sighting in drive.history),
        signal=_signal(drive),
        line_px=drive.line.line_px,
        further_line_px=drive.line.further_on_px,
    )


def _earliest_s(drive: Drive) -> float:
    earliest_s = drive.crossing.earliest_s
    return drive.history[0].stamp.media_s if earliest_s is None else earliest_s


def _signal(drive: Drive) -> tuple[SignalSpan, ...]:
    from_s = drive.history[0].stamp.media_s - SIGNAL_BEFORE_S
    to_s = drive.history[-1].stamp.media_s
    return tuple(span for head in drive.heads for span in signal.spans_between(head, from_s, to_s))


def _photo(role: PhotoRole, sighting: Sighting, drive: Drive) -> Photo:
    return Photo(
        role=role,
        stamp=sighting.stamp,
        box_px=sighting.box_px,
        leading_px=approach.leading_px(sighting, drive.reach_m, drive.line),
        trailing_px=approach.trailing_px(sighting, drive.reach_m, drive.line),
    )
