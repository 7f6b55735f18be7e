"""The reel of a standing vehicle: its arrival and a keyframe every ten seconds, put on disk before the packets are gone."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

from evidence.clip import (
    ARRIVAL_AFTER_S,
    ARRIVAL_BEFORE_S,
    EVERY_S,
    Part,
    TimedPacket,
    cut,
    joined,
    keyframe_at,
)
from evidence.durable import Disk
from evidence.errors import DiskError, EvidenceError
from evidence.ports import Footage, P
from rules.errors import StoplineError

MOST_BYTES = 64 * 1024 * 1024
"""Half an hour of keyframes of a 4K camera; past it no more are kept, and the clip says so."""

HEAD = struct.Struct("<dqqqq?q")
"""media_s, pts, duration, time base (numerator, denominator), keyframe, size."""


class ReelError(EvidenceError):
    """What was put on disk for a reel is not there as it was written."""

    code = "reel"


class Reel:
    """What of one standing vehicle's footage goes into its clip besides the event itself.

    ``arrived_s`` is the media second of its first photo. ``advance`` is called as the footage grows;
    ``parts_with`` joins what was gathered to the event.
    """

    def __init__(self, arrived_s: float, folder: Path, disk: Disk, most_bytes: int = MOST_BYTES) -> None:
        """``folder`` exists and is this reel's alone."""
        self._arrived_s = arrived_s
        self._folder = folder
        self._disk = disk
        self._most_bytes = most_bytes
        self._files: list[Path] = []
        self._bytes = 0
        self._has_arrival = False
        self._next_s = arrived_s + ARRIVAL_AFTER_S
        self._gone_s: list[float] = []
        self._full_from_s: float | None = None

    def advance(self, footage: Footage[P], now_s: float) -> None:
        """Everything that is due at ``now_s`` is on disk. Raises DiskFullError and DiskError."""
        while self._next_s <= now_s and self._full_from_s is None:
            part = self._due(footage)
            if part is not None:
                self._put(part)
            self._next_s += EVERY_S

    @property
    def lost(self) -> tuple[str, ...]:
        """Sentences about what could not be had."""
        sentences = []
        if self._gone_s:
            more = f" and at {len(self._gone_s) - 1} later moments" if len(self._gone_s) > 1 else ""
            sentences.append(
                f"what was shown around {self._gone_s[0]:.1f} s{more} was gone before it was kept"
            )
        if self._full_from_s is not None:
            sentences.append(f"from {self._full_from_s:.1f} s on no more keyframes fitted into the clip")
        return tuple(sentences)

    def parts_with(self, event: Part) -> tuple[Part, ...]:
        """The arrival, one keyframe every ten seconds, the event. Raises ReelError."""
        arrival = None
        between: list[TimedPacket] = []
        for path in self._files:
            packets = _read(path, self._disk)
            if path.stem.startswith("arrival"):
                arrival = Part(what="arrival", packets=packets)
            else:
                between += packets
        return joined(arrival, between, event)

    def _due(self, footage: Footage[P]) -> Part | None:
        try:
            if not self._has_arrival:
                self._has_arrival = True
                return cut(footage, "arrival", self._arrived_s - ARRIVAL_BEFORE_S, self._next_s)
            return Part(what="interval", packets=(keyframe_at(footage, self._next_s),))
        except StoplineError:
            self._gone_s.append(self._next_s)
            return None

    def _put(self, part: Part) -> None:
        data = b"".join(_packed(packet) for packet in part.packets)
        if self._bytes + len(data) > self._most_bytes:
            self._full_from_s = self._next_s
            return
        path = self._folder / f"{part.what}-{len(self._files):05d}.packets"
        self._disk.write(path, data)
        self._files.append(path)
        self._bytes += len(data)


def _packed(packet: TimedPacket) -> bytes:
    base = packet.time_base
    head = HEAD.pack(
        packet.media_s,
        packet.pts,
        packet.duration,
        base.numerator,
        base.denominator,
        packet.is_keyframe,
        len(packet.data),
    )
    return head + packet.data


def _read(path: Path, disk: Disk) -> tuple[TimedPacket, ...]:
    packets = []
    try:
        data = disk.read(path)
        at = 0
        while at < len(data):
            media_s, pts, duration, numerator, denominator, is_keyframe, size = HEAD.unpack_from(data, at)
            at += HEAD.size
            packets.append(
                TimedPacket(
                    media_s=media_s,
                    pts=pts,
                    duration=duration,
                    is_keyframe=is_keyframe,
                    time_base=Fraction(numerator, denominator),
                    data=data[at : at + size],
                )
            )
            at += size
    except (DiskError, struct.error, ZeroDivisionError) as exc:
        raise ReelError(f"{path.name} cannot be read ({exc})") from exc
    return tuple(packets)
