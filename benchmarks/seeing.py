"""Replays clips by the product's own code, and remembers what a detector found in each picture, so that it looks once."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from api.bootstrap import CameraPipeline, Models, OpenedSource
from api.clock import SystemClock
from api.judge import RuleJudge
from api.settings import load_settings
from api.work.fold import read_observations
from api.work.progress import Advance
from api.work.replay import ReplayRequest, replay
from api.work.run_folder import OBSERVATIONS, OpenMode, read_summary
from benchmarks.clips import CHECKOUT, Clip, Model
from benchmarks.proof import Trial
from detector.detection import Detection, Detector
from detector.picture import Picture
from detector.tracker import ByteTracker
from detector.weights import load_weights
from ingest.ports import FrameSource
from rules.finding import Disarmed, Finding
from rules.observation import FrameStamp, ObjectClass, Observation, SceneState
from rules.scoring import PredictedEvent
from rules.site import Site

DECIDING = (
    *("classes", "detection", "postprocess", "preprocess", "riders", "weights", "yolo"),
    *("onnx_dims",),
)
"""The modules of ``detector/`` on which it depends what is found in a picture; with all of ``ingest/``."""

Found = dict[int, tuple[Detection, ...]]
"""Who was found, by the index of the frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiling:
    """Pictures that are changed from a moment on: ``key`` names the change and all that it depends on.

    ``seen_s`` is when the detector's pictures begin to differ: None where only a place is changed at which
    no road user is, and what was found in the untouched pictures holds.
    """

    key: str
    seen_s: float | None
    source: Callable[[FrameSource], FrameSource]


