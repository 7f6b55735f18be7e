"""Redacted copies of rendered scenes: whether all plates, heads and windscreens but the accused one's plate are hidden."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from io import BytesIO
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from api.eyes import DetectorEyes, open_eyes
from api.settings import load_settings
from benchmarks.clips import SAMPLES
from benchmarks.proof import Figures, Proof, Trial, Verdict
from benchmarks.scene_masks import Part, parts_at
from evidence.picture import Pixels, from_file, jpeg
from evidence.redact_clip import redacted_clip
from evidence.redact_package import copied_photo
from evidence.redaction import Accused, Hidden, hidden_in, is_reading_of, redacted
from evidence.reencode import FilmPicture, pictures
from rules.observation import ObjectClass
from sample_videos.clips import CLIPS
from sample_videos.scene import Scene

SMALL = ("parking_all_day", "parking_queue", "junction_right_turn")
"""Together they have all that has to be hidden: heads, windscreens, and plates that can be read before."""

KINDS = ("plate", "head", "windscreen")
WANTED_SHARE = 0.995

AROUND_S = (-0.6, 0.0, 0.8)
"""When photos are taken, from the event's moment on."""

MOST_PHOTOS = 6
"""Of each clip."""

FILM_S = (-0.4, 0.6)
"""What a film shows of the first event."""

LEAST_PX = 12
"""A part of which fewer pixels are seen is no measure: one pixel of blur at its edge would be a tenth of it."""

MOST_CHARACTERS = 4
"""Reading at most so many characters of a plate of seven or eight in their places is guessing, not reading."""

