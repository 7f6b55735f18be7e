"""What the supervisor of live cameras and its worker processes say to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from api.clock import Clock
from api.settings import Settings
from api.site_file import SiteFile
from api.work.camera_figures import CameraFigures
from api.work.live_camera import LivePipeline
from rules.observation import SignalReport


class Pipelines(Protocol):
    """Makes the parts of each camera of one process."""

    def pipeline(self, site_file: SiteFile, camera_id: str) -> LivePipeline: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSetup:
    """What a worker needs to begin. ``pipelines`` is called in the worker, so it must be importable there.

    ``crash_file`` is where it writes which of its threads crashed.
    """

    data: Path
    settings: Settings
    pipelines: Callable[[Settings, Clock], Pipelines]
    crash_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchCamera:
    """A command: watch this camera of the site file of these bytes."""

    camera_id: str
    site_name: str
    site: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwatchCamera:
    """A command: stop that camera, its open evidence finished."""

    camera_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolRoom:
    """News: there is no room for another package because of ``why``; None: there is."""

    why: str | None


@dataclass(frozen=True, slots=True)
class Finish:
    """A command: stop all cameras and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LampsTold:
    """News for that camera: what another camera of its site saw of the heads."""

    camera_id: str
    reports: tuple[SignalReport, ...]


Command = WatchCamera | UnwatchCamera | SpoolRoom | Finish | LampsTold


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFigures:
    """A report, once a second: the figures of all of the worker's cameras."""

    cameras: tuple[CameraFigures, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadBegan:
    """A report: from now on the thread of that identifier works for that camera."""

    ident: int
    camera_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSealed:
    """A report: a package stands in the spool."""

    case_id: str
    camera_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEnded:
    """A report: the camera is not watched any more; ``why`` where it could not be, else None."""

    camera_id: str
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LampsSeen:
    """A report: what a camera saw of the heads, for those cameras of its site."""

    to: tuple[str, ...]
    reports: tuple[SignalReport, ...]


Report = WorkerFigures | ThreadBegan | CaseSealed | CameraEnded | LampsSeen
