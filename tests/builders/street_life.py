"""Random traffic whose offences are known: at a junction whose head turns red at 10 s, and at a kerb with 20 s allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from rules.finding import Finding, Rule, Status
from rules.observation import ObjectClass, Observation
from rules.site import Camera, Site, View
from tests.builders.junction import Vehicle, a_junction, a_vehicle
from tests.builders.kerb import ZONE
from tests.builders.scene import Actor, a_car, observe

RED_S = 10.0
UNTIL_S = 30.0
RENAMED = 100
"""A track that is renamed gets this much more."""

DRIVES_ON = ("early", "on amber", "rear over on red")


@dataclass(frozen=True)
class Traffic:
    """What a camera saw, and who of it offends: rule by track, with when."""

    site: Site
    seen: Sequence[Observation]
    offences: tuple[tuple[Rule, int, float], ...]

    def false(self, findings: Iterable[Finding]) -> list[Finding]:
        """Asserted findings that meet no offence, and those that meet one a second time."""
        left = {(rule, track) for rule, track, _ in self.offences}
        wrong = []
        for finding in findings:
            if finding.status is Status.ASSERTED:
                key = (finding.rule, finding.track_id % RENAMED)
                if key not in left:
                    wrong.append(finding)
                left.discard(key)
        return wrong

    def found(self, findings: Iterable[Finding]) -> set[tuple[Rule, int]]:
        """The offences that were asserted."""
        wanted = {(rule, track) for rule, track, _ in self.offences}
        said = {(one.rule, one.track_id % RENAMED) for one in findings if one.status is Status.ASSERTED}
        return wanted & said


def at_a_junction(random: Random, *, fps: float = 25.0, switches: bool = False) -> Traffic:
    """Half a minute: lawful drivers in the first lane, who runs the light in the other two, one after another."""
    view = random.choice(list(View))
    junction = a_junction(view).at_fps(fps)
    vehicles = [
        _lawful(random, random.choice(DRIVES_ON)).in_lane(1).with_track(1),
        _lawful(random, "stops before the line").in_lane(1).with_track(2),
    ]
    offences = []
    for lane in (2, 3):
        at_s = random.uniform(11.5, 13.0)
        while at_s < 24.0:
            track = len(vehicles) + 1
            one = _any_vehicle(random).in_lane(lane).with_track(track)
            vehicles.append(one.crosses(at_s, random.uniform(6.0, 14.0)))
            offences.append((Rule.RED_LIGHT, track, at_s))
            at_s += random.uniform(5.0, 8.0)
    if switches:
        vehicles = [_renamed(one, random) for one in vehicles]
    return Traffic(
        site=junction.site(),
        seen=junction.observations(*vehicles, until_s=UNTIL_S),
        offences=tuple(offences),
    )


def _any_vehicle(random: Random) -> Vehicle:
    return a_vehicle(random.choice([ObjectClass.CAR, ObjectClass.TRUCK, ObjectClass.MOTORCYCLE]))


def _lawful(random: Random, how: str) -> Vehicle:
    one = a_vehicle(random.choice([ObjectClass.CAR, ObjectClass.BUS]))
    if how == "early":
        return one.crosses(random.uniform(3.5, 6.5), random.uniform(8.0, 14.0))
    if how == "on amber":
        return one.crosses(random.uniform(7.2, 9.7), random.uniform(8.0, 14.0))
    if how == "rear over on red":
        return one.crosses(9.8, random.uniform(4.0, 6.0))
    return one.stops(random.uniform(-4.0, -1.5), random.uniform(17.0, 20.0)).waits(29.0)


def _renamed(one: Vehicle, random: Random) -> Vehicle:
    first_s, last_s = one.path[0][0], one.path[-1][0]
    return one.becomes(one.track + RENAMED, random.uniform(max(first_s, 0.0), min(last_s, UNTIL_S)))


def at_a_kerb(random: Random, *, fps: float = 12.5, switches: bool = False) -> Traffic:
    """A minute and a half: one parks too long, one stops briefly, others drive past through the zone."""
    from_s = random.uniform(2.0, 6.0)
    parks = a_car(1).drives((20, 300), (150, 300), from_s - 2.0, from_s)
    parks = parks.stands(random.uniform(75.0, 85.0))
    stop_s = random.uniform(5.0, 20.0)
    stops = a_car(2).drives((560, 310), (480, 310), stop_s - 2.0, stop_s)
    stops = stops.stands(stop_s + random.uniform(5.0, 16.0))
    stops = stops.drives_to((640, 310), stops.path[-1][0] + 2.0)
    passing = a_car(3).drives((0, 470), (640, 470), 30.0, random.uniform(33.0, 38.0))
    actors: list[Actor] = [parks, stops, passing]
    if switches:
        actors = [
            one.becomes(one.track + RENAMED, random.uniform(one.path[0][0], one.path[-1][0]))
            for one in actors
        ]
    seen = observe(actors, until_s=90.0, fps=fps)
    return Traffic(site=_kerb_site(), seen=seen, offences=((Rule.NO_PARKING, 1, from_s + 20.0),))


def _kerb_site() -> Site:
    camera = Camera(camera_id="cam1", width_px=640, height_px=480, no_parking=(ZONE,))
    return Site(
        site_id="s", name="Kerb", time_zone="Asia/Shanghai", plate_profile="ga36", heads=(), cameras=(camera,)
    )
