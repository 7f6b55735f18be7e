"""The clips that proofs look at: the rendered ones of this checkout and the real ones beside it, each with site file and truth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from api.model_manifest import load_manifest, verified_path
from api.site_file import SiteFile, load_site_file
from api.work.truth_file import ClipTruth, load_truth
from benchmarks.proof import Trial

CHECKOUT = Path(__file__).resolve().parents[1]
SAMPLES, REAL_SITES, MODELS = CHECKOUT / "sample_videos", CHECKOUT / "tests" / "sites", CHECKOUT / "models"
ALL = 16
"""How many sample clips there will be."""

SMALL = "junction_rain"
"""Two riders soon run a red light that began in view of the camera: every proof has something to measure."""

AFTER_EVENT_S = 6.0
"""A clip that is cut for a small trial goes on for so long after its first event."""

SAID_S = 5.0
"""A finding is said this long after its event at the latest, where nothing is hidden."""

DEFAULT = "default-detector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One recording of one camera. ``upto_s`` (media seconds) is where a small trial stops looking, None at its end."""

    name: str
    path: Path
    site_path: Path
    truth: ClipTruth
    started_at: datetime | None
    fps: float | None = None
    seconds: float | None = None
    upto_s: float | None = None

    def site_file(self) -> SiteFile:
        return load_site_file(self.site_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A detection model by the name that figures call it."""

    name: str
    path: Path


def sample_clips() -> tuple[Clip, ...]:
    """Every rendered clip that is there, in the order of the truth file."""
    path = SAMPLES / "truth.json"
    raw: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    clips = []
    for name, truth in load_truth(path).items():
        about = raw[name]
        clips.append(
            Clip(
                name=name.removesuffix(".mp4"),
                path=SAMPLES / name,
                site_path=SAMPLES / str(about["site"]),
                truth=truth,
                started_at=datetime.fromisoformat(about["started_at"]),
                fps=float(about["fps"]),
                seconds=float(about["seconds"]),
            )
        )
    return tuple(clip for clip in clips if clip.path.is_file() and clip.site_path.is_file())


def real_clips(shared: Path) -> tuple[Clip, ...]:
    """Every real clip, with its own site file."""
    path = shared / "footage" / "truth.json"
    raw: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    clips = []
    for file, truth in load_truth(path).items():
        name, started_at = file.removesuffix(".mp4"), raw[file].get("started_at")
        site = REAL_SITES / f"{name}.yaml"
        clips.append(
            Clip(
                name=name,
                path=shared / "footage" / file,
                site_path=site,
                truth=truth,
                started_at=None if started_at is None else datetime.fromisoformat(started_at),
            )
        )
    return tuple(clips)


def chosen(trial: Trial) -> tuple[Clip, ...]:
    """As many sample clips as the trial's size says; a trial of one takes ``SMALL``, cut after its first event."""
    clips = sample_clips()
    if trial.size > 1:
        return clips[: trial.size]
    clip = next(clip for clip in clips if clip.name == SMALL)
    return (cut(clip, min(event.t_s for event in clip.truth.events) + AFTER_EVENT_S),)


def cut(clip: Clip, upto_s: float) -> Clip:
    """The clip up to there; what happens in the last seconds before it may be said or not."""
    events = tuple(
        replace(event, required=event.required and event.t_s <= upto_s - SAID_S)
        for event in clip.truth.events
    )
    return replace(clip, truth=replace(clip.truth, events=events), upto_s=upto_s)


def models(trial: Trial) -> Sequence[Model]:
    """YOLOX-nano, and the default detector where the manifest has one."""
    found = [Model(name="yolox_nano", path=trial.shared / "weights" / "yolox_nano.onnx")]
    manifest = load_manifest(MODELS / "manifest.toml")
    if any(model.name == DEFAULT for model in manifest.models):
        found.append(Model(name="default", path=verified_path(manifest, DEFAULT, trial.folder)))
    return found
