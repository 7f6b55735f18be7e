"""Custody of a data folder: signs its packages, keeps the chain of each camera, and says by checkpoints how far that is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from evidence.canonical import to_millisecond
from evidence.chain import (
    NO_LINK,
    Checkpoint,
    Link,
    LinkKind,
    checkpoint_of,
    link_after,
    read_checkpoint,
    read_link,
)
from evidence.chain_file import CHECKPOINTS, FOLDER, LINKS, LineFile
from evidence.durable import Disk
from evidence.errors import EvidenceError
from evidence.records import Case, CaseRecord, Records
from evidence.signing import PublicKey, SignedFormError, Signer, signature_file
from evidence.spool import checked

CHECKPOINT_EVERY = timedelta(hours=24)
CHAIN_MARK_BYTES = 8
"""Random bytes at the end of a chain's id: a checkpoint of another chain is never taken for one of this."""


class ChainForkedError(EvidenceError):
    """The chain's file and the records contradict each other at ``number``; ``why`` says how."""

    code = "chain_forked"

    def __init__(self, chain_id: str, number: int, why: str) -> None:
        super().__init__(
            f"link {number} of chain {chain_id}: {why}. Nothing was written. One of {FOLDER}/{chain_id}/{LINKS} and "
            "the records was changed or is of another time: 'stopline evidence verify --all' says whether the file "
            "holds; put back the right one from a backup"
        )
        self.chain_id = chain_id
        self.number = number
        self.why = why


class TombstoneError(EvidenceError):
    """A package that the chain never had cannot be said to be deleted."""

    code = "tombstone"

    def __init__(self, chain_id: str, manifest_sha256: str) -> None:
        super().__init__(f"chain {chain_id} has no package with the manifest {manifest_sha256}")
        self.chain_id = chain_id
        self.manifest_sha256 = manifest_sha256


class Custody:
    """Custody of the cases in ``data_dir``; one writer, who holds the folder's lock or the cameras' leases.

    A camera's chain is opened when it is first needed: what a crash left between the records and its file
    is finished then. Methods raise ChainForkedError, and what the disk and the records raise. ``now`` says
    what time it is, aware.
    """

    def __init__(
        self,
        data_dir: Path,
        records: Records,
        signer: Signer,
        now: Callable[[], datetime],
        disk: Disk | None = None,
    ) -> None:
        self._folder = data_dir / FOLDER
        self._records = records
        self._signer = signer
        self._now = now
        self._disk = Disk() if disk is None else disk
        self._chains: dict[str, _Chain] = {}

    @property
    def key(self) -> PublicKey:
        """The key that signs here."""
        return self._signer.public

    @property
    def signer(self) -> Signer:
        """What signs here."""
        return self._signer

    @property
    def records(self) -> Records:
        """The records that the chains are kept in."""
        return self._records

    def signature(self, manifest: bytes) -> bytes:
        """What stands in ``manifest.sig`` beside that manifest."""
        return signature_file(self._signer, manifest)

    def add_case(self, record: CaseRecord) -> bool:
        """The case is recorded and linked, once. True where the record is new."""
        chain = self._chain(record.camera_id)
        next_link = partial(self._next, chain.id, LinkKind.CASE, record.manifest_sha256)
        is_new = self._records.add_case(record, chain.id, next_link)
        chain.catch_up()
        return is_new

    def add_tombstone(self, camera_id: str, manifest_sha256: str) -> Link:
        """The link that says that this package was deleted, once; delete it only afterwards. Raises TombstoneError."""
        chain = self._chain(camera_id)
        if self._records.link_of(chain.id, LinkKind.CASE, manifest_sha256) is None:
            raise TombstoneError(chain.id, manifest_sha256)
        link = self._records.add_link(
            chain.id, partial(self._next, chain.id, LinkKind.TOMBSTONE, manifest_sha256)
        )
        chain.catch_up()
        return link

    def open(self, camera_id: str) -> None:
        """The camera's chain has the same links in its file as in the records."""
        self._chain(camera_id)

    def bury(self, seen: Case) -> Link | None:
        """The link that says that this case's package is deleted: it may be from now on, and its record says so.

        None, and nothing has changed, where it was held, or decided otherwise, since it was ``seen``. Raises TombstoneError.
        """
        chain, manifest_sha256 = self._chain(seen.record.camera_id), seen.record.manifest_sha256
        if self._records.link_of(chain.id, LinkKind.CASE, manifest_sha256) is None:
            raise TombstoneError(chain.id, manifest_sha256)
        next_link = partial(self._next, chain.id, LinkKind.TOMBSTONE, manifest_sha256)
        link = self._records.begin_removal(seen, self._now(), chain.id, next_link)
        chain.catch_up()
        return link

    def advance(self, camera_id: str) -> None:
        """The camera's chain was opened, or had its last checkpoint, less than 24 hours ago."""
        chain, now = self._chain(camera_id), self._now()
        if now - chain.checked_at >= CHECKPOINT_EVERY:
            chain.add_checkpoint(now, self._signer)

    def checkpoint(self, camera_id: str) -> Checkpoint:
        """A checkpoint of the camera's chain as it is now stands in its file."""
        return self._chain(camera_id).add_checkpoint(self._now(), self._signer)

    def _next(self, chain_id: str, kind: LinkKind, manifest_sha256: str, head: Link | None) -> Link:
        return link_after(
            head,
            chain_id=chain_id,
            kind=kind,
            manifest_sha256=manifest_sha256,
            at=self._now(),
            signer=self._signer,
        )

    def _chain(self, camera_id: str) -> _Chain:
        if camera_id not in self._chains:
            chain_id = self._id_of(camera_id)
            self._chains[camera_id] = _Chain(
                chain_id, self._folder / chain_id, self._records, self._disk, to_millisecond(self._now())
            )
        return self._chains[camera_id]

    def _id_of(self, camera_id: str) -> str:
        """The id of the camera's chain in the records, else in the folder, else a new one."""
        mark = re.compile(re.escape(camera_id) + f"-[0-9a-f]{{{2 * CHAIN_MARK_BYTES}}}")
        folders = (path.name for path in self._folder.iterdir()) if self._folder.is_dir() else ()
        known = [
            chain_id
            for chain_id in (*self._records.chain_ids(), *sorted(folders))
            if mark.fullmatch(chain_id)
        ]
        return known[0] if known else checked(f"{camera_id}-{secrets.token_hex(CHAIN_MARK_BYTES)}")


