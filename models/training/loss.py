"""Which cells answer for which box, and what their answers cost.

Assignment and soft targets follow task alignment (Feng et al. 2021): a cell answers for a box the better its class
score and its box already agree with it. The overlap cost is the complete IoU (Zheng et al. 2020). What the labels of a
picture do not say is left out: see ``Batch``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.training.network import STRIDES

CELLS_A_BOX = 10
SCORE_POWER, OVERLAP_POWER = 0.5, 4.0
LEAST_REACH = 1.5
"""A cell may answer for a box in which its centre lies, the box taken at least this many cells to each side of its centre
at the finest grid: tiny boxes have cells too."""
BOX_WEIGHT = 5.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures and what is known about them.

    ``pixels`` (B, 3, S, S) uint8 BGR; ``boxes`` (B, M, 4) xyxy in px; ``may_be`` (B, M) bits of the classes that the
    box may be, 0 for padding; ``labelled`` (B, N) bits of the classes that are labelled at each cell.
    """

    pixels: Tensor
    boxes: Tensor
    may_be: Tensor
    labelled: Tensor


def grid(size_px: int) -> tuple[Tensor, Tensor]:
    """Column and row (N, 2) and stride (N, 1) of each cell."""
    cells, steps = [], []
    for stride in STRIDES:
        count = size_px // stride
        rows, columns = torch.meshgrid(torch.arange(count), torch.arange(count), indexing="ij")
        cells.append(torch.stack((columns.flatten(), rows.flatten()), 1).float())
        steps.append(torch.full((count * count, 1), float(stride)))
    return torch.cat(cells), torch.cat(steps)


def decode(raw: Tensor, cells: Tensor, steps: Tensor) -> Tensor:
    """Boxes (..., N, 4) xyxy in px of the head's answers."""
    centre = (raw[..., :2] + cells) * steps
    half = raw[..., 2:4].clamp(max=6.0).exp() * steps / 2
    return torch.cat((centre - half, centre + half), -1)


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes that broadcast against each other."""
    wide = (torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])).clamp(min=0)
    high = (torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])).clamp(min=0)
    both = wide * high
    area_a = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    area_b = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return both / (area_a + area_b - both + 1e-6)


def complete_overlap(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU of boxes (K, 4): overlap, less what their centres and proportions differ by."""
    iou = overlap(a, b)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    apart = (((a[:, :2] + a[:, 2:]) - (b[:, :2] + b[:, 2:])) / 2).pow(2).sum(1)
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    lean = torch.atan(size_b[:, 0] / (size_b[:, 1] + 1e-6)) - torch.atan(size_a[:, 0] / (size_a[:, 1] + 1e-6))
    skew = 4 / math.pi**2 * lean.pow(2)
    with torch.no_grad():
        share = skew / (1 - iou + skew + 1e-6)
    return iou - apart / (hull.pow(2).sum(1) + 1e-6) - share * skew


def cost(raw: Tensor, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """What the answers ``raw`` (B, N, 4 + C) cost, and its parts."""
    raw = raw.float()
    count = raw.shape[2] - 4
    cells, steps = grid(batch.pixels.shape[-1])
    bits = 2 ** torch.arange(count)
    logits = raw[..., 4:]
    boxes = decode(raw, cells, steps)
    with torch.no_grad():
        owner, worth = _assign(logits.sigmoid(), boxes, batch, (cells + 0.5) * steps, bits)
        taken = owner >= 0
        own = owner.clamp(min=0)
        may_be = torch.gather(batch.may_be, 1, own)
        can_be = (may_be[..., None] & bits) != 0
        chosen = logits.masked_fill(~can_be, -1e9).argmax(2)
        target = functional.one_hot(chosen, count) * (worth * taken)[..., None]
        known = ((batch.labelled[..., None] & bits) != 0).float()
        # An answer for a box: the chosen class and those it cannot be are known, other things it may be are not.
        of_box = (~can_be | (functional.one_hot(chosen, count) > 0)).float()
        weight = torch.where(taken[..., None], of_box, known)
        scale = target.sum().clamp(min=1.0)
        wanted = torch.gather(batch.boxes, 1, own[..., None].expand(-1, -1, 4))[taken]
    class_cost = (
        functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    ).sum()
    box_cost = ((1 - complete_overlap(boxes[taken], wanted)) * worth[taken]).sum()
    class_cost, box_cost = class_cost / scale, BOX_WEIGHT * box_cost / scale
    parts = {
        "class": float(class_cost.detach()),
        "box": float(box_cost.detach()),
        "cells": float(taken.sum()) / len(raw),
    }
    return class_cost + box_cost, parts


def _assign(
    scores: Tensor, boxes: Tensor, batch: Batch, centres: Tensor, bits: Tensor
) -> tuple[Tensor, Tensor]:
    """For each cell (B, N) the box it answers for, or -1, and how much its answer counts (0..1)."""
    cells = scores.shape[1]
    owners, worths = [], []
    for score, box, truth, may_be in zip(scores, boxes, batch.boxes, batch.may_be, strict=True):
        real = int((may_be != 0).sum())
        if real == 0:
            owners.append(torch.full((cells,), -1))
            worths.append(torch.zeros(cells))
            continue
        truth, may_be = truth[:real], may_be[:real]
        can_be = (may_be[:, None] & bits) != 0
        of_class = torch.where(can_be[:, None], score[None], torch.zeros(())).amax(2)
        iou = overlap(truth[:, None], box[None])
        middle = (truth[:, :2] + truth[:, 2:]) / 2
        reach = ((truth[:, 2:] - truth[:, :2]) / 2).clamp(min=LEAST_REACH * STRIDES[0])
        near = ((centres[None] - middle[:, None]).abs() < reach[:, None]).all(2)
        fit = torch.where(near, of_class**SCORE_POWER * iou**OVERLAP_POWER + 1e-9, torch.zeros(()))
        best = fit.topk(min(CELLS_A_BOX, cells), 1)
        chosen = torch.zeros_like(near).scatter_(1, best.indices, best.values > 0)
        rival = torch.where(chosen, iou + 1e-6, torch.zeros(()))
        value, owner = rival.max(0)
        mine = torch.zeros_like(near).scatter_(0, owner[None], (value > 0)[None])
        fit = torch.where(mine, fit, torch.zeros(()))
        most_fit = fit.amax(1, keepdim=True) + 1e-12
        most_iou = torch.where(mine, iou, torch.zeros(())).amax(1, keepdim=True)
        owners.append(torch.where(value > 0, owner, -1))
        worths.append((fit / most_fit * most_iou).amax(0))
    return torch.stack(owners), torch.stack(worths)
