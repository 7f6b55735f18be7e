"""Keeps the last compressed packets of one segment, so that stills and clips can be made when a rule asks for them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from fractions import Fraction

from av import VideoFrame

from ingest.errors import FrameGoneError, PacketsGoneError
from ingest.frame import Packet, Pixels, StreamParameters
from ingest.picture import to_bgr
from ingest.redecode import Redecoding
from rules.observation import FrameStamp

DEFAULT_HOLD_S = 30.0
"""Covers a clip of 6 s before to 6 s after and a rule that speaks up to 18 s late."""

DEFAULT_MAX_BYTES = 256 * 1024 * 1024
"""80 s of a stream of 25 Mbit/s, the most that a 4K camera sends; eight cameras still fit into 2 GiB."""

PACKET_OVERHEAD_BYTES = 400
"""What one retained packet costs besides its data, so that many tiny packets are bounded too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drops:
    """How many packets the ring let go, by cause.

    ``aged``: older than the ring's span and held by nobody, as meant. ``over_bytes``: younger, but the
    byte budget was full; ``over_bytes_held`` of them were held by somebody. ``no_keyframe``: never kept,
    since the keyframe that they build on was not.
    """

    aged: int = 0
    over_bytes: int = 0
    over_bytes_held: int = 0
    no_keyframe: int = 0


@dataclass(slots=True)
class _Entry:
    number: int
    packet: Packet
    index: int | None = None
    media_s: float | None = None


@dataclass(slots=True)
class _Group:
    """A keyframe and the packets up to the next keyframe, in decoding order."""

    entries: list[_Entry] = field(default_factory=list)
    size_bytes: int = 0

    @property
    def key(self) -> _Entry:
        return self.entries[0]


