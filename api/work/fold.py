"""Judges a run's recorded observations again: the same observations and site give the same events, byte for byte."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from api.judge import RuleJudge
from api.work.event_lines import (
    Row,
    event_fields,
    lines_text,
    ordered_events,
    ordered_passages,
    passage_fields,
)
from api.work.observation_lines import ObservationLineError, parse_observation
from api.work.run_folder import EVENTS, OBSERVATIONS, PASSAGES, make_empty, write_file
from evidence.delivery import verified_ref
from evidence.durable import Disk
from evidence.passage_file import PassagePicture, find_picture
from evidence.ports import EvidenceRef
from evidence.store import PackageStore
from evidence.store_local import LocalStore
from rules.errors import StoplineError
from rules.finding import Finding, Output, Passage
from rules.observation import Observation
from rules.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """The text of ``events.jsonl`` and of ``passages.jsonl``, and how many observations went in."""

    events: str
    passages: str
    observations: int


class ObservationsError(ObservationLineError):
    """A file of observations that cannot be read; the text names file and line."""

    code = "input_unreadable"


class UnknownCameraError(StoplineError):
    """Observations of a camera that the site file doesn't have."""

    code = "config_invalid"


def fold_file(path: Path, site: Site, store: PackageStore | None = None) -> Folded:
    """What the rules say of the observations in ``path``: a file, or a run's folder that holds one.

    Evidence is not built again: ``store`` (None: the run's folder itself) is asked for the package of each finding,
    whose files are verified; elsewhere, and for findings that it has none of, ``evidence`` and ``manifest`` are null. Raises
    ObservationsError, UnknownCameraError, PackageDamagedError.
    """
    if not path.is_dir():
        return fold(read_observations(path), site)
    packages = LocalStore(path, Disk()) if store is None else store
    return fold(
        read_observations(path / OBSERVATIONS),
        site,
        lambda case_id: verified_ref(case_id, packages),
        lambda passage: find_picture(path, passage),
    )


def write_folded(folded: Folded, out: Path) -> None:
    """Both texts stand in ``out``. Raises UsageError where that is not a new or empty folder, OutputError."""
    make_empty(out)
    write_file(out / EVENTS, folded.events.encode())
    write_file(out / PASSAGES, folded.passages.encode())


def fold(
    observations: Iterable[Observation],
    site: Site,
    evidence_of: Callable[[str], EvidenceRef | None] = lambda case_id: None,
    picture_of: Callable[[Passage], PassagePicture | None] = lambda passage: None,
) -> Folded:
    """What the rules say of the observations, which stand segment after segment. Raises UnknownCameraError."""
    events: list[Row] = []
    passages: list[Row] = []
    judge: RuleJudge | None = None
    segment: tuple[str, int] | None = None
    count = 0

    def keep(outputs: Iterable[Output]) -> None:
        events.extend(
            event_fields(output, evidence_of(output.id)) for output in outputs if isinstance(output, Finding)
        )
        passages.extend(
            passage_fields(output, site.passage_days, picture_of(output))
            for output in outputs
            if isinstance(output, Passage)
        )

    for observation in observations:
        count += 1
        stamp = observation.stamp
        if segment != (stamp.camera_id, stamp.segment):
            if judge is not None:
                keep(judge.finish())
            segment = (stamp.camera_id, stamp.segment)
            judge = _judge(site, stamp.camera_id)
        assert judge is not None
        keep(judge.step(observation))
    if judge is not None:
        keep(judge.finish())
    return Folded(
        events=lines_text(ordered_events(events)),
        passages=lines_text(ordered_passages(passages)),
        observations=count,
    )


def read_observations(path: Path) -> Iterator[Observation]:
    """The observations of a file, in its order. Raises ObservationsError where it is missing, damaged or cut off."""
    number = 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                number += 1
                yield parse_observation(line)
    except ObservationLineError as exc:
        raise ObservationsError(f"{path}:{number}: {exc}") from exc
    except (EOFError, zlib.error, UnicodeDecodeError, gzip.BadGzipFile) as exc:
        raise ObservationsError(f"{path}: damaged or cut off after line {number} ({exc})") from exc
    except OSError as exc:
        raise ObservationsError(f"{path}: cannot be read: {exc.strerror}") from exc


def _judge(site: Site, camera_id: str) -> RuleJudge:
    known = [camera.camera_id for camera in site.cameras]
    if camera_id not in known:
        raise UnknownCameraError(
            f"the observations are of camera {camera_id!r}, and the site file has {', '.join(known)}"
        )
    return RuleJudge(site, camera_id)
