"""Reads the characters of a straight plate strip, each with its confidence and what else it may be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.errors import ClassesWrong, HeadUnknown, WeightsMissing
from detector.picture import Pixels
from detector.plate_graph import Floats, PlateGraph
from detector.plate_rectify import STRIP_HEIGHT_PX

INPUT_WIDTH_PX = 320
"""The strip stands left, the rest is zero: what the weights were trained with. Narrower inputs are faster and read
worse (100x32 strips: 98.6 % exact at 200, 99.4 % at 320, 93 % at 400, measured)."""
BLANK = 0
"""Class of "no character here" (CTC). Then come the charset's lines."""
ALTERNATIVES = 3
"""How many other characters are told for each."""
LEAST_ALTERNATIVE = 0.001
"""Less likely ones are not worth telling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateText:
    """What a plate says: per character its confidence (0..1) and the next best (character, confidence), best first."""

    text: str
    char_confidences: tuple[float, ...]
    char_alternatives: tuple[tuple[tuple[str, float], ...], ...]

    @property
    def mean_confidence(self) -> float:
        """Mean over the characters, as if a plate shorter than ``LEAST_LENGTH`` had more of confidence zero."""
        return sum(self.char_confidences) / max(len(self.char_confidences), LEAST_LENGTH)


LEAST_LENGTH = 7
"""Characters of the shortest plate of GA 36."""


class PlateRecogniser:
    """A CTC recogniser with its charset."""

    def __init__(self, path: Path, charset: Path, threads: int) -> None:
        """Open both and run the graph once.

        Raises WeightsMissing, WeightsDamaged, HeadUnknown, InferenceFailed, or ClassesWrong where the charset is
        not text with one character a line, or does not fit the graph.
        """
        self.graph = PlateGraph(path, threads, outputs=1)
        characters = _read_charset(charset)
        probabilities = self._run(np.zeros((STRIP_HEIGHT_PX, STRIP_HEIGHT_PX, 3), np.uint8))
        classes = probabilities.shape[1]
        if classes != len(characters) + 1:
            raise ClassesWrong(
                charset,
                f"has {len(characters)} characters, but {path} gives {classes} classes: "
                f"expected {classes - 1} lines (the blank has none)",
                characters,
            )
        self._characters = ("", *characters)

    def read(self, strip: Pixels) -> PlateText:
        """What ``strip`` says, uint8 (STRIP_HEIGHT_PX, width <= INPUT_WIDTH_PX, 3), blue-green-red.

        Raises InferenceFailed.
        """
        probabilities = self._run(strip)
        best = probabilities.argmax(axis=1)
        text: list[str] = []
        confidences: list[float] = []
        alternatives: list[tuple[tuple[str, float], ...]] = []
        starts = [step for step in range(len(best)) if step == 0 or best[step] != best[step - 1]]
        for start, end in zip(starts, [*starts[1:], len(best)], strict=True):
            if best[start] == BLANK:
                continue
            highest = probabilities[start:end].max(axis=0)
            text.append(self._characters[best[start]])
            confidences.append(float(highest[best[start]]))
            order = [index for index in np.argsort(-highest).tolist() if index != BLANK]
            alternatives.append(
                tuple(
                    (self._characters[index], float(highest[index]))
                    for index in order[1 : 1 + ALTERNATIVES]
                    if highest[index] >= LEAST_ALTERNATIVE
                )
            )
        return PlateText(
            text="".join(text), char_confidences=tuple(confidences), char_alternatives=tuple(alternatives)
        )

    def _run(self, strip: Pixels) -> Floats:
        """Probabilities (steps, classes) of the blank and the charset."""
        blob = np.zeros((1, 3, STRIP_HEIGHT_PX, INPUT_WIDTH_PX), np.float32)
        blob[0, :, :, : strip.shape[1]] = (strip.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)
        (probabilities,) = self.graph.run(blob)
        if probabilities.ndim != 2 or not np.allclose(probabilities.sum(axis=1), 1.0, atol=0.01):
            raise HeadUnknown(
                self.graph.path,
                "expected one output (1, steps, classes) of probabilities",
                str(probabilities.shape),
            )
        return probabilities


def _read_charset(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as exc:
        raise WeightsMissing(
            path, f"it cannot be read: {exc.strerror or exc}; 'stopline models pull'"
        ) from exc
    except UnicodeDecodeError as exc:
        raise ClassesWrong(path, "expected UTF-8 text with one character a line", ()) from exc
    if not lines or any(len(line) != 1 for line in lines) or len(set(lines)) != len(lines):
        raise ClassesWrong(path, "expected one character a line, each once", tuple(lines))
    return tuple(lines)
