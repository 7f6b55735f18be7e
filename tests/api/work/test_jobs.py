"""Jobs: one after the other beside the service; each ends on record, and reads nothing but the folder of footage."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.records import audit, jobs
from api.records.jobs import Job, JobKind, JobState
from api.work.case_sight import Actor
from api.work.configuration import Configuration
from api.work.footage import Footage, FootageUnknownError, NoFootageError
from api.work.jobs import MOST_WAITING, JobDesk, JobsBusyError, JobUnknownError, RunNotDoneError
from api.work.site_errors import CameraUnknownError, NothingToPublishError, SiteVersionUnknownError
from evidence.database import Database
from tests.builders.scripted import SITE, a_recording
from tests.builders.sites import NOON, a_configuration, engineer, publish

WU = engineer("Wu")
REPLAYED = """
import json, os, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir()
(out / "summary.json").write_text(json.dumps({"camera": "cam1", "frames": 10, "site": {"file": "/secret"}}))
print(json.dumps({"progress": "advanced", "number": 1, "of": 1, "length_s": 10, "media_s": 4}), file=sys.stderr)
print(os.getpriority(os.PRIO_PROCESS, 0))
"""


class Place:
    """Footage, a published site, and desks over one database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.footage = folder / "footage"
        self.footage.mkdir()
        (self.footage / "clip.mp4").write_bytes(b"not decoded here")
        (self.footage / "truth.json").write_text("{}")
        self.configuration: Configuration = a_configuration(database, folder / "sites")
        publish(self.configuration, SITE, "scripted")

    @contextmanager
    def desk(self, program: Sequence[str] | str = REPLAYED) -> Iterator[JobDesk]:
        words = (sys.executable, "-c", program) if isinstance(program, str) else program
        desk = JobDesk(
            self.database,
            self.configuration,
            Footage(self.footage),
            self.folder / "jobs",
            lambda: NOON,
            words,
        )
        try:
            yield desk
        finally:
            desk.close()

    def add(self, state: JobState, job_id: str = "ab" * 16) -> Job:
        """A job that another service left in that state."""
        with self.database.write() as tx:
            jobs.add_job(
                tx,
                job_id=job_id,
                kind=JobKind.RUN,
                site_id="scripted",
                account_id="a-Wu",
                request='{"camera_id": "cam1", "source": "clip.mp4", "truth": null, "started_at": null}',
                at=NOON,
            )
            if state is JobState.RUNNING:
                jobs.begin(tx, job_id, NOON)
            found = jobs.job_of(tx, job_id)
        assert found is not None
        return found


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Place:
    return Place(database, tmp_path)


def order(desk: JobDesk, who: Actor = WU, source: str = "clip.mp4", truth: str | None = None) -> Job:
    return desk.order_run(who, "scripted", "cam1", source=source, truth=truth, version=None, started_at=None)


def until(desk: JobDesk, job: Job, holds: Callable[[Job], bool]) -> Job:
    """The job once it holds: a process of its own works on it, which no clock of ours moves."""
    wait = threading.Event()
    for _ in range(600):
        found = desk.look(WU, job.id)
        if holds(found):
            return found
        wait.wait(0.05)
    raise AssertionError(f"{found}")


def ended(desk: JobDesk, job: Job) -> Job:
    return until(desk, job, lambda found: found.has_ended)


def test_a_run_is_done_at_low_priority_and_tells_no_path(place: Place) -> None:
    with place.desk() as desk:
        job = order(desk)
        assert (job.state, job.kind) == (JobState.WAITING, JobKind.RUN)
        done = ended(desk, job)
        assert (done.state, done.progress, done.why) == (JobState.DONE, 1.0, None)
        assert done.result is not None
        assert json.loads(done.result) == {"summary": {"camera": "cam1", "frames": 10}, "evaluation": None}
        printed = place.folder / "jobs" / job.id / "printed.json"
        assert int(printed.read_text()) >= 15
        assert (place.folder / "jobs" / job.id / "site.yaml").read_text() == SITE
        desk.remove(WU, job.id)
        assert not (place.folder / "jobs" / job.id).exists()
        with pytest.raises(JobUnknownError):
            desk.look(WU, job.id)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import sys; print('error: no video in it', file=sys.stderr); sys.exit(4)", "no video in it"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was killed (signal 11)"),
        ("import sys; sys.exit(1)", "ended with code 1"),
        ("pass", "cannot be read"),
        (
            "import sys; print('cannot read', sys.argv[2], file=sys.stderr); sys.exit(4)",
            "cannot read FOOTAGE/clip.mp4",
        ),
    ],
    ids=["an error", "a crash", "no words", "no result", "no path"],
)
def test_a_job_that_fails_says_why(place: Place, program: str, words: str) -> None:
    with place.desk(program) as desk:
        failed = ended(desk, order(desk))
        assert failed.state is JobState.FAILED
        assert failed.why is not None
        assert words in failed.why
        assert str(place.folder) not in failed.why
        assert failed.result is None


