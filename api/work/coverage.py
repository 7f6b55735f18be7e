"""How much of the city is enforced: sections by direction and area against the programme's aims, and armed minutes by place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from api.records import sites
from api.records.armed import ArmedSeconds, seconds_of
from api.register_document import FORBIDS_PARKING, RegisterDocument, Section, SectionKind
from api.work.access import Principal
from api.work.register import every_entry
from evidence.database import Database

DIRECTIONS_BEFORE, DIRECTIONS_AIM = 0.333, 0.595
"""The share of directions that was covered when the programme began, and that it wants."""

PRIORITY_AIM = 0.80
"""The share of priority areas that the programme wants covered."""

ANY_DIRECTION = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of ``total`` are enforced; ``rate`` is None where there is nothing to enforce."""

    name: str
    covered: int
    total: int

    @property
    def rate(self) -> float | None:
        return self.covered / self.total if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """As of a date. ``directions`` counts approaches of junctions, ``areas`` every section, ``priority_areas`` areas.

    A section is covered where a published site file has one of its places, the site was announced, and, at a kerb, a sign or
    marking stands. A priority area is one with a priority site, and covered once a section of such a site is.
    """

    on: date
    directions: Share
    by_direction: tuple[Share, ...]
    by_area: tuple[Share, ...]
    priority_areas: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceMinutes:
    """How long a place was watched, and how long of that its rules were armed."""

    place_id: str
    kind: str
    watched_min: float
    armed_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMinutes:
    """The same of a camera; what is off for a place only counts as armed for the camera."""

    camera_id: str
    site_id: str
    watched_min: float
    armed_min: float
    places: tuple[PlaceMinutes, ...]


class CoverageDesk:
    """Says what is covered of the sites that an account is for."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def coverage(self, by: Principal) -> Coverage:
        """As of today (UTC)."""
        today = self._now().date()
        with self._database.read() as tx:
            entries = every_entry(tx, by.site_ids)
            places = sites.places_by_site(tx, by.site_ids)
        return coverage_of(
            [
                (one.document, places.get(one.site_id, frozenset()))
                for one in entries
                if one.document is not None
            ],
            today,
        )

    def minutes(
        self, by: Principal, *, first: date, last: date, after_id: str, limit: int
    ) -> list[CameraMinutes]:
        """Up to ``limit`` cameras with a later id, by id: their minutes over those days (UTC, both included)."""
        with self._database.read() as tx:
            cameras = sites.cameras_page(tx, site_ids=by.site_ids, after_id=after_id, limit=limit)
            found = seconds_of(
                tx,
                [camera_id for camera_id, _ in cameras],
                first=first.isoformat(),
                last=last.isoformat(),
            )
            kinds = {site_id: sites.places_of(tx, site_id) for site_id in sorted({one for _, one in cameras})}
        by_camera: Mapping[str, dict[str, ArmedSeconds]] = defaultdict(dict)
        for one in found:
            by_camera[one.camera_id][one.place_id] = one
        return [
            _minutes(
                camera_id,
                site_id,
                by_camera[camera_id],
                [
                    (place.place_id, place.kind)
                    for place in kinds[site_id]
                    if place.camera_id == camera_id and place.kind in ("stop_line", "no_parking")
                ],
            )
            for camera_id, site_id in cameras
        ]


def coverage_of(sites_: Iterable[tuple[RegisterDocument, frozenset[str]]], today: date) -> Coverage:
    """The coverage of sites, each with the places of its published site file."""
    directions: dict[str, list[bool]] = defaultdict(list)
    areas: dict[str, list[bool]] = defaultdict(list)
    priority: dict[str, list[bool]] = defaultdict(list)
    for document, places in sites_:
        for section in document.sections:
            covered = is_covered(document, section, places, today)
            areas[document.area].append(covered)
            if section.kind is SectionKind.APPROACH:
                directions[section.direction or ANY_DIRECTION].append(covered)
            if document.is_priority:
                priority[document.area].append(covered)
        if document.is_priority:
            priority[document.area] += ()
    return Coverage(
        on=today,
        directions=_share("all", [one for found in directions.values() for one in found]),
        by_direction=tuple(_share(name, directions[name]) for name in sorted(directions)),
        by_area=tuple(_share(name, areas[name]) for name in sorted(areas)),
        priority_areas=_share("priority areas", [any(found) for found in priority.values()]),
    )


def is_covered(document: RegisterDocument, section: Section, places: frozenset[str], today: date) -> bool:
    """Whether somebody who offends there on that date may be accused."""
    if document.published_on is None or document.published_on > today:
        return False
    if not places.intersection(section.place_ids):
        return False
    return section.kind is SectionKind.APPROACH or any(
        sign.section_id == section.id and sign.kind in FORBIDS_PARKING and sign.stands_on(today)
        for sign in document.signs
    )


def _share(name: str, covered: list[bool]) -> Share:
    return Share(name=name, covered=sum(covered), total=len(covered))


def _minutes(
    camera_id: str, site_id: str, found: Mapping[str, ArmedSeconds], places: list[tuple[str, str]]
) -> CameraMinutes:
    whole = found.get("")
    watched_s = 0.0 if whole is None else whole.watched_s
    armed_s = 0.0 if whole is None else watched_s - whole.off_s

    def off_s(place_id: str) -> float:
        return found[place_id].off_s if place_id in found else 0.0

    return CameraMinutes(
        camera_id=camera_id,
        site_id=site_id,
        watched_min=watched_s / 60,
        armed_min=armed_s / 60,
        places=tuple(
            PlaceMinutes(
                place_id=place_id,
                kind=kind,
                watched_min=watched_s / 60,
                armed_min=max(0.0, armed_s - off_s(place_id)) / 60,
            )
            for place_id, kind in places
        ),
    )
