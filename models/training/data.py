"""What the default detector may be trained on: pictures with labels, kept in memory, and what the recipe refuses.

Refused by its content, whatever it is called and wherever it lies: every file whose SHA-256 stands in
``refused.sha256`` (clips and pictures kept for measuring). Refused by its name: every folder ``valid`` or ``…_valid``.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rules.errors import StoplineError

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
RECIPE = HERE / "recipe.toml"
REFUSED = HERE / "refused.sha256"
TRAINABLE_CLIPS = ("carpark_cars.mp4", "carpark_person_bicycle_car.mp4", "twoway_road.mp4")
PICTURES = (".jpg", ".jpeg", ".png")

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float32]


class TrainingDataRefused(StoplineError):
    """A file that is kept for measuring was offered for training."""

    code = "training_data_refused"

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} must not be trained on: it is of {what}, kept for measuring")
        self.path = path
        self.what = what


class TrainingDataMissing(StoplineError):
    """Something the recipe names is not there."""

    code = "training_data_missing"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


class LabelsWrong(StoplineError):
    """A label file that cannot be read as YOLO text."""

    code = "labels_wrong"

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(
            f"{path}, line {line}: {why}; expected 'class x y width height', the last four 0 to 1"
        )
        self.path = path
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture in memory.

    ``pixels`` (H, W, 3) uint8 BGR; ``boxes`` (K, 4) float32 xyxy in its px; ``may_be`` (K,) the bits of the classes
    that each box may be, 0 where nobody knows what is there; ``labelled`` the bits of the classes that are labelled
    wherever they appear; ``weight`` how often it is taken.
    """

    pixels: Pixels
    boxes: Boxes
    may_be: NDArray[np.int64]
    labelled: int
    weight: float
    source: str


def read_recipe(path: Path = RECIPE) -> dict[str, Any]:
    """The recipe as it stands in the file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def read_refused(path: Path = REFUSED) -> dict[str, str]:
    """SHA-256 of each refused file and what it is."""
    lines = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines())
    return {line[0]: line[1] for line in lines}


def kept_for_measuring(shared: Path) -> Iterator[Path]:
    """The files below ``shared`` that nothing may be trained on: ``valid`` pictures, plate scenes, all clips but three."""
    yield from (
        path for path in sorted((shared / "footage").glob("*.mp4")) if path.name not in TRAINABLE_CLIPS
    )
    for folder in (shared / "detection", shared / "plates" / "scenes"):
        yield from (
            path
            for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in PICTURES
            and (
                folder.name == "scenes"
                or any(_is_kept_apart(part) for part in path.relative_to(folder).parts)
            )
        )


def _is_kept_apart(name: str) -> bool:
    """Whether a folder of that name is for measuring."""
    return name == "valid" or name.endswith("_valid")


def admit(path: Path, content: bytes, refused: Mapping[str, str]) -> None:
    """Raises TrainingDataRefused where ``content`` is kept for measuring."""
    what = refused.get(hashlib.sha256(content).hexdigest())
    if what is not None:
        raise TrainingDataRefused(path, what)


def bits(names: Sequence[str], classes: Sequence[str]) -> int:
    """The bits of ``names``, the lowest one for the first of ``classes``. Raises ValueError for an unknown name."""
    return sum(1 << classes.index(name) for name in set(names))


def read_folder(folder: Mapping[str, Any], recipe: Mapping[str, Any], root: Path) -> list[Picture]:
    """The pictures of one entry of the recipe's ``folders``; ``root`` is what its path is relative to.

    An optional folder that is absent gives none. Raises TrainingDataMissing, TrainingDataRefused or LabelsWrong.
    """
    place = root / folder["path"]
    if any(_is_kept_apart(part) for part in place.parts):
        raise TrainingDataRefused(place, "pictures that a folder's name keeps apart")
    paths = sorted(p for p in (place / "images").glob("*") if p.suffix.lower() in PICTURES)
    if not paths:
        if folder.get("optional", False):
            return []
        raise TrainingDataMissing(
            place / "images",
            "no pictures; the default detector is trained on the shared material beside the checkout, "
            "which is not part of the repository",
        )
    refused = read_refused()
    meanings = [bits(names, recipe["classes"]) for names in folder["map"]]
    labelled = bits(folder["labelled"], recipe["classes"])

    def read(path: Path) -> Picture:
        content = path.read_bytes()
        admit(path, content, refused)
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise TrainingDataMissing(path, "not a picture that can be read")
        boxes, may_be = read_labels(place / "labels" / f"{path.stem}.txt", meanings)
        return fitted(
            np.asarray(decoded, np.uint8),
            boxes * np.tile(np.array(decoded.shape[1::-1], np.float32), 2),
            may_be,
            side_px=recipe["cache_side_px"],
            labelled=labelled,
            weight=folder["weight"],
            source=folder["name"],
        )

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(read, paths))


def read_labels(path: Path, meanings: Sequence[int]) -> tuple[Boxes, NDArray[np.int64]]:
    """Boxes (K, 4) xyxy 0..1 and what each may be (K,), of a YOLO label file; none where there is no file.

    Raises LabelsWrong.
    """
    boxes, may_be = [], []
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        try:
            index, (x, y, width, height) = int(fields[0]), map(float, fields[1:])
        except ValueError as exc:
            raise LabelsWrong(path, number, f"{line!r} cannot be read") from exc
        if not 0 <= index < len(meanings):
            raise LabelsWrong(path, number, f"class {index} of {len(meanings)}")
        boxes.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        may_be.append(meanings[index])
    corners = np.clip(np.array(boxes, np.float32).reshape(-1, 4), 0, 1)
    return corners, np.array(may_be, np.int64)


def fitted(
    pixels: Pixels,
    boxes: Boxes,
    may_be: NDArray[np.int64],
    *,
    side_px: int,
    labelled: int,
    weight: float,
    source: str,
) -> Picture:
    """The picture, made smaller where it is longer than ``side_px``."""
    scale = min(1.0, side_px / max(pixels.shape[:2]))
    if scale < 1:
        size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Picture(
        pixels=np.ascontiguousarray(pixels),
        boxes=(boxes * scale).astype(np.float32),
        may_be=may_be,
        labelled=labelled,
        weight=weight,
        source=source,
    )