class PacketRing:
    """A bounded store of packets in decoding order, let go by whole groups of pictures, oldest first.

    It keeps ``hold_s`` of media time back from the newest frame, and what is held, as long as that fits
    into ``max_bytes``; beyond it the oldest group goes, held or not, and is counted. One segment at a time;
    used from one thread. A source fills it (``begin add framed``); evidence reads it
    (``packets_between media_s_of decode_frame hold_from release``).
    """

    def __init__(self, *, hold_s: float = DEFAULT_HOLD_S, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._hold_s = hold_s
        self._max_bytes = max_bytes
        self._segment = -1
        self._parameters: StreamParameters | None = None
        self._drops = Drops()
        self._next_hold = 0
        self._clear()

    def _clear(self) -> None:
        self._groups: deque[_Group] = deque()
        self._by_number: dict[int, _Entry] = {}
        self._by_index: dict[int, _Entry] = {}
        self._size_bytes = 0
        self._origin: Fraction | None = None
        self._newest_s = 0.0
        self._holds: dict[int, float] = {}
        self._again: tuple[int, float, Redecoding] | None = None

    def begin(self, segment: int, parameters: StreamParameters) -> None:
        """Empties the ring and its holds for a new segment; the counts of drops go on."""
        self._clear()
        self._segment = segment
        self._parameters = parameters

    def add(self, number: int, packet: Packet) -> None:
        """Keeps a packet; ``number`` counts the packets of the segment in decoding order."""
        if packet.is_keyframe:
            self._groups.append(_Group())
        elif not self._groups:
            self._count(no_keyframe=1)
            return
        group = self._groups[-1]
        entry = _Entry(number, packet)
        group.entries.append(entry)
        group.size_bytes += _cost_bytes(packet)
        self._size_bytes += _cost_bytes(packet)
        self._by_number[number] = entry
        self._trim()

    def framed(self, number: int, index: int, media_s: float) -> None:
        """Notes which frame a packet became. Without effect where the packet was let go already."""
        self._newest_s = max(self._newest_s, media_s)
        self._again = None
        entry = self._by_number.get(number)
        if entry is not None:
            entry.index, entry.media_s = index, media_s
            self._by_index[index] = entry
            if self._origin is None and entry.packet.pts is not None:
                self._origin = entry.packet.pts - Fraction(media_s) / entry.packet.time_base
        self._trim()

    @property
    def parameters(self) -> StreamParameters:
        """Of the segment's stream. Raises RuntimeError before a source has begun one."""
        if self._parameters is None:
            raise RuntimeError("no source has begun a segment in this packet ring")
        return self._parameters

    @property
    def kept_s(self) -> tuple[float, float] | None:
        """Media seconds of the first and the last frame that can be decoded again; None when there is none."""
        times = [entry.media_s for entry in self._by_index.values() if entry.media_s is not None]
        return (min(times), max(times)) if times else None

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    @property
    def drops(self) -> Drops:
        return self._drops

    def hold_from(self, media_s: float) -> int:
        """Keeps everything from that time on until ``release``, within the byte budget. Returns what to release."""
        self._next_hold += 1
        self._holds[self._next_hold] = media_s
        return self._next_hold

    def release(self, hold: int) -> None:
        """Ends a hold; one that ended already, or with its segment, is no error."""
        self._holds.pop(hold, None)
        self._trim()

    def media_s_of(self, packet: Packet) -> float:
        """Media seconds at which a packet of ``packets_between`` is shown."""
        if packet.pts is None:
            raise ValueError("not a packet of packets_between: it has no pts")
        return float((packet.pts - (self._origin or 0)) * packet.time_base)

    def packets_between(self, from_s: float, to_s: float) -> tuple[Packet, ...]:
        """The packets that show ``from_s`` to ``to_s`` (media seconds), in decoding order, ready to be muxed.

        They begin with the keyframe at or before ``from_s``, or with the first that is kept, and end with
        the last picture at or before ``to_s``; pictures after it are among them only where it builds on
        them, then without a hole. Each has a ``pts``, and a ``dts`` that rises and is at most ``pts``.
        Raises PacketsGoneError where no frame of that span is kept.
        """
        dated = [
            (entry, media_s)
            for group in self._groups
            for entry in group.entries
            if (media_s := self._time_of(entry)) is not None
        ]
        wanted = [at for at, (_, media_s) in enumerate(dated) if from_s <= media_s <= to_s]
        if not wanted:
            raise PacketsGoneError(
                f"segment {self._segment}", f"what was shown from {from_s:.3f} s to {to_s:.3f} s", self.kept_s
            )
        first = 0
        for at, (entry, media_s) in enumerate(dated[: wanted[0] + 1]):
            if entry.packet.is_keyframe and media_s <= from_s:
                first = at
        until_s = max(media_s for _, media_s in dated[first : wanted[-1] + 1])
        last = max(at for at, (_, media_s) in enumerate(dated) if from_s <= media_s <= until_s)
        return self._for_muxing(dated[first : last + 1])

    def decode_frame(self, stamp: FrameStamp) -> Pixels:
        """That frame once more, equal to what ``bgr()`` gave when it was analysed (same shape, order and bytes).

        Frames of one group cost it together what the last of them costs, when they are asked for in their order and no
        frame comes in between: the photos of a case.

        Raises FrameGoneError where its packets, or those that it builds on, are no longer kept.
        """
        entry = self._by_index.get(stamp.index)
        if entry is None or entry.media_s is None or stamp.segment != self._segment:
            raise FrameGoneError(stamp, self.kept_s)
        picture = self._further_on(entry, entry.media_s)
        if picture is not None:
            return to_bgr(picture)
        before: list[_Entry] = []
        for group in reversed(self._groups):
            before = group.entries + before
            key_s = self._time_of(group.key)
            # A picture shown before its keyframe builds on the group before.
            if group.key.number > entry.number or key_s is None or key_s > entry.media_s:
                continue
            again = Redecoding(self.parameters, [(one.number, one.packet) for one in before])
            picture = again.picture(entry.number)
            if picture is not None:
                self._again = (group.entries[-1].number, entry.media_s, again)
                return to_bgr(picture)
        raise FrameGoneError(stamp, self.kept_s)

    def _further_on(self, entry: _Entry, media_s: float) -> VideoFrame | None:
        """The picture from where the last one was decoded, where it is a later one of the same group."""
        if self._again is None:
            return None
        last_number, last_s, again = self._again
        if entry.number > last_number or media_s <= last_s:
            return None
        picture = again.picture(entry.number)
        self._again = None if picture is None else (last_number, media_s, again)
        return picture

    def frame_near(self, media_s: float, *, not_after: bool = False) -> tuple[int, float] | None:
        """Index and media time of the frame nearest to that time, of the last one up to it; None where there is none."""
        times = (
            (entry.index, entry.media_s)
            for entry in self._by_index.values()
            if entry.index is not None
            and entry.media_s is not None
            and not (not_after and entry.media_s > media_s)
        )
        return min(times, key=lambda found: abs(found[1] - media_s), default=None)

    def _time_of(self, entry: _Entry) -> float | None:
        """Media seconds at which the packet is shown: as its frame was stamped, else by its own stamp, if any."""
        if entry.media_s is not None or self._origin is None or entry.packet.pts is None:
            return entry.media_s
        return self.media_s_of(entry.packet)

    def _for_muxing(self, dated: list[tuple[_Entry, float]]) -> tuple[Packet, ...]:
        """The packets under the stamps with which their frames were analysed.

        Containers lack stamps (RTSP: of the first packet; AVI: of the presentation), so ``dts`` is made
        anew: the ``pts`` in rising order, moved back until none is after its packet's ``pts``.
        """
        origin = self._origin or Fraction(0)
        pts = [round(origin + Fraction(media_s) / entry.packet.time_base) for entry, media_s in dated]
        rising: list[int] = []
        for stamp in sorted(pts):
            rising.append(max(stamp, rising[-1] + 1) if rising else stamp)
        back = max(decoded - shown for decoded, shown in zip(rising, pts, strict=True))
        return tuple(
            replace(entry.packet, pts=shown, dts=decoded - back)
            for (entry, _), shown, decoded in zip(dated, pts, rising, strict=True)
        )

    def _trim(self) -> None:
        oldest_held_s = min(self._holds.values(), default=self._newest_s)
        wanted_from_s = min(self._newest_s - self._hold_s, oldest_held_s)
        unneeded = 0
        for at, group in enumerate(self._groups):
            key_s = self._time_of(group.key)
            if key_s is None:
                continue
            if key_s > wanted_from_s:
                break
            unneeded = at
        for _ in range(unneeded):
            self._count(aged=self._drop_oldest())
        while self._size_bytes > self._max_bytes:
            last_s = max((entry.media_s or 0.0 for entry in self._groups[0].entries), default=0.0)
            dropped = self._drop_oldest()
            was_held = bool(self._holds) and last_s >= oldest_held_s
            self._count(over_bytes=dropped, over_bytes_held=dropped if was_held else 0)

    def _drop_oldest(self) -> int:
        group = self._groups.popleft()
        self._size_bytes -= group.size_bytes
        for entry in group.entries:
            del self._by_number[entry.number]
            if entry.index is not None:
                del self._by_index[entry.index]
        return len(group.entries)

    def _count(
        self, *, aged: int = 0, over_bytes: int = 0, over_bytes_held: int = 0, no_keyframe: int = 0
    ) -> None:
        was = self._drops
        self._drops = Drops(
            aged=was.aged + aged,
            over_bytes=was.over_bytes + over_bytes,
            over_bytes_held=was.over_bytes_held + over_bytes_held,
            no_keyframe=was.no_keyframe + no_keyframe,
        )


def _cost_bytes(packet: Packet) -> int:
    return len(packet.data) + PACKET_OVERHEAD_BYTES
