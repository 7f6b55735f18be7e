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
from api.work.replay import replay
from api.work.replay_source import ReplayRequest
from api.work.run_folder import OBSERVATIONS, OpenMode, read_summary
from benchmarks.clips import CHECKOUT, Clip, Model
from benchmarks.proof import Trial
from detector.detection import Detection, Detector
from detector.picture import Picture
from detector.tracker import ByteTracker
from detector.weights import load_weights
from ingest.ports import FrameSource
from rules.finding import DisarmCause, Disarmed, Finding, Output
from rules.observation import FrameStamp, ObjectClass, Observation, SceneState
from rules.scoring import PredictedEvent
from rules.site import Site

DECIDING = (
    *("detector/classes.py", "detector/detection.py", "detector/onnx_dims.py", "detector/postprocess.py"),
    *(
        "detector/openvino_runner.py",
        "detector/preprocess.py",
        "detector/riders.py",
        "detector/weights.py",
        "detector/yolo.py",
    ),
    *("ingest/decoding.py", "ingest/file_source.py", "ingest/picture.py"),
)
"""The modules on which it depends what is found in a picture of a recording."""

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
        for path in (clip.path, model.path, *(CHECKOUT / module for module in DECIDING)):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update(f"{clip.site_file().document.detector.input_size} {load_settings().inference}".encode())
        self.path = folder / f"{clip.name}-{model.name}-{digest.hexdigest()[:16]}.jsonl.gz"
        self.found: Found = {}
        self._known = 0
        if self.path.is_file():
            with gzip.open(self.path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    index, detections = json.loads(line)
                    self.found[index] = tuple(_detection(*fields) for fields in detections)
            self._known = len(self.found)

    def keep(self) -> None:
        """What was found since it was read stands in the file."""
        if len(self.found) == self._known:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        with gzip.open(part, "wt", encoding="utf-8") as file:
            for index, detections in sorted(self.found.items()):
                rows = [[d.object_class.value, d.box_px, d.score, d.class_score] for d in detections]
                file.write(json.dumps([index, rows]) + "\n")
        part.replace(self.path)
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

    Pictures before ``spoiled_s`` are looked up in ``clean``, those from then on in ``spoiled``. While ``is_blind``
    says that all rules are disarmed, nobody asks who is in the picture, and it finds nobody.
    """

    def __init__(
        self,
        detector: Detector,
        clean: Found,
        spoiled: Found,
        spoiled_s: float | None = None,
        is_blind: Callable[[], bool] = lambda: False,
    ) -> None:
        self._detector = detector
        self._clean = clean
        self._spoiled = spoiled
        self._spoiled_s = spoiled_s
        self._is_blind = is_blind

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        """As a Detector."""
        if self._is_blind():
            return ()
        stamp = picture.stamp
        is_clean = self._spoiled_s is None or stamp.media_s < self._spoiled_s
        memory = self._clean if is_clean else self._spoiled
        if stamp.index not in memory:
            memory[stamp.index] = self._detector.detect(picture)
        return memory[stamp.index]


class _Doubting(RuleJudge):
    """The product's judge, which also knows whether it is blind: every rule of the camera disarmed."""

    def __init__(self, site: Site, camera_id: str) -> None:
        super().__init__(site, camera_id)
        self._causes: set[DisarmCause] = set()

    @property
    def is_blind(self) -> bool:
        return bool(self._causes)

    def step(self, observation: Observation) -> tuple[Output, ...]:
        outputs = super().step(observation)
        for output in outputs:
            if isinstance(output, Disarmed) and output.place_id is None:
                (self._causes.add if output.to_s is None else self._causes.discard)(output.cause)
        return outputs


class _Pipeline(CameraPipeline):
    """The product's pipeline without plates, for one source: its detector remembers, its pictures may be spoiled."""

    judge: _Doubting
    remembering: Callable[[Detector], Detector]
    spoil: Callable[[FrameSource], FrameSource]

    def new_detector(self) -> Detector:
        return self.remembering(super().new_detector())

    def new_judge(self) -> RuleJudge:
        return self.judge

    def open_source(
        self,
        name: str,
        segment: int,
        started_at: datetime | None,
        duration_s: float | None,
        error_s: float = 1.0,
    ) -> OpenedSource:
        opened = super().open_source(name, segment, started_at, duration_s, error_s)
        return replace(opened, source=self.spoil(opened.source))


class _Silent:
    """Shows nothing."""

    def begun(self, at: Advance) -> None: ...

    def advanced(self, at: Advance) -> None: ...

    def ended(self, at: Advance, outcome: str) -> None: ...

    def noted(self, text: str) -> None: ...


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
    trial: Trial,
    clip: Clip,
    model: Model,
    spoiling: Spoiling | None = None,
    *,
    upto_s: float | None = None,
    looking: bool = True,
) -> Seen:
    """The clip replayed as ``stopline replay --no-plates --no-evidence`` does it, up to ``upto_s`` where that is given.

    The run, and what the model finds, are kept beside the trial's folder for trials of the same code. Without
    ``looking`` nobody asks who is in the pictures: enough for what depends on lamps and scene alone.
    """
    store = trial.folder.parent / "found"
    clean = Memory(store, clip, model)
    spoiled = clean if spoiling is None else Memory(store, clip, model, spoiling.key)
    site_file = clip.site_file()
    camera_id = site_file.site.cameras[0].camera_id
    settings = load_settings()
    weights = load_weights(
        model.path,
        input_size=site_file.document.detector.input_size,
        threads=settings.threads,
        inference=settings.inference,
    )
    models = Models(weights_name=model.path.name, weights_sha256=weights.sha256, plates=())
    pipeline = _Pipeline(site_file, camera_id, models, weights, None, SystemClock())
    spoiled_s = None if spoiling is None else spoiling.seen_s
    judge = _Doubting(site_file.site, camera_id)
    pipeline.judge = judge
    pipeline.remembering = lambda detector: Remembering(
        detector, clean.found, spoiled.found, spoiled_s, lambda: judge.is_blind or not looking
    )
    pipeline.spoil = (lambda source: source) if spoiling is None else spoiling.source
    upto_s = clip.upto_s if upto_s is None else upto_s
    key = f"{clip.path} {spoiled.path.name} {site_file.sha256} {upto_s} {looking} {'' if spoiling is None else spoiling.key}"
    folder = trial.folder.parent / "runs" / f"{clip.name}-{model.name}-{_run_digest(key)}"
    request = ReplayRequest(
        sources=(str(clip.path),),
        site_file=site_file,
        camera_id=camera_id,
        out=folder,
        mode=OpenMode.RESUME,
        start_times=() if clip.started_at is None else (clip.started_at,),
        duration_s=upto_s,
        with_evidence=False,
    )
    folder.parent.mkdir(parents=True, exist_ok=True)
    replay(request, pipeline, _Silent(), SystemClock(), stop=lambda: False)
    clean.keep()
    spoiled.keep()
    return Seen(clip=clip, folder=folder, found=clean.found if spoiled_s is None else spoiled.found)


