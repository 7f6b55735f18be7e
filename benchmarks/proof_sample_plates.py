"""Plates on the rendered clips are read whole, as the officer gets them: voted over the frames of a vehicle."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.bootstrap import PLATE_MODELS
from api.model_manifest import MANIFEST, load_manifest, verified_path
from api.settings import load_settings
from benchmarks.clip_frames import frames_at
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.proof_sample_realism import CLIPS, truth_rows
from detector.plates import PlateReader
from rules import plate_vote
from rules.observation import FrameStamp

LEAST_WIDTH_PX = 60.0
LEAST_VISIBLE = 0.5
LEAST_SHARE = 0.95
FRAMES = 12
"""At most so many looks at a vehicle, spread over those in which its plate is wide enough."""

SMALL_VEHICLES = 10
"""Of each clip in a small trial, 40 together: of fewer than 20 a single one that is not read is more than 5 %."""


def prove(trial: Trial) -> Verdict:
    """``trial.size`` vehicles of each clip; each is looked for in its truth box, as a detector would give it."""
    truth = json.loads((CLIPS / "truth.json").read_text("utf-8"))
    figures: dict[str, int | float | str | bool] = {}
    seen = exact = wrong = 0
    for name, entry in truth.items():
        if name.startswith("_"):
            continue
        clip = name.removesuffix(".mp4")
        plates = {v["id"]: v["plate"] for v in entry["vehicles"] if (v["plate_px"] or 0.0) >= LEAST_WIDTH_PX}
        if not plates:
            continue

        def work(clip: str = clip, plates: Mapping[int, str] = plates) -> Figures:
            return _read(clip, plates, trial.size)

        figure = trial.once(clip, work)
        figures[f"{clip}_exact_of"] = f"{figure['exact']} of {figure['vehicles']}"
        seen += int(figure["vehicles"])
        exact += int(figure["exact"])
        wrong += int(figure["wrong"])
    figures |= {"vehicles": seen, "exact": exact, "wrong": wrong, "exact_share": round(exact / seen, 3)}
    return Verdict(passed=exact >= LEAST_SHARE * seen, figures=figures)


def _read(clip: str, plates: Mapping[int, str], most: int) -> Figures:
    """How many of the clip's vehicles were read as their plate says, and how many as another text."""
    settings = load_settings()
    manifest = load_manifest(settings.models / MANIFEST)
    detector, recogniser, charset = (verified_path(manifest, name, settings.cache) for name in PLATE_MODELS)
    reader = PlateReader(detector, recogniser, charset)
    votes: plate_vote.PlateVotes = {}
    wanted = dict(list(plates.items())[:most])
    for stamp, bgr, boxes in _looks(clip, wanted):
        readings = [reader.read(bgr, box, track_id) for track_id, box in boxes]
        votes = plate_vote.step(votes, [reading for reading in readings if reading is not None], stamp)
    texts = {}
    for track_id in wanted:
        result = plate_vote.result(votes, [track_id], "ga36")
        texts[track_id] = None if result is None else result.text
    return {
        "vehicles": len(wanted),
        "exact": sum(texts[track_id] == text for track_id, text in wanted.items()),
        "wrong": sum(texts[track_id] not in (None, text) for track_id, text in wanted.items()),
    }


def _looks(
    clip: str, wanted: Mapping[int, str]
) -> Iterator[tuple[FrameStamp, NDArray[np.uint8], list[tuple[int, Any]]]]:
    """The frames that are looked at, blue-green-red, with the boxes of the vehicles to read there."""
    wide: dict[int, list[tuple[int, Any]]] = defaultdict(list)
    for number, rows in enumerate(truth_rows(clip)):
        for row in rows:
            corners = row[-1]
            if row[0] in wanted and corners is not None and row[6] >= LEAST_VISIBLE:
                (x1, y1), (x2, y2) = corners[:2]
                if np.hypot(x2 - x1, y2 - y1) >= LEAST_WIDTH_PX:
                    wide[row[0]].append((number, tuple(row[2:6])))
    chosen: dict[int, list[tuple[int, Any]]] = defaultdict(list)
    for track_id, places in wide.items():
        for place in np.unique(np.linspace(0, len(places) - 1, FRAMES).round().astype(int)):
            number, box = places[place]
            chosen[number].append((track_id, box))
    for number, frame in frames_at(CLIPS / f"{clip}.mp4", sorted(chosen)):
        assert frame.time is not None
        stamp = FrameStamp(camera_id=clip, segment=0, index=number, media_s=float(frame.time))
        yield stamp, frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False), chosen[number]


PROOF = Proof(
    claim="At least 95 % of the vehicles of the rendered clips whose plate is 60 px wide or more are read whole and right.",
    small=SMALL_VEHICLES,
    full=1_000,
    prove=prove,
)
