"""Pictures of passing vehicles, windows and riders made unrecognisable before anything is written: no other copy exists."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from evidence.canonical import sha256_hex
from evidence.durable import Disk
from evidence.errors import DiskError, DiskFullError
from evidence.passage_file import PassagePicture, picture_path
from evidence.picture import PictureError, Pixels, jpeg, pixelated
from evidence.ports import Footage
from rules.errors import StoplineError
from rules.finding import Passage
from rules.observation import Box, ObjectClass
from rules.snapshot import Snapshot

HIDDEN_SHARE: Mapping[ObjectClass, float] = MappingProxyType(
    {
        ObjectClass.CAR: 0.6,
        ObjectClass.BUS: 0.92,
        ObjectClass.TRUCK: 0.77,
        ObjectClass.MOTORCYCLE: 0.65,
        ObjectClass.BICYCLE: 0.65,
        ObjectClass.PERSON: 1.0,
    }
)
"""How much of a box, from its top, is made unrecognisable: all glass of a vehicle or the rider's head and body, and rather
too much. Plates hang below it, but for those of buses, whose windscreens reach down to them."""


class PassageAlbum:
    """Takes the pictures of one segment's passages into ``data_dir``/passages; used from one thread."""

    def __init__(
        self, data_dir: Path, footage: Footage[Any], disk: Disk | None = None, *, goes_on: bool = False
    ) -> None:
        """``goes_on``: a picture that a full disk has no room for is missing, and ends nothing."""
        self._data_dir = data_dir
        self._footage = footage
        self._disk = Disk() if disk is None else disk
        self._goes_on = goes_on
        self._taken: list[Path] = []
        self.missing = 0

    def take(self, passage: Passage) -> PassagePicture | None:
        """The picture stands; None where none is wanted, or its frame is gone (counted in ``missing``).

        The same passage gives the same bytes. Raises DiskFullError, DiskError.
        """
        snapshot = passage.snapshot
        if snapshot is None:
            return None
        try:
            data = jpeg(unrecognisable(self._footage.decode_frame(snapshot.stamp), passage, snapshot))
        except (DiskFullError, DiskError):
            raise
        except StoplineError:
            self.missing += 1
            return None
        path = self._data_dir / picture_path(passage)
        try:
            self._disk.make_folder(path.parent)
            self._disk.replace(path, data)
        except DiskFullError:
            if not self._goes_on:
                raise
            self.missing += 1
            return None
        self._taken.append(path)
        return PassagePicture(path=picture_path(passage), sha256=sha256_hex(data))

    def abandon(self) -> None:
        """Nothing is left of what was taken, as far as the disk allows: nobody will hold a record of it."""
        with suppress(DiskFullError, DiskError):
            for path in self._taken:
                self._disk.unlink(path)
        self._taken = []


def unrecognisable(frame: Pixels, passage: Passage, snapshot: Snapshot) -> Pixels:
    """The vehicle's box out of the frame, nobody in it recognisable; the frame itself stays as it is.

    Raises PictureError where nothing of the box lies in the frame.
    """
    rows, columns = frame.shape[:2]
    x1, y1, x2, y2 = (round(value) for value in snapshot.box_px)
    x1, y1, x2, y2 = max(0, x1), max(0, y1), min(columns, x2), min(rows, y2)
    if x2 <= x1 or y2 <= y1:
        raise PictureError("the vehicle lies outside the frame")
    hidden = frame[y1:y2, x1:x2]
    for object_class, box in ((passage.object_class, snapshot.box_px), *snapshot.others):
        hidden = pixelated(hidden, _upper(object_class, box, (x1, y1)))
    return hidden


def _upper(object_class: ObjectClass, box: Box, origin_px: tuple[int, int]) -> Box:
    left, top, right, bottom = box
    x, y = origin_px
    share = HIDDEN_SHARE[object_class]
    return (left - x, top - y, right - x, top + share * (bottom - top) - y)
