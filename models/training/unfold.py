"""Turns an exported ONNX file back into a network that can be trained on: a checkpoint that lies in the repository."""

from __future__ import annotations

import itertools
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from models.training.network import Network


class NotOurNetwork(Exception):
    """The file does not hold the weights of this network."""


def unfold(network: Network, path: Path) -> None:
    """Loads the weights of ``path`` (as ``models.training.export`` writes them) into ``network``.

    Export folds each batch normalisation into the convolution before it: here the convolution gets the folded
    weights and the normalisation only adds the bias. Raises NotOurNetwork.
    """
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    folded = iter(_convolutions(path))
    with torch.no_grad():
        for conv, norm in _pairs(network):
            try:
                names = next(folded)
                weight, bias = (torch.tensor(tensors[name]).float() for name in names)
                conv.weight.copy_(weight)
            except (StopIteration, KeyError, ValueError, RuntimeError) as exc:
                raise NotOurNetwork(f"{path}: not exported from this network: {exc}") from exc
            if norm is None:
                assert conv.bias is not None
                conv.bias.copy_(bias)
            else:
                assert norm.running_mean is not None and norm.running_var is not None
                norm.weight.fill_(1.0)
                norm.bias.copy_(bias)
                norm.running_mean.zero_()
                norm.running_var.fill_(1.0 - norm.eps)
    if next(folded, None) is not None:
        raise NotOurNetwork(f"{path}: it has more convolutions than this network")


def restore_norms(network: Network, pixels: Tensor) -> None:
    """Gives each normalisation the mean and spread that it sees on ``pixels`` (B, 3, H, W), without changing any answer.

    So the network also answers alike where it normalises by the batch, as in training.
    """
    hooks = [norm.register_forward_pre_hook(_measured) for _, norm in _pairs(network) if norm is not None]
    network.eval()
    with torch.no_grad():
        network(pixels)
    for hook in hooks:
        hook.remove()


def _measured(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None and norm.running_var is not None
    (x,) = inputs
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_(torch.sqrt(variance + norm.eps))
    norm.bias.add_(mean)


def _convolutions(path: Path) -> list[tuple[str, str]]:
    """Names of weight and bias of each convolution, in the order in which the graph runs them."""
    graph = onnx.load(path).graph
    made_by = {node.output[0]: node for node in graph.node}

    def stored(name: str) -> str:
        node = made_by.get(name)
        return node.input[0] if node is not None and node.op_type == "Cast" else name

    return [(stored(node.input[1]), stored(node.input[2])) for node in graph.node if node.op_type == "Conv"]


def _pairs(network: Network) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """The convolutions in the order in which they run, each with the normalisation behind it."""
    order: list[nn.Conv2d] = []
    hooks = [
        module.register_forward_pre_hook(lambda conv, _: order.append(conv))
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    ]
    was_training = network.training
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    network.train(was_training)
    for hook in hooks:
        hook.remove()
    behind: dict[nn.Module, nn.BatchNorm2d] = {}
    for parent in network.modules():
        children = list(parent.children())
        for child, after in itertools.pairwise(children):
            if isinstance(child, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                behind[child] = after
    return [(conv, behind.get(conv)) for conv in order]
