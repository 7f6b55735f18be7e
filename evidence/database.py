"""One database that keeps records, a SQLite file or PostgreSQL: transactions, its tables' newest form, errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from rules.errors import StoplineError

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another process's transaction; a transaction here takes milliseconds."""

WRITER_LOCK = 0x53746F706C696E65
"""The advisory lock that a writer holds in PostgreSQL ("Stopline" in ASCII)."""

LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"

Transaction = Connection
"""What ``Database.read`` and ``write`` give: for those who hand it on and know no SQL."""


class RecordsError(StoplineError):
    """The records cannot be read or written; ``place`` is the file or the database, ``reason`` what is wrong with it."""

    code = "records_unusable"

    def __init__(self, place: Path | str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class RecordsBusyError(RecordsError):
    """Another process kept the records locked for longer than the busy timeout, or the server does not answer."""

    code = "records_busy"
    retryable = True


class Database:
    """Records in one SQLite file (WAL: readers never wait for the writer) or one PostgreSQL database; threads may share it.

    ``address`` is the file, or ``postgresql://USER@HOST:PORT/NAME``, whose password libpq finds. Opening brings
    the tables up to date, but with ``upgrade=False``; ``create=False`` refuses to make the file, and to touch one that
    holds something else.
    Writers follow each other, on PostgreSQL too: what a writer reads stays true until it commits, and numbers are
    given in the order of commits. Whatever is done in a transaction raises RecordsError where the records are
    unusable, RecordsBusyError where another writer kept them locked.
    """

    def __init__(self, address: Path | str, *, create: bool = True, upgrade: bool = True) -> None:
        if isinstance(address, Path) and not create and not address.is_file():
            raise RecordsError(address, "there is no such records file")
        self.place = address if isinstance(address, Path) else _shown(address)
        self._url = _url(address)
        with _translated(self.place):
            if upgrade:
                migrate(address)
            self._engine = _engine(self._url, foreign_keys=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self._engine.dialect.name == "sqlite"

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one committed state and changes nothing."""
        return self._transaction(write=False)

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction of the one writer: all of it happens at the end of the context, or after an exception nothing."""
        return self._transaction(write=True)

    def close(self) -> None:
        """Every connection is closed; the object is of no use afterwards."""
        self._engine.dispose()

    def forget(self) -> None:
        """What was removed is not in SQLite's write-ahead log any more either, unless somebody reads just now."""
        if self.is_sqlite:
            with _translated(self.place), closing(self._engine.raw_connection()) as connection:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")  # outside a transaction

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Connection]:
        with _translated(self.place):
            engine = self._engine.execution_options(stopline_write=write)
            with engine.begin() as connection:
                yield connection


def migrate(address: Path | str, revision: str = "head") -> None:
    """The tables are those of ``revision`` ('head' the newest, 'base' none); all of it happened, or nothing.

    Raises RecordsError for an unknown revision, a database that a newer version wrote, or one that holds something else.
    """
    place = address if isinstance(address, Path) else _shown(address)
    config = Config()
    config.set_main_option("script_location", "evidence:migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    known = [script.revision for script in scripts.walk_revisions()]  # newest first
    goal = known[0] if revision == "head" else revision
    if goal not in (*known, "base"):
        raise RecordsError(place, f"there is no revision {goal}; known are {', '.join(known)} and base")
    # Batch migrations rebuild tables, which SQLite only allows while foreign keys are not enforced.
    engine = _engine(_url(address), foreign_keys=False).execution_options(stopline_write=True)
    try:
        with _translated(place), engine.begin() as connection:
            current = _revision(place, connection)
            if current is not None and current not in known:
                raise RecordsError(
                    place,
                    f"its tables are of revision {current}, which this version does not know: use the newer one",
                )
            if current == goal:
                return
            config.attributes["connection"] = connection
            down = current is not None and goal not in known[: known.index(current)]
            (command.downgrade if down else command.upgrade)(config, goal)
            if (
                engine.dialect.name == "sqlite"
                and connection.execute(text("PRAGMA foreign_key_check")).first() is not None
            ):
                raise RecordsError(
                    place, "a migration would leave reviews without their case; nothing was changed"
                )
    finally:
        engine.dispose()


def _revision(place: Path | str, connection: Connection) -> str | None:
    names = set(inspect(connection).get_table_names())
    if "alembic_version" in names:
        version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return version
    if names:
        raise RecordsError(
            place, f"is a database of something else (it has the tables {', '.join(sorted(names))})"
        )
    return None


def _url(address: Path | str) -> URL:
    if isinstance(address, Path):
        return URL.create("sqlite", database=str(address))
    try:
        url = make_url(address)
    except ArgumentError as exc:
        raise RecordsError(
            "the address of the records", "write it like postgresql://USER@HOST:PORT/NAME"
        ) from exc
    if url.get_backend_name() != "postgresql" or not url.database:
        raise RecordsError(_shown(address), "write it like postgresql://USER@HOST:PORT/NAME")
    return url.set(drivername="postgresql+psycopg")


def _shown(address: str) -> str:
    try:
        return make_url(address).set(password=None).render_as_string()
    except ArgumentError:
        return "the address of the records"


def _engine(url: URL, *, foreign_keys: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, foreign_keys=foreign_keys)
    return _postgresql_engine(url, pooled=foreign_keys)


def _sqlite_engine(url: URL, *, foreign_keys: bool) -> Engine:
    engine = create_engine(url, poolclass=None if foreign_keys else NullPool)

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
        is_write = connection.get_execution_options()["stopline_write"]
        connection.exec_driver_sql(f"BEGIN {'IMMEDIATE' if is_write else 'DEFERRED'}")

    return engine


def _postgresql_engine(url: URL, *, pooled: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"connect_timeout": BUSY_TIMEOUT_MS // 1000},
        pool_pre_ping=pooled,  # a server that was started anew is found again
        **({"pool_size": 10, "max_overflow": 30} if pooled else {"poolclass": NullPool}),
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options()["stopline_write"]:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    return engine


@contextmanager
def _translated(place: Path | str) -> Iterator[None]:
    try:
        yield
    except OperationalError as exc:
        state = getattr(exc.orig, "sqlstate", None)
        words = str(exc.orig)
        if "locked" in words or "busy" in words or state in (LOCK_NOT_AVAILABLE, QUERY_CANCELED):
            raise RecordsBusyError(place, "another process keeps the records locked; try again") from exc
        if not isinstance(place, Path):
            raise RecordsBusyError(place, f"the database does not answer: {words.splitlines()[0]}") from exc
        raise RecordsError(place, words) from exc
    except DBAPIError as exc:
        raise RecordsError(place, str(exc.orig)) from exc