def _run_digest(key: str) -> str:
    """Of the key and of all code that a run's results depend on."""
    digest = hashlib.sha256(key.encode())
    for room in ("rules", "detector", "ingest", "api"):
        for path in sorted((CHECKOUT / room).rglob("*.py")):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def tracked_again(
    observations: Iterable[Observation],
    found: Mapping[int, Sequence[Detection]],
    kept: Callable[[FrameStamp], bool],
) -> list[Observation]:
    """What had been observed if only the frames ``kept`` had come: their road users are followed anew.

    Of frames in which nobody was looked for, since the camera distrusted itself, nothing was found.

    A look at the scene that falls on a frame that is not kept is taken on the next one, as a camera does it.
    """
    tracker = ByteTracker()
    after: list[Observation] = []
    scene: SceneState | None = None
    for observation in observations:
        scene = scene if observation.scene is None else observation.scene
        if not kept(observation.stamp):
            continue
        index = observation.stamp.index
        tracks = tracker.update(
            found[index] if observation.tracks else found.get(index, ()), observation.stamp
        )
        after.append(replace(observation, tracks=tracks, scene=scene))
        scene = None
    return after


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the rules said of one segment, each with the media second at which it was said: ``disarmed`` when it began."""

    findings: tuple[tuple[float, Finding], ...]
    disarmed: tuple[tuple[float, Disarmed], ...]

    @property
    def predicted(self) -> tuple[PredictedEvent, ...]:
        """The findings as events for scoring."""
        return tuple(_predicted(finding) for _, finding in self.findings)


def judged(observations: Sequence[Observation], site: Site) -> Judged:
    """What the rules say of the observations of one segment."""
    judge = RuleJudge(site, observations[0].stamp.camera_id)
    findings: list[tuple[float, Finding]] = []
    disarmed: list[tuple[float, Disarmed]] = []
    for observation in (*observations, None):
        now_s = observations[-1].stamp.media_s if observation is None else observation.stamp.media_s
        for output in judge.finish() if observation is None else judge.step(observation):
            if isinstance(output, Finding):
                findings.append((now_s, output))
            elif isinstance(output, Disarmed) and output.to_s is None:
                disarmed.append((now_s, output))
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
