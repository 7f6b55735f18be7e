"""Cases, decisions and chains in a database, through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from evidence.chain import Link, LinkKind, NextLink, read_link
from evidence.database import Database
from evidence.records import (
    AlreadyDecidedError,
    Case,
    CaseFilter,
    CaseRecord,
    CaseRemovedError,
    Decision,
    KeptCase,
    LegalHold,
    LegalHoldError,
    Review,
    Stage,
)
from evidence.records_rows import case_of, cases_of, link_of, link_row, linked, record_row, recorded_at
from evidence.records_tables import CASES, HOLDS, LINKS, REVIEWS
from evidence.workflow_rows import enter, forget_people


class SqlRecords:
    """Records in ``database``, or in the SQLite file that it is; safe to share between threads.

    Every method is one transaction and raises what Database says.
    """

    def __init__(self, database: Database | Path, *, create: bool = True) -> None:
        self.database = Database(database, create=create) if isinstance(database, Path) else database

    def close(self) -> None:
        """The database is closed; the object is of no use afterwards."""
        self.database.close()

    def add_case(
        self, record: CaseRecord, chain_id: str | None = None, next_link: NextLink | None = None
    ) -> bool:
        """True when the case was added, False when a case of that id already stands (it is not changed then).

        With ``next_link``, the chain has a link for the record's manifest afterwards, added in the same
        transaction where there was none; not where the case stands with another manifest.
        """
        with self.database.write() as connection:
            added = connection.execute(_unless_there(connection, record)).scalar()
            at = None
            if chain_id is not None and next_link is not None:
                stands = select(CASES.c.manifest_sha256).where(CASES.c.id == record.id)
                is_same = connection.execute(stands).scalar_one() == record.manifest_sha256
                if is_same:
                    at = linked(connection, chain_id, next_link).at
            if added is not None:
                enter(connection, added, record, at)
            return added is not None

    def add_link(self, chain_id: str, next_link: NextLink) -> Link:
        """The link that was made, kept: unless the chain has one of that kind and manifest, which is returned then."""
        with self.database.write() as connection:
            return linked(connection, chain_id, next_link)

    def link_of(self, chain_id: str, kind: LinkKind, manifest_sha256: str) -> Link | None:
        """The link of that kind for that manifest; None where the chain has none."""
        with self.database.read() as connection:
            return link_of(connection, chain_id, kind, manifest_sha256)

    def links(self, chain_id: str, *, after_number: int = 0) -> Sequence[Link]:
        """The links of that chain with a higher number, ascending."""
        wanted = select(LINKS.c.line).where(LINKS.c.chain_id == chain_id, LINKS.c.number > after_number)
        with self.database.read() as connection:
            lines = connection.execute(wanted.order_by(LINKS.c.number)).scalars().all()
        return [read_link(line.encode()) for line in lines]

    def keep_links(self, links: Sequence[Link]) -> None:
        """The links, which follow those that the records have of their chain, are kept as they are."""
        if links:
            with self.database.write() as connection:
                connection.execute(LINKS.insert(), [link_row(link) for link in links])

    def chain_ids(self) -> tuple[str, ...]:
        """The ids of all chains that have links, sorted."""
        with self.database.read() as connection:
            found = connection.execute(select(LINKS.c.chain_id).distinct().order_by(LINKS.c.chain_id))
            return tuple(found.scalars())

    def case(self, case_id: str) -> Case | None:
        """The case of that id with its reviews, oldest first; None when there is none."""
        with self.database.read() as connection:
            return case_of(connection, case_id)

    def page(self, wanted: CaseFilter, *, after_number: int | None, limit: int) -> Sequence[Case]:
        """Up to ``limit`` cases with ``number`` above ``after_number``, ascending."""
        with self.database.read() as connection:
            return cases_of(connection, connection.execute(page_query(wanted, after_number, limit)).all())

    def decide(self, case_id: str, review: Review) -> Case:
        """The case as decided.

        Raises KeyError for an unknown id, AlreadyDecidedError for a decided one, CaseRemovedError for one that is gone.
        Of several deciders exactly one wins: the case is taken by a conditional update, in the transaction
        that also writes the review.
        """
        if review.decision is Decision.OPEN:
            raise ValueError("a review decides; 'open' is no decision")
        with self.database.write() as connection:
            taken = connection.execute(
                update(CASES)
                .where(
                    CASES.c.id == case_id,
                    CASES.c.decision == Decision.OPEN.value,
                    CASES.c.removing_at.is_(None),
                )
                .values(
                    decision=review.decision.value,
                    stage=Stage.CLOSED.value,
                    phase=Stage.CLOSED.value,
                    version=CASES.c.version + 1,
                    due_from=None,
                )
            )
            before = _present(connection, case_id)
            if taken.rowcount != 1:
                raise AlreadyDecidedError(case_id, before.decision)
            connection.execute(
                REVIEWS.insert().values(
                    case_number=before.number,
                    decision=review.decision.value,
                    code=review.code,
                    note=review.note,
                    reviewer=review.reviewer,
                    decided_at=review.decided_at,
                )
            )
            decided = case_of(connection, case_id)
            assert decided is not None
            return decided

    def place_hold(self, case_id: str, hold: LegalHold) -> Case:
        """The case, which stays until the hold is lifted. Raises KeyError, LegalHoldError (held already), CaseRemovedError."""
        with self.database.write() as connection:
            before = _present(connection, case_id)
            if before.hold is not None:
                raise LegalHoldError(case_id, f"is held already, by {before.hold.placed_by}")
            connection.execute(
                HOLDS.insert().values(
                    case_number=before.number,
                    reason=hold.reason,
                    placed_by=hold.placed_by,
                    placed_at=hold.placed_at,
                )
            )
            return replace(before, hold=hold)

    def lift_hold(self, case_id: str, by: str, at: datetime) -> Case:
        """The case without its hold, of which the records keep who lifted it. Raises KeyError, LegalHoldError (not held)."""
        with self.database.write() as connection:
            before = _present(connection, case_id)
            if before.hold is None:
                raise LegalHoldError(case_id, "is not held")
            connection.execute(
                update(HOLDS)
                .where(HOLDS.c.case_number == before.number, HOLDS.c.lifted_at.is_(None))
                .values(lifted_by=by, lifted_at=at)
            )
            return replace(before, hold=None)

    def any_hold(self) -> bool:
        """Whether any case is under legal hold."""
        with self.database.read() as connection:
            return (
                connection.execute(select(HOLDS.c.id).where(HOLDS.c.lifted_at.is_(None))).first() is not None
            )

    def kept(self, *, after_number: int | None, limit: int) -> Sequence[KeptCase]:
        """Up to ``limit`` cases whose removal has not begun, with ``number`` above ``after_number``, ascending."""
        with self.database.read() as connection:
            cases = cases_of(
                connection, connection.execute(page_query(CaseFilter(), after_number, limit)).all()
            )
            return [KeptCase(case=case, recorded_at=recorded_at(connection, case.record)) for case in cases]

    def half_removed(self) -> Sequence[Case]:
        """The cases whose removal has begun and not ended, ascending."""
        wanted = select(CASES).where(CASES.c.removing_at.is_not(None), CASES.c.removed_at.is_(None))
        with self.database.read() as connection:
            return cases_of(connection, connection.execute(wanted.order_by(CASES.c.number)).all())

    def begin_removal(self, seen: Case, at: datetime, chain_id: str, next_link: NextLink) -> Link | None:
        """The tombstone, which the chain has from now on: the case is out of the queue, and may be deleted.

        None, and nothing has changed, where it is held, or decided otherwise than when it was ``seen``, or begun.
        """
        held = select(HOLDS.c.id).where(HOLDS.c.case_number == seen.number, HOLDS.c.lifted_at.is_(None))
        with self.database.write() as connection:
            taken = connection.execute(
                update(CASES)
                .where(
                    CASES.c.number == seen.number,
                    CASES.c.decision == seen.decision.value,
                    CASES.c.removing_at.is_(None),
                    ~held.exists(),
                )
                .values(removing_at=at)
            )
            return linked(connection, chain_id, next_link) if taken.rowcount == 1 else None

    def end_removal(self, case_id: str, at: datetime) -> None:
        """What names a person is gone from the records: plate, event, notes, reasons. Raises KeyError."""
        with self.database.write() as connection:
            number = connection.execute(select(CASES.c.number).where(CASES.c.id == case_id)).scalar()
            if number is None:
                raise KeyError(case_id)
            connection.execute(
                update(CASES)
                .where(CASES.c.number == number)
                .values(plate_text=None, plate_ocr=None, event_json="{}", package_reasons="[]", removed_at=at)
            )
            forget_people(connection, number)
            connection.execute(update(REVIEWS).where(REVIEWS.c.case_number == number).values(note=""))
            connection.execute(update(HOLDS).where(HOLDS.c.case_number == number).values(reason=""))

    def forget(self) -> None:
        """What was removed is not in the write-ahead log any more either, unless somebody reads just now."""
        self.database.forget()


def page_query(wanted: CaseFilter, after_number: int | None, limit: int) -> Select[Any]:
    """The statement behind ``page``: a walk along an index, so that a late page costs what an early one does."""
    conditions: list[ColumnElement[bool]] = [CASES.c.removing_at.is_(None)]
    if after_number is not None:
        conditions.append(CASES.c.number > after_number)
    if wanted.status is not None:
        conditions.append(CASES.c.status == wanted.status.value)
    if wanted.camera_id is not None:
        conditions.append(CASES.c.camera_id == wanted.camera_id)
    return select(CASES).where(*conditions).order_by(CASES.c.number).limit(limit)


def _present(connection: Connection, case_id: str) -> Case:
    """The case that is there and stays. Raises KeyError and CaseRemovedError."""
    found = case_of(connection, case_id)
    if found is None:
        raise KeyError(case_id)
    if found.removal is not None:
        raise CaseRemovedError(case_id, found.removal.begun_at)
    return found


def _unless_there(connection: Connection, record: CaseRecord) -> ReturningInsert[Any]:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    adding = insert(CASES).values(record_row(record)).on_conflict_do_nothing(index_elements=["id"])
    return adding.returning(CASES.c.number)


def site_of(connection: Connection, case_id: str) -> str | None:
    """The site of the case; None where there is no such case."""
    return connection.execute(select(CASES.c.site_id).where(CASES.c.id == case_id)).scalar()
