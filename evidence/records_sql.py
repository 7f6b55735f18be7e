"""Cases, decisions and chains in a SQLite file, through SQLAlchemy; the tables are made by the packaged migrations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Select,
    create_engine,
    event,
    select,
    text,
    update,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from evidence.chain import Link, LinkKind, NextLink, read_link
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
)
from evidence.records_rows import case_of, cases_of, link_of, link_row, linked, record_row, recorded_at
from evidence.records_tables import CASES, HOLDS, LINKS, REVIEWS
from rules.errors import StoplineError

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another process's transaction; a transaction here takes milliseconds."""


class RecordsError(StoplineError):
    """The records file cannot be read or written; ``path`` is the file, ``reason`` what is wrong with it."""

    code = "records_unusable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class RecordsBusyError(RecordsError):
    """Another process kept the records locked for longer than the busy timeout."""

    code = "records_busy"
    retryable = True


class SqlRecords:
    """Records in one SQLite file (WAL: readers never wait for the writer); safe to share between threads.

    Opening brings the tables up to date; ``create=False`` refuses to make the file, and to touch one
    that holds something else. ``path``'s folder must exist. Every method is one transaction and raises
    RecordsError when the file is unusable, RecordsBusyError when another process kept it locked.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        if not create and not path.is_file():
            raise RecordsError(path, "there is no such records file")
        self._path = path
        with _translated(path):
            migrate(path)
            self._engine = _engine(path, foreign_keys=True)

    def close(self) -> None:
        """Every connection is closed; the object is of no use afterwards."""
        self._engine.dispose()

    def add_case(
        self, record: CaseRecord, chain_id: str | None = None, next_link: NextLink | None = None
    ) -> bool:
        """True when the case was added, False when a case of that id already stands (it is not changed then).

        With ``next_link``, the chain has a link for the record's manifest afterwards, added in the same
        transaction where there was none; not where the case stands with another manifest.
        """
        with self._transaction() as connection:
            added = connection.execute(
                insert(CASES).values(record_row(record)).on_conflict_do_nothing(index_elements=["id"])
            )
            if chain_id is not None and next_link is not None:
                stands = select(CASES.c.manifest_sha256).where(CASES.c.id == record.id)
                is_same = connection.execute(stands).scalar_one() == record.manifest_sha256
                if is_same:
                    linked(connection, chain_id, next_link)
            return added.rowcount == 1

    def add_link(self, chain_id: str, next_link: NextLink) -> Link:
        """The link that was made, kept: unless the chain has one of that kind and manifest, which is returned then."""
        with self._transaction() as connection:
            return linked(connection, chain_id, next_link)

    def link_of(self, chain_id: str, kind: LinkKind, manifest_sha256: str) -> Link | None:
        """The link of that kind for that manifest; None where the chain has none."""
        with self._transaction(write=False) as connection:
            return link_of(connection, chain_id, kind, manifest_sha256)

    def links(self, chain_id: str, *, after_number: int = 0) -> Sequence[Link]:
        """The links of that chain with a higher number, ascending."""
        wanted = select(LINKS.c.line).where(LINKS.c.chain_id == chain_id, LINKS.c.number > after_number)
        with self._transaction(write=False) as connection:
            lines = connection.execute(wanted.order_by(LINKS.c.number)).scalars().all()
        return [read_link(line.encode()) for line in lines]

    def keep_links(self, links: Sequence[Link]) -> None:
        """The links, which follow those that the records have of their chain, are kept as they are."""
        if links:
            with self._transaction() as connection:
                connection.execute(LINKS.insert(), [link_row(link) for link in links])

    def chain_ids(self) -> tuple[str, ...]:
        """The ids of all chains that have links, sorted."""
        with self._transaction(write=False) as connection:
            found = connection.execute(select(LINKS.c.chain_id).distinct().order_by(LINKS.c.chain_id))
            return tuple(found.scalars())

    def case(self, case_id: str) -> Case | None:
        """The case of that id with its reviews, oldest first; None when there is none."""
        with self._transaction(write=False) as connection:
            return case_of(connection, case_id)

    def page(self, wanted: CaseFilter, *, after_number: int | None, limit: int) -> Sequence[Case]:
        """Up to ``limit`` cases with ``number`` above ``after_number``, ascending; ``plate`` matches a part of the plate."""
        with self._transaction(write=False) as connection:
            return cases_of(connection, connection.execute(page_query(wanted, after_number, limit)).all())

    def decide(self, case_id: str, review: Review) -> Case:
        """The case as decided.

        Raises KeyError for an unknown id, AlreadyDecidedError for a decided one, CaseRemovedError for one that is gone.
        Of several deciders exactly one wins: the case is taken by a conditional update, in the transaction
        that also writes the review.
        """
        if review.decision is Decision.OPEN:
            raise ValueError("a review decides; 'open' is no decision")
        with self._transaction() as connection:
            taken = connection.execute(
                update(CASES)
                .where(
                    CASES.c.id == case_id,
                    CASES.c.decision == Decision.OPEN.value,
                    CASES.c.removing_at.is_(None),
                )
                .values(decision=review.decision.value)
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
        with self._transaction() as connection:
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
        with self._transaction() as connection:
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
        with self._transaction(write=False) as connection:
            return (
                connection.execute(select(HOLDS.c.id).where(HOLDS.c.lifted_at.is_(None))).first() is not None
            )

    def kept(self, *, after_number: int | None, limit: int) -> Sequence[KeptCase]:
        """Up to ``limit`` cases whose removal has not begun, with ``number`` above ``after_number``, ascending."""
        with self._transaction(write=False) as connection:
            cases = cases_of(
                connection, connection.execute(page_query(CaseFilter(), after_number, limit)).all()
            )
            return [KeptCase(case=case, recorded_at=recorded_at(connection, case.record)) for case in cases]

    def half_removed(self) -> Sequence[Case]:
        """The cases whose removal has begun and not ended, ascending."""
        wanted = select(CASES).where(CASES.c.removing_at.is_not(None), CASES.c.removed_at.is_(None))
        with self._transaction(write=False) as connection:
            return cases_of(connection, connection.execute(wanted.order_by(CASES.c.number)).all())

    def begin_removal(self, seen: Case, at: datetime, chain_id: str, next_link: NextLink) -> Link | None:
        """The tombstone, which the chain has from now on: the case is out of the queue, and may be deleted.

        None, and nothing has changed, where it is held, or decided otherwise than when it was ``seen``, or begun.
        """
        held = select(HOLDS.c.id).where(HOLDS.c.case_number == seen.number, HOLDS.c.lifted_at.is_(None))
        with self._transaction() as connection:
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
        with self._transaction() as connection:
            number = connection.execute(select(CASES.c.number).where(CASES.c.id == case_id)).scalar()
            if number is None:
                raise KeyError(case_id)
            connection.execute(
                update(CASES)
                .where(CASES.c.number == number)
                .values(plate_text=None, event_json="{}", package_reasons="[]", removed_at=at)
            )
            connection.execute(update(REVIEWS).where(REVIEWS.c.case_number == number).values(note=""))
            connection.execute(update(HOLDS).where(HOLDS.c.case_number == number).values(reason=""))

    def forget(self) -> None:
        """What was removed is not in the write-ahead log any more either, unless somebody reads just now."""
        with _translated(self._path), closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")  # outside a transaction

    @contextmanager
    def _transaction(self, *, write: bool = True) -> Iterator[Connection]:
        with _translated(self._path):
            engine = self._engine.execution_options(sqlite_begin="IMMEDIATE" if write else "DEFERRED")
            with engine.begin() as connection:
                yield connection


def page_query(wanted: CaseFilter, after_number: int | None, limit: int) -> Select[Any]:
    """The statement behind ``page``: a walk along an index, so that a late page costs what an early one does."""
    conditions: list[ColumnElement[bool]] = [CASES.c.removing_at.is_(None)]
    if after_number is not None:
        conditions.append(CASES.c.number > after_number)
    if wanted.status is not None:
        conditions.append(CASES.c.status == wanted.status.value)
    if wanted.decision is not None:
        conditions.append(CASES.c.decision == wanted.decision.value)
    if wanted.rule is not None:
        conditions.append(CASES.c.rule == wanted.rule.value)
    if wanted.camera_id is not None:
        conditions.append(CASES.c.camera_id == wanted.camera_id)
    if wanted.package is not None:
        conditions.append(CASES.c.package == wanted.package.value)
    if wanted.plate is not None:
        conditions.append(CASES.c.plate_text.contains(wanted.plate, autoescape=True))
    return select(CASES).where(*conditions).order_by(CASES.c.number).limit(limit)


def _present(connection: Connection, case_id: str) -> Case:
    """The case that is there and stays. Raises KeyError and CaseRemovedError."""
    found = case_of(connection, case_id)
    if found is None:
        raise KeyError(case_id)
    if found.removal is not None:
        raise CaseRemovedError(case_id, found.removal.begun_at)
    return found


def migrate(path: Path, revision: str = "head") -> None:
    """The tables of the file are those of ``revision`` ('head' the newest, 'base' none); all of it happened, or nothing.

    Raises RecordsError for an unknown revision, a file that a newer version wrote, or one that holds something else.
    """
    config = Config()
    config.set_main_option("script_location", "evidence:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    known = [script.revision for script in scripts.walk_revisions()]  # newest first
    goal = known[0] if revision == "head" else revision
    if goal not in (*known, "base"):
        raise RecordsError(path, f"there is no revision {goal}; known are {', '.join(known)} and base")
    # Batch migrations rebuild tables, which SQLite only allows while foreign keys are not enforced.
    engine = _engine(path, foreign_keys=False).execution_options(sqlite_begin="IMMEDIATE")
    try:
        with _translated(path), engine.begin() as connection:
            current = _revision(path, connection)
            if current is not None and current not in known:
                raise RecordsError(
                    path,
                    f"its tables are of revision {current}, which this version does not know: use the newer one",
                )
            if current == goal:
                return
            config.attributes["connection"] = connection
            down = current is not None and goal not in known[: known.index(current)]
            (command.downgrade if down else command.upgrade)(config, goal)
            if connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
                raise RecordsError(
                    path, "a migration would leave reviews without their case; nothing was changed"
                )
    finally:
        engine.dispose()


def _revision(path: Path, connection: Connection) -> str | None:
    names = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    if "alembic_version" in names:
        version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return version
    if names:
        raise RecordsError(
            path, f"is a database of something else (it has the tables {', '.join(sorted(names))})"
        )
    return None


def _engine(path: Path, *, foreign_keys: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), poolclass=None if foreign_keys else NullPool
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, below
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten
        connection.execute("PRAGMA synchronous = FULL")  # a decision that was answered survives a power cut
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options()['sqlite_begin']}")

    return engine


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OperationalError as exc:
        if "locked" in str(exc.orig) or "busy" in str(exc.orig):
            raise RecordsBusyError(path, "another process keeps the records locked; try again") from exc
        raise RecordsError(path, str(exc.orig)) from exc
    except DBAPIError as exc:
        raise RecordsError(path, str(exc.orig)) from exc
