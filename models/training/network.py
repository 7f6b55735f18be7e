"""The network of the default detector: a small one-stage, anchor-free detector with grids of 8, 16 and 32 px.

Drawn from the literature: cross-stage partial blocks (Wang et al. 2020), spatial pyramid pooling (He et al. 2015),
a path-aggregation neck (Liu et al. 2018), and a decoupled anchor-free head (Ge et al. 2021) without objectness.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)
WIDTHS = (16, 32, 64, 128, 256)
HEAD_WIDTH = 64
PRIOR = 0.01
"""The score a fresh network gives everywhere (Lin et al. 2017), so that empty road does not drown the first steps."""


class Conv(nn.Sequential):
    """Convolution, batch normalisation, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
            nn.SiLU(inplace=True),
        )


class Residual(nn.Module):
    """Two 3x3 convolutions, with the input added where ``add``."""

    def __init__(self, width: int, *, add: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(width, width, 3), Conv(width, width, 3))
        self.add = add

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return x + y if self.add else y


class Partial(nn.Module):
    """Half of the channels goes through ``depth`` residual blocks; everything on the way is joined again."""

    def __init__(self, inputs: int, outputs: int, depth: int, *, add: bool) -> None:
        super().__init__()
        half = outputs // 2
        self.enter = Conv(inputs, outputs)
        self.blocks = nn.ModuleList(Residual(half, add=add) for _ in range(depth))
        self.leave = Conv((2 + depth) * half, outputs)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.enter(x).chunk(2, 1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Pyramid(nn.Module):
    """Maximum over ever larger surroundings, joined."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = Conv(width, width // 2)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.leave = Conv(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Head(nn.Module):
    """For one grid: class logits and boxes as (x, y) offsets in cells and logarithms of (w, h) in cells."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.enter = Conv(inputs, HEAD_WIDTH)
        self.box_body = Conv(HEAD_WIDTH, HEAD_WIDTH, 3)
        self.class_body = Conv(HEAD_WIDTH, HEAD_WIDTH, 3)
        self.box = nn.Conv2d(HEAD_WIDTH, 4, 1)
        self.classes = nn.Conv2d(HEAD_WIDTH, classes, 1)
        nn.init.constant_(self.classes.bias, -math.log((1 - PRIOR) / PRIOR))
        with torch.no_grad():
            self.box.weight.mul_(0.1)
            self.box.bias.copy_(torch.tensor([0.5, 0.5, 1.0, 1.0]))

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        return torch.cat((self.box(self.box_body(x)), self.classes(self.class_body(x))), 1)


class Network(nn.Module):
    """Pictures (B, 3, H, W), blue-green-red 0-255, to (B, N, 4 + C): boxes as the head says, class logits."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        a, b, c, d, e = WIDTHS
        self.stem = nn.Sequential(Conv(3, a, 3, 2), Conv(a, b, 3, 2), Partial(b, b, 1, add=True))
        self.to8 = nn.Sequential(Conv(b, c, 3, 2), Partial(c, c, 2, add=True))
        self.to16 = nn.Sequential(Conv(c, d, 3, 2), Partial(d, d, 2, add=True))
        self.to32 = nn.Sequential(Conv(d, e, 3, 2), Partial(e, e, 1, add=True), Pyramid(e))
        self.up = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.down16 = Partial(e + d, d, 1, add=False)
        self.down8 = Partial(d + c, c, 1, add=False)
        self.back16 = Conv(c, c, 3, 2)
        self.up16 = Partial(c + d, d, 1, add=False)
        self.back32 = Conv(d, d, 3, 2)
        self.up32 = Partial(d + e, e, 1, add=False)
        self.heads = nn.ModuleList(Head(width, classes) for width in (c, d, e))

    def maps(self, x: Tensor) -> list[Tensor]:
        """The output of each grid (B, 4 + C, H/s, W/s)."""
        at8 = self.to8(self.stem(x * (1 / 255)))
        at16 = self.to16(at8)
        at32 = self.to32(at16)
        mid16 = self.down16(torch.cat((self.up(at32), at16), 1))
        out8 = self.down8(torch.cat((self.up(mid16), at8), 1))
        out16 = self.up16(torch.cat((self.back16(out8), mid16), 1))
        out32 = self.up32(torch.cat((self.back32(out16), at32), 1))
        return [head(out) for head, out in zip(self.heads, (out8, out16, out32), strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([grid.flatten(2) for grid in self.maps(x)], 2).transpose(1, 2)


class Exported(nn.Module):
    """A network in the YOLOX layout: (1, N, 5 + C), undecoded boxes, objectness and class scores after their sigmoid.

    Objectness is the best class score and the classes are relative to it, so that the product is the class score.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        boxes, logits = self.network(x).split((4, self.network.heads[0].classes.out_channels), 2)
        scores = torch.sigmoid(logits)
        best = scores.amax(2, keepdim=True)
        return torch.cat((boxes, best, scores / best.clamp(min=1e-12)), 2)