class _Chain:
    """One chain: what the records have of it stands in its file too."""

    def __init__(
        self, chain_id: str, folder: Path, records: Records, disk: Disk, opened_at: datetime
    ) -> None:
        self.id = chain_id
        self._records = records
        self._links = LineFile(folder / LINKS, disk)
        self._checkpoints = LineFile(folder / CHECKPOINTS, disk)
        self.checked_at = _last_checkpoint_at(self._checkpoints) or opened_at
        self._reconcile()

    def catch_up(self) -> None:
        """The file has every link that the records have."""
        self._links.add([link.line for link in self._records.links(self.id, after_number=self._links.count)])

    def add_checkpoint(self, at: datetime, signer: Signer) -> Checkpoint:
        count = self._links.count
        head = self._records.links(self.id, after_number=count - 1)[0] if count else None
        checkpoint = checkpoint_of(head, chain_id=self.id, at=at, signer=signer)
        self._checkpoints.add([checkpoint.line])
        self.checked_at = checkpoint.at
        return checkpoint

    def _reconcile(self) -> None:
        """Whichever is behind gets what the other has: the file after a crash, the records where they were lost."""
        recorded, lines = self._records.links(self.id), self._links.lines()
        for number, (link, line) in enumerate(zip(recorded, lines, strict=False), start=1):
            if link.line.encode() != line:
                raise ChainForkedError(self.id, number, "the file has another one than the records")
        found: list[Link] = []
        head = recorded[-1] if recorded else None
        for number, line in enumerate(lines[len(recorded) :], start=len(recorded) + 1):
            try:
                link = read_link(line)
            except SignedFormError as exc:
                raise ChainForkedError(self.id, number, f"it cannot be read ({exc})") from exc
            previous = NO_LINK if head is None else head.sha256
            if (link.chain_id, link.number, link.previous_sha256) != (self.id, number, previous):
                raise ChainForkedError(self.id, number, "it does not follow the one before")
            if not link.signed.is_genuine:
                raise ChainForkedError(self.id, number, "its signature does not fit")
            found.append(link)
            head = link
        self._records.keep_links(found)
        self.catch_up()


def _last_checkpoint_at(file: LineFile) -> datetime | None:
    """When the last checkpoint was made; None where there is none that can be read."""
    lines = file.lines()
    try:
        return read_checkpoint(lines[-1]).at if lines else None
    except SignedFormError:
        return None
