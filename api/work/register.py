"""The register of sites: what engineers write into it, what the public reads, and photos of signs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from api.records import audit, outbox, registers, sites
from api.records.registers import Entry
from api.register_document import RegisterDocument
from api.work.case_sight import Actor
from api.work.site_errors import RegisterChangedError, SignUnknownError, SiteUnknownError
from api.work.trial import document_of
from evidence.database import Database, Transaction
from evidence.durable import Disk

FOLDER = "register"
"""Where in the data folder the photos of signs lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredSite:
    """A site's entry. ``version`` 0 and ``document`` None: there is none yet. ``photographed`` are the signs with a photo."""

    site_id: str
    version: int
    document: RegisterDocument | None
    photographed: frozenset[str] = frozenset()


class Register:
    """The register in ``database``, with its photos in ``folder``.

    Methods raise SiteUnknownError (also for sites that the account is not for, which is audited), and what Database raises.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], folder: Path) -> None:
        self._database = database
        self._now = now
        self._folder = folder

    def public(self, *, after_id: str, limit: int) -> list[RegisteredSite]:
        """Up to ``limit`` entries that are announced by now, with a later site, by site: for anybody."""
        with self._database.read() as tx:
            found = registers.entries_page(
                tx, after_id=after_id, limit=limit, published_by=self._now().date()
            )
        return [_registered(entry) for entry in found]

    def look(self, actor: Actor, site_id: str) -> RegisteredSite:
        """The site's entry."""
        self._must_see(actor, site_id, "register.viewed")
        with self._database.read() as tx:
            return _look(tx, site_id)

    def put(
        self, actor: Actor, site_id: str, document: RegisterDocument, *, looked_at: int
    ) -> RegisteredSite:
        """The site's entry is that document, from version ``looked_at`` on (0: there was none). Raises RegisterChangedError."""
        self._must_see(actor, site_id, "register.changed")
        with self._database.write() as tx:
            before = _look(tx, site_id)
            if before.version != looked_at:
                raise RegisterChangedError(site_id, before.version)
            made = Entry(
                site_id=site_id,
                version=looked_at + 1,
                published_on=document.published_on,
                document=document.model_dump_json(),
                changed_by=actor.principal.account_id,
                changed_at=self._now(),
            )
            registers.put_entry(tx, made)
            self._tell(tx, actor, "register.changed", site_id, (("version", str(made.version)),))
            return _look(tx, site_id)

    def put_photo(self, actor: Actor, site_id: str, sign_id: str, data: bytes) -> str:
        """The SHA-256 of the sign's photo, which is the picture in ``data`` without what else the file held.

        Raises PhotoRefusedError, SignUnknownError.
        """
        self._must_see(actor, site_id, "register.photo_put")
        with self._database.read() as tx:
            _must_have(_look(tx, site_id), sign_id)
        from api.work.sign_photo import sign_photo  # loads what decodes; the service starts without it

        picture = sign_photo(data)
        sha256 = hashlib.sha256(picture).hexdigest()
        path = self._path(sha256)
        if not path.is_file():
            disk = Disk()
            disk.make_folder(self._folder)
            disk.replace(path, picture)
        with self._database.write() as tx:
            _must_have(_look(tx, site_id), sign_id)
            registers.put_photo(tx, site_id, sign_id, sha256, by=actor.principal.account_id, at=self._now())
            self._tell(tx, actor, "register.photo_put", site_id, (("sign", sign_id), ("sha256", sha256)))
        return sha256

    def photo(self, actor: Actor, site_id: str, sign_id: str) -> bytes:
        """The sign's photo, as JPEG; that it was seen is audited. Raises SignUnknownError."""
        self._must_see(actor, site_id, "register.photo_viewed")
        with self._database.write() as tx:
            sha256 = registers.photo_of(tx, site_id, sign_id)
            if sha256 is None:
                raise SignUnknownError(f"site {site_id} has no photo of a sign {sign_id}")
            entry = self._entry(actor, "register.photo_viewed", site_id)
            audit.append(tx, replace(entry, facts=(("sign", sign_id),)))
        return Disk().read(self._path(sha256))

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.jpg"

    def _must_see(self, actor: Actor, site_id: str, action: str) -> None:
        if not actor.principal.sees(site_id):
            with self._database.write() as tx:
                entry = self._entry(actor, action, site_id)
                audit.append(tx, replace(entry, outcome=audit.Outcome.REFUSED))
            raise SiteUnknownError(site_id)

    def _tell(
        self, tx: Transaction, actor: Actor, action: str, site_id: str, facts: tuple[tuple[str, str], ...]
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


def every_entry(tx: Transaction, site_ids: Sequence[str] | None) -> list[RegisteredSite]:
    """Every entry of those sites (None: of all), by site."""
    found: list[RegisteredSite] = []
    while page := registers.entries_page(
        tx, after_id=found[-1].site_id if found else "", limit=500, site_ids=site_ids
    ):
        found += [_registered(entry) for entry in page]
    return found


def _registered(entry: Entry) -> RegisteredSite:
    return RegisteredSite(site_id=entry.site_id, version=entry.version, document=document_of(entry))


def _look(tx: Transaction, site_id: str) -> RegisteredSite:
    if sites.site(tx, site_id) is None:
        raise SiteUnknownError(site_id)
    entry = registers.entry(tx, site_id)
    if entry is None:
        return RegisteredSite(site_id=site_id, version=0, document=None)
    return replace(_registered(entry), photographed=registers.photographed(tx, site_id))


def _must_have(found: RegisteredSite, sign_id: str) -> None:
    if found.document is None or sign_id not in {sign.id for sign in found.document.signs}:
        raise SignUnknownError(f"the entry of site {found.site_id} has no sign {sign_id}")
