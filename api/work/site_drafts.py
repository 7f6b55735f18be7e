"""What a site file must be to be kept as a draft and to be published, and what differs between two of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

from api.errors import ConfigInvalidError, Problem
from api.records import sites
from api.records.sites import SitePlace
from api.site_file import SiteFile, parse_site_file
from api.work.site_differences import SiteDifference, site_differences
from api.work.site_errors import DraftRefusedError
from evidence.database import Transaction
from rules.site import Site

MOST_BYTES = 256 * 1024
"""A site file of a hundred zones is some 30 kB; reading one of this size takes seconds already."""

WITH_SECRET = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/@'\"]*@")
"""An address with an account in it."""


def must_be_keepable(text: str) -> None:
    """Raises DraftRefusedError for a text that is too long, that no record can keep, or that holds a camera's password."""
    if len(text.encode()) > MOST_BYTES:
        raise DraftRefusedError(f"the site file is longer than {MOST_BYTES} bytes")
    if "\x00" in text:
        raise DraftRefusedError("the site file holds a NUL, which no record can keep")
    if WITH_SECRET.search(text):
        raise DraftRefusedError(
            "an address holds an account, which everybody who reads the site file would see: name one of the file of camera "
            "accounts (stream: account) instead"
        )


def checked(site_id: str, text: str) -> SiteFile:
    """The site file, which is the site's and in order. Raises ConfigInvalidError."""
    site_file = parse_site_file(text.encode(), site_id)
    if site_file.document.site.id != site_id:
        message = f"this is site {site_id}; its id cannot change, since cases are recorded by it"
        raise ConfigInvalidError(
            [Problem(file=site_id, line=None, field="site.id", message=message, place=("site", "id"))]
        )
    return site_file


def taken(tx: Transaction, site_file: SiteFile) -> tuple[Problem, ...]:
    """A problem for each camera that another site has: cases are named by camera."""
    site_id = site_file.document.site.id
    return tuple(
        Problem(
            file=site_id,
            line=None,
            field=f"cameras[{index}].id",
            message=f"another site has a camera {camera.id!r}; cases are named by camera",
            place=("cameras", index, "id"),
        )
        for index, camera in enumerate(site_file.document.cameras)
        if sites.site_of_camera(tx, camera.id) not in (None, site_id)
    )


def places(site_file: SiteFile) -> tuple[SitePlace, ...]:
    """Its cameras, and the lines, zones, gates and crosswalks of each."""
    return tuple(
        SitePlace(camera_id=camera.id, place_id=place_id, kind=kind)
        for camera in site_file.document.cameras
        for kind, place_id in (
            ("camera", camera.id),
            *(("stop_line", line.id) for line in camera.stop_lines),
            *(("no_parking", zone.id) for zone in camera.no_parking),
            *(("gate", gate.id) for gate in camera.gates),
            *(("crosswalk", crossing.id) for crossing in camera.crosswalks),
        )
    )


def seen_by_cameras(site_id: str, old: str, new: str) -> tuple[tuple[str, SiteDifference], ...] | None:
    """What the rules of each camera see of the change from the old text to the new; None where one is not in order."""
    try:
        was, now = (parse_site_file(text.encode(), site_id).site for text in (old, new))
    except ConfigInvalidError:
        return None
    return tuple(_by_camera(was, now))


def _by_camera(was: Site, now: Site) -> Iterator[tuple[str, SiteDifference]]:
    before = {camera.camera_id for camera in was.cameras}
    after = {camera.camera_id for camera in now.cameras}
    for camera_id in sorted(before | after):
        if camera_id not in after:
            yield camera_id, SiteDifference(place=None, says=f"camera {camera_id} is gone")
        elif camera_id not in before:
            yield camera_id, SiteDifference(place=None, says=f"camera {camera_id} is new")
        else:
            for difference in site_differences(was, now, camera_id):
                yield camera_id, difference


def text_sha256(text: str) -> str:
    """The SHA-256 of the file with that text (hex)."""
    return sha256(text.encode()).hexdigest()
