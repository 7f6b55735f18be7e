"""What is kept for tracks that may become findings: stills cut at once, reels of standing vehicles, packets held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence.clip import ARRIVAL_BEFORE_S, BEFORE_S
from evidence.durable import Disk
from evidence.picture import Pixels, from_file, lossless
from evidence.ports import Footage
from evidence.reel import Reel
from evidence.spool import checked
from rules.errors import StoplineError
from rules.finding import Keep, PhotoRole, Rule
from rules.observation import FrameStamp

STANDING_MEMORY_S = 45.0
"""How much footage of a standing vehicle memory holds: its finding may come 30 s late, its clip begins 6 s before."""

HOLD_STEP_S = 1.0
"""A hold on memory moves on in steps of this."""

Key = tuple[Rule, int]
"""A rule and the track it speaks of."""


@dataclass(slots=True)
class _Track:
    """What is kept for one track. ``folder`` is None until something is on disk."""

    folder: Path | None = None
    stills: dict[int, Path] = field(default_factory=dict)
    reel: Reel | None = None
    holds: list[int] = field(default_factory=list)
    held_from_s: float = 0.0


class KeptTracks:
    """Obeys Keep and Release for the tracks of one segment; ``root`` is a scratch folder that a crash may leave
    behind, and that the segments of other cameras may share.

    A Keep with ``cut_now`` has its frame decoded and put on disk as PNG at once; its track is taken for a
    standing one and gets a reel. Any other Keep holds the packets around its frame in memory. One track
    has at most as many stills as its rule asks for; what is not used is deleted on Release.
    """

    def __init__(self, root: Path, footage: Footage[Any], disk: Disk) -> None:
        self._root = root
        self._footage = footage
        self._disk = disk
        self._tracks: dict[Key, _Track] = {}

    def keep(self, keep: Keep) -> None:
        """The still of a ``cut_now`` Keep is on disk, where its frame can be had. Raises DiskFullError and DiskError."""
        if keep.cut_now and keep.role is PhotoRole.FIRST:
            self.release(keep.rule, keep.track_id)
        track = self._tracks.setdefault((keep.rule, keep.track_id), _Track())
        if not keep.cut_now:
            track.holds.append(self._footage.hold_from(keep.stamp.media_s - BEFORE_S))
            return
        if track.folder is None:
            track.folder = self._root / _folder_name(keep)
            self._disk.remove(track.folder)
            self._disk.make_folder(track.folder)
        if keep.role is PhotoRole.FIRST:
            self._hold(track, keep.stamp.media_s - ARRIVAL_BEFORE_S)
            track.reel = Reel(keep.stamp.media_s, track.folder, self._disk)
        try:
            frame = self._footage.decode_frame(keep.stamp)
        except StoplineError:
            return  # the package will say that its photo is missing
        path = track.folder / f"frame-{keep.stamp.segment}-{keep.stamp.index}.png"
        self._disk.write(path, lossless(frame))
        track.stills[keep.stamp.index] = path

    def advance(self, now_s: float) -> None:
        """The reels have what is due, and memory holds no more of the standing tracks than it needs."""
        for track in self._tracks.values():
            if track.reel is not None:
                track.reel.advance(self._footage, now_s)
                from_s = now_s - STANDING_MEMORY_S
                if from_s - track.held_from_s >= HOLD_STEP_S:
                    self._hold(track, from_s)

    def frame(self, rule: Rule, track_id: int, stamp: FrameStamp) -> Pixels:
        """The frame as it was decoded: from its still where one was cut, else from the packets.

        Raises what ``Footage.decode_frame`` raises, DiskError and PictureError for a lost still.
        """
        track = self._tracks.get((rule, track_id))
        path = None if track is None else track.stills.get(stamp.index)
        if path is None:
            return self._footage.decode_frame(stamp)
        return from_file(self._disk.read(path))

    def take_reel(self, rule: Rule, track_id: int) -> tuple[Reel, Path] | None:
        """The track's reel and the folder it lies in, which the caller deletes when done; None where there is none."""
        track = self._tracks.get((rule, track_id))
        if track is None or track.reel is None or track.folder is None:
            return None
        taken = (track.reel, track.folder)
        track.reel, track.folder, track.stills = None, None, {}
        return taken

    def release(self, rule: Rule, track_id: int) -> None:
        """Nothing is kept for the track any more."""
        track = self._tracks.pop((rule, track_id), None)
        if track is None:
            return
        for hold in track.holds:
            self._footage.release(hold)
        if track.folder is not None:
            self._disk.remove(track.folder)

    def clear(self) -> None:
        """Nothing is kept for any track of this segment; the scratch folder is gone, unless another segment uses it."""
        for rule, track_id in tuple(self._tracks):
            self.release(rule, track_id)
        self._disk.remove_empty(self._root)

    def _hold(self, track: _Track, from_s: float) -> None:
        """Memory holds from ``from_s`` on; an earlier hold of the track ends."""
        fresh = self._footage.hold_from(from_s)
        for hold in track.holds:
            self._footage.release(hold)
        track.holds, track.held_from_s = [fresh], from_s


def _folder_name(keep: Keep) -> str:
    """Another one for every track of every segment of every camera, and for every stay of a vehicle."""
    stamp = keep.stamp
    return checked(f"{stamp.camera_id}-s{stamp.segment}-{keep.rule.value}-t{keep.track_id}-f{stamp.index}")
