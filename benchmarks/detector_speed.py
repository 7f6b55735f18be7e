"""How long detection models take for one picture, in turn in one run: ``python -m benchmarks.detector_speed A.onnx B.onnx``.

Only the network is timed, on one thread, at each model's own input size unless ``--size`` is given.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from detector.weights import Weights, load_weights


def median_ms(models: Sequence[Weights], rounds: int) -> list[float]:
    """Milliseconds per picture of each model, the median of ``rounds``; they take turns, so that all share one weather."""
    blobs = [np.full((1, 3, model.height_px, model.width_px), 114.0, np.float32) for model in models]
    taken: list[list[float]] = [[] for _ in models]
    for number in range(rounds + 3):
        for model, blob, times in zip(models, blobs, taken, strict=True):
            started = time.perf_counter()
            model.run(blob)
            if number >= 3:  # the first ones warm up
                times.append(time.perf_counter() - started)
    return [float(np.median(times)) * 1000 for times in taken]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detector_speed", description=__doc__)
    parser.add_argument("weights", nargs="+", type=Path)
    parser.add_argument("--size", type=int, help="width and height of the input, instead of each model's own")
    parser.add_argument("--rounds", type=int, default=60)
    chosen = parser.parse_args(arguments)
    size = (chosen.size, chosen.size) if chosen.size else None
    models = [load_weights(path, input_size=size) for path in chosen.weights]
    times = median_ms(models, chosen.rounds)
    for model, ms in zip(models, times, strict=True):
        print(
            f"{model.path.name} at {model.width_px}x{model.height_px}: {ms:.1f} ms, {ms / times[0]:.2f} of the first"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
