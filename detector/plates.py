"""Reads the plate of one vehicle in one full-resolution frame: find, straighten, recognise."""

from __future__ import annotations

from pathlib import Path

from detector.picture import Pixels
from detector.plate_detect import PlateFinder
from detector.plate_recognise import PlateRecogniser, PlateText
from detector.plate_rectify import TWO_ROWS_BELOW, aspect, rectify, sharpness, strip
from rules.observation import Box, PlateReading


class PlateReader:
    """Reads plates on two graphs and a charset (``models/manifest.toml`` names them). One instance per thread."""

    def __init__(self, detector_onnx: Path, recogniser_onnx: Path, charset: Path, threads: int = 1) -> None:
        """Open the files and run both graphs once; ``threads`` are those of one inference.

        Raises WeightsMissing, WeightsDamaged, HeadUnknown, ClassesWrong or InferenceFailed.
        """
        self._finder = PlateFinder(detector_onnx, threads)
        self._recogniser = PlateRecogniser(recogniser_onnx, charset, threads)

    @property
    def name(self) -> str:
        """The two graphs' file names with the first eight digits of their SHA-256, for the record."""
        graphs = (self._finder.graph, self._recogniser.graph)
        return " + ".join(f"{graph.path.name} {graph.sha256[:8]}" for graph in graphs)

    def read(self, bgr: Pixels, box_px: Box, track_id: int) -> PlateReading | None:
        """What the plate of the vehicle at ``box_px`` says, or None where no plate is seen.

        ``bgr`` is the whole picture, uint8 (height, width, 3), blue-green-red. Raises InferenceFailed.
        """
        found = self._finder.find(bgr, box_px)
        if found is None:
            return None
        plate = rectify(bgr, found.corners_px, rows=1)
        read = self._recogniser.read(strip(plate, rows=1))
        if aspect(found.corners_px) < TWO_ROWS_BELOW:
            two_rows = rectify(bgr, found.corners_px, rows=2)
            read = self._surer(read, two_rows)
        a, b, c, d = ((float(x), float(y)) for x, y in found.corners_px)
        return PlateReading(
            track_id=track_id,
            text=read.text,
            char_confidences=read.char_confidences,
            char_alternatives=read.char_alternatives,
            detection_score=found.score,
            sharpness=sharpness(plate),
            corners_px=(a, b, c, d),
        )

    def recognise(self, crop_bgr: Pixels) -> PlateText:
        """What a straight crop of a plate says, uint8 (height, width, 3), filled by the plate. Raises InferenceFailed."""
        read = self._recogniser.read(strip(crop_bgr, rows=1))
        if crop_bgr.shape[1] < TWO_ROWS_BELOW * crop_bgr.shape[0]:
            read = self._surer(read, crop_bgr)
        return read

    def _surer(self, one_row: PlateText, plate: Pixels) -> PlateText:
        """``one_row``, or what ``plate`` says when split into two rows, whichever is read more surely."""
        two_rows = self._recogniser.read(strip(plate, rows=2))
        return max(one_row, two_rows, key=lambda read: read.mean_confidence)
