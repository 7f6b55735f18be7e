"""Jobs in SQL: what was ordered, how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    select,
    update,
)

from evidence.records_tables import METADATA, UtcDateTime

JOBS = Table(
    "jobs",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("site_id", String, nullable=False),
    Column("account_id", String, nullable=False),
    Column("request", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("progress", Float, nullable=False),
    Column("why", Text, nullable=True),
    Column("result", Text, nullable=True),
    Column("ordered_at", UtcDateTime, nullable=False),
    Column("began_at", UtcDateTime, nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),
    Index("ix_jobs_state", "state", "number"),
    Index("ix_jobs_kind", "kind", "number"),
    sqlite_autoincrement=True,
)
"""``request`` and ``result`` are JSON."""


class JobKind(StrEnum):
    """What is done."""

    RUN = "run"
    """A recording is replayed, and compared with its truth where one is given."""
    DRY_RUN = "dry_run"
    """The observations of a run are judged by another version of the site file."""


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job. ``progress`` is a share from 0 to 1; ``why`` says why it failed; ``request`` and ``result`` are JSON."""

    number: int
    id: str
    kind: JobKind
    site_id: str
    account_id: str
    request: str
    state: JobState
    progress: float
    why: str | None
    result: str | None
    ordered_at: datetime
    began_at: datetime | None
    ended_at: datetime | None

    @property
    def has_ended(self) -> bool:
        return self.state not in (JobState.WAITING, JobState.RUNNING)


def add_job(
    connection: Connection,
    *,
    job_id: str,
    kind: JobKind,
    site_id: str,
    account_id: str,
    request: str,
    at: datetime,
) -> Job:
    """The job waits."""
    connection.execute(
        JOBS.insert().values(
            id=job_id,
            kind=kind.value,
            site_id=site_id,
            account_id=account_id,
            request=request,
            state=JobState.WAITING.value,
            progress=0.0,
            ordered_at=at,
        )
    )
    made = job_of(connection, job_id)
    assert made is not None
    return made


def job_of(connection: Connection, job_id: str) -> Job | None:
    """The job; None when there is none of that id."""
    row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).first()
    return None if row is None else _job(row)


def jobs_in(connection: Connection, state: JobState, limit: int) -> list[Job]:
    """Up to ``limit`` jobs in that state, in the order in which they were ordered."""
    wanted = select(JOBS).where(JOBS.c.state == state.value).order_by(JOBS.c.number).limit(limit)
    return [_job(row) for row in connection.execute(wanted)]


def jobs_page(
    connection: Connection,
    kind: JobKind,
    *,
    site_ids: Sequence[str] | None,
    before_number: int | None,
    limit: int,
) -> list[Job]:
    """Up to ``limit`` jobs of that kind and those sites (None: of all) with a lower number, the newest first."""
    wanted = select(JOBS).where(JOBS.c.kind == kind.value)
    if site_ids is not None:
        wanted = wanted.where(JOBS.c.site_id.in_(site_ids))
    if before_number is not None:
        wanted = wanted.where(JOBS.c.number < before_number)
    return [_job(row) for row in connection.execute(wanted.order_by(JOBS.c.number.desc()).limit(limit))]


def begin(connection: Connection, job_id: str, at: datetime) -> None:
    """The job that waited runs."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.state == JobState.WAITING.value)
        .values(state=JobState.RUNNING.value, began_at=at)
    )


def advance(connection: Connection, job_id: str, progress: float) -> None:
    """The running job is that far."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id == job_id, JOBS.c.state == JobState.RUNNING.value)
        .values(progress=progress)
    )


def end(
    connection: Connection,
    job_id: str,
    state: JobState,
    *,
    at: datetime,
    why: str | None = None,
    result: str | None = None,
) -> bool:
    """Whether the job waited or ran until now; it has ended then, in that state."""
    values: dict[str, Any] = {"state": state.value, "ended_at": at, "why": why, "result": result}
    if state is JobState.DONE:
        values["progress"] = 1.0
    open_states = (JobState.WAITING.value, JobState.RUNNING.value)
    ended = connection.execute(
        update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state.in_(open_states)).values(values)
    )
    return ended.rowcount == 1


def remove(connection: Connection, job_id: str) -> None:
    """There is no such job any more."""
    connection.execute(delete(JOBS).where(JOBS.c.id == job_id))


def _job(row: Row[Any]) -> Job:
    return Job(
        number=row.number,
        id=row.id,
        kind=JobKind(row.kind),
        site_id=row.site_id,
        account_id=row.account_id,
        request=row.request,
        state=JobState(row.state),
        progress=row.progress,
        why=row.why,
        result=row.result,
        ordered_at=row.ordered_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
    )
