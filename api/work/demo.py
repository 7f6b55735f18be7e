"""The demonstration: replays the sample clips, one after another, into one data folder, and judges them by their truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from api.clock import Clock
from api.errors import AllInputsFailedError, InterruptedRunError, SourceFailure, UsageError
from api.site_file import SiteFile, load_site_file
from api.suggest import did_you_mean
from api.work.evaluate import ClipEvaluation, evaluate
from api.work.observation_writer import OutputError
from api.work.package_store import require_none_elsewhere
from api.work.pipeline import Pipeline
from api.work.progress import Advance, Progress
from api.work.records_place import open_database
from api.work.replay import replay
from api.work.replay_source import ReplayRequest
from api.work.run_evidence import EVIDENCE
from api.work.run_folder import (
    FolderInUseError,
    OpenMode,
    OtherRunError,
    is_complete,
    locked,
    remove,
)
from api.work.truth_file import ClipTruth, load_truth
from evidence.database import RecordsError
from evidence.errors import DiskFullError
from evidence.records_sql import SqlRecords
from rules.errors import StoplineError
from rules.figures import RuleScore, figures
from rules.finding import Rule

RUNS = "runs"
"""Where the run of each clip stands; evidence and records of all of them stand beside it."""

TRUTH = "truth.json"


class NoSamplesError(StoplineError):
    """There are no sample clips to show."""

    code = "input_unreadable"


class DemoFolderError(UsageError):
    """The folder cannot be used for this demonstration; the text says what helps."""


class DemoDiskError(StoplineError):
    """The folder cannot be written; what was finished is kept."""

    code = "output_unwritable"
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleClip:
    """A rendered clip with its site file, which has one camera, and what happens in it."""

    name: str
    video: Path
    site_file: SiteFile
    truth: ClipTruth

    @property
    def camera_id(self) -> str:
        return self.site_file.site.cameras[0].camera_id

    @property
    def effort_to_first_event(self) -> float:
        """Pixels times seconds until the first thing happens that must be reported; infinite where nothing does."""
        camera = self.site_file.site.cameras[0]
        first_s = min((event.t_s for event in self.truth.events if event.required), default=math.inf)
        return first_s * camera.width_px * camera.height_px


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The clips, that which shows an event soonest first; ``left_out`` says of each other clip in the folder why."""

    clips: tuple[SampleClip, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoScore:
    """What the runs say against the truth.

    ``below`` are the figures of the rules whose precision or recall is below 1.0, ``untried`` the rules of which
    there is nothing in these clips: nothing was found, and nothing says that anything would be.
    """

    clips: tuple[ClipEvaluation, ...]
    below: tuple[RuleScore, ...]
    untried: tuple[Rule, ...]


def find_samples(folder: Path, names: Sequence[str] = ()) -> Samples:
    """The sample clips in the folder, or those of these names.

    Raises NoSamplesError where there is none, UsageError for a name that is not there, TruthFileError, and
    ConfigInvalidError for a site file.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.mp4"))}
    if not found:
        raise NoSamplesError(
            f"{folder} holds no sample clips; they come with a git checkout (git restore sample_videos), or set "
            "STOPLINE_SAMPLES to the folder that has them"
        )
    for name in names:
        if name not in found:
            hint = did_you_mean(name, found) or f"; there are {', '.join(found)}"
            raise UsageError(f"there is no sample clip {name!r}{hint}")
    truth = load_truth(folder / TRUTH)
    clips, left_out = [], []
    for name in dict.fromkeys(names or found):
        video, site = found[name], found[name].with_suffix(".yaml")
        if not site.is_file() or video.name not in truth:
            lacking = f"there is no {site.name}" if not site.is_file() else f"{TRUTH} says nothing of it"
            left_out.append(f"{video.name} is left out: {lacking}")
        else:
            clips.append(
                SampleClip(name=name, video=video, site_file=load_site_file(site), truth=truth[video.name])
            )
    if not clips:
        raise NoSamplesError("\n".join(left_out))
    _check_cameras(clips)
    return Samples(
        clips=tuple(sorted(clips, key=lambda clip: (clip.effort_to_first_event, clip.name))),
        left_out=tuple(left_out),
    )


def _check_cameras(clips: Iterable[SampleClip]) -> None:
    """Cases are named after their camera, so that in one folder each clip needs a camera of its own."""
    seen: dict[str, SampleClip] = {}
    for clip in clips:
        if len(clip.site_file.site.cameras) != 1:
            raise UsageError(f"{clip.site_file.file}: a sample clip's site file has one camera")
        other = seen.setdefault(clip.camera_id, clip)
        if other is not clip:
            raise UsageError(
                f"{clip.site_file.file}: cameras: the camera is called {clip.camera_id!r} as in {other.site_file.file}; "
                "give each sample clip a camera id of its own"
            )


@contextmanager
def demo_folder(folder: Path, *, fresh: bool) -> Iterator[SqlRecords]:
    """The folder stands, is nobody else's meanwhile, and its records are open; what an earlier demonstration left is
    kept, or with ``fresh`` thrown away.

    Raises DemoFolderError where it is another one's or in use, DemoDiskError, RecordsError.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise DemoFolderError(f"{folder} is a file; give another --out")
        entries = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        if entries and RUNS not in entries:
            raise DemoFolderError(
                f"{folder} holds something else than a demonstration ({', '.join(entries[:3])}); nothing was changed. "
                "Give another --out"
            )
        (folder / RUNS).mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise DemoDiskError(
            f"{folder}: cannot be written: {exc.strerror}; give another folder with --out"
        ) from exc
    try:
        with locked(folder):
            if fresh:
                require_none_elsewhere(folder)
                _empty(folder)
            with _told_how_to_go_on(folder):
                records = SqlRecords(open_database(folder))
            try:
                yield records
            finally:
                records.close()
    except FolderInUseError as exc:
        raise DemoFolderError(
            f"another 'stopline demo' runs in {folder}; end it with Ctrl-C where it was started, or give another --out"
        ) from exc


def _empty(folder: Path) -> None:
    try:
        for name in (*EVIDENCE, RUNS):
            remove(folder / name)
        (folder / RUNS).mkdir()
    except OSError as exc:
        raise DemoDiskError(f"{folder}: cannot be emptied: {exc.strerror}") from exc


def done_before(clips: Iterable[SampleClip], folder: Path) -> tuple[SampleClip, ...]:
    """The clips whose run is finished already."""
    return tuple(clip for clip in clips if is_complete(folder / RUNS / clip.name))


def replay_samples(
    clips: Sequence[SampleClip],
    folder: Path,
    pipeline_of: Callable[[SampleClip], Pipeline],
    progress: Progress,
    clock: Clock,
    stop: Callable[[], bool],
) -> tuple[SourceFailure, ...]:
    """Every clip is replayed into the demonstration's folder, those that were begun before first; returns the clips that
    could not be read.

    What is finished is kept, so that calling it again goes on. Raises DemoFolderError where the folder holds
    runs of other weights, site files or versions; InterruptedRunError once ``stop`` says so; DemoDiskError; and
    whatever the pipeline fails with.
    """
    begun = [clip for clip in clips if (folder / RUNS / clip.name).exists()]
    ordered = [*begun, *(clip for clip in clips if clip not in begun)]
    failures: list[SourceFailure] = []
    for number, clip in enumerate(ordered, 1):
        request = ReplayRequest(
            sources=(str(clip.video),),
            site_file=clip.site_file,
            camera_id=clip.camera_id,
            out=folder / RUNS / clip.name,
            mode=OpenMode.RESUME,
            start_times=() if clip.truth.started_at is None else (clip.truth.started_at,),
            duration_s=None,
            data=folder,
        )
        shown = _OneOfMany(progress, clip.name, number, len(ordered))
        try:
            with _told_how_to_go_on(folder):
                replay(request, pipeline_of(clip), shown, clock, stop)
        except AllInputsFailedError as exc:
            failures += exc.failures
        except OtherRunError as exc:
            raise DemoFolderError(
                f"{folder} holds a demonstration that differs in {', '.join(exc.differences)}; --fresh throws it away "
                "with its cases and decisions and starts anew, or give another --out"
            ) from exc
        except InterruptedRunError as exc:
            raise InterruptedRunError(
                f"interrupted in {clip.name}; the clips before it are kept in {folder}, and the same command goes on there"
            ) from exc
    return tuple(failures)


@contextmanager
def _told_how_to_go_on(folder: Path) -> Iterator[None]:
    """What the disk refuses becomes a DemoDiskError that says what helps."""
    go_on = (
        f"make room on the disk of {folder}, or give another folder with --out, and run the same command again: what "
        "was finished is kept"
    )
    try:
        yield
    except OutputError as exc:
        raise DemoDiskError(f"{exc.path}: cannot be written: {exc.reason}; {go_on}") from exc
    except DiskFullError as exc:
        raise DemoDiskError(f"{exc.path}: the disk is full; {go_on}") from exc
    except RecordsError as exc:
        if "disk" not in exc.reason:  # "database or disk is full", "disk I/O error"
            raise
        raise DemoDiskError(f"{exc}; {go_on}") from exc


def score_samples(clips: Sequence[SampleClip], folder: Path) -> DemoScore:
    """The finished runs of these clips against their truth, in the order of the names. Raises EvaluationError."""
    truth = {clip.video.name: clip.truth for clip in clips}
    evaluated = [
        one
        for clip in sorted(done_before(clips, folder), key=lambda clip: clip.name)
        for one in evaluate(folder / RUNS / clip.name, truth).clips
    ]
    parts = figures(one.score for one in evaluated)
    tried = {event.rule for clip in clips for event in clip.truth.events}
    tried |= {part.rule for part in parts if part.false}
    return DemoScore(
        clips=tuple(evaluated),
        below=tuple(part for part in parts if part.missed or part.false),
        untried=tuple(rule for rule in Rule if rule not in tried),
    )


class _OneOfMany:
    """Tells the progress of one clip as that of the whole demonstration."""

    def __init__(self, progress: Progress, name: str, number: int, of: int) -> None:
        self._progress = progress
        self._name = name
        self._number = number
        self._of = of

    def begun(self, at: Advance) -> None:
        self._progress.begun(self._renamed(at))

    def advanced(self, at: Advance) -> None:
        self._progress.advanced(self._renamed(at))

    def ended(self, at: Advance, outcome: str) -> None:
        self._progress.ended(self._renamed(at), outcome)

    def noted(self, text: str) -> None:
        self._progress.noted(text)

    def _renamed(self, at: Advance) -> Advance:
        return replace(at, source=self._name, number=self._number, of=self._of)
