"""What a package must hold to prove its case: the evidence profile, and what a package lacks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from evidence.clip import Part
from evidence.moments import heads_at
from evidence.stills import TakenPhoto
from evidence.wording import stop_line
from rules.finding import Finding, Photo, PhotoRole, Rule, TracePoint
from rules.geometry import bottom_center, distance_along
from rules.observation import LampState
from rules.site import Site, StopLine

WANTED: Mapping[Rule, tuple[PhotoRole, ...]] = MappingProxyType(
    {
        Rule.RED_LIGHT: (PhotoRole.BEFORE_LINE, PhotoRole.PAST_LINE, PhotoRole.FURTHER_ON),
        Rule.STOPPED_PAST_LINE: (PhotoRole.BEFORE_LINE, PhotoRole.PAST_LINE, PhotoRole.LAST),
        Rule.RIGHT_TURN_WITHOUT_STOP: (PhotoRole.BEFORE_LINE, PhotoRole.PAST_LINE, PhotoRole.FURTHER_ON),
        Rule.NO_PARKING: (PhotoRole.FIRST, PhotoRole.MIDDLE, PhotoRole.LAST),
    }
)
"""The photos of each rule whose findings get a package; of pedestrians on a crosswalk no picture is kept (design section 4)."""

LINE_RULES = frozenset({Rule.RED_LIGHT, Rule.STOPPED_PAST_LINE, Rule.RIGHT_TURN_WITHOUT_STOP})


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceProfile:
    """What a jurisdiction asks of a package; one that lacks something of it is incomplete.

    ``least_size_px``: (width, height) of the photos (GA/T 832-2014 asks for 1280 x 720 of digital cameras);
    None for any. ``wall_clock``: photos must carry the time of day, known to ``max_clock_error_s``. Where
    there is a wall clock, that error counts in any case. ``parking_apart_s``: between photos of a standing
    vehicle. ``clip_before_s`` and ``clip_after_s``: what the clip must show around the event, as far as
    there is footage.
    """

    name: str = "default"
    plate_readable: bool = True
    red_in_every_photo: bool = True
    least_size_px: tuple[int, int] | None = None
    wall_clock: bool = False
    max_clock_error_s: float = 1.0
    parking_apart_s: float = 10.0
    clip_before_s: float = 5.0
    clip_after_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What a package holds. ``footage_s`` are the first and last media second that there ever was to show."""

    photos: tuple[TakenPhoto, ...]
    clip: tuple[Part, ...]
    footage_s: tuple[float, float]
    names: frozenset[str]


def shortcomings(finding: Finding, site: Site, held: Holdings, profile: EvidenceProfile) -> tuple[str, ...]:
    """One sentence for each thing that the package lacks of what its rule and the profile ask for."""
    lacking = _photos_missing(finding, held.photos)
    lacking += _photos_unfit(held.photos, profile)
    if finding.rule in LINE_RULES:
        lacking += _line_photos(finding, site, held, profile)
    else:
        lacking += _parking_photos(finding, held.photos, profile)
    lacking += _clip(finding, held, profile)
    if profile.plate_readable and (finding.plate is None or finding.plate.stamp is None):
        lacking.append("the plate is unreadable: none was found")
    elif profile.plate_readable and finding.plate is not None and finding.plate.text is None:
        lacking.append("the plate is unreadable")
    return tuple(lacking)


def _photos_missing(finding: Finding, photos: Sequence[TakenPhoto]) -> list[str]:
    taken = {photo.photo.role for photo in photos}
    why = dict(finding.missing)
    return [
        f"photo '{role.value}' is missing" + (f": {why[role]}" if role in why else "")
        for role in WANTED.get(finding.rule, ())
        if role not in taken
    ]