SLEEPS = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); print('{}', file=sys.stderr); time.sleep(60)"


def test_a_job_is_cancelled_whether_it_waits_or_runs(place: Place) -> None:
    with place.desk(SLEEPS) as desk:
        first, second = order(desk), order(desk)
        until(desk, first, lambda found: found.state is JobState.RUNNING)
        assert desk.look(WU, second.id).state is JobState.WAITING, "one at a time"
        desk.remove(WU, second.id)
        assert desk.look(WU, second.id).state is JobState.CANCELLED
        desk.remove(WU, first.id)
        assert desk.look(WU, first.id).state is JobState.CANCELLED
        third = order(desk)
        until(desk, third, lambda found: found.state is JobState.RUNNING)
        desk.remove(WU, third.id)
    with place.database.read() as tx:
        actions = [json.loads(line.line)["action"] for line in audit.lines(tx)]
    assert actions.count("job.ordered") == actions.count("job.cancelled") == 3


def test_what_ran_when_the_service_ended_has_failed_and_what_waited_goes_on(place: Place) -> None:
    place.add(JobState.RUNNING)
    waiting = place.add(JobState.WAITING, "cd" * 16)
    with place.desk() as desk:
        desk.recover()
        lost = desk.look(WU, "ab" * 16)
        assert (lost.state, lost.why) == (
            JobState.FAILED,
            "the service was ended while it ran; order it anew",
        )
        (place.folder / "jobs" / waiting.id).mkdir(parents=True)
        ended(desk, waiting)
    with place.desk(SLEEPS) as desk:
        job = order(desk)
        until(desk, job, lambda found: found.state is JobState.RUNNING)
    with place.desk() as desk:
        assert desk.look(WU, job.id).state is JobState.FAILED, "the service was stopped in good order"


def test_too_many_that_wait_are_told_so(place: Place) -> None:
    with place.desk(SLEEPS) as desk:
        first = order(desk)
        until(desk, first, lambda found: found.state is JobState.RUNNING)
        waiting = [order(desk) for _ in range(MOST_WAITING)]
        before = len([*(place.folder / "jobs").iterdir()])
        with pytest.raises(JobsBusyError):
            order(desk)
        assert len([*(place.folder / "jobs").iterdir()]) == before, "nothing is left of it"
        assert [job.id for job in desk.runs(WU, before_number=None, limit=3)] == [
            job.id for job in waiting[:-4:-1]
        ]
        for job in (*waiting, first):
            desk.remove(WU, job.id)


