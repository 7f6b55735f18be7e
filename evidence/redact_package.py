"""Makes the redacted copy of a package: its photos, close-ups and clip with everybody but the accused unrecognisable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from evidence.canonical import Json, json_bytes
from evidence.closeup import lamp_column, lamp_strip
from evidence.errors import ClipError, EvidenceError
from evidence.manifest import NAME, Summary, Weights
from evidence.package import LAMP, PLATE
from evidence.picture import PictureError, Pixels, from_file, jpeg
from evidence.redact_clip import CLIP_BLOCKS, redacted_clip
from evidence.redaction import Accused, Eyes, Hidden, hidden_in, redacted
from evidence.trace import CLIP_FILE
from rules.finding import Rule
from rules.observation import Box, ObjectClass, Point

PREFIX = "redacted-"
REPORT = "redaction.json"
FORMAT = "stopline-redaction/1"

PHOTO_BLOCKS = 6
TRACK_NEAR_S = 0.25
"""So far from a point of its track the accused vehicle is still looked for there; beyond, it is hidden like any other."""


class RedactionError(EvidenceError):
    """The package of ``case_id`` cannot be redacted; ``why`` says what of it, and what to do."""

    code = "redaction"

    def __init__(self, case_id: str, name: str, why: str) -> None:
        super().__init__(f"case {case_id}: no redacted copy of {name} can be made: {why}")
        self.case_id = case_id
        self.name = name
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where the accused vehicle was: (media second, box in pixels), ascending."""

    points: tuple[tuple[float, Box], ...]
    stands: bool

    def box_at(self, media_s: float) -> Box | None:
        """Its box at that moment; None where nobody saw it near then. Who ``stands`` is between its points too."""
        before = [point for point in self.points if point[0] <= media_s]
        after = [point for point in self.points if point[0] > media_s]
        near = self.stands and before and after
        if before and after and (near or after[0][0] - before[-1][0] <= 2 * TRACK_NEAR_S):
            (from_s, a), (to_s, b) = before[-1], after[0]
            share = (media_s - from_s) / (to_s - from_s)
            x1, y1, x2, y2 = (one + share * (other - one) for one, other in zip(a, b, strict=True))
            return (x1, y1, x2, y2)
        nearest = min(self.points, key=lambda point: abs(point[0] - media_s), default=None)
        if nearest is None or abs(nearest[0] - media_s) > TRACK_NEAR_S:
            return None
        return nearest[1]


@dataclass(frozen=True, slots=True)
class _Lamp:
    """A signal head: opaque, so nobody is seen in its box."""

    box_px: Box

    @property
    def corners_px(self) -> tuple[Point, ...]:
        x1, y1, x2, y2 = self.box_px
        return ((x1, y1), (x2, y1), (x2, y2), (x1, y2))


