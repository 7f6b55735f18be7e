"""Site files as engineers change them: a draft, every problem of it, versions that nothing changes, and the way back to one."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from api.errors import ConfigInvalidError, Problem
from api.records import audit, outbox, sites
from api.records.sites import SitePlace, SiteRow, SiteVersion
from api.site_file import SiteFile, parse_site_file
from api.work.case_sight import Actor
from api.work.site_differences import SiteDifference
from api.work.site_drafts import checked, must_be_keepable, places, seen_by_cameras, taken, text_sha256
from api.work.site_errors import (
    CameraUnknownError,
    NothingToPublishError,
    SiteChangedError,
    SiteExistsError,
    SiteUnknownError,
    SiteVersionUnknownError,
)
from evidence.database import Database, Transaction
from evidence.durable import Disk
from evidence.errors import DiskError, DiskFullError

LOG = logging.getLogger(__name__)

FOLDER = "sites"
"""Where in the data folder the newest version of each site's file lies, for ``stopline watch``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What differs between two versions: the text line by line (as ``diff -u``), and what the rules of each camera see of it.

    ``cameras`` is None where one of the two is not in order.
    """

    text: str
    cameras: tuple[tuple[str, SiteDifference], ...] | None


class Configuration:
    """The site files of ``database``. What is published lies in ``folder`` at once, where cameras are watched by it.

    Methods raise SiteUnknownError (also for sites that the account is not for, which is audited), and what Database raises.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], folder: Path) -> None:
        self._database = database
        self._now = now
        self._folder = folder

    def add(self, actor: Actor, site_id: str, name: str) -> SiteRow:
        """The new site, with nothing published. Raises SiteExistsError."""
        self._must_see(actor, site_id, "site.made")
        with self._database.write() as tx:
            if sites.site(tx, site_id) is not None:
                raise SiteExistsError(site_id)
            sites.add_site(tx, site_id, name, self._now())
            self._tell(tx, actor, "site.made", site_id)
            return _there(tx, site_id)

    def page(self, actor: Actor, *, after_id: str, limit: int) -> list[SiteRow]:
        """Up to ``limit`` of the account's sites with a later id, by id."""
        with self._database.read() as tx:
            return sites.sites_page(tx, site_ids=actor.principal.site_ids, after_id=after_id, limit=limit)

    def site(self, actor: Actor, site_id: str) -> tuple[SiteRow, list[SitePlace]]:
        """The site, and the cameras and places of its newest version."""
        self._must_see(actor, site_id, "site.viewed")
        with self._database.read() as tx:
            return _there(tx, site_id), sites.places_of(tx, site_id)

    def cameras(self, actor: Actor, *, after_id: str, limit: int) -> list[tuple[str, str]]:
        """Up to ``limit`` cameras of the account's sites with a later id, by id, each with its site's."""
        with self._database.read() as tx:
            return sites.cameras_page(tx, site_ids=actor.principal.site_ids, after_id=after_id, limit=limit)

    def site_of_camera(self, actor: Actor, camera_id: str) -> str:
        """The camera's site. Raises CameraUnknownError, also for a camera of another's site, which is audited."""
        with self._database.read() as tx:
            site_id = sites.site_of_camera(tx, camera_id)
        if site_id is None:
            raise CameraUnknownError(camera_id)
        try:
            self._must_see(actor, site_id, "camera.viewed")
        except SiteUnknownError as exc:
            raise CameraUnknownError(camera_id) from exc
        return site_id

    def draft(self, actor: Actor, site_id: str) -> tuple[SiteRow, str]:
        """The site and its draft; without one the newest version, to begin from."""
        self._must_see(actor, site_id, "site.draft_viewed")
        with self._database.read() as tx:
            found = _there(tx, site_id)
            return found, _text(tx, found)

    def put_draft(self, actor: Actor, site_id: str, text: str, *, looked_at: int) -> SiteRow:
        """The site with that draft, which need not be in order yet. Raises SiteChangedError, DraftRefusedError."""
        self._must_see(actor, site_id, "site.drafted")
        must_be_keepable(text)
        with self._database.write() as tx:
            _unchanged(tx, site_id, looked_at)
            sites.put_draft(tx, site_id, text, by=actor.principal.account_id, at=self._now())
            self._tell(tx, actor, "site.drafted", site_id, (("sha256", text_sha256(text)),))
            return _there(tx, site_id)

    def drop_draft(self, actor: Actor, site_id: str, *, looked_at: int) -> SiteRow:
        """The site without a draft. Raises SiteChangedError."""
        self._must_see(actor, site_id, "site.draft_dropped")
        with self._database.write() as tx:
            _unchanged(tx, site_id, looked_at)
            sites.put_draft(tx, site_id, None, by=actor.principal.account_id, at=self._now())
            self._tell(tx, actor, "site.draft_dropped", site_id)
            return _there(tx, site_id)

    def problems(self, actor: Actor, site_id: str) -> tuple[SiteRow, tuple[Problem, ...]]:
        """The site, and everything that stands against publishing its draft; without a draft its newest version."""
        self._must_see(actor, site_id, "site.validated")
        with self._database.read() as tx:
            found = _there(tx, site_id)
            text = _text(tx, found)
        try:
            site_file = checked(site_id, text)
        except ConfigInvalidError as exc:
            return found, exc.problems
        with self._database.read() as tx:
            return found, taken(tx, site_file)

    def publish(self, actor: Actor, site_id: str, *, reason: str, looked_at: int) -> SiteVersion:
        """The draft as the site's newest version; there is no draft any more.

        Raises SiteChangedError, NothingToPublishError, ConfigInvalidError.
        """
        self._must_see(actor, site_id, "site.published")
        with self._database.read() as tx:
            before = _unchanged(tx, site_id, looked_at)
            draft = before.draft
            if draft is None:
                raise NothingToPublishError(site_id, "there is no draft")
        site_file = checked(site_id, draft)  # takes a second where it is long: outside of the transaction
        with self._database.write() as tx:
            before = _unchanged(tx, site_id, looked_at)
            newest = None if before.published is None else sites.version(tx, site_id, before.published)
            if newest is not None and newest.text == draft:
                raise NothingToPublishError(site_id, "the draft is what is published")
            made = self._add(tx, actor, site_id, site_file, draft, reason, None)
        self.deliver(site_id)
        return made

    def roll_back(
        self, actor: Actor, site_id: str, number: int, *, reason: str, looked_at: int
    ) -> SiteVersion:
        """The earlier version, published again as the newest one; a draft stays.

        Raises SiteChangedError, SiteVersionUnknownError, NothingToPublishError, ConfigInvalidError.
        """
        self._must_see(actor, site_id, "site.published")
        with self._database.read() as tx:
            earlier = _version(tx, site_id, number)
        site_file = checked(site_id, earlier.text)
        with self._database.write() as tx:
            before = _unchanged(tx, site_id, looked_at)
            if before.published == number:
                raise NothingToPublishError(site_id, f"version {number} is the newest one")
            made = self._add(tx, actor, site_id, site_file, earlier.text, reason, number)
        self.deliver(site_id)
        return made

    def versions(
        self, actor: Actor, site_id: str, *, before_number: int | None, limit: int
    ) -> list[SiteVersion]:
        """Up to ``limit`` versions with a lower number, the newest first."""
        self._must_see(actor, site_id, "site.versions_viewed")
        with self._database.read() as tx:
            _there(tx, site_id)
            return sites.versions_page(tx, site_id, before_number=before_number, limit=limit)

    def version(self, actor: Actor, site_id: str, number: int) -> SiteVersion:
        """That version. Raises SiteVersionUnknownError."""
        self._must_see(actor, site_id, "site.version_viewed")
        with self._database.read() as tx:
            return _version(tx, site_id, number)

    def differences(self, actor: Actor, site_id: str, from_number: int, to_number: int | None) -> Differences:
        """What differs from that version to the other one; ``to_number`` None: to the draft. Raises SiteVersionUnknownError."""
        self._must_see(actor, site_id, "site.versions_viewed")
        with self._database.read() as tx:
            found = _there(tx, site_id)
            old = _version(tx, site_id, from_number).text
            new = _text(tx, found) if to_number is None else _version(tx, site_id, to_number).text
        names = (f"version {from_number}", "draft" if to_number is None else f"version {to_number}")
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="")
        return Differences(
            text="".join(line + "\n" for line in lines), cameras=seen_by_cameras(site_id, old, new)
        )

    def newest(self, actor: Actor, site_id: str) -> SiteFile | None:
        """The site file that is in force; None while nothing is published."""
        self._must_see(actor, site_id, "site.viewed")
        with self._database.read() as tx:
            found = _there(tx, site_id)
            made = None if found.published is None else _version(tx, site_id, found.published)
        return None if made is None else parse_site_file(made.text.encode(), site_id)

    def deliver(self, site_id: str) -> bool:
        """Whether the newest version lies in the folder now; where the disk refuses, the next start tries again."""
        try:
            with self._database.write() as tx:  # two publishers write one after the other, the newest last
                found = _there(tx, site_id)
                if found.published is None:
                    return False
                data = _version(tx, site_id, found.published).text.encode()
                path = self._folder / f"{site_id}.yaml"
                if not path.is_file() or path.read_bytes() != data:
                    disk = Disk()
                    disk.make_folder(self._folder)
                    disk.replace(path, data)
        except (DiskError, DiskFullError, OSError) as exc:
            LOG.error("site_not_delivered", extra={"site": site_id}, exc_info=exc)
            return False
        return True

    def deliver_all(self) -> None:
        """What a crash or a full disk kept back lies in the folder now."""
        with self._database.read() as tx:
            published = sites.published_ids(tx)
        for site_id in published:
            self.deliver(site_id)

    def is_delivered(self, made: SiteVersion) -> bool:
        """Whether cameras are watched by that version, or a newer one."""
        try:
            return (self._folder / f"{made.site_id}.yaml").read_bytes() == made.text.encode()
        except OSError:
            return False

    def _add(
        self,
        tx: Transaction,
        actor: Actor,
        site_id: str,
        site_file: SiteFile,
        text: str,
        reason: str,
        from_number: int | None,
    ) -> SiteVersion:
        problems = taken(tx, site_file)
        if problems:
            raise ConfigInvalidError(problems)
        made = SiteVersion(
            site_id=site_id,
            number=sites.next_number(tx, site_id),
            text=text,
            sha256=text_sha256(text),
            reason=reason,
            published_by=actor.principal.account_id,
            published_at=self._now(),
            from_number=from_number,
        )
        sites.add_version(
            tx,
            made,
            name=site_file.document.site.name,
            places=places(site_file),
            keeps_draft=from_number is not None,
        )
        facts = [("version", str(made.number)), ("sha256", made.sha256)]
        if from_number is not None:
            facts.append(("from_version", str(from_number)))
        self._tell(tx, actor, "site.published", site_id, tuple(facts))
        return made

    def _must_see(self, actor: Actor, site_id: str, action: str) -> None:
        if not actor.principal.sees(site_id):
            with self._database.write() as tx:
                entry = self._entry(actor, action, site_id)
                audit.append(tx, replace(entry, outcome=audit.Outcome.REFUSED))
            raise SiteUnknownError(site_id)

    def _tell(
        self,
        tx: Transaction,
        actor: Actor,
        action: str,
        site_id: str,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        audit.append(tx, replace(self._entry(actor, action, site_id), facts=facts))
        outbox.tell(tx, kind="site.changed", subject=f"site:{site_id}", site_id=site_id, at=self._now())

    def _entry(self, actor: Actor, action: str, site_id: str) -> audit.AuditEntry:
        return audit.AuditEntry(
            at=self._now(),
            actor_id=actor.principal.account_id,
            action=action,
            target=f"site:{site_id}",
            site_id=site_id,
            request_id=actor.request_id,
        )


def _there(tx: Transaction, site_id: str) -> SiteRow:
    found = sites.site(tx, site_id)
    if found is None:
        raise SiteUnknownError(site_id)
    return found


def _unchanged(tx: Transaction, site_id: str, looked_at: int) -> SiteRow:
    found = _there(tx, site_id)
    if found.version != looked_at:
        raise SiteChangedError(site_id, found.version)
    return found


def _version(tx: Transaction, site_id: str, number: int) -> SiteVersion:
    _there(tx, site_id)
    found = sites.version(tx, site_id, number)
    if found is None:
        raise SiteVersionUnknownError(site_id, number)
    return found


def _text(tx: Transaction, found: SiteRow) -> str:
    if found.draft is not None:
        return found.draft
    return "" if found.published is None else _version(tx, found.id, found.published).text