OUTSIDE = [
    "../secret.mp4",
    "/etc/passwd",
    "a/../../secret.mp4",
    "link.mp4",
    "linked/secret.mp4",
    ".",
    "none.mp4",
    "\x00",
    "x" * 5000,
    "",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_of_the_footage_is_read(place: Place, name: str) -> None:
    (place.folder / "secret.mp4").write_bytes(b"x")
    (place.footage / "link.mp4").symlink_to(place.folder / "secret.mp4")
    (place.footage / "linked").symlink_to(place.folder)
    with place.desk() as desk:
        with pytest.raises(FootageUnknownError):
            order(desk, source=name)
        with pytest.raises(FootageUnknownError):
            order(desk, truth=name)
        assert desk.footage.names() == ("clip.mp4", "truth.json")
        assert desk.runs(WU, before_number=None, limit=9) == []


def test_a_link_that_leads_out_only_later_is_not_followed(place: Place) -> None:
    with place.desk(SLEEPS) as desk:
        first = order(desk)
        until(desk, first, lambda found: found.state is JobState.RUNNING)
        second = order(desk)
        (place.footage / "clip.mp4").unlink()
        (place.footage / "clip.mp4").symlink_to("/etc/passwd")
        desk.remove(WU, first.id)
        failed = ended(desk, second)
        assert failed.why is not None
        assert "no file 'clip.mp4'" in failed.why


def test_what_cannot_be_ordered(place: Place) -> None:
    with place.desk() as desk:
        with pytest.raises(CameraUnknownError):
            desk.order_run(
                WU, "scripted", "other", source="clip.mp4", truth=None, version=None, started_at=None
            )
        with pytest.raises(SiteVersionUnknownError):
            desk.order_run(WU, "scripted", "cam1", source="clip.mp4", truth=None, version=9, started_at=None)
        place.configuration.add(WU, "bare", "nothing published")
        with pytest.raises(NothingToPublishError):
            desk.order_run(WU, "bare", "cam1", source="clip.mp4", truth=None, version=None, started_at=None)
        waiting = place.add(JobState.WAITING)
        with pytest.raises(RunNotDoneError):
            desk.order_dry_run(WU, waiting.id, version=None)
    with pytest.raises(NoFootageError):
        Footage(None).path("clip.mp4")
    assert Footage(None).names() == ()


def test_jobs_of_other_sites_are_not_there(place: Place) -> None:
    job = place.add(JobState.WAITING)
    stranger = engineer("Stranger", ("kerb",))
    with place.desk() as desk:
        for ask in (desk.look, desk.remove):
            with pytest.raises(JobUnknownError):
                ask(stranger, job.id)
        assert desk.runs(stranger, before_number=None, limit=9) == []
    with place.database.read() as tx:
        told = [json.loads(line.line) for line in audit.lines(tx)]
    assert [(line["target"], line["outcome"]) for line in told[-2:]] == [(f"job:{job.id}", "refused")] * 2


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Place]:
    """Where Stopline itself does the jobs."""
    database = Database(tmp_path / "records.sqlite")
    yield Place(database, tmp_path)
    database.close()


def test_a_real_run_and_a_dry_run_of_its_observations(real: Place) -> None:
    a_recording(real.footage / "clip.mp4", 3.0)
    with real.desk((sys.executable, "-m", "api.cli")) as desk:
        done = ended(desk, order(desk))
        assert done.state is JobState.DONE, done.why
        assert done.result is not None
        assert json.loads(done.result)["summary"]["frames"] == 30
        row, _ = real.configuration.draft(WU, "scripted")
        changed = SITE.replace("allowed_stop_s: 3", "allowed_stop_s: 5")
        real.configuration.put_draft(WU, "scripted", changed, looked_at=row.version)
        tried = ended(desk, desk.order_dry_run(WU, done.id, version=None))
        assert tried.state is JobState.DONE, tried.why
        assert tried.result is not None
        told = json.loads(tried.result)
        assert told["observations"] == 30
        assert told["counts"] == {"gained": 0, "lost": 0, "changed": 0}
        assert told["site_differences"] == ["no parking kerb: allowed_stop_s 3 → 5"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\x00" * 5000, ""), (b"#EXTM3U\nfile:///etc/passwd\n", ""), (b"", "0 bytes"), (None, "px")],
    ids=["garbage", "a playlist", "empty", "another size"],
)
def test_a_malicious_video_fails_its_job(real: Place, content: bytes | None, words: str) -> None:
    path = real.footage / "clip.mp4"
    if content is None:
        a_recording(path, 1.0)
        huge = SITE.replace("size_px: [320, 192]", "size_px: [7680, 4320]")
        publish(real.configuration, huge, "scripted")
    else:
        path.write_bytes(content)
    with real.desk((sys.executable, "-m", "api.cli")) as desk:
        failed = ended(desk, order(desk))
        assert failed.state is JobState.FAILED
        assert failed.why is not None
        assert words in failed.why
        assert "FOOTAGE/clip.mp4" in failed.why
        assert "internal error" not in failed.why