def redact_package(
    said: Summary,
    read: Callable[[str], bytes],
    photo_eyes: Eyes,
    clip_eyes: Eyes,
    made_with: tuple[Weights, ...],
) -> dict[str, bytes]:
    """The redacted copy's files by name, ``redaction.json`` among them, which says what was hidden and with what.

    ``read`` gives the bytes of a file of the package, which was verified. Raises RedactionError, what ``read`` and the
    eyes raise. The same package and models give the same photos.
    """
    case_id = said.case_id or ""
    document: Any = json.loads(read(NAME))
    names = {file.name for file in said.files}
    try:
        case, photos = document["case"], document["photos"]
        kind = ObjectClass(case["object_class"])
        plate_text = None if document["plate"] is None else document["plate"]["text"]
        track = _track(photos, json.loads(read("trace.json")) if "trace.json" in names else {}, case)
    except (KeyError, TypeError, ValueError) as exc:
        raise RedactionError(
            case_id, NAME, f"it does not say where the accused vehicle is ({exc!r})"
        ) from exc

    lamps = tuple(_Lamp(tuple(lamp["box_px"])) for lamp in document.get("lamps", ()))

    def accused_at(media_s: float) -> Accused | None:
        box = track.box_at(media_s)
        return None if box is None else Accused(object_class=kind, box_px=box, plate_text=plate_text)

    made: dict[str, bytes] = {}
    told: dict[str, Json] = {}
    frames: list[Pixels] = []
    for photo in photos:
        name = str(photo["file"])
        picture = _picture(case_id, name, read(name))
        width, height = photo["frame_size_px"]
        accused = Accused(object_class=kind, box_px=tuple(photo["box_px"]), plate_text=plate_text)
        frame = picture[:height, :width]
        hidden = hidden_in(
            frame, photo_eyes.road_users(frame), accused, photo_eyes, partial(copied_photo, frame)
        )
        hidden = replace(hidden, kept_px=(*hidden.kept_px, *(lamp.corners_px for lamp in lamps)))
        copy = picture.copy()
        copy[:height, :width] = redacted(frame, hidden, PHOTO_BLOCKS)
        frames.append(copy[:height, :width])
        made[PREFIX + name] = jpeg(copy)
        told[name] = {
            "copy": PREFIX + name,
            "hidden_px": [list(box) for box in hidden.boxes_px],
            "kept_px": [[list(corner) for corner in area] for area in hidden.kept_px],
        }
    left_out: dict[str, Json] = {}
    if PLATE in names:
        made[PREFIX + PLATE] = read(PLATE)
        told[PLATE] = {"copy": PREFIX + PLATE, "hidden_px": [], "kept_px": []}
    if LAMP in names:
        strip = lamp_strip([lamp_column(frame, lamps) for frame in frames]) if lamps and frames else None
        picture = _picture(case_id, LAMP, read(LAMP)).copy()
        if strip is None or any(a > b for a, b in zip(strip.shape[:2], picture.shape[:2], strict=True)):
            left_out[LAMP] = (
                "its surroundings may show people, and where it was cut from the photos is not told"
            )
        else:
            picture[: strip.shape[0], : strip.shape[1]] = strip
            made[PREFIX + LAMP] = jpeg(picture)
            told[LAMP] = {"copy": PREFIX + LAMP}
    if CLIP_FILE in names:
        lamp_areas = tuple(lamp.corners_px for lamp in lamps)
        first_s = float(document["clip"]["first_media_s"])
        try:
            made[PREFIX + CLIP_FILE] = redacted_clip(
                read(CLIP_FILE), lambda at_s: accused_at(first_s + at_s), lamp_areas, clip_eyes
            )
        except ClipError as exc:
            raise RedactionError(case_id, CLIP_FILE, exc.reason) from exc
        told[CLIP_FILE] = {"copy": PREFIX + CLIP_FILE}
    report: dict[str, Json] = {
        "format": FORMAT,
        "case": case_id,
        "manifest_sha256": said.sha256,
        "of": {name: told[name] for name in sorted(told)},
        "left_out": left_out,
        "blocks": {"photos": PHOTO_BLOCKS, "clip": CLIP_BLOCKS},
        "weights": [{"name": model.name, "sha256": model.sha256} for model in made_with],
    }
    made[REPORT] = json_bytes(report)
    return made


def copied_photo(frame: Pixels, hidden: Hidden) -> Pixels:
    """The frame as a redacted photo shows it: a picture of its own, compressed once more."""
    return from_file(jpeg(redacted(frame, hidden, PHOTO_BLOCKS)))


def _track(photos: Any, trace: Mapping[str, Any], case: Any) -> Track:
    points: dict[float, Box] = {}
    for point in (*photos, *trace.get("trace", ())):
        x1, y1, x2, y2 = (float(value) for value in point["box_px"])
        points.setdefault(float(point["media_s"]), (x1, y1, x2, y2))
    return Track(points=tuple(sorted(points.items())), stands=case["rule"] == Rule.NO_PARKING.value)


def _picture(case_id: str, name: str, data: bytes) -> Pixels:
    try:
        return from_file(data)
    except PictureError as exc:
        raise RedactionError(case_id, name, f"{exc}; verify the package") from exc
