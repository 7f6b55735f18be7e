"""The folder of one replay: what each finished source gave is kept at once, and the results appear whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from api.errors import UsageError
from api.work.event_lines import Row, lines_text, ordered_events, ordered_passages
from api.work.observation_writer import (
    ObservationWriter,
    OutputError,
    PatientObservationWriter,
    translated,
)

EVENTS, PASSAGES, OBSERVATIONS = "events.jsonl", "passages.jsonl", "observations.jsonl.gz"
SUMMARY, RUN, CHECKPOINT, DONE = "summary.json", "run.json", "checkpoint", "checkpoint.done"
RESERVE = "reserve"
RESERVE_BYTES = 16_000_000
"""Room that a live source's run keeps for its results: events, passages and summary of a busy month."""

RESULTS = (SUMMARY, EVENTS, PASSAGES, OBSERVATIONS)


class OpenMode(StrEnum):
    """What may be in the folder: nothing, the run to go on with, or a run to be thrown away."""

    NEW = "new"
    RESUME = "resume"
    OVERWRITE = "overwrite"


class OtherRunError(UsageError):
    """The folder holds another run; ``differences`` says in what it differs."""

    def __init__(self, folder: Path, differences: Sequence[str]) -> None:
        super().__init__(
            f"{folder} holds another run; different are: {', '.join(differences)}. Resume with the same arguments "
            "and files, or start over with --overwrite"
        )
        self.differences = tuple(differences)


class FolderInUseError(UsageError):
    """Another process writes to the folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is in use by another replay; wait for it, or give another --out")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """All that a run's results depend on; a run goes on only where it is the same."""

    camera: str
    sources: tuple[str, ...]
    start_times: tuple[str, ...]
    duration_s: float | None
    site_sha256: str
    weights_sha256: str
    plates: tuple[str, ...]
    stopline: str
    with_evidence: bool
    signals: tuple[str, ...] = ()
    start_error_s: float = 1.0


