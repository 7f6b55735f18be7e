"""Writes the averaged network of a checkpoint as an ONNX file: ``python -m models.training.export CHECKPOINT OUT``.

The file has the YOLOX layout: input (1, 3, S, S) float32 BGR 0-255, letterboxed at the top left with grey 114. Its weights
are stored as 16-bit floats, which halves it, and turned into 32-bit ones when it is loaded.
"""

from __future__ import annotations

import argparse
import io
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from models.training.network import Exported, Network

SIZE = 416
OPSET = 17


def export(network: Network, names: Sequence[str], path: Path, size_px: int = SIZE) -> None:
    """Writes ``network`` to ``path``, at once and whole; ``names`` are its classes in their order."""
    was_training = network.training
    whole = Exported(network).eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter by tracing is deprecated, but needs nothing more installed.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            whole,
            (torch.full((1, 3, size_px, size_px), 114.0),),
            buffer,
            input_names=["images"],
            output_names=["output"],
            opset_version=OPSET,
            dynamo=False,
        )
    network.train(was_training)
    model = onnx.load_from_string(buffer.getvalue())
    _store_half(model)
    model.metadata_props.add(key="names", value=repr(dict(enumerate(names))))
    part = path.with_suffix(".part")
    part.write_bytes(model.SerializeToString(deterministic=True))
    part.replace(path)


def _store_half(model: onnx.ModelProto) -> None:
    """Stores the weights of the convolutions as 16-bit floats, each with a cast behind it."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 4:
            values, name = numpy_helper.to_array(tensor), tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.training.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--size", type=int, default=SIZE, help="width and height of the input; 416 unless told"
    )
    parser.add_argument(
        "--newest",
        action="store_true",
        help="the newest network instead of the average, which lags in a short end",
    )
    chosen = parser.parse_args(arguments)
    state = torch.load(chosen.checkpoint, weights_only=True)
    network = Network(len(state["classes"]))
    network.load_state_dict(state["network" if chosen.newest else "average"])
    export(network, state["classes"], chosen.out, chosen.size)
    print(f"{chosen.out}: after {state['pictures']} pictures, {state['machine_hours']:.2f} machine hours")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
