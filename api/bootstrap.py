"""Plugs the rooms together: everything that one camera's frames pass through, from source to judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.clock import Clock
from api.judge import RuleJudge
from api.model_manifest import MANIFEST, load_manifest, verified_path
from api.settings import Settings
from api.site_file import SiteFile
from api.time_zone import time_zone
from api.versions import stopline_version
from detector.analyst import VideoAnalyst
from detector.detection import Detector
from detector.lamps import LampBox, LampReader
from detector.plates import PlateReader
from detector.scene_watch import SceneWatch
from detector.tracker import ByteTracker
from detector.weights import Weights, load_weights
from detector.yolo import YoloDetector
from evidence.budget import Budget
from evidence.case_builder import CaseBuilder
from evidence.delivery import Delivery
from evidence.manifest import Origin
from evidence.manifest import Weights as ModelFile
from evidence.ports import EventLine
from ingest.networks import CameraNetworks
from ingest.open_source import is_live, open_source
from ingest.packet_ring import PacketRing
from ingest.ports import FrameSource
from ingest.redact import redact_url
from rules.site import PlatePolicy

PLATE_MODELS = ("plate-detector", "plate-recogniser", "plate-charset")
"""What reads plates, by their names in the manifest."""

DEFAULT_DETECTOR = "default-detector"
"""The detection model that comes with Stopline, by its name in the manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSource:
    """An opened source by a name without secrets. ``length_s`` and ``size_bytes`` are None where nobody knows them.

    ``footage`` holds the last packets that the source has read.
    """

    name: str
    source: FrameSource
    footage: PacketRing
    length_s: float | None
    size_bytes: int | None
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The models in use: the detector's file name and SHA-256, and name and SHA-256 of each that reads plates."""

    weights_name: str
    weights_sha256: str
    plates: tuple[tuple[str, str], ...]


class CameraPipeline:
    """The parts for one camera; what keeps state is made anew for each source, models are loaded once."""

    def __init__(
        self,
        site_file: SiteFile,
        camera_id: str,
        models: Models,
        weights: Weights,
        plates: PlateReader | None,
        clock: Clock,
        networks: CameraNetworks | None = None,
    ) -> None:
        """``networks``: where live cameras must stand; None asks nothing."""
        self.models = models
        self._site_file = site_file
        self._site = site_file.site
        self._camera_id = camera_id
        self._weights = weights
        self._plates = plates
        self._clock = clock
        self._networks = networks

    def open_source(
        self,
        name: str,
        segment: int,
        started_at: datetime | None,
        duration_s: float | None,
        error_s: float = 1.0,
    ) -> OpenedSource:
        """The source, its first picture decoded; its wall clock may be off by ``error_s``. Raises IngestError."""
        footage = PacketRing()
        source = open_source(
            name,
            camera_id=self._camera_id,
            segment=segment,
            started_at=started_at,
            error_s=error_s,
            duration_s=duration_s,
            clock=self._clock,
            packet_ring=footage,
            networks=self._networks,
        )
        live = is_live(name)
        return OpenedSource(
            name=redact_url(name),
            source=source,
            footage=footage,
            length_s=source.length_s,
            size_bytes=None if live else Path(name).stat().st_size,
            is_live=live,
        )

    def new_detector(self) -> Detector:
        """What finds road users in each picture."""
        return YoloDetector(self._weights)

    def new_analyst(self) -> VideoAnalyst:
        """An analyst that has seen nothing."""
        boxes = [
            LampBox(head_id=head.head_id, box_px=head.box_px)
            for head in self._site.heads
            if head.camera_id == self._camera_id
        ]
        return VideoAnalyst(self.new_detector(), ByteTracker(), LampReader(boxes), self._plates, SceneWatch())

    def new_cases(
        self,
        data_dir: Path,
        footage: PacketRing,
        delivery: Delivery,
        sign: Callable[[bytes], bytes],
        event_line: EventLine,
        going_on: Budget | None = None,
    ) -> CaseBuilder:
        """A builder of cases from that footage in ``data_dir``; ``going_on``: the footage cannot be had again."""
        weights = ((self.models.weights_name, self.models.weights_sha256), *self.models.plates)
        return CaseBuilder(
            data_dir=data_dir,
            site=self._site,
            zone=time_zone(self._site.time_zone),
            footage=footage,
            delivery=delivery,
            sign=sign,
            going_on=going_on,
            event_line=event_line,
            origin=Origin(
                site_sha256=self._site_file.sha256,
                code_version=stopline_version(),
                weights=tuple(ModelFile(name=name, sha256=sha256) for name, sha256 in weights),
            ),
        )

    def new_judge(self) -> RuleJudge:
        """A judge that has heard nothing."""
        return RuleJudge(self._site, self._camera_id)


def default_detector(settings: Settings) -> Path:
    """The file of the detection model that comes with Stopline. Raises ModelFileError or ManifestError."""
    return verified_path(load_manifest(settings.models / MANIFEST), DEFAULT_DETECTOR, settings.cache)


def build_pipeline(
    site_file: SiteFile,
    camera_id: str,
    weights: Path,
    settings: Settings,
    clock: Clock,
    *,
    read_plates: bool,
) -> CameraPipeline:
    """All parts for that camera, its models loaded and tried.

    Plates are read where the site file wants it and ``read_plates`` allows it. Raises WeightsError, and
    ModelFileError or ManifestError where a model that reads plates is not in place.
    """
    camera = site_file.site.camera(camera_id)
    loaded = load_weights(
        weights,
        input_size=site_file.document.detector.input_size,
        threads=settings.threads,
        inference=settings.inference,
    )
    reader: PlateReader | None = None
    plates: tuple[tuple[str, str], ...] = ()
    if read_plates and camera.plates is not PlatePolicy.OFF:
        manifest = load_manifest(settings.models / MANIFEST)
        detector, recogniser, charset = (
            verified_path(manifest, name, settings.cache) for name in PLATE_MODELS
        )
        reader = PlateReader(detector, recogniser, charset, settings.threads)
        plates = tuple((name, manifest.model(name).sha256) for name in PLATE_MODELS)
    models = Models(weights_name=weights.name, weights_sha256=loaded.sha256, plates=plates)
    return CameraPipeline(site_file, camera_id, models, loaded, reader, clock, settings.networks())