_CALLED: Mapping[str, str] = {
    "camera": "--camera",
    "sources": "the SOURCEs",
    "start_times": "--start-time",
    "start_error_s": "--start-error",
    "duration_s": "--duration",
    "site_sha256": "the content of the site file",
    "weights_sha256": "the weights",
    "plates": "the plate models",
    "stopline": "the version of Stopline",
    "with_evidence": "--no-evidence",
    "signals": "what --signals names",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """What one finished source gave, besides its observations.

    ``size_bytes`` is None for a live source. ``gaps_s`` lists the first gaps, ``gap_count`` and ``gap_s`` cover all.
    ``disarmed`` are the intervals in which the rules did not trust themselves, ``lost`` the gaps in which a red light
    was not watched, ``signals`` counts the messages of each signal feed, ``heads_reported`` are the heads of which
    one of them told some state. ``pictures_missing`` counts the passages whose picture could not be had,
    ``unkept`` are the findings that became no case for want of room, ``observations_lost`` counts what could not be recorded.
    """

    source: str
    segment: int
    size_bytes: int | None
    frames: int
    analysed: int
    video_s: float
    wall_s: float
    damage: str | None
    interrupted: bool
    has_wall_clock: bool
    gaps_s: Sequence[Sequence[float]]
    gap_count: int
    gap_s: float
    lamp_samples: Mapping[str, int]
    lamps_unknown: Mapping[str, int]
    events: Sequence[Row]
    passages: Sequence[Row]
    disarmed: Sequence[Row] = ()
    lost: Sequence[Row] = ()
    signals: Sequence[Row] = ()
    heads_reported: Sequence[str] = ()
    pictures_missing: int = 0
    unkept: Sequence[Row] = ()
    observations_lost: int = 0


class RunFolder:
    """An opened folder, locked against a second run. Raises OutputError where the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checkpoint = folder / CHECKPOINT

    def finished(self, segment: int) -> SourceRecord | None:
        """What that source gave in this run or an earlier part of it, or None where it is still to be done."""
        path = self._record_path(segment)
        if not path.is_file():
            return None
        return SourceRecord(**json.loads(path.read_text(encoding="utf-8")))

    @contextmanager
    def observations(self, segment: int, *, is_live: bool = False) -> Iterator[ObservationWriter]:
        """A writer for one source's observations; what it wrote counts only once ``finish`` was called."""
        writer = (PatientObservationWriter if is_live else ObservationWriter)(self._part_path(segment))
        try:
            yield writer
        finally:
            writer.close()

    def reserve(self) -> None:
        """There is room for the results of a source that cannot be had again, whatever fills the disk meanwhile."""
        path = self._checkpoint / RESERVE
        with translated(path), path.open("wb") as file:
            for _ in range(RESERVE_BYTES // 1_000_000):
                file.write(os.urandom(1_000_000))  # what a file system cannot make smaller
            _sync(file)

    def spend_reserve(self) -> bool:
        """The room that was kept is free. False where none was."""
        path = self._checkpoint / RESERVE
        with translated(path):
            is_there = path.exists()
            path.unlink(missing_ok=True)
        return is_there

    def finish(self, record: SourceRecord) -> None:
        """The source is done: its observations and its record stand, and a later part of the run skips it."""
        part = self._part_path(record.segment)
        with translated(part):
            part.replace(self._observations_path(record.segment))
        self._write(self._record_path(record.segment), _json(asdict(record)))

    def _write(self, path: Path, *contents: bytes | Path) -> None:
        """As ``write_file``, with the room that was kept where there is no other."""
        try:
            write_file(path, *contents)
        except OutputError as exc:
            if not exc.is_full or not self.spend_reserve():
                raise
            write_file(path, *contents)

    def publish(self, records: Sequence[SourceRecord], summary: Mapping[str, Any], *, complete: bool) -> None:
        """The results of these sources stand, each file whole; the summary, written last, says that they do.

        The checkpoint goes when ``complete``: then nothing is left to be resumed.
        """
        with translated(self._folder / SUMMARY):
            (self._folder / SUMMARY).unlink(missing_ok=True)
        events = ordered_events([row for record in records for row in record.events])
        passages = ordered_passages([row for record in records for row in record.passages])
        self._write(self._folder / EVENTS, lines_text(events).encode())
        self._write(self._folder / PASSAGES, lines_text(passages).encode())
        parts = [self._observations_path(record.segment) for record in records]
        if len(parts) == 1:  # needs no room
            self._link(parts[0], self._folder / OBSERVATIONS)
        else:
            # Members of a gzip file may follow one another: the sources' files need not be unpacked.
            self._write(self._folder / OBSERVATIONS, *parts)
        self._write(self._folder / SUMMARY, _json(summary))
        self.spend_reserve()
        if complete:
            done = self._folder / DONE
            with translated(self._checkpoint):
                remove(done)
                self._checkpoint.replace(done)
                remove(done)

    def abandon(self, also_ours: Sequence[str] = ()) -> None:
        """Nothing of the run is left, nor of what else it leaves: it gave nothing, and the folder may be used again."""
        with translated(self._folder):
            for name in (*also_ours, CHECKPOINT, RUN):
                remove(self._folder / name)

    def _link(self, part: Path, target: Path) -> None:
        """The file has a second name, the target; where the file system has no such thing it is copied."""
        linked = target.with_name(f".{target.name}.part")
        try:
            linked.unlink(missing_ok=True)
            os.link(part, linked)
        except OSError:
            self._write(target, part)
            return
        with translated(target):
            linked.replace(target)
            linked.unlink(missing_ok=True)  # where both names were the same file already, both stay

    def _record_path(self, segment: int) -> Path:
        return self._checkpoint / f"source-{segment:04d}.json"

    def _observations_path(self, segment: int) -> Path:
        return self._checkpoint / f"source-{segment:04d}.{OBSERVATIONS}"

    def _part_path(self, segment: int) -> Path:
        return self._checkpoint / f"source-{segment:04d}.part"


def is_complete(folder: Path) -> bool:
    """Whether the folder holds the results of a run that left nothing to be resumed."""
    return (folder / SUMMARY).is_file() and not (folder / CHECKPOINT).exists()


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary of a complete run. Raises UsageError where it is damaged."""
    try:
        found: dict[str, Any] = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UsageError(f"{folder / SUMMARY} is damaged ({exc}); start over with --overwrite") from exc
    return found


def make_empty(folder: Path) -> None:
    """The folder stands, and is empty. Raises UsageError where it holds something or is a file, OutputError."""
    with translated(folder):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not an empty folder; give a new or empty one")
        folder.mkdir(parents=True, exist_ok=True)


def check_folder(folder: Path, plan: RunPlan, mode: OpenMode) -> None:
    """Returns where ``open_run`` may go on with that folder; changes nothing.

    Raises UsageError where it holds something else than ``mode`` allows, or another run.
    """
    with translated(folder):
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file; --out wants a new or empty folder")
        entries = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
        if not entries or _never_began(folder, entries):
            return
    if mode is OpenMode.NEW:
        raise UsageError(
            f"{folder} is not empty; give a new or empty folder, --resume to go on with the run in it, or "
            "--overwrite to throw that run away"
        )
    if RUN not in entries:
        raise UsageError(f"{folder} holds no run of ours ({', '.join(entries[:3])}); nothing was changed")
    differences = _differences(folder / RUN, plan) if mode is OpenMode.RESUME else []
    if differences:
        raise OtherRunError(folder, differences)


def _never_began(folder: Path, entries: Sequence[str]) -> bool:
    """Whether this is all that a full disk or a crash left of a run before its plan stood."""
    begun = {CHECKPOINT, f".{RUN}.part"}
    return set(entries) <= begun and not (
        (folder / CHECKPOINT).exists() and any((folder / CHECKPOINT).iterdir())
    )


@contextmanager
def open_run(
    folder: Path, plan: RunPlan, mode: OpenMode, also_ours: Sequence[str] = ()
) -> Iterator[RunFolder]:
    """The folder, ready for that run and locked until the end of the context.

    ``also_ours`` names what besides the results a run leaves there, for OVERWRITE to remove. Raises UsageError
    as ``check_folder`` does and where the folder is in use; OutputError where the disk refuses.
    """
    check_folder(folder, plan, mode)
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        with translated(folder):
            _prepare(folder, plan, mode, also_ours)
        yield RunFolder(folder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else who asks so writes to the folder meanwhile, and a process that dies leaves no lock behind.

    Raises FolderInUseError where another has it.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(handle)
        raise FolderInUseError(folder) from exc
    try:
        yield
    finally:
        os.close(handle)


def _prepare(folder: Path, plan: RunPlan, mode: OpenMode, also_ours: Sequence[str]) -> None:
    if mode is OpenMode.OVERWRITE:
        for name in (*RESULTS, *also_ours, CHECKPOINT, DONE, RUN):
            remove(folder / name)
    (folder / CHECKPOINT).mkdir(exist_ok=True)
    if not (folder / RUN).exists():
        write_file(folder / RUN, _json(asdict(plan)))


def _differences(path: Path, plan: RunPlan) -> list[str]:
    try:
        was = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise UsageError(f"{path} is damaged ({exc}); start over with --overwrite") from exc
    now = json.loads(_json(asdict(plan)))
    found = []
    for field, called in _CALLED.items():
        if was.get(field) != now[field]:
            values = "" if field.endswith("sha256") else f" ({was.get(field)!r} then, {now[field]!r} now)"
            found.append(called + values)
    return found


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def write_file(path: Path, *contents: bytes | Path) -> None:
    """The file holds the contents (those of the files, where paths are given), on the disk and under its name at once."""
    part = path.with_name(f".{path.name}.part")
    with translated(path):
        with part.open("wb") as file:
            for content in contents:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, file)
            _sync(file)
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def remove(path: Path) -> None:
    """Nothing is there any more: a file, a folder with all it holds, or a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
