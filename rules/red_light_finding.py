"""What a red-light finding says: its sentence, the photos and the trace."""

from __future__ import annotations

from dataclasses import replace

from rules import approach, signal
from rules.drive import Drive
from rules.finding import Finding, Photo, PhotoRole, Rule, SignalSpan, Status, TracePoint
from rules.finding_id import finding_id
from rules.geometry import interpolate
from rules.observation import FrameStamp
from rules.ruling import Ruling
from rules.sighting import Sighting
from rules.site import StopLine

SIGNAL_BEFORE_S = 10.0
"""How much of the signal before the first sighting the trace shows."""


def red_light_finding(drive: Drive, past: int, ruling: Ruling) -> Finding:
    """The finding for a vehicle that drove on: ``past`` indexes the sighting with its trailing point past the line.

    The photo beyond the further-on line is missing where it was not seen there.
    """
    history, crossing = drive.history, drive.crossing
    photos = [
        _photo(PhotoRole.BEFORE_LINE, history[crossing.photo_before], drive),
        _photo(PhotoRole.PAST_LINE, history[past], drive),
    ]
    missing: tuple[tuple[PhotoRole, str], ...] = ()
    if drive.beyond is not None:
        photos.append(_photo(PhotoRole.FURTHER_ON, history[drive.beyond], drive))
    else:
        missing = ((PhotoRole.FURTHER_ON, "it was not seen beyond the further-on line"),)
    stamp = history[crossing.after].stamp
    finding = _finding(ruling.rule, drive, ruling, stamp, tuple(photos))
    error_s = max(crossing.t_s - drive.earliest_s, crossing.latest_s - crossing.t_s)
    return replace(finding, t_s=crossing.t_s, t_error_s=error_s, missing=missing)


def stopped_finding(drive: Drive, ruling: Ruling) -> Finding:
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
    finding = _finding(Rule.STOPPED_PAST_LINE, drive, ruling, last.stamp, photos)
    return replace(
        finding,
        t_error_s=last.stamp.media_s - history[-2].stamp.media_s,
        at_px=approach.leading_px(last, drive.reach_m, line),
        reasons=(*finding.reasons, f"It then stood past the line for {line.standing_s:.1f} s."),
    )


def _finding(
    rule: Rule, drive: Drive, ruling: Ruling, stamp: FrameStamp, photos: tuple[Photo, ...]
) -> Finding:
    middle_s = ruling.min_s
    if ruling.min_s is not None and ruling.max_s is not None:
        middle_s = interpolate(ruling.min_s, ruling.max_s, 0.5)
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
        earlier_tracks=drive.earlier_tracks,
        movement=ruling.movement,
        lane_id=None if drive.lane is None else drive.lane.lane_id,
        status=ruling.status,
        reasons=_reasons(rule, drive, ruling),
        time_into_red_s=middle_s,
        time_into_red_min_s=ruling.min_s,
        time_into_red_max_s=ruling.max_s,
        crossing_s=(drive.earliest_s, drive.crossing.latest_s),
        grace_s=drive.line.grace_s,
        photos=photos,
        trace=tuple(_trace_point(sighting, drive.reach_m, drive.line) for sighting in drive.history),
        signal=_signal(drive),
        line_px=drive.line.line_px,
        further_line_px=drive.line.further_on_px,
    )


def _reasons(rule: Rule, drive: Drive, ruling: Ruling) -> tuple[str, ...]:
    reasons = [ruling.reason]
    if rule is Rule.RIGHT_TURN_WITHOUT_STOP and ruling.status is Status.ASSERTED:
        reasons.append("It turned without having stopped.")
    if drive.hidden_s > drive.max_gap_s:
        reasons.append(f"After the line it was hidden for {drive.hidden_s:.2f} s.")
    return tuple(reasons)


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


def _trace_point(sighting: Sighting, reach_m: float, line: StopLine) -> TracePoint:
    """The sighting for the trace, with both tested points."""
    return TracePoint(
        index=sighting.stamp.index,
        media_s=sighting.stamp.media_s,
        box_px=sighting.box_px,
        leading_px=approach.leading_px(sighting, reach_m, line),
        trailing_px=approach.trailing_px(sighting, reach_m, line),
        leading_m=approach.leading_m(sighting.ground_m, reach_m, line.view),
        trailing_m=approach.trailing_m(sighting.ground_m, reach_m, line.view),
    )
