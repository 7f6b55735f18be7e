"""At a checkpoint every vehicle that passes is recorded once: when, in which lane, which way, its class and its plate."""

from __future__ import annotations

from random import Random

import pytest

from rules.finding import Passage
from rules.observation import ObjectClass, Observation
from rules.site import Camera, Gate, PlatePolicy, Site
from tests.builders.junction import fold
from tests.builders.scene import Actor, a_bicycle, a_bus, a_car, a_motorcycle, a_person, observe
from tests.scenarios.matrix import scenario

GATE = Gate(gate_id="gate", line_px=((0, 240), (600, 240)), direction=(0.0, -1.0), lane_shares=(1 / 3, 2 / 3))
SITE = Site(
    site_id="s",
    name="Checkpoint",
    time_zone="Asia/Shanghai",
    plate_profile="ga36",
    heads=(),
    cameras=(Camera(camera_id="cam1", width_px=640, height_px=480, gates=(GATE,), plates=PlatePolicy.ALL),),
)


def passing(actor: Actor, x_px: float = 100.0, at_s: float = 3.0, backward: bool = False) -> Actor:
    """Drives up the picture over the gate, or down it."""
    ends = [(x_px, 440.0), (x_px, 40.0)]
    start, end = reversed(ends) if backward else ends
    return actor.drives(start, end, at_s - 2.0, at_s + 2.0)


def recorded(*actors: Actor, **conditions: object) -> list[Passage]:
    seen: list[Observation] = observe(actors, until_s=12, **conditions)  # type: ignore[arg-type]
    return [output for output in fold(seen, SITE) if isinstance(output, Passage)]


@pytest.mark.parametrize(("x_px", "lane"), [(100, 1), (300, 2), (500, 3)])
@scenario(rule="passage", condition="offence")
def test_a_car_is_recorded_with_time_lane_direction_class_and_plate(x_px: float, lane: int) -> None:
    (passage,) = recorded(passing(a_car(1).with_plate("浙A12345"), x_px))
    assert (passage.gate_id, passage.direction, passage.lane) == ("gate", "forward", lane)
    assert passage.t_s == pytest.approx(3.0, abs=0.02)
    assert passage.object_class is ObjectClass.CAR
    assert passage.plate is not None and passage.plate.text == "浙A12345"


@scenario(rule="passage", condition="boundary")
def test_the_inner_boundary_belongs_to_the_lane_beyond_it() -> None:
    assert [passage.lane for passage in recorded(passing(a_car(1), 199.9))] == [1]
    assert [passage.lane for passage in recorded(passing(a_car(1), 200.1))] == [2]


@scenario(rule="passage", condition="approaching")
@scenario(rule="passage", condition="departing")
def test_both_directions_are_recorded_each_with_its_name() -> None:
    cars = [passing(a_car(1)), passing(a_car(2), 500, backward=True)]
    assert sorted((p.direction, p.lane) for p in recorded(*cars)) == [("backward", 3), ("forward", 1)]


@pytest.mark.parametrize("who", [a_bus(1), a_motorcycle(1), a_bicycle(1)])
@scenario(rule="passage", condition="classes")
def test_every_vehicle_is_recorded_with_its_class(who: Actor) -> None:
    assert [passage.object_class for passage in recorded(passing(who, 300))] == [who.object_class]


@scenario(rule="passage", condition="classes")
def test_who_walks_over_the_gate_is_not_recorded() -> None:
    assert recorded(passing(a_person(1))) == []


@scenario(rule="passage", condition="once")
def test_a_car_that_jitters_on_the_line_is_recorded_once() -> None:
    creeping = a_car(1).drives((100, 300), (100, 180), 1.0, 9.0)
    assert len(recorded(creeping, random=Random(2), jitter=0.04)) == 1


@scenario(rule="passage", condition="identity_switch")
def test_a_car_whose_track_changes_after_the_gate_is_recorded_once_by_its_plate() -> None:
    car = passing(a_car(1).with_plate("浙A12345")).becomes(2, 3.6)
    assert len(recorded(car)) == 1


@scenario(rule="passage", condition="occlusion")
def test_a_car_hidden_for_a_moment_at_the_gate_is_recorded() -> None:
    assert len(recorded(passing(a_car(1)).hidden(2.9, 3.2))) == 1


@scenario(rule="passage", condition="gap")
def test_a_car_that_passes_during_an_outage_is_not_made_up() -> None:
    assert recorded(passing(a_car(1)), dropped=[(2.5, 3.5)]) == []


@scenario(rule="passage", condition="elsewhere")
def test_a_car_that_passes_beside_the_gate_is_not_recorded() -> None:
    assert recorded(passing(a_car(1), 620)) == []


@scenario(rule="passage", condition="proof")
def test_a_plate_that_nobody_could_read_leaves_the_passage_without_one() -> None:
    (passage,) = recorded(passing(a_car(1)))
    assert passage.plate is None or passage.plate.text is None
