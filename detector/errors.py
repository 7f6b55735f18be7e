"""Why the detector has errors of its own: wrong weights must be told apart from each other and from an empty road.

StoplineError
└── DetectorError
    ├── WeightsError             weights that cannot be used; carries ``path``
    │   ├── WeightsMissing       no such file, or it cannot be read
    │   ├── WeightsUnsupported   a kind of file that needs another runtime
    │   ├── WeightsHashMismatch  not the file that was asked for
    │   ├── WeightsDamaged       not an ONNX graph, or a broken one
    │   ├── HeadUnknown          inputs or outputs that we do not understand
    │   ├── ClassesWrong         no class of ours, or a list that does not fit the outputs
    │   └── InputSizeWrong       a picture size that the graph cannot take
    └── InferenceFailed          the graph ran into an error or gave values that are no numbers
"""

from __future__ import annotations

from pathlib import Path

from rules.errors import StoplineError


class DetectorError(StoplineError):
    """Any failure inside the detector."""

    code = "detector"


class WeightsError(DetectorError):
    """Weights that cannot be used; ``path`` names the file."""

    code = "weights"

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


class WeightsMissing(WeightsError):
    """There is no such file, or it cannot be read."""

    code = "weights_missing"


class WeightsUnsupported(WeightsError):
    """A kind of weights that needs another runtime than ours."""

    code = "weights_unsupported"


class WeightsHashMismatch(WeightsError):
    """The file is not the one that was asked for; ``expected`` and ``found`` are SHA-256 in hexadecimal."""

    code = "weights_hash"

    def __init__(self, path: Path, expected: str, found: str) -> None:
        super().__init__(path, f"its SHA-256 is {found}, expected {expected}; fetch the file again")
        self.expected = expected
        self.found = found


class WeightsDamaged(WeightsError):
    """Not an ONNX graph, or one that onnxruntime cannot load."""

    code = "weights_damaged"


class HeadUnknown(WeightsError):
    """The graph's inputs or outputs are none that we understand; ``found`` lists them."""

    code = "weights_head"

    def __init__(self, path: Path, message: str, found: str) -> None:
        super().__init__(path, f"{message}; found {found}")
        self.found = found


class ClassesWrong(WeightsError):
    """The classes do not fit; ``names`` are those of the model, as far as known."""

    code = "weights_classes"

    def __init__(self, path: Path, message: str, names: tuple[str, ...]) -> None:
        super().__init__(path, message)
        self.names = names


class InputSizeWrong(WeightsError):
    """The graph cannot take pictures of ``width_px`` x ``height_px``."""

    code = "weights_input_size"

    def __init__(self, path: Path, width_px: int, height_px: int, message: str) -> None:
        super().__init__(path, f"input_size {width_px}x{height_px}: {message}")
        self.width_px = width_px
        self.height_px = height_px


class InferenceFailed(DetectorError):
    """The graph of ``path`` failed on a picture: an error, never an empty road."""

    code = "inference_failed"

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def first_line(exc: Exception) -> str:
    """The first line of what a runtime says, for an error of ours; its kind where it says nothing."""
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
