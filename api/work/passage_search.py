"""Searches passages, for a purpose that stands in the audit before anything is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from api.records import passages
from api.records.audit import AuditEntry, Outcome, append
from api.records.passages import PassagePlace, PassageQuery, StoredPassage
from api.work.case_sight import Actor
from api.work.packages import EvidenceFile
from api.work.plate_key import PlateKey
from evidence.canonical import sha256_hex
from evidence.database import Database
from rules.errors import StoplineError


class Purpose(StrEnum):
    """What passages are searched for."""

    CRIME = "crime"
    HIT_AND_RUN = "hit_and_run"
    STOLEN_VEHICLE = "stolen_vehicle"
    MISSING_PERSON = "missing_person"
    CASE = "case"
    """A case of Stopline: a review or an appeal."""
    SUPERVISION = "supervision"
    """Somebody checks how passages are searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why somebody searches: a purpose, and the reference of the file that asks for it."""

    purpose: Purpose
    reference: str


class PassageUnknownError(StoplineError):
    """No passage of that id at a site of the account, or its time was over."""

    code = "passage_unknown"

    def __init__(self, passage_id: str) -> None:
        super().__init__(f"there is no passage {passage_id}")


class PassagePictureGoneError(StoplineError):
    """The passage has no picture, or it was deleted or damaged."""

    code = "passage_picture_gone"

    def __init__(self, passage_id: str) -> None:
        super().__init__(f"passage {passage_id} has no picture any more")


class PassageSearch:
    """Searches the passages of a data folder."""

    def __init__(
        self, folder: Path, database: Database, plates: PlateKey, now: Callable[[], datetime]
    ) -> None:
        self._folder = folder
        self._database = database
        self._plates = plates
        self._now = now

    def page(
        self, by: Actor, reason: Reason, wanted: PassageQuery, before: PassagePlace | None, limit: int
    ) -> list[tuple[int, StoredPassage]]:
        """Up to ``limit`` passages with their numbers, of the account's sites, the latest first."""
        asked = replace(wanted, now=self._now(), site_ids=by.principal.site_ids)
        with self._database.read() as tx:
            found = passages.page(tx, asked, before, limit)
        facts = [
            ("purpose", reason.purpose.value),
            ("reference", reason.reference),
            ("count", str(len(found))),
        ]
        if wanted.plate is not None:
            facts.append(("plate_hash", self._plates.hash(wanted.plate)))
        for name, value in (("camera", wanted.camera_id), ("gate", wanted.gate_id)):
            if value is not None:
                facts.append((name, value))
        for name, moment in (("since", wanted.since), ("until", wanted.until)):
            if moment is not None:
                facts.append((name, moment.isoformat()))
        self._note(by, "passages.searched", "passages", wanted.site_id, tuple(facts))
        return found

    def picture(self, by: Actor, reason: Reason, passage_id: str) -> EvidenceFile:
        """The picture of the vehicle's front, whose windscreen was blurred when it was made.

        Raises PassageUnknownError, PassagePictureGoneError.
        """
        with self._database.read() as tx:
            found = passages.passage_of(tx, passage_id)
        may = found is not None and found.expires_at > self._now() and by.principal.sees(found.site_id)
        facts = (("purpose", reason.purpose.value), ("reference", reason.reference))
        site_id = None if found is None else found.site_id
        self._note(
            by,
            "passage.viewed",
            f"passage:{passage_id}",
            site_id,
            facts,
            Outcome.DONE if may else Outcome.REFUSED,
        )
        if found is None or not may:
            raise PassageUnknownError(passage_id)
        if found.picture_path is None or found.picture_sha256 is None:
            raise PassagePictureGoneError(passage_id)
        try:
            content = (self._folder / found.picture_path).read_bytes()
        except OSError as exc:
            raise PassagePictureGoneError(passage_id) from exc
        if sha256_hex(content) != found.picture_sha256:
            raise PassagePictureGoneError(passage_id)
        return EvidenceFile(
            name=Path(found.picture_path).name,
            sha256=found.picture_sha256,
            media_type="image/jpeg",
            content=content,
        )

    def _note(
        self,
        by: Actor,
        action: str,
        target: str,
        site_id: str | None,
        facts: tuple[tuple[str, str], ...],
        outcome: Outcome = Outcome.DONE,
    ) -> None:
        with self._database.write() as tx:
            append(
                tx,
                AuditEntry(
                    at=self._now(),
                    actor_id=by.principal.account_id,
                    action=action,
                    target=target,
                    site_id=site_id,
                    outcome=outcome,
                    request_id=by.request_id,
                    facts=facts,
                ),
            )
