"""What must not change the answers of the rules, and what may cost recall but never accuses anybody wrongly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.finding import Finding, Status
from rules.lost import Lost
from rules.observation import Observation, Point
from rules.site import Window
from tests.builders.junction import fold
from tests.builders.kerb import PLACE, a_kerb, a_zone
from tests.builders.scene import a_car, observe
from tests.builders.street_life import Traffic, at_a_junction, at_a_kerb
from tests.builders.transforms import (
    Mapping,
    enlarge,
    mapped,
    mirror,
    with_a_poor_detector,
    with_frames_dropped,
    with_outages,
)

SCENES = 20
"""How many random scenes stand behind a recall."""

Make = Callable[..., Traffic]
Spoil = Callable[[Traffic, Random], Sequence[Observation]]

seeds = st.integers(0, 10**9)
places = pytest.mark.parametrize("make", [at_a_junction, at_a_kerb])


def findings(traffic: Traffic, seen: Sequence[Observation] | None = None) -> list[Finding]:
    said = fold(traffic.seen if seen is None else seen, traffic.site)
    return [output for output in said if isinstance(output, Finding)]


def facts(found: Iterable[Finding], moved: Callable[[Point], Point] = lambda point: point) -> list[object]:
    """What a finding says, to the microsecond and to a thousandth of a pixel."""

    def number(value: float | None) -> float | None:
        return None if value is None else round(value, 6) + 0.0

    def point(at: Point) -> tuple[float, float]:
        x, y = moved(at)
        return (round(x, 3) + 0.0, round(y, 3) + 0.0)

    return [
        (
            one.id,
            one.status,
            one.place_id,
            one.reasons,
            point(one.at_px),
            *(
                number(value)
                for value in (
                    one.t_s,
                    one.t_error_s,
                    one.time_into_red_min_s,
                    one.time_into_red_max_s,
                    one.dwell_s,
                    one.unseen_s,
                )
            ),
            tuple((photo.role, photo.stamp.index) for photo in one.photos),
        )
        for one in sorted(found, key=lambda finding: finding.id)
    ]


@places
@settings(max_examples=12)
@given(seed=seeds)
def test_a_mirrored_scene_gives_the_same_answers(make: Make, seed: int) -> None:
    traffic = make(Random(seed))
    mapping = mirror(traffic.site.cameras[0].width_px)
    site, seen = mapped(mapping, traffic.site, traffic.seen)
    original = findings(traffic)
    assert original
    assert facts(findings(replace(traffic, site=site, seen=seen))) == facts(original, mapping.point)


@places
@settings(max_examples=12)
@given(seed=seeds, factor=st.sampled_from([0.5, 1.5, 2.0, 3.0]))
def test_the_same_scene_in_another_resolution_gives_the_same_answers(
    make: Make, seed: int, factor: float
) -> None:
    traffic = make(Random(seed))
    mapping = enlarge(factor)
    site, seen = mapped(mapping, traffic.site, traffic.seen)
    assert facts(findings(replace(traffic, site=site, seen=seen))) == facts(findings(traffic), mapping.point)


@places
@settings(max_examples=8)
@given(seed=seeds, later_s=st.integers(1, 100_000))
def test_another_start_of_the_media_clock_moves_the_times_and_nothing_else(
    make: Make, seed: int, later_s: int
) -> None:
    traffic = make(Random(seed))
    later = [
        replace(one, stamp=replace(one.stamp, media_s=one.stamp.media_s + later_s)) for one in traffic.seen
    ]
    moved = [replace(one, t_s=one.t_s - later_s) for one in findings(traffic, later)]
    assert [fact[:5] for fact in _rows(moved)] == [fact[:5] for fact in _rows(findings(traffic))]
    for one, other in zip(_by_id(moved), _by_id(findings(traffic)), strict=True):
        assert one.t_s == pytest.approx(other.t_s, abs=1e-6)
        assert one.time_into_red_min_s == pytest.approx(other.time_into_red_min_s, abs=1e-6)
        assert one.dwell_s == pytest.approx(other.dwell_s, abs=1e-6)


def _by_id(found: Iterable[Finding]) -> list[Finding]:
    return sorted(found, key=lambda finding: finding.id)


def _rows(found: Iterable[Finding]) -> list[tuple[object, ...]]:
    return [(one.id, one.status, one.place_id, one.reasons, len(one.photos)) for one in _by_id(found)]


@settings(max_examples=12)
@given(
    zone=st.sampled_from(
        ["Asia/Shanghai", "America/New_York", "Europe/London", "Asia/Kathmandu", "Pacific/Apia"]
    ),
    opens_min=st.integers(0, 1439),
    month=st.sampled_from([1, 7]),
)
def test_a_window_follows_the_clock_on_the_wall_in_every_time_zone(
    zone: str, opens_min: int, month: int
) -> None:
    """The car stands from a minute before the window opens; dwell counts from the opening."""
    local = datetime(2024, month, 10, opens_min // 60, opens_min % 60, tzinfo=ZoneInfo(zone))
    started_at = local.astimezone(UTC) - timedelta(seconds=60)
    window = Window(days=frozenset(range(7)), start_min=opens_min, end_min=(opens_min + 60) % 1440)
    car = a_car(1).stands_at(PLACE, 0.0, 125.0)
    seen = observe([car], until_s=125.0, fps=2, started_at=started_at)
    (one,) = replace(a_kerb(a_zone(windows=(window,))), time_zone=zone).findings(seen)
    assert one.status is Status.ASSERTED
    assert one.t_s == pytest.approx(60.0 + 20.0, abs=0.5)


def test_the_same_moment_in_another_time_zone_is_outside_the_window() -> None:
    started_at = datetime(2024, 5, 6, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)
    window = Window(days=frozenset(range(7)), start_min=9 * 60, end_min=11 * 60)
    seen = observe([a_car(1).stands_at(PLACE, 0.0, 60.0)], until_s=60.0, fps=5, started_at=started_at)
    kerb = a_kerb(a_zone(windows=(window,)))
    assert [one.status for one in kerb.findings(seen)] == [Status.ASSERTED]
    assert replace(kerb, time_zone="Europe/London").findings(seen) == []


@dataclass(frozen=True)
class Trial:
    """A way to spoil what is seen, and how much of what was asserted before may be lost."""

    name: str
    spoil: Spoil
    recall: float
    switches: bool = False


TRIALS = (
    Trial("untouched", lambda traffic, random: traffic.seen, 1.0),
    Trial("10 % dropped", lambda traffic, random: with_frames_dropped(traffic.seen, 0.1, random), 0.95),
    Trial("30 % dropped", lambda traffic, random: with_frames_dropped(traffic.seen, 0.3, random), 0.8),
    Trial(
        "boxes jittered by 5 %, 20 % missed, one switch per track",
        lambda traffic, random: with_a_poor_detector(traffic.seen, random, jitter=0.05, missed=0.2),
        0.95,
        switches=True,
    ),
)


@places
@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_a_spoiled_view_accuses_nobody_wrongly_and_finds_nearly_all(
    make: Make, trial: Trial, figure: Callable[[str, object], None]
) -> None:
    wanted = found = 0
    wrong: list[str] = []
    for seed in range(SCENES):
        random = Random(seed)
        traffic = make(random, switches=trial.switches)
        said = findings(traffic, trial.spoil(traffic, random))
        wanted += len(traffic.offences)
        found += len(traffic.found(said))
        wrong += [f"scene {seed}: {one.id}: {one.reasons}" for one in traffic.false(said)]
    figure(f"recall, {make.__name__}, {trial.name}", found / wanted)
    assert not wrong
    assert found / wanted >= trial.recall


@settings(max_examples=25)
@given(seed=seeds, dropped=st.floats(0.0, 0.9), jitter=st.floats(0.0, 0.05), missed=st.floats(0.0, 0.5))
def test_no_share_of_lost_frames_and_boxes_makes_an_accusation(
    seed: int, dropped: float, jitter: float, missed: float
) -> None:
    random = Random(seed)
    traffic = at_a_junction(random, switches=random.random() < 0.5)
    left = with_frames_dropped(traffic.seen, dropped, random)
    said = findings(traffic, with_a_poor_detector(left, random, jitter=jitter, missed=missed))
    assert [(one.id, one.reasons) for one in traffic.false(said)] == []


def test_with_an_outage_of_a_second_every_ten_who_offends_outside_is_found_and_every_other_is_told_as_lost(
    figure: Callable[[str, object], None],
) -> None:
    """An outage lasts from the last picture before it to the first one after it."""
    found = covered = 0
    for seed in range(SCENES):
        traffic = at_a_junction(Random(seed))
        seen = with_outages(traffic.seen, every_s=10.0, for_s=1.0)
        said = fold(seen, traffic.site)
        accused = [output for output in said if isinstance(output, Finding)]
        gaps = [output for output in said if isinstance(output, Lost)]
        assert not traffic.false(accused)
        asserted = traffic.found(accused)
        for rule, track, at_s in traffic.offences:
            cost = [gap for gap in gaps if gap.from_s <= at_s <= gap.to_s]
            assert bool(cost) is not ((rule, track) in asserted), (seed, track, at_s)
            assert all(gap.place_id == "north" and gap.movements == ("straight",) for gap in cost)
            found += not cost
            covered += bool(cost)
    figure("outside of the outages, all found", found)
    figure("in an outage, all told as lost", covered)
    assert found > 3 * SCENES
    assert covered > SCENES / 3


def test_at_five_frames_a_second_with_30_percent_dropped_parked_cars_are_still_found() -> None:
    """Two lost frames in a row leave 0.6 s, which is more than the longest allowed gap."""
    for seed in range(SCENES // 2):
        random = Random(seed)
        traffic = at_a_kerb(random, fps=5.0)
        said = findings(traffic, with_frames_dropped(traffic.seen, 0.3, random))
        assert not traffic.false(said)
        assert len(traffic.found(said)) == len(traffic.offences)


@places
def test_a_false_accusation_and_one_made_twice_would_be_noticed(make: Make) -> None:
    traffic = make(Random(3))
    said = findings(traffic)
    assert traffic.false(said) == []
    assert replace(traffic, offences=()).false(said) == said
    assert traffic.false([*said, said[0]]) == [said[0]]
    assert traffic.found([]) == set()


def test_a_mapping_refuses_pixels_that_it_does_not_know() -> None:
    @dataclass(frozen=True)
    class Novel:
        radius_px: float = 3.0

    identity = Mapping(point=lambda point: point, vector=lambda vector: vector, length=lambda length: length)
    with pytest.raises(TypeError, match="radius_px"):
        identity.applied(Novel())


def test_mirroring_twice_and_enlarging_back_gives_the_scene_itself() -> None:
    traffic = at_a_kerb(Random(1))
    for there, back in ((mirror(640), mirror(640)), (enlarge(2.0), enlarge(0.5))):
        site, seen = mapped(back, *mapped(there, traffic.site, traffic.seen))
        assert site == traffic.site
        assert [facts_of(one) for one in seen[:20]] == [facts_of(one) for one in traffic.seen[:20]]


def facts_of(observation: Observation) -> list[tuple[float, ...]]:
    return [tuple(round(side, 6) for side in point.box_px) for point in observation.tracks or ()]