LEAST_SEEN = 0.02
"""Of whom the frame truth says that less is seen, nothing is: poles and trees hide them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A frame of a clip, and who is accused in it."""

    frame: int
    accused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One frame with its truth: rows by road user, and the masks of what has to be hidden."""

    rows: Mapping[int, list[Any]]
    parts: Sequence[Part]
    plates: Mapping[int, str]

    def accused(self, number: int) -> Accused:
        row = self.rows[number]
        x1, y1, x2, y2 = (float(value) for value in row[2:6])
        return Accused(
            object_class=ObjectClass(row[1]), box_px=(x1, y1, x2, y2), plate_text=self.plates.get(number)
        )


class Filmed:
    """A sample clip with its scene and truth."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.scene: Scene = CLIPS[name]()
        truth: Any = json.loads((SAMPLES / "truth.json").read_text("utf-8"))[f"{name}.mp4"]
        self.plates = {vehicle["id"]: vehicle["plate"] for vehicle in truth["vehicles"] if vehicle["plate"]}
        self.events = [(event["id"], float(event["t"])) for event in truth["events"] if event.get("id")]
        with gzip.open(SAMPLES / "frames" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            next(lines)
            self.rows: list[list[list[Any]]] = [json.loads(line) for line in lines]

    def moments(self, most: int) -> list[Moment]:
        """Around the events; in a clip without any, who has the widest plate is accused now and then."""
        found = []
        for accused, at_s in self.events:
            for after_s in AROUND_S:
                number = round((at_s + after_s) * self.scene.fps)
                if 0 <= number < len(self.rows) and any(row[0] == accused for row in self.rows[number]):
                    found.append(Moment(frame=number, accused=accused))
        if not found:
            for number in range(len(self.rows) // 8, len(self.rows), len(self.rows) // 4):
                plated = [row for row in self.rows[number] if row[12]]
                if plated:
                    widest = max(plated, key=lambda row: row[12][1][0] - row[12][0][0])
                    found.append(Moment(frame=number, accused=widest[0]))
        return found[:most]

    def seen(self, number: int) -> Seen:
        rows = {row[0]: row for row in self.rows[number]}
        hidden = [owner for owner, row in rows.items() if row[6] < LEAST_SEEN]
        parts = [part for part in parts_at(self.scene, number, hidden) if part.owner in rows]
        return Seen(rows=rows, parts=parts, plates=self.plates)

    def frames(self, wanted: set[int]) -> Iterator[tuple[int, Pixels]]:
        with av.open(str(SAMPLES / f"{self.name}.mp4")) as film:
            for number, frame in enumerate(film.decode(video=0)):
                if number in wanted:
                    yield number, np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
                if number >= max(wanted):
                    return


def prove(trial: Trial) -> Verdict:
    """Photos and a film of ``trial.size`` sample clips; a trial of one takes two photos and a short film of each of ``SMALL``."""
    photo_eyes, film_eyes, _ = open_eyes(load_settings(), None)
    names = list(CLIPS)[: trial.size] if trial.size > 1 else list(SMALL)
    most = MOST_PHOTOS if trial.size > 1 else 2
    total: Counter[str] = Counter()
    for name in names:
        photos = trial.once(f"{name} photos", partial(_photos, name, most, photo_eyes))
        film = trial.once(
            f"{name} film",
            partial(_film, name, FILM_S if trial.size > 1 else (FILM_S[0], 0.0), film_eyes, photo_eyes),
        )
        total.update({key: int(value) for key, value in photos.items()})
        total.update({f"film {key}": int(value) for key, value in film.items()})
    figures: dict[str, int | float | str | bool] = {"clips": len(names)}
    is_hidden = True
    for medium in ("", "film "):
        for kind in KINDS:
            pixels, hidden = total[f"{medium}{kind} pixels"], total[f"{medium}{kind} hidden"]
            figures[f"{medium}{kind}s"] = total[f"{medium}{kind}s"]
            figures[f"{medium}{kind}s_hidden_to_99.5_percent"] = total[f"{medium}{kind}s hidden"]
            share = hidden / pixels if pixels else 1.0
            figures[f"{medium}{kind}_pixels_hidden_share"] = round(share, 5)
            figures[f"{medium}{kind}_pixels_that_differ_share"] = (
                round(total[f"{medium}{kind} differ"] / pixels, 5) if pixels else 1.0
            )
            is_hidden &= share >= WANTED_SHARE
        for what in (
            "pictures",
            "others readable before",
            "others readable after",
            "accused readable before",
            "accused readable after",
            "accused read whole before",
            "accused read whole after",
        ):
            figures[f"{medium}{what}".replace(" ", "_")] = total[f"{medium}{what}"]
    is_unread = total["others readable after"] + total["film others readable after"] == 0
    is_read = all(
        total[f"{medium}accused read whole after"] >= total[f"{medium}accused read whole before"]
        for medium in ("", "film ")
    )
    # What was not there proves nothing.
    is_hidden &= all(total[f"{medium}{kind}s"] for medium in ("", "film ") for kind in KINDS)
    is_unread &= total["others readable before"] > 0
    is_read &= trial.size == 1 or all(total[f"{medium}accused read whole before"] for medium in ("", "film "))
    figures = {key.replace(" ", "_"): value for key, value in figures.items()}
    return Verdict(
        passed=is_hidden and is_unread and is_read and total["pictures"] > 0 and total["film pictures"] > 0,
        figures=figures,
    )


def _photos(name: str, most: int, eyes: DetectorEyes) -> Figures:
    """The photos of one clip, as a redacted copy shows them: through a JPEG."""
    filmed = Filmed(name)
    moments = filmed.moments(most)
    found: Counter[str] = Counter()
    if not moments:
        return dict(found)
    for number, frame in filmed.frames({moment.frame for moment in moments}):
        original = from_file(jpeg(frame))
        users = eyes.road_users(original)
        seen = filmed.seen(number)
        for moment in moments:
            if moment.frame == number:
                copied = partial(copied_photo, original)
                hidden = hidden_in(original, users, seen.accused(moment.accused), eyes, copied)
                copy = copied(hidden)
                found += _measured(seen, moment.accused, original, copy, hidden, eyes)
    return dict(found)


def _film(name: str, span_s: tuple[float, float], eyes: DetectorEyes, reader: DetectorEyes) -> Figures:
    """A film of one clip, as a redacted copy shows it; every fourth picture is measured."""
    filmed = Filmed(name)
    moments = filmed.moments(1)
    found: Counter[str] = Counter()
    if not moments:
        return dict(found)
    fps, (first,) = filmed.scene.fps, moments
    numbers = range(
        max(0, first.frame + round(span_s[0] * fps)),
        min(len(filmed.rows), first.frame + round(span_s[1] * fps) + 1),
    )
    clip = _encoded([frame for _, frame in filmed.frames(set(numbers))], fps)
    told: list[Hidden] = []
    is_there = [any(row[0] == first.accused for row in filmed.rows[number]) for number in numbers]

    def accused_at(at_s: float) -> Accused | None:
        at = round(at_s * fps)
        return filmed.seen(numbers[at]).accused(first.accused) if is_there[at] else None

    def hear(picture: FilmPicture, hidden: Hidden) -> None:
        told.append(hidden)

    copy = redacted_clip(clip, accused_at, (), eyes, hear)
    for at, (original, after) in enumerate(zip(pictures(clip), pictures(copy), strict=True)):
        if at % 4 == 0:
            seen = filmed.seen(numbers[at])
            found += _measured(seen, first.accused, original.pixels, after.pixels, told[at], reader)
    return dict(found)


def _measured(
    seen: Seen, accused: int, original: Pixels, copy: Pixels, hidden: Hidden, eyes: DetectorEyes
) -> Counter[str]:
    """Counts of one picture: parts and their pixels, how many of them a mosaic hides or differ, and which plates are read."""
    found: Counter[str] = Counter({"pictures": 1})
    replaced = _replaced(copy.shape[:2], hidden)
    differs = (original != copy).any(axis=2)
    for part in seen.parts:
        pixels = int(part.pixels.sum())
        is_wanted = part.owner != accused or part.kind == "windscreen"
        if pixels < LEAST_PX or not is_wanted:
            continue
        covered = int((part.pixels & replaced).sum())
        found[f"{part.kind}s"] += 1
        found[f"{part.kind}s hidden"] += covered >= WANTED_SHARE * pixels
        found[f"{part.kind} pixels"] += pixels
        found[f"{part.kind} hidden"] += covered
        found[f"{part.kind} differ"] += int((part.pixels & differs).sum())
    for owner, row in seen.rows.items():
        text = seen.plates.get(owner)
        if text is None or row[12] is None:
            continue
        who = "accused" if owner == accused else "others"
        x1, y1, x2, y2 = (float(value) for value in row[2:6])
        for when, picture in (("before", original), ("after", copy)):
            plate = eyes.plate(picture, (x1, y1, x2, y2))
            is_same = is_reading_of if owner == accused else _is_read
            told = {
                f"{who} readable": plate is not None and is_same(plate.text, text),
                f"{who} read whole": plate is not None and plate.text == text,
            }
            for what, is_told in told.items():
                # The accused one's that was not read from the original need not be read from the copy.
                counts = owner != accused or when == "before" or found[f"{what} before"] > 0
                found[f"{what} {when}"] += is_told and counts
    return found


def _is_read(text: str, truth: str) -> bool:
    """Whether more characters are right in their places than guessing gets."""
    return sum(a == b for a, b in zip(text, truth, strict=False)) > MOST_CHARACTERS


def _replaced(size: tuple[int, int], hidden: Hidden) -> NDArray[np.bool_]:
    """The pixels that a mosaic block stands for."""
    full = np.zeros((*size, 3), np.uint8)
    noise = np.random.default_rng(7).integers(0, 256, full.shape, dtype=np.uint8)
    # Over noise a block's average is no pixel's own value, but by a chance of one in 2^24.
    return np.asarray((redacted(noise, hidden, 1) != noise).any(axis=2))


def _encoded(frames: Sequence[Pixels], fps: float) -> bytes:
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=Fraction(fps), options={"crf": "16", "preset": "veryfast"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return buffer.getvalue()


PROOF = Proof(
    claim="In redacted photos and films of the sample clips at least 99.5 % of the pixels of every kind of what must not be "
    "recognised (others' plates, all heads and front windscreens, the accused one's windscreen too) are hidden by a mosaic; "
    "our own plate reader reads none of the others' plates from the copy (more than four characters in their places), and "
    "still reads every character of the accused one where it did before.",
    small=1,
    full=16,
    prove=prove,
)
