"""What finds people and plates for redacted copies: the detection model at several sizes, and the models that read plates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from api.bootstrap import PLATE_MODELS, default_detector
from api.model_manifest import MANIFEST, load_manifest, verified_path
from api.settings import Settings
from detector.picture import Pixels
from detector.plates import PlateReader
from detector.thorough import LOOKS, QUICK_LOOKS, Look, ThoroughDetector
from evidence.manifest import Weights
from evidence.redaction import SeenPlate, Sighting
from rules.observation import Box


class DetectorEyes:
    """Eyes of a detection model and a plate reader, which are not used by two threads at a time."""

    def __init__(self, weights: Path, looks: Sequence[Look], plates: PlateReader, threads: int) -> None:
        """Raises WeightsError: InputSizeWrong where the model takes one size only."""
        self._detector = ThoroughDetector(weights, looks, threads)
        self._plates = plates
        self.sha256 = self._detector.sha256

    def road_users(self, frame: Pixels) -> tuple[Sighting, ...]:
        """As Eyes. Raises InferenceFailed."""
        return tuple(
            Sighting(object_class=seen.object_class, box_px=seen.box_px, score=seen.score)
            for seen in self._detector.find(frame)
        )

    def plate(self, frame: Pixels, box_px: Box) -> SeenPlate | None:
        """As Eyes. Raises InferenceFailed."""
        read = self._plates.read(frame, box_px, 0)
        if read is None:
            return None
        return SeenPlate(corners_px=read.corners_px, score=read.detection_score, text=read.text)


def open_eyes(
    settings: Settings, weights: Path | None
) -> tuple[DetectorEyes, DetectorEyes, tuple[Weights, ...]]:
    """Eyes for photos and for films, and the models that they are; ``weights`` None takes the detector that comes along.

    Raises WeightsError, ModelFileError and ManifestError; where the models that read plates are missing, the error says
    how to get them.
    """
    manifest = load_manifest(settings.models / MANIFEST)
    detector, recogniser, charset = (verified_path(manifest, name, settings.cache) for name in PLATE_MODELS)
    plates = PlateReader(detector, recogniser, charset, settings.threads)
    path = default_detector(settings) if weights is None else weights
    photos = DetectorEyes(path, LOOKS, plates, settings.threads)
    films = DetectorEyes(path, QUICK_LOOKS, plates, settings.threads)
    models = (
        Weights(name=path.name, sha256=photos.sha256),
        *(Weights(name=name, sha256=manifest.model(name).sha256) for name in PLATE_MODELS),
    )
    return photos, films, models
