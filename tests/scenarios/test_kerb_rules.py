"""Parking with all that signs and lanes allow: hours, holidays, uses, queues, lists, and standing on again and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rules.finding import Finding
from rules.observation import LampSample, LampState, ObjectClass, Observation
from rules.site import ExemptPlate, Head, QueueLane, Use, UseKind, Window
from tests.builders.kerb import PLACE, Kerb, a_kerb, a_zone
from tests.builders.scene import Actor, a_bus, a_car, observe
from tests.scenarios.matrix import scenario

EVERY_DAY = frozenset(range(7))
TUESDAY_9 = datetime(2024, 4, 2, 1, tzinfo=UTC)
"""09:00 in Shanghai on a Tuesday."""


def hours(start: str, end: str, days: frozenset[int] = EVERY_DAY) -> Window:
    (h1, m1), (h2, m2) = (map(int, text.split(":")) for text in (start, end))
    return Window(days=days, start_min=60 * h1 + m1, end_min=60 * h2 + m2)


def standing(at: datetime, seconds: float = 60.0, actor: Actor | None = None) -> list[Observation]:
    """A car that stands in the zone from that moment on, seen twice a second."""
    stood = (actor or a_car(1)).stands_at(PLACE, 0, seconds)
    return observe([stood], until_s=seconds, fps=5, started_at=at)


def statuses(findings: list[Finding]) -> list[str]:
    return [finding.status.value for finding in findings]


def parked(kerb: Kerb, at: datetime, seconds: float = 60.0, actor: Actor | None = None) -> list[str]:
    return statuses(kerb.findings(standing(at, seconds, actor)))


@pytest.mark.parametrize(
    ("day", "found"), [(date(2024, 4, 2), ["asserted"]), (date(2024, 4, 4), []), (date(2024, 4, 6), [])]
)
@scenario(rule="no_parking", condition="schedule")
def test_a_zone_of_working_days_is_free_on_a_holiday_and_at_the_weekend(day: date, found: list[str]) -> None:
    zone = a_zone(
        windows=(hours("07:00", "21:00", frozenset(range(5))),),
        holidays=frozenset({date(2024, 4, 4)}),
        holiday_windows=(),
    )
    assert parked(a_kerb(zone), TUESDAY_9 + (day - date(2024, 4, 2))) == found


@scenario(rule="no_parking", condition="schedule")
def test_on_a_holiday_the_limited_hours_of_holidays_hold() -> None:
    zone = a_zone(
        windows=(hours("07:00", "21:00"),),
        holidays=frozenset({date(2024, 4, 2)}),
        holiday_windows=(hours("10:00", "12:00"),),
    )
    assert parked(a_kerb(zone), TUESDAY_9) == []
    assert parked(a_kerb(zone), TUESDAY_9 + timedelta(hours=2)) == ["asserted"]


@scenario(rule="no_parking", condition="schedule")
def test_the_night_that_began_before_the_holiday_still_holds_in_its_early_hours() -> None:
    zone = a_zone(
        windows=(hours("22:00", "06:00"),), holidays=frozenset({date(2024, 4, 2)}), holiday_windows=()
    )
    two_at_night = TUESDAY_9 - timedelta(hours=7)
    assert parked(a_kerb(zone), two_at_night) == ["asserted"]
    assert parked(a_kerb(zone), two_at_night + timedelta(hours=21)) == []
    assert parked(a_kerb(zone), two_at_night + timedelta(days=1)) == []


@scenario(rule="no_parking", condition="schedule")
def test_during_an_exception_everybody_may_stand() -> None:
    zone = a_zone(exceptions=(hours("09:00", "09:30"),))
    assert parked(a_kerb(zone), TUESDAY_9) == []
    assert parked(a_kerb(zone), TUESDAY_9 + timedelta(hours=1)) == ["asserted"]


@scenario(rule="no_parking", condition="schedule")
def test_the_dwell_counts_from_the_end_of_the_exception() -> None:
    zone = a_zone(exceptions=(hours("09:00", "09:01"),))
    (finding,) = a_kerb(zone).findings(standing(TUESDAY_9, 100))
    assert finding.t_s == pytest.approx(80.0, abs=0.3)


@scenario(rule="no_parking", condition="exempt")
def test_a_bus_may_stand_at_its_stop_as_long_as_it_likes_and_a_car_may_not() -> None:
    stop = Use(kind=UseKind.BUS_STOP, classes=frozenset({ObjectClass.BUS}), allowed_stop_s=None)
    kerb = a_kerb(a_zone(uses=(stop,)))
    assert parked(kerb, TUESDAY_9, actor=a_bus(1)) == []
    assert parked(kerb, TUESDAY_9) == ["asserted"]


@scenario(rule="no_parking", condition="exempt")
def test_at_a_taxi_rank_cars_may_wait_and_a_bus_may_not() -> None:
    rank = Use(kind=UseKind.TAXI_RANK, classes=frozenset({ObjectClass.CAR}), allowed_stop_s=None)
    kerb = a_kerb(a_zone(uses=(rank,)))
    assert parked(kerb, TUESDAY_9) == []
    assert parked(kerb, TUESDAY_9, actor=a_bus(1)) == ["asserted"]


@scenario(rule="no_parking", condition="boundary")
def test_loading_has_a_limit_of_its_own() -> None:
    loading = Use(kind=UseKind.LOADING, classes=frozenset({ObjectClass.CAR}), allowed_stop_s=40.0)
    kerb = a_kerb(a_zone(uses=(loading,)))
    assert parked(kerb, TUESDAY_9, seconds=39) == []
    (finding,) = kerb.findings(standing(TUESDAY_9, 60))
    assert finding.allowed_stop_s == 40.0
    assert finding.t_s == pytest.approx(40.0, abs=0.3)


@scenario(rule="no_parking", condition="schedule")
def test_who_loaded_lawfully_has_the_allowed_stop_left_when_the_hours_of_loading_end() -> None:
    loading = Use(
        kind=UseKind.LOADING,
        classes=frozenset({ObjectClass.CAR}),
        allowed_stop_s=900.0,
        windows=(hours("06:00", "09:01"),),
    )
    (finding,) = a_kerb(a_zone(uses=(loading,))).findings(standing(TUESDAY_9, 100))
    assert finding.t_s == pytest.approx(80.0, abs=0.3)


@scenario(rule="no_parking", condition="schedule")
def test_a_use_with_hours_needs_a_wall_clock_and_without_one_nobody_is_accused() -> None:
    loading = Use(
        kind=UseKind.LOADING,
        classes=frozenset({ObjectClass.TRUCK}),
        allowed_stop_s=900.0,
        windows=(hours("06:00", "09:00"),),
    )
    seen = observe([a_car(1).stands_at(PLACE, 0, 60)], until_s=60, fps=5)
    assert a_kerb(a_zone(uses=(loading,))).findings(seen) == []


def with_lamp(seen: list[Observation], *shown: tuple[float, LampState]) -> list[Observation]:
    """The lamp of head ``ahead``, which shows each state from its time on."""
    return [
        replace(
            one,
            lamps=(
                LampSample(
                    head_id="ahead",
                    state=next(state for start, state in reversed(shown) if start <= one.stamp.media_s),
                    confidence=0.9,
                ),
            ),
        )
        for one in seen
    ]


def a_lane(**options: float) -> Kerb:
    """A running lane that drives to the right, towards the head ``ahead``."""
    lane = QueueLane(direction=(1.0, 0.0), head_ids=("ahead",), **options)
    head = Head(head_id="ahead", camera_id="cam1", box_px=(600, 10, 620, 70))
    return a_kerb(a_zone(queue=lane)).with_site(heads=(head,))


@scenario(rule="no_parking", condition="queue")
def test_a_car_that_waits_for_the_red_light_ahead_does_not_park() -> None:
    seen = with_lamp(standing(TUESDAY_9, 60), (0, LampState.RED), (50, LampState.GREEN))
    assert a_lane().findings(seen) == []


@scenario(rule="no_parking", condition="queue")
def test_a_car_that_stands_on_in_the_lane_after_the_light_has_turned_green_parks() -> None:
    seen = with_lamp(standing(TUESDAY_9, 90), (0, LampState.RED), (30, LampState.GREEN))
    (finding,) = a_lane().findings(seen)
    assert finding.status.value == "asserted"
    assert finding.t_s == pytest.approx(30 + 15 + 20, abs=1.0)


@scenario(rule="no_parking", condition="queue")
def test_a_car_that_stands_behind_another_in_the_lane_waits_in_a_queue() -> None:
    cars = [a_car(1).stands_at((200, 300), 0, 60), a_car(2).stands_at((350, 300), 0, 60)]
    seen = with_lamp(observe(cars, until_s=60, fps=5), (0, LampState.GREEN))
    assert a_lane().findings(seen) == []


@scenario(rule="no_parking", condition="queue")
def test_no_queue_stands_for_longer_than_the_site_says_so_two_parked_cars_are_found_at_last() -> None:
    cars = [a_car(1).stands_at((200, 300), 0, 120), a_car(2).stands_at((350, 300), 0, 120)]
    seen = with_lamp(observe(cars, until_s=120, fps=5), (0, LampState.GREEN))
    assert statuses(a_lane(longest_s=60.0).findings(seen)) == ["asserted", "asserted"]


@scenario(rule="no_parking", condition="queue")
def test_a_car_alone_in_the_lane_under_a_green_light_parks() -> None:
    seen = with_lamp(standing(TUESDAY_9, 60), (0, LampState.GREEN))
    assert statuses(a_lane().findings(seen)) == ["asserted"]


@scenario(rule="no_parking", condition="queue")
def test_a_car_in_the_next_lane_makes_no_queue() -> None:
    cars = [a_car(1).stands_at((200, 335), 0, 60), a_car(2).stands_at((200, 260), 0, 60)]
    seen = with_lamp(observe(cars, until_s=60, fps=5), (0, LampState.GREEN))
    assert statuses(a_lane().findings(seen)) == ["asserted", "asserted"]


@scenario(rule="no_parking", condition="once")
def test_a_car_that_stands_on_is_a_second_case_after_the_zones_own_interval() -> None:
    kerb = a_kerb(a_zone(reenforce_s=100.0))
    assert parked(kerb, TUESDAY_9, seconds=110) == ["asserted"]
    assert parked(kerb, TUESDAY_9, seconds=160) == ["asserted", "asserted"]


PERMIT = ExemptPlate(text="浙A12345", why="resident's permit", first=date(2024, 4, 1), last=date(2024, 4, 2))


@pytest.mark.parametrize(("day", "found"), [(-2, "asserted"), (-1, "exempt"), (0, "exempt"), (1, "asserted")])
@scenario(rule="no_parking", condition="exempt")
def test_a_plate_on_the_list_is_recorded_as_exempt_while_its_permit_is_valid(day: int, found: str) -> None:
    kerb = a_kerb().with_site(exempt_plates=(PERMIT,))
    seen = standing(TUESDAY_9 + timedelta(days=day), actor=a_car(1).with_plate("浙A12345"))
    (finding,) = kerb.findings(seen)
    assert finding.status.value == found
    assert ("exempt: resident's permit" in finding.reasons) is (found == "exempt")


@scenario(rule="no_parking", condition="exempt")
def test_another_plate_is_not_exempt() -> None:
    kerb = a_kerb().with_site(exempt_plates=(PERMIT,))
    assert parked(kerb, TUESDAY_9, actor=a_car(1).with_plate("浙A54321")) == ["asserted"]


@scenario(rule="no_parking", condition="uncertain")
def test_a_permit_with_a_period_is_held_where_nobody_knows_the_date() -> None:
    kerb = a_kerb().with_site(exempt_plates=(PERMIT,))
    seen = observe([a_car(1).with_plate("浙A12345").stands_at(PLACE, 0, 60)], until_s=60, fps=5)
    (finding,) = kerb.findings(seen)
    assert finding.status.value == "held"
    assert "without a wall clock" in finding.reasons[-1]
