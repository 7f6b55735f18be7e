"""Trains the default detector from random weights, or goes on where it was interrupted: ``make train``.

Everything random comes from the recipe's seed and the number of the picture, so that an interruption changes nothing
but the time. The state is written to the cache folder every two minutes and when the process is told to end.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import queue
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from api.settings import load_settings
from detector.weights import load_weights
from models.evaluate import Finder, held_out, measure
from models.training.data import CHECKOUT, Picture, read_folder, read_recipe
from models.training.export import export
from models.training.loss import Batch, cost
from models.training.mosaic import Composer
from models.training.network import Network
from models.training.teacher import read_clip
from models.training.unfold import restore_norms, unfold

WARM_UP = 4_000
"""Pictures over which the learning rate rises."""
FALL = 0.25
"""The last part of the budget, over which the learning rate falls to a hundredth."""
PLAIN = 0.10
"""The last part of the budget, in which there are no more mosaics."""
MOSAIC = 0.6
UNFOLD_PICTURES, UNFOLD_SIDE_PX = 96, 320
AVERAGE = 0.999
CORES = os.cpu_count() or 1


class Training:
    """The state of a training: network, its running average, optimiser, and what was measured on the way."""

    def __init__(self, recipe: dict[str, Any], folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        torch.manual_seed(recipe["seed"])
        self.network = Network(len(recipe["classes"])).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        weights = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": weights, "weight_decay": recipe["weight_decay"]},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=recipe["learning_rate"],
            betas=(0.9, 0.99),
        )
        self.pictures = 0
        self.machine_hours = 0.0
        self.curve: list[dict[str, float]] = []
        self.checkpoint = folder / "checkpoint.pt"
        self.in_half = half_is_faster(self.network)

    def resume(self) -> None:
        """Takes up the state on disk, where there is one."""
        if not self.checkpoint.is_file():
            return
        state = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.pictures, self.machine_hours, self.curve = (
            state["pictures"],
            state["machine_hours"],
            state["curve"],
        )

    def start_from(self, weights: Path, pictures: Sequence[Picture]) -> None:
        """Takes over the weights of an exported network instead of random ones.

        Export folds batch normalisation into the convolutions; here each gets back what it sees on ``pictures``,
        so that the network answers as the exported one does.
        """
        unfold(self.network, weights)
        compose = Composer(pictures, self.recipe["seed"])
        samples = [compose(number, UNFOLD_SIDE_PX, 0.0) for number in range(UNFOLD_PICTURES)]
        restore_norms(
            self.network,
            torch.from_numpy(np.stack([sample.pixels.transpose(2, 0, 1) for sample in samples])).float(),
        )
        self.average.load_state_dict(self.network.state_dict())

    def save(self) -> None:
        """Writes the state, at once and whole."""
        part = self.checkpoint.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "pictures": self.pictures,
                "machine_hours": self.machine_hours,
                "curve": self.curve,
                "classes": self.recipe["classes"],
            },
            part,
        )
        part.replace(self.checkpoint)

    def step(self, batch: Batch) -> dict[str, float]:
        """Learns from one batch."""
        self.network.train()
        progress = self.pictures / self.recipe["pictures"]
        rate = self.recipe["learning_rate"] * min(1.0, (self.pictures + 1) / WARM_UP)
        rate *= max(0.01, min(1.0, (1 - progress) / FALL))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        pixels = batch.pixels.float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.in_half):
            raw = self.network(pixels)
        loss, parts = cost(raw, batch)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimiser.step()
        self.pictures += len(batch.pixels)
        steps = self.pictures / len(batch.pixels)
        keep = min(AVERAGE, (1 + steps) / (10 + steps))
        with torch.no_grad():
            for mean, value in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if mean.dtype.is_floating_point:
                    mean.lerp_(value, 1 - keep)
                else:
                    mean.copy_(value)
        return parts

    def measure(self, shared: Path) -> dict[str, float]:
        """Writes the average to ``newest.onnx`` and adds its figures on the held-out pictures to the curve."""
        path = self.folder / "newest.onnx"
        export(self.average, self.recipe["classes"], path)
        point: dict[str, float] = {"pictures": self.pictures, "machine_hours": round(self.machine_hours, 3)}
        for size in (320, 416):
            figures = measure(Finder(load_weights(path, input_size=(size, size))), held_out(shared))
            point[f"ap50_{size}"] = round(figures.ap50, 4)
            point[f"recall_{size}"] = round(figures.recall, 4)
        self.curve.append(point)
        (self.folder / "curve.json").write_text(json.dumps(self.curve, indent=1) + "\n", encoding="utf-8")
        return point


def half_is_faster(network: Network) -> bool:
    """Whether this processor runs the network faster in bfloat16: one without instructions for it is many times slower."""
    pixels = torch.zeros(4, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    took_s = {}
    for half in (False, True, False, True):
        started = time.perf_counter()
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            network(pixels)
        took_s[half] = time.perf_counter() - started
    return took_s[True] < took_s[False]


def batches(pictures: Sequence[Picture], recipe: dict[str, Any], first: int) -> Iterator[Batch]:
    """The batches from picture number ``first`` to the end of the budget, composed one ahead in a thread."""
    compose = Composer(pictures, recipe["seed"])
    ahead: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=3)

    def work() -> None:
        try:
            for start in range(first, recipe["pictures"], recipe["batch"]):
                progress = start / recipe["pictures"]
                sizes = next(phase["sizes"] for phase in recipe["phases"] if progress < phase["until"])
                size = sizes[int(np.random.default_rng((recipe["seed"], start, 1)).integers(len(sizes)))]
                mosaic = MOSAIC if progress < 1 - PLAIN else 0.0
                samples = [compose(start + n, size, mosaic) for n in range(recipe["batch"])]
                most = max(1, *(len(sample.boxes) for sample in samples))
                boxes, may_be = (
                    np.zeros((len(samples), most, 4), np.float32),
                    np.zeros((len(samples), most), np.int64),
                )
                for row, sample in enumerate(samples):
                    boxes[row, : len(sample.boxes)] = sample.boxes
                    may_be[row, : len(sample.boxes)] = sample.may_be
                ahead.put(
                    Batch(
                        pixels=torch.from_numpy(np.stack([s.pixels.transpose(2, 0, 1) for s in samples])),
                        boxes=torch.from_numpy(boxes),
                        may_be=torch.from_numpy(may_be),
                        labelled=torch.from_numpy(np.stack([s.labelled for s in samples])),
                    )
                )
            ahead.put(None)
        except BaseException as exc:  # noqa: BLE001 - raised again by whoever takes the batches
            ahead.put(exc)

    threading.Thread(target=work, daemon=True).start()
    while (item := ahead.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


def read_pictures(recipe: dict[str, Any], cache: Path) -> list[Picture]:
    """All pictures of the recipe; what was made for it and the teacher's answers lie in ``cache``."""

    def read(folder: dict[str, Any]) -> list[Picture]:
        return read_folder(folder, recipe, cache if folder.get("made", False) else CHECKOUT)

    with ThreadPoolExecutor(CORES) as pool:
        folders = pool.map(read, recipe["folders"])
        clips = [read_clip(clip, recipe, CHECKOUT, cache) for clip in recipe["clips"]]
        return [picture for group in (*folders, *clips) for picture in group]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.training.train", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the state is kept, instead of <cache>/train")
    parser.add_argument(
        "--threads", type=int, default=1, help="of the arithmetic; more than the idle cores is slower"
    )
    parser.add_argument(
        "--pictures",
        type=int,
        help="another budget than the recipe's: on a copy of the state in --folder, it ends a training early",
    )
    parser.add_argument(
        "--learning-rate", type=float, help="instead of the recipe's; a third of it suits --from"
    )
    parser.add_argument("--stop-after", type=int, help="end, resumable, after this many pictures in all")
    parser.add_argument(
        "--from",
        dest="weights",
        type=Path,
        metavar="ONNX",
        help="begin with the weights of this exported file; a state that is there already goes on instead",
    )
    chosen = parser.parse_args(arguments)
    cache = load_settings().cache / "train"
    folder = chosen.folder or cache
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(chosen.threads)
    cv2.setNumThreads(1)
    started = time.monotonic()
    recipe = read_recipe()
    recipe["pictures"] = chosen.pictures or recipe["pictures"]
    recipe["learning_rate"] = chosen.learning_rate or recipe["learning_rate"]
    pictures = read_pictures(recipe, cache)
    training = Training(recipe, folder)
    if chosen.weights is not None:
        training.start_from(chosen.weights, pictures)
    training.resume()
    print(f"{len(pictures)} pictures: {dict(Counter(p.source for p in pictures))}")
    print(f"ready after {time.monotonic() - started:.0f} s, at picture {training.pictures}", flush=True)
    told: list[int] = []

    def tell(number: int, frame: FrameType | None) -> None:
        told.append(number)

    signal.signal(signal.SIGTERM, tell)
    signal.signal(signal.SIGINT, tell)
    saved, busy = time.monotonic(), time.process_time()
    sums: Counter[str] = Counter()
    for batch in batches(pictures, recipe, training.pictures):
        sums.update({**training.step(batch), "steps": 1.0})
        training.machine_hours += (time.process_time() - busy) / CORES / 3600
        busy = time.process_time()
        if (
            training.pictures // recipe["measure_every"]
            != (training.pictures - len(batch.pixels)) // recipe["measure_every"]
        ):
            print(json.dumps(training.measure(CHECKOUT.parent / "shared")), flush=True)
        ending = bool(told) or training.pictures >= (chosen.stop_after or recipe["pictures"])
        if ending or time.monotonic() - saved > recipe["save_every_s"]:
            training.save()
            parts = {name: round(total / sums["steps"], 3) for name, total in sums.items() if name != "steps"}
            rate = sums["steps"] * recipe["batch"] / (time.monotonic() - saved)
            print(
                f"{training.pictures} pictures, {training.machine_hours:.3f} machine hours, {rate:.1f}/s {parts}",
                flush=True,
            )
            saved = time.monotonic()
            sums.clear()
        if ending:
            break
    if not told:
        print(json.dumps(training.measure(CHECKOUT.parent / "shared")))
        training.save()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