def _photos_unfit(photos: Sequence[TakenPhoto], profile: EvidenceProfile) -> list[str]:
    lacking = []
    for first, second in pairwise(photos):
        names = f"photos '{first.photo.role.value}' and '{second.photo.role.value}'"
        if first.frame_sha256 == second.frame_sha256:
            lacking.append(f"{names} are the same picture")
        elif second.photo.stamp.media_s <= first.photo.stamp.media_s:
            lacking.append(f"{names} are not in order of time")
    for photo in photos:
        role, stamp = photo.photo.role.value, photo.photo.stamp
        least = profile.least_size_px
        if least is not None and (photo.size_px[0] < least[0] or photo.size_px[1] < least[1]):
            width, height = photo.size_px
            lacking.append(
                f"photo '{role}' has {width} x {height} pixels; {least[0]} x {least[1]} are asked for"
            )
        if stamp.captured_at is None:
            if profile.wall_clock:
                lacking.append(f"photo '{role}' has no time of day")
        elif stamp.error_s > profile.max_clock_error_s:
            lacking.append(
                f"photo '{role}': the clock may be off by {stamp.error_s:.3f} s; {profile.max_clock_error_s:.1f} s are allowed"
            )
    return lacking


def _line_photos(finding: Finding, site: Site, held: Holdings, profile: EvidenceProfile) -> list[str]:
    """What the trace and the lines say of each photo: before the line, past it, beyond the further-on line; red in all."""
    lacking = []
    line = stop_line(finding, site)
    points = {point.index: point for point in finding.trace}
    for taken in held.photos:
        role, photo = taken.photo.role, taken.photo
        fault = _place_fault(finding.rule, photo, points.get(photo.stamp.index), line)
        if fault is not None:
            lacking.append(f"photo '{role.value}' does not show {fault}")
        if profile.red_in_every_photo:
            for head in heads_at(finding.signal, photo.stamp.media_s):
                if head.state is not LampState.RED:
                    lacking.append(
                        f"photo '{role.value}': signal {head.head_id} is {head.state.value}, not red"
                    )
    if profile.red_in_every_photo and not finding.signal:
        lacking.append("no signal was seen")
    if "lamp.jpg" not in held.names:
        lacking.append("there is no close-up of the signal")
    return lacking


def _place_fault(rule: Rule, photo: Photo, point: TracePoint | None, line: StopLine | None) -> str | None:
    """What the photo does not show although its role asks for it; a vehicle that stopped may stand on the line."""
    match photo.role:
        case PhotoRole.BEFORE_LINE:
            shows = point is not None and point.leading_m is not None and point.leading_m < 0.0
            return None if shows else "the leading point before the line"
        case PhotoRole.PAST_LINE if rule is not Rule.STOPPED_PAST_LINE:
            shows = point is not None and point.trailing_m is not None and point.trailing_m >= 0.0
            return None if shows else "the trailing point past the line"
        case PhotoRole.PAST_LINE | PhotoRole.LAST:
            shows = point is not None and point.leading_m is not None and point.leading_m >= 0.0
            return None if shows else "the leading point past the line"
        case PhotoRole.FURTHER_ON:
            foot = bottom_center(photo.box_px)
            shows = line is not None and distance_along(foot, line.further_on_px, line.direction) >= 0.0
            return None if shows else "the vehicle beyond the further-on line"
    return None


def _parking_photos(finding: Finding, photos: Sequence[TakenPhoto], profile: EvidenceProfile) -> list[str]:
    lacking = []
    times = [photo.photo.stamp.media_s for photo in photos]
    for before_s, after_s in pairwise(times):
        if after_s - before_s < profile.parking_apart_s:
            lacking.append(
                f"two photos are {after_s - before_s:.1f} s apart; {profile.parking_apart_s:.0f} s are asked for"
            )
    allowed_s = finding.allowed_stop_s
    if times and allowed_s is not None and times[-1] - times[0] <= allowed_s:
        lacking.append(
            f"first and last photo are {times[-1] - times[0]:.1f} s apart, not longer than the allowed {allowed_s:.0f} s"
        )
    return lacking


def _clip(finding: Finding, held: Holdings, profile: EvidenceProfile) -> list[str]:
    if not held.clip:
        return ["there is no clip"]
    event = held.clip[-1]
    lacking = []
    from_s = max(held.footage_s[0], finding.t_s - profile.clip_before_s)
    to_s = min(held.footage_s[1], finding.t_s + profile.clip_after_s)
    if event.first_s > from_s:
        lacking.append(
            f"the clip begins at {event.first_s:.3f} s, after {from_s:.3f} s: earlier footage was gone"
        )
    if event.last_s < to_s:
        lacking.append(f"the clip ends at {event.last_s:.3f} s, before {to_s:.3f} s")
    return lacking
