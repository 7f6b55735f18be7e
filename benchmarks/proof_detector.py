"""The default detector against YOLOX-nano on the held-out real pictures, both in one run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from api.model_manifest import load_manifest, verified_path
from benchmarks.proof import Figures, Proof, Trial, Verdict
from detector.weights import load_weights
from models.evaluate import Finder, Folder, held_out, measure

MODELS = Path(__file__).resolve().parents[1] / "models"
LEAST_SHARE = 0.9


def prove(trial: Trial) -> Verdict:
    """Both models on ``trial.size`` pictures, evenly spread."""
    files = held_out(trial.shared).files
    chosen = np.linspace(0, len(files) - 1, min(trial.size, len(files))).round().astype(int).tolist()
    truths = Folder(tuple(files[number] for number in chosen))
    manifest = load_manifest(MODELS / "manifest.toml")

    def run(path: Path) -> Figures:
        figures = measure(Finder(load_weights(path)), truths)
        return {"ap50": round(figures.ap50, 4), "recall": round(figures.recall, 4), "boxes": figures.boxes}

    mine = trial.once("ours", lambda: run(verified_path(manifest, "default-detector", trial.folder)))
    other = trial.once("yolox-nano", lambda: run(trial.shared / "weights" / "yolox_nano.onnx"))
    return Verdict(
        passed=all(float(mine[name]) >= LEAST_SHARE * float(other[name]) for name in ("ap50", "recall")),
        figures={
            "pictures": len(chosen),
            "boxes": mine["boxes"],
            **{
                f"{name}_of_{whose}": figures[name]
                for name in ("ap50", "recall")
                for whose, figures in (("ours", mine), ("yolox_nano", other))
            },
        },
    )


PROOF = Proof(
    claim="On held-out real pictures (atl/valid and open_images/valid, boxes taller than 6 % of the picture, any vehicle class, "
    "IoU 0.5) the default detector reaches at least 0.9 of YOLOX-nano's AP50 and of its recall at precision 0.6.",
    small=156,  # fewer cannot tell: on 40 pictures, chance moves either recall by 0.1
    full=156,
    prove=prove,
    needs_shared=True,
)
