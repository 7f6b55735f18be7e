"""The case against one stay: when each photo is due, what is lacking, and what is said when: each limit on both its sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rules import parking_case
from rules.finding import (
    DwellSpan,
    Finding,
    Keep,
    Output,
    Photo,
    PhotoRole,
    Release,
    Rule,
    Status,
    TracePoint,
)
from rules.observation import Box, ObjectClass
from rules.parking_stay import Stay
from rules.site import NoParkingZone
from rules.standing import Sample
from tests.builders.scene import a_stamp

PLACE: Box = (100.0, 200.0, 200.0, 280.0)
ZONE = NoParkingZone(
    zone_id="kerb", polygon_px=((0.0, 250.0), (640.0, 250.0), (640.0, 340.0)), allowed_stop_s=30.0
)
FIRST, MIDDLE, LAST = PhotoRole.FIRST, PhotoRole.MIDDLE, PhotoRole.LAST


def a_sample(at_s: float, box: Box = PLACE) -> Sample:
    return Sample(stamp=a_stamp(at_s), object_class=ObjectClass.CAR, box_px=box)


def photos(*times_s: float) -> tuple[Photo, ...]:
    roles = (FIRST, MIDDLE, LAST)
    return tuple(
        Photo(role=role, stamp=a_stamp(at_s), box_px=PLACE)
        for role, at_s in zip(roles, times_s, strict=False)
    )


def a_stay(seen_s: float, box: Box = PLACE, **options: Any) -> Stay:
    """A car that came between 9.5 and 10.5 s and was seen last at ``seen_s``; its legal clock runs since."""
    fields: dict[str, Any] = {
        "zone_id": "kerb",
        "tracks": (4, 7),
        "place_px": PLACE,
        "arrival_s": (9.5, 10.5),
        "classes": ((ObjectClass.CAR, 9),),
        "last": a_sample(seen_s, box),
        "clock_s": (9.5, 10.5),
    }
    return Stay(**{**fields, **options})


def judge(
    stay: Stay, zone: NoParkingZone = ZONE, now_s: float | None = None, since_s: float | None = 0.0
) -> tuple[Stay, tuple[Output, ...]]:
    stamp = stay.last.stamp if now_s is None else a_stamp(now_s)
    return parking_case.judge(stay, zone, stamp, since_s, "cam")


def roles(stay: Stay) -> list[PhotoRole]:
    return [photo.role for photo in stay.photos]


def test_the_first_photo_is_kept_at_once_and_cut_then() -> None:
    stay, said = judge(a_stay(11.0))
    keep = Keep(rule=Rule.NO_PARKING, track_id=4, role=FIRST, stamp=a_stamp(11.0), cut_now=True)
    assert said == (keep,)
    assert stay.photos == (Photo(role=FIRST, stamp=a_stamp(11.0), box_px=PLACE),)


@pytest.mark.parametrize(
    ("allowed_s", "after_s", "due"),
    [(30.0, 14.9, False), (30.0, 15.0, True), (18.0, 9.9, False), (18.0, 10.0, True)],
)
def test_the_middle_photo_is_due_after_half_the_allowed_stop_and_ten_seconds(
    allowed_s: float, after_s: float, due: bool
) -> None:
    stay, _ = judge(a_stay(11.0 + after_s, photos=photos(11.0)), replace(ZONE, allowed_stop_s=allowed_s))
    assert roles(stay) == ([FIRST, MIDDLE] if due else [FIRST])


@pytest.mark.parametrize(
    ("middle_s", "now_s", "due"),
    [(26.0, 41.0, False), (26.0, 41.2, True), (31.5, 41.4, False), (31.5, 41.5, True)],
)
def test_first_to_last_exceeds_the_allowed_stop_and_the_last_two_are_ten_seconds_apart(
    middle_s: float, now_s: float, due: bool
) -> None:
    stay, _ = judge(a_stay(now_s, photos=photos(11.0, middle_s)))
    assert roles(stay) == ([FIRST, MIDDLE, LAST] if due else [FIRST, MIDDLE])


@pytest.mark.parametrize(("right_px", "due"), [(160.0, True), (159.0, False)])
def test_a_photo_needs_three_fifths_of_the_vehicle_uncovered(right_px: float, due: bool) -> None:
    stay, _ = judge(a_stay(11.0, (100.0, 200.0, right_px, 280.0)))
    assert bool(stay.photos) is due


def test_no_photo_is_taken_while_the_vehicle_is_not_seen() -> None:
    stay, said = judge(a_stay(11.0), now_s=11.2)
    assert (stay.photos, stay.trace, said) == ((), (), ())


def test_the_clock_starts_with_the_hours_and_what_stood_before_counts_for_nothing() -> None:
    stay, _ = judge(a_stay(20.0, clock_s=None), since_s=10.0)
    assert stay.clock_s == (10.0, 10.5)
    stay, _ = judge(a_stay(20.0, clock_s=None), since_s=15.0)
    assert stay.clock_s == (15.0, 15.0)
    kept, _ = judge(a_stay(20.0, clock_s=(12.0, 12.5)), since_s=15.0)
    assert kept.clock_s == (12.0, 12.5)


def test_outside_the_hours_the_clock_stops_and_what_was_kept_is_let_go() -> None:
    stay, said = judge(a_stay(20.0, photos=photos(11.0), limit=a_stamp(12.0)), since_s=None)
    assert (stay.clock_s, stay.photos, stay.trace, stay.limit, stay.gaps_s) == (None, (), (), None, ())
    assert said == (Release(rule=Rule.NO_PARKING, track_id=4),)
    assert judge(a_stay(20.0), since_s=None)[1] == ()


@pytest.mark.parametrize(("now_s", "limit"), [(39.9, False), (40.0, True)])
def test_the_limit_is_the_first_frame_at_the_end_of_the_allowed_stop(now_s: float, limit: bool) -> None:
    """By the middle of the interval in which it came."""
    stay, _ = judge(a_stay(now_s))
    assert stay.limit == (a_stamp(now_s) if limit else None)
    known, _ = judge(a_stay(now_s, limit=a_stamp(39.5)))
    assert known.limit == a_stamp(39.5)


def proven(seen_s: float = 43.0, **options: Any) -> Stay:
    """Three photos, and seen standing after the last one."""
    return a_stay(seen_s, photos=photos(11.0, 26.0, 41.2), limit=a_stamp(40.0), **options)


def test_a_proven_stay_is_asserted_with_everything_that_was_tested() -> None:
    stay, said = judge(proven())
    assert stay.said_s == 43.0
    finding, released = said
    assert released == Release(rule=Rule.NO_PARKING, track_id=4)
    assert isinstance(finding, Finding)
    assert (finding.id, finding.rule, finding.camera_id) == (
        "cam-no_parking-s0-f001000-t4",
        Rule.NO_PARKING,
        "cam",
    )
    assert (finding.place_id, finding.track_id, finding.stamp) == ("kerb", 4, a_stamp(40.0))
    assert (finding.t_s, finding.t_error_s, finding.at_px) == (40.0, 0.5, (150.0, 280.0))
    assert (finding.object_class, finding.status) == (ObjectClass.CAR, Status.ASSERTED)
    assert finding.reasons == ("stood at least 32.5 s in kerb; 30 s are allowed",)
    assert (finding.dwell_s, finding.unseen_s, finding.allowed_stop_s) == (32.5, 0.0, 30.0)
    assert (finding.photos, finding.missing) == (stay.photos, ())
    assert finding.dwell == (DwellSpan(from_s=10.5, to_s=43.0, seen=True),)
    assert (finding.trace, finding.zone_px) == (stay.trace, ZONE.polygon_px)
    assert judge(stay) == (stay, ())


@pytest.mark.parametrize(("allowed_s", "over"), [(32.5, False), (32.4, True)])
def test_it_must_have_stood_surely_longer_than_allowed(allowed_s: float, over: bool) -> None:
    stay, said = judge(proven(), replace(ZONE, allowed_stop_s=allowed_s))
    assert (said != ()) is over
    assert (stay.said_s is not None) is over


@pytest.mark.parametrize(("seen_s", "said"), [(42.6, False), (42.8, True)])
def test_it_waits_until_it_was_seen_standing_after_its_last_photo(seen_s: float, said: bool) -> None:
    stay, _ = judge(proven(seen_s))
    assert (stay.said_s is not None) is said


@pytest.mark.parametrize(("now_s", "said"), [(69.9, False), (70.0, True)])
def test_a_case_that_lacks_something_is_held_half_a_minute_after_the_limit(now_s: float, said: bool) -> None:
    stay, outputs = judge(a_stay(now_s, photos=photos(60.0), limit=a_stamp(40.0)))
    assert (stay.said_s is not None) is said
    if said:
        finding = outputs[0]
        assert isinstance(finding, Finding)
        assert finding.status is Status.HELD
        why = "the vehicle was not seen uncovered and standing for 30.1 s after the first photo"
        assert finding.missing == ((MIDDLE, why), (LAST, why))
        assert finding.reasons[1:] == (
            f"photo 'middle' is missing: {why}",
            f"photo 'last' is missing: {why}",
        )


def test_what_was_asserted_with_a_last_photo_of_this_frame_keeps_it_first() -> None:
    stay = a_stay(70.0, photos=photos(11.0, 26.0), limit=a_stamp(40.0))
    _, said = judge(stay)
    assert [type(one) for one in said] == [Keep, Finding, Release]


def test_a_short_limit_needs_twenty_seconds_from_its_first_photo() -> None:
    stay = a_stay(70.0, photos=photos(60.5), limit=a_stamp(40.0))
    _, said = judge(stay, replace(ZONE, allowed_stop_s=5.0))
    finding = said[0]
    assert isinstance(finding, Finding)
    assert "standing for 20.0 s after" in finding.reasons[1]


@pytest.mark.parametrize(("gap_s", "status"), [(6.5, Status.ASSERTED), (6.6, None)])
def test_a_fifth_may_be_unseen(gap_s: float, status: Status | None) -> None:
    stay = proven(gaps_s=((20.0, 20.0 + gap_s),))
    after, said = judge(stay)
    assert (after.said_s is None) is (status is None)
    if status is not None:
        finding = said[0]
        assert isinstance(finding, Finding)
        assert finding.unseen_s == gap_s


def test_too_much_unseen_is_held_with_its_share_and_shown() -> None:
    stay = proven(70.5, gaps_s=((5.0, 20.5), (30.0, 40.0)))
    _, said = judge(stay)
    finding = said[0]
    assert isinstance(finding, Finding)
    assert finding.status is Status.HELD
    assert finding.reasons[1:] == ("not seen for 20.0 s of 60.0 s (33 %); at most 20 % is allowed",)
    assert finding.dwell == (
        DwellSpan(from_s=10.5, to_s=20.5, seen=False),
        DwellSpan(from_s=20.5, to_s=30.0, seen=True),
        DwellSpan(from_s=30.0, to_s=40.0, seen=False),
        DwellSpan(from_s=40.0, to_s=70.5, seen=True),
    )
    lenient, _ = judge(stay, replace(ZONE, max_unseen_share=0.5))
    assert lenient.said_s == 70.5


def test_an_exempt_class_is_never_told() -> None:
    exempt = replace(ZONE, exempt_classes=frozenset({ObjectClass.CAR}))
    stay, said = judge(proven(), exempt)
    assert said == (Release(rule=Rule.NO_PARKING, track_id=4),)
    assert stay.said_s == 43.0


@pytest.mark.parametrize(
    ("allowed_s", "last_s", "added"),
    [(30.0, 42.5, True), (30.0, 42.6, False), (400.0, 41.0, True), (400.0, 41.1, False)],
)
def test_the_trace_has_a_point_each_half_second_or_two_hundred_per_allowed_stop(
    allowed_s: float, last_s: float, added: bool
) -> None:
    old = TracePoint(index=1, media_s=last_s, box_px=PLACE)
    stay, _ = judge(a_stay(43.0, trace=(old,)), replace(ZONE, allowed_stop_s=allowed_s))
    assert len(stay.trace) == (2 if added else 1)
    if added:
        assert stay.trace[1] == TracePoint(index=1075, media_s=43.0, box_px=PLACE)


def close(stay: Stay, zone: NoParkingZone = ZONE) -> tuple[Output, ...]:
    return parking_case.close(stay, zone, "cam")


@pytest.mark.parametrize(("seen_s", "told"), [(42.0, False), (42.1, True)])
def test_who_left_surely_after_the_limit_is_held_with_what_is_missing(seen_s: float, told: bool) -> None:
    """30 s allowed, and a second and a half in which it may have begun to roll."""
    said = close(a_stay(seen_s, photos=photos(11.0, 26.0), limit=a_stamp(40.0)))
    assert said[-1] == Release(rule=Rule.NO_PARKING, track_id=4)
    assert len(said) == (2 if told else 1)
    if told:
        finding = said[0]
        assert isinstance(finding, Finding)
        assert (finding.status, [role for role, _ in finding.missing]) == (Status.HELD, [LAST])


def test_who_rolled_off_right_after_the_last_photo_is_held_for_that() -> None:
    stay = a_stay(42.6, photos=photos(11.0, 26.0, 41.2), limit=a_stamp(40.0))
    finding = close(stay)[0]
    assert isinstance(finding, Finding)
    assert finding.reasons[1:] == ("not seen standing for another 1.5 s after the last photo",)


def test_a_stay_that_was_told_or_never_reached_its_limit_ends_without_a_word() -> None:
    assert close(proven(said_s=43.0)) == ()
    assert close(a_stay(60.0)) == ()
    assert close(a_stay(20.0)) == ()
    assert close(a_stay(20.0, photos=photos(11.0))) == (Release(rule=Rule.NO_PARKING, track_id=4),)
