"""Writes the averaged network of a checkpoint as an ONNX file: ``python -m models.training.export CHECKPOINT OUT``.

The file has the YOLOX layout: input (1, 3, 416, 416) float32 BGR 0-255, letterboxed at the top left with grey 114.
"""

from __future__ import annotations

import argparse
import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch

from models.training.network import Exported, Network

SIZE = 416
OPSET = 17


def export(network: Network, names: Sequence[str], path: Path) -> None:
    """Writes ``network`` to ``path``, at once and whole; ``names`` are its classes in their order."""
    was_training = network.training
    whole = Exported(network).eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the exporter of fixed graphs is deprecated, but needs nothing more installed
        torch.onnx.export(
            whole,
            (torch.full((1, 3, SIZE, SIZE), 114.0),),
            buffer,
            input_names=["images"],
            output_names=["output"],
            opset_version=OPSET,
            dynamo=False,
        )
    network.train(was_training)
    model = onnx.load_from_string(buffer.getvalue())
    model.metadata_props.add(key="names", value=repr(dict(enumerate(names))))
    part = path.with_suffix(".part")
    part.write_bytes(model.SerializeToString(deterministic=True))
    part.replace(path)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.training.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args(arguments)
    state = torch.load(chosen.checkpoint, weights_only=True)
    network = Network(len(state["classes"]))
    network.load_state_dict(state["average"])
    export(network, state["classes"], chosen.out)
    print(f"{chosen.out}: after {state['pictures']} pictures, {state['machine_hours']:.2f} machine hours")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