class Memory:
    """What one model found in one clip, kept in a file that is named after everything it depends on."""

    def __init__(self, folder: Path, clip: Clip, model: Model, spoiling: str = "") -> None:
        digest = hashlib.sha256(spoiling.encode())
        modules = [CHECKOUT / "detector" / f"{name}.py" for name in DECIDING]
        for path in (clip.path, model.path, *modules, *sorted((CHECKOUT / "ingest").glob("*.py"))):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update(str(clip.site_file().document.detector.input_size).encode())
        self._path = folder / f"{clip.name}-{model.name}-{digest.hexdigest()[:16]}.jsonl.gz"
        self.found: Found = {}
        self._known = 0
        if self._path.is_file():
            with gzip.open(self._path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    index, detections = json.loads(line)
                    self.found[index] = tuple(_detection(*fields) for fields in detections)
            self._known = len(self.found)

    def keep(self) -> None:
        """What was found since it was read stands in the file."""
        if len(self.found) == self._known:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        with gzip.open(part, "wt", encoding="utf-8") as file:
            for index, detections in sorted(self.found.items()):
                rows = [[d.object_class.value, d.box_px, d.score, d.class_score] for d in detections]
                file.write(json.dumps([index, rows]) + "\n")
        part.replace(self._path)
        self._known = len(self.found)


def _detection(
    kind: str, box: tuple[float, float, float, float], score: float, class_score: float
) -> Detection:
    x1, y1, x2, y2 = box
    return Detection(
        object_class=ObjectClass(kind), box_px=(x1, y1, x2, y2), score=score, class_score=class_score
    )


class Remembering:
    """A Detector that looks only at pictures it has not seen before.

    Pictures before ``spoiled_s`` are looked up in ``clean``, those from then on in ``spoiled``.
    """

    def __init__(
        self, detector: Detector, clean: Found, spoiled: Found, spoiled_s: float | None = None
    ) -> None:
        self._detector = detector
        self._clean = clean
        self._spoiled = spoiled
        self._spoiled_s = spoiled_s

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        """As a Detector."""
        stamp = picture.stamp
        is_clean = self._spoiled_s is None or stamp.media_s < self._spoiled_s
        memory = self._clean if is_clean else self._spoiled
        if stamp.index not in memory:
            memory[stamp.index] = self._detector.detect(picture)
        return memory[stamp.index]


class _Pipeline(CameraPipeline):
    """The product's pipeline without plates, with a detector that remembers and pictures that may be spoiled."""

    remembering: Callable[[Detector], Detector]
    spoil: Callable[[FrameSource], FrameSource]

    def new_detector(self) -> Detector:
        return self.remembering(super().new_detector())

    def open_source(
        self, name: str, segment: int, started_at: datetime | None, duration_s: float | None
    ) -> OpenedSource:
        opened = super().open_source(name, segment, started_at, duration_s)
        return replace(opened, source=self.spoil(opened.source))


class _Silent:
    """Shows nothing."""

    def begun(self, at: Advance) -> None: ...

    def advanced(self, at: Advance) -> None: ...

    def ended(self, at: Advance, outcome: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A clip that was replayed into ``folder``, and who was found in each of its frames."""

    clip: Clip
    folder: Path
    found: Found

    def observations(self) -> list[Observation]:
        return list(read_observations(self.folder / OBSERVATIONS))

    @property
    def site(self) -> Site:
        return self.clip.site_file().site

    @property
    def disarmed_s(self) -> float:
        """For how long some rule did not trust itself, over all places."""
        return float(sum(read_summary(self.folder)["disarmed_s"].values()))

    @property
    def unknown_lamp_share(self) -> float:
        """Of the head that is unknown most often; 0.0 where there is none."""
        shares: Mapping[str, float] = read_summary(self.folder)["unknown_lamp_share"]
        return max(shares.values(), default=0.0)


def seen(
    trial: Trial, clip: Clip, model: Model, spoiling: Spoiling | None = None, upto_s: float | None = None
) -> Seen:
    """The clip replayed as ``stopline replay --no-plates --no-evidence`` does it, in a folder of the trial.

    What the model finds is kept beside the trial's folder, for later trials as well. ``upto_s`` ends it earlier.
    """
    store = trial.folder.parent / "found"
    clean = Memory(store, clip, model)
    spoiled = clean if spoiling is None else Memory(store, clip, model, spoiling.key)
    site_file = clip.site_file()
    weights = load_weights(
        model.path, input_size=site_file.document.detector.input_size, threads=load_settings().threads
    )
    pipeline = _Pipeline(
        site_file,
        site_file.site.cameras[0].camera_id,
        Models(weights_name=model.path.name, weights_sha256=weights.sha256, plates=()),
        weights,
        None,
        SystemClock(),
    )
    spoiled_s = None if spoiling is None else spoiling.seen_s
    pipeline.remembering = lambda detector: Remembering(detector, clean.found, spoiled.found, spoiled_s)
    pipeline.spoil = (lambda source: source) if spoiling is None else spoiling.source
    run = "untouched" if spoiling is None else hashlib.sha256(spoiling.key.encode()).hexdigest()[:8]
    folder = trial.folder / "runs" / f"{clip.name}-{model.name}-{run}"
    request = ReplayRequest(
        sources=(str(clip.path),),
        site_file=site_file,
        camera_id=site_file.site.cameras[0].camera_id,
        out=folder,
        mode=OpenMode.RESUME,
        start_times=() if clip.started_at is None else (clip.started_at,),
        duration_s=clip.upto_s if upto_s is None else upto_s,
        with_evidence=False,
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    replay(request, pipeline, _Silent(), SystemClock(), stop=lambda: False)
    clean.keep()
    spoiled.keep()
    return Seen(clip=clip, folder=folder, found=clean.found if spoiled_s is None else spoiled.found)


def tracked_again(
    observations: Iterable[Observation],
    found: Mapping[int, Sequence[Detection]],
    kept: Callable[[FrameStamp], bool],
) -> list[Observation]:
    """What had been observed if only the frames ``kept`` had come: their road users are followed anew.

    A look at the scene that falls on a frame that is not kept is taken on the next one, as a camera does it.
    """
    tracker = ByteTracker()
    after: list[Observation] = []
    scene: SceneState | None = None
    for observation in observations:
        scene = scene if observation.scene is None else observation.scene
        if not kept(observation.stamp):
            continue
        tracks = tracker.update(found[observation.stamp.index], observation.stamp)
        after.append(replace(observation, tracks=tracks, scene=scene))
        scene = None
    return after


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the rules said of one segment: each finding with the media second at which it was said."""

    findings: tuple[tuple[float, Finding], ...]
    disarmed: tuple[Disarmed, ...]

    @property
    def predicted(self) -> tuple[PredictedEvent, ...]:
        """The findings as events for scoring."""
        return tuple(_predicted(finding) for _, finding in self.findings)


def judged(observations: Sequence[Observation], site: Site) -> Judged:
    """What the rules say of the observations of one segment. ``disarmed`` has each doubt as it was when it ended."""
    judge = RuleJudge(site, observations[0].stamp.camera_id)
    findings: list[tuple[float, Finding]] = []
    disarmed: list[Disarmed] = []
    for observation in (*observations, None):
        now_s = observations[-1].stamp.media_s if observation is None else observation.stamp.media_s
        for output in judge.finish() if observation is None else judge.step(observation):
            if isinstance(output, Finding):
                findings.append((now_s, output))
            elif isinstance(output, Disarmed) and output.to_s is not None:
                disarmed.append(output)
    return Judged(findings=tuple(findings), disarmed=tuple(disarmed))


def _predicted(finding: Finding) -> PredictedEvent:
    least_s = finding.time_into_red_min_s
    return PredictedEvent(
        id=finding.id,
        rule=finding.rule,
        t_s=finding.t_s,
        status=finding.status,
        object_class=finding.object_class,
        at_px=finding.at_px,
        place=finding.place_id,
        track=finding.track_id,
        time_into_red_s=finding.time_into_red_s,
        red_bounds_s=None if least_s is None else (least_s, finding.time_into_red_max_s),
        reasons=finding.reasons,
    )
