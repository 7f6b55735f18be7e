"""The routes of jobs: runs over footage of the server, dry runs of a changed site file, and how far each is."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field, StringConstraints

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.body import Body, Moment
from api.http.case_routes import actor
from api.http.cursor import decode_cursor, encode_cursor
from api.http.models import PREFIX
from api.http.routes_sites import INVALID, Limit, NumberCursor
from api.http.workflow_models import SiteId
from api.records.jobs import Job, JobKind, JobState
from api.work.access import Permission, Principal

router = APIRouter(prefix=PREFIX, tags=["runs"])
Runner = Annotated[Principal, permitted(Permission.RUN)]
JobPath = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The job's id.")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*$")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class NewRun(Body):
    """A recording to be replayed."""

    site_id: SiteId
    camera_id: SiteId = Field(description="The camera of the site that recorded.")
    source: Name = Field(description="The recording, as GET /runs/footage lists it.")
    truth: Name | None = Field(
        None, description="A truth file, as listed: then precision and recall are told."
    )
    version: Number | None = Field(None, description="Of the site file; null: the newest.")
    started_at: Moment | None = Field(
        None,
        description="When the recording began; without it, rules that need the local time accuse nobody.",
    )


class NewDryRun(Body):
    """A changed site file to be tried."""

    run_id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] = Field(
        description="The job of a run that is done: its observations are judged again."
    )
    version: Number | None = Field(None, description="Of the site file; null: the site's draft.")


class JobModel(Body):
    """A job."""

    id: str
    kind: JobKind
    site_id: str
    state: JobState
    progress: float = Field(description="How far it is, from 0 to 1.")
    why: str | None = Field(description="Why it failed.")
    ordered_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    request: dict[str, Any] = Field(description="What was ordered.")
    result: dict[str, Any] | None = Field(
        description="What came of it, once it is done: of a run its summary, and its figures where a truth was given; of a "
        "dry run what would be gained, lost and changed. No plates."
    )

    @classmethod
    def of(cls, job: Job) -> JobModel:
        """The job as sent."""
        return cls(
            id=job.id,
            kind=job.kind,
            site_id=job.site_id,
            state=job.state,
            progress=job.progress,
            why=job.why,
            ordered_at=job.ordered_at,
            began_at=job.began_at,
            ended_at=job.ended_at,
            request=json.loads(job.request),
            result=None if job.result is None else json.loads(job.result),
        )


class RunPage(Body):
    """Some runs, the newest first."""

    items: list[JobModel]
    next_cursor: str | None = Field(description="Send it as 'cursor' for what follows; null: that was all.")


class FootageModel(Body):
    """The files that a run may read."""

    names: list[str] = Field(description="Of at most 1,000 files, by name.")


@router.post(
    "/runs",
    status_code=202,
    summary="Replay a recording",
    responses=problems(404, 409, 422, s409="Too many jobs wait, or nothing is published.", s422=INVALID),
)
def run(service: ServiceOf, by: Runner, request: Request, wanted: NewRun, response: Response) -> JobModel:
    """It is done when its turn comes, at low priority, apart from all records; ask for the job."""
    job = service.jobs.order_run(
        actor(by, request),
        wanted.site_id,
        wanted.camera_id,
        source=wanted.source,
        truth=wanted.truth,
        version=wanted.version,
        started_at=wanted.started_at,
    )
    response.headers["Location"] = f"{PREFIX}/jobs/{job.id}"
    return JobModel.of(job)


@router.get("/runs", summary="List runs", responses=problems(400, 422))
def runs(
    service: ServiceOf, by: Runner, request: Request, cursor: NumberCursor = None, limit: Limit = 50
) -> RunPage:
    """The runs of your account's sites, the newest first."""
    before = None if cursor is None else decode_cursor(cursor)
    found = service.jobs.runs(actor(by, request), before_number=before, limit=limit + 1)
    return RunPage(
        items=[JobModel.of(job) for job in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].number) if len(found) > limit else None,
    )


@router.get("/runs/footage", summary="What a run may read", responses=problems())
def footage(service: ServiceOf, by: Runner) -> FootageModel:
    """The files of the installation's folder of footage (STOPLINE_FOOTAGE), recordings and truth files."""
    return FootageModel(names=list(service.jobs.footage.names()))


@router.post(
    "/dry-runs",
    status_code=202,
    summary="Try a changed site file",
    responses=problems(404, 409, 422, s409="Too many jobs wait, or the run is not done.", s422=INVALID),
)
def dry_run(
    service: ServiceOf, by: Runner, request: Request, wanted: NewDryRun, response: Response
) -> JobModel:
    """What another version of the site file would have said of a run's observations. Nothing else is written."""
    job = service.jobs.order_dry_run(actor(by, request), wanted.run_id, version=wanted.version)
    response.headers["Location"] = f"{PREFIX}/jobs/{job.id}"
    return JobModel.of(job)


@router.get("/jobs/{job_id}", summary="One job", responses=problems(404, 422))
def one(service: ServiceOf, by: Runner, request: Request, job_id: JobPath) -> JobModel:
    """How far it is, and what came of it."""
    return JobModel.of(service.jobs.look(actor(by, request), job_id))


@router.delete(
    "/jobs/{job_id}", status_code=204, summary="Cancel or remove a job", responses=problems(404, 422)
)
def remove(service: ServiceOf, by: Runner, request: Request, job_id: JobPath) -> None:
    """One that waits or runs is cancelled; one that has ended is gone, with what it left."""
    service.jobs.remove(actor(by, request), job_id)
