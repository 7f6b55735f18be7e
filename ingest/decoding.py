"""Reads one segment: packets into the ring, pictures out in presentation order, and an account of what was not usable."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from ingest.frame import Packet, StreamParameters
from ingest.packet_pump import PacketPump, SilenceError, TooSlowError
from ingest.packet_ring import PacketRing
from ingest.soundness import Soundness
from ingest.timeline import Misplaced, Timeline

DEFAULT_RATE = Fraction(25)
"""Pictures per second where neither the stream nor its container says anything: PAL's, as FFmpeg assumes."""

STAMPED_IN_DECODING_ORDER = ("avi",)
"""Containers whose only stamps are those of decoding: there the decoder's own clock (``dts``) is the better one."""

NO_TAG = "\0\0\0\0"

IN_FLIGHT = 32
"""Packets that a decoder may hold back: 16 pictures of reordering (H.264, H.265) of two fields each. What is
older will give no picture any more."""

CUT_TOLERANCE_S = 0.5
"""A recording is called short when this much of its declared length is missing; headers round to less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What one segment held and nobody was shown, by cause; and how many shown pictures carried no stamp.

    ``packets_damaged``: flagged by the container, or refused by the decoder. ``packets_skipped``: not decoded
    since the machine was too slow. ``frames_damaged``: decoded with errors. ``frames_doubtful``: sound by
    themselves, but between a damage and the next keyframe, so built on what was damaged.
    ``frames_not_advancing``: not later than the picture before.
    """

    packets_damaged: int = 0
    packets_skipped: int = 0
    frames_damaged: int = 0
    frames_doubtful: int = 0
    frames_not_advancing: int = 0
    frames_undated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What came of one segment so far, sound or not. ``keyframe_s``: seconds between keyframes, None where fewer than two came."""

    packets: int
    keyframe_s: float | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a picture must know of the packet that it came from."""

    number: int
    stamp: int | None
    arrived_at: datetime | None
    camera_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture with its place in the segment. ``arrived_at`` and ``camera_at`` (RTCP) are of live streams only."""

    picture: av.VideoFrame
    index: int
    media_s: float
    arrived_at: datetime | None
    camera_at: datetime | None


class SegmentReader:
    """Decodes the video of an open container, once, from where it stands to its end.

    Nothing is shown that may not be what the camera saw: pictures decoded with errors, and those that
    build on them, are skipped up to the next keyframe. The segment ends early, and ``ending`` says so,
    where its clock begins anew or its picture changes size.

    Packets go through the decoder under their number instead of their stamp, so that a picture is known
    to be of its packet also where stamps are missing, wrong or double.

    It decodes on the caller's thread: with frame threads FFmpeg marks a picture as damaged or not
    depending on which thread was faster, and a replay would not be the same twice.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        *,
        segment: int,
        ring: PacketRing | None,
        pump: PacketPump | None = None,
        until_s: float | None = None,
        is_cut: bool = False,
    ) -> None:
        """``pump`` (live streams) reads the packets; ``until_s`` ends the segment at that media time.

        ``is_cut``: the recording is known to break off within its last packet, which FFmpeg may not notice.
        """
        self._container = container
        self._stream = stream
        self._segment = segment
        self._ring = ring
        self._pump = pump
        self._until_s = until_s
        self._is_cut = is_cut
        self._time_base = stream.time_base or Fraction(1, 90_000)
        self._timeline = Timeline(self._time_base, 1 / (stream.average_rate or DEFAULT_RATE))
        self._uses_dts = container.format.name in STAMPED_IN_DECODING_ORDER
        self._size_px: tuple[int, int] | None = None
        self.skipped = Skipped()
        self._sent: dict[int, _Sent] = {}
        stream.thread_type = "SLICE"
        stream.thread_count = 1
        self._has_begun = False
        self._soundness = Soundness()
        self._first_stamp: int | None = None
        self._end_stamp: int | None = None
        self.packets = 0
        self._key_stamps: tuple[int, int, int] | None = None
        self._size_bytes = 0
        self.last_packet_damaged = False
        self.reached_until = False
        self.ending: str | None = None
        self.failure: Exception | None = None
        self._skips_to_keyframe = False
        self._resumed_at = self._shown = 0
        if ring is not None:
            ring.begin(segment, parameters_of(stream))

    @property
    def traffic(self) -> Traffic:
        keyframe_s = None
        if self._key_stamps is not None and self._key_stamps[2]:
            first, last, intervals = self._key_stamps
            keyframe_s = float((last - first) * self._time_base / intervals)
        return Traffic(packets=self.packets, keyframe_s=keyframe_s, size_bytes=self._size_bytes)

    @property
    def last_s(self) -> float:
        """Media seconds of the last picture shown."""
        return self._timeline.last_s

    @property
    def covered_s(self) -> float:
        """Seconds from the first stamp read to the end of the last packet; 0.0 where packets carry no stamps."""
        if self._first_stamp is None or self._end_stamp is None:
            return 0.0
        return float((self._end_stamp - self._first_stamp) * self._time_base)

    def skip_to_keyframe(self) -> None:
        """Nothing is decoded up to the next keyframe, for want of time; the ring gets the packets all the same.

        Without effect until the keyframe of the last time was shown: what comes before it was in the decoder, and says
        nothing about how far behind it will be.
        """
        if self._shown >= self._resumed_at:
            self._skips_to_keyframe = True

    def pictures(self) -> Iterator[Picture]:
        """Each picture of the segment once, in presentation order, media time rising."""
        index = 0
        for picture, sent in self._sound():
            size_px = (picture.width, picture.height)
            if self._size_px not in (None, size_px):
                self.ending = (
                    f"the picture changes its size after {self.last_s:.2f} s; what follows was not analysed"
                )
                return
            stamp = picture.dts if self._uses_dts else sent.stamp
            media_s = self._timeline.place(stamp, picture.duration)
            if media_s is Misplaced.NOT_ADVANCING:
                self._count("frames_not_advancing")
                continue
            if media_s is Misplaced.RESTARTED:
                self.ending = (
                    f"the clock begins anew after {self.last_s:.2f} s; what follows was not analysed"
                )
                return
            if self._until_s is not None and media_s >= self._until_s:
                self.reached_until = True
                return
            if stamp is None and not self._uses_dts:
                self._count("frames_undated")
            self._size_px = size_px
            self._shown = max(self._shown, sent.number)
            if self._ring is not None:
                self._ring.framed(sent.number, index, media_s)
            yield Picture(
                picture=picture,
                index=index,
                media_s=media_s,
                arrived_at=sent.arrived_at,
                camera_at=sent.camera_at,
            )
            index += 1

    def _sound(self) -> Iterator[tuple[av.VideoFrame, _Sent]]:
        """The pictures that are as the camera saw them.

        Each waits until all packets before its own have been decoded: only then it is known whether
        something that it builds on, but that is shown later, was damaged.
        """
        waiting: deque[tuple[av.VideoFrame, _Sent]] = deque()
        for picture in self._decoded():
            sent = self._sent.pop(picture.pts, None) if picture.pts is not None else None
            if sent is None:
                continue
            if picture.is_corrupt:
                self._count("frames_damaged")
                self._soundness.note_damage(sent.number)
            else:
                if picture.key_frame:
                    self._soundness.note_keyframe(sent.number, sent.stamp)
                waiting.append((picture, sent))
            while waiting and waiting[0][1].number < next(iter(self._sent), self.packets):
                yield from self._if_sound(*waiting.popleft())
        for picture, sent in waiting:
            yield from self._if_sound(picture, sent)

    def _if_sound(self, picture: av.VideoFrame, sent: _Sent) -> Iterator[tuple[av.VideoFrame, _Sent]]:
        if self._soundness.is_sound(sent.number, sent.stamp):
            yield picture, sent
        else:
            self._count("frames_doubtful")
        self._soundness.forget_before(sent.number - IN_FLIGHT)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        for packet in self._packets():
            try:
                yield from self._stream.codec_context.decode(packet)
            except EOFError:
                return
            except FFmpegError:
                self._count("packets_damaged")
                self._soundness.note_damage(self.packets - 1)
                self._sent.pop(self.packets - 1, None)

    def _packets(self) -> Iterator[av.Packet[VideoStream] | None]:
        """The packets worth decoding, then None to drain the decoder."""
        try:
            for packet, is_cut, arrived_at in self._demuxed():
                number = self.packets
                self.packets += 1
                self._size_bytes += packet.size
                self._note_span(packet)
                self.last_packet_damaged = packet.is_corrupt or is_cut
                if self.last_packet_damaged:
                    self._count("packets_damaged")
                    self._soundness.note_damage(number)
                    continue
                self._keep(number, packet)
                if self._skips_to_keyframe and not packet.is_keyframe:
                    self._count("packets_skipped")
                    self._soundness.note_damage(number)
                    continue
                if self._skips_to_keyframe:
                    self._skips_to_keyframe, self._resumed_at = False, number
                self._send(number, packet, arrived_at)
                yield packet
        except EOFError:
            pass
        except (FFmpegError, SilenceError, TooSlowError) as error:
            self.failure = error
        yield None

    def _demuxed(self) -> Iterator[tuple[av.Packet[VideoStream], bool, datetime | None]]:
        """The packets that hold something, whether it is the last one of a recording cut within it, and when it came."""
        if self._pump is not None:
            yield from ((arrived.packet, False, arrived.at) for arrived in self._pump.packets())
            return
        packets = (packet for packet in self._container.demux(self._stream) if packet.size)
        if not self._is_cut:
            yield from ((packet, False, None) for packet in packets)
            return
        before = next(packets, None)
        for packet in packets:
            if before is not None:
                yield before, False, None
            before = packet
        if before is not None:
            yield before, True, None

    def _keep(self, number: int, packet: av.Packet[VideoStream]) -> None:
        if self._ring is not None:
            self._ring.add(number, retained(packet, self._segment, self._time_base))

    def _send(self, number: int, packet: av.Packet[VideoStream], arrived_at: datetime | None) -> None:
        """Keeps what the packet's picture must know; then numbers it."""
        if packet.is_keyframe:
            self._soundness.note_keyframe(number, packet.pts)
        elif not self._has_begun:
            self._soundness.note_damage(number)
        self._has_begun = True
        if not packet.is_discard:
            self._sent[number] = _Sent(
                number=number,
                stamp=packet.pts,
                arrived_at=arrived_at,
                camera_at=None if arrived_at is None else camera_time(packet),
            )
        self._sent.pop(number - IN_FLIGHT, None)
        packet.pts = number

    def _note_span(self, packet: av.Packet[VideoStream]) -> None:
        if packet.pts is None:
            return
        if packet.is_keyframe:
            first, _, intervals = self._key_stamps or (packet.pts, packet.pts, -1)
            self._key_stamps = (first, packet.pts, intervals + 1)
        end = packet.pts + (packet.duration or 0)
        self._first_stamp = packet.pts if self._first_stamp is None else min(self._first_stamp, packet.pts)
        self._end_stamp = end if self._end_stamp is None else max(self._end_stamp, end)

    def _count(self, cause: str) -> None:
        """``cause`` names the field of ``Skipped``."""
        self.skipped = replace(self.skipped, **{cause: getattr(self.skipped, cause) + 1})


def parameters_of(stream: VideoStream) -> StreamParameters:
    """What decoding and muxing the stream's packets elsewhere needs; also when its container is closed."""
    codec = stream.codec_context
    try:
        tag = codec.codec_tag
    except UnicodeDecodeError:
        tag = NO_TAG
    file = io.BytesIO()
    with av.open(file, "w", format="nut") as container:
        copy = container.add_stream_from_template(stream, opaque=True)
        packet = av.Packet(b"\0")
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = copy, 0, 0, True
        container.mux(packet)
    return StreamParameters(
        codec_name=codec.codec.name,
        codec_tag=tag,
        extradata=codec.extradata,
        width=codec.width,
        height=codec.height,
        pixel_format=codec.pix_fmt,
        time_base=stream.time_base or Fraction(1, 90_000),
        frame_rate=stream.average_rate,
        template=file.getvalue(),
    )


def retained(packet: av.Packet[VideoStream], segment: int, time_base: Fraction) -> Packet:
    """A copy of the packet for the ring."""
    return Packet(
        segment=segment,
        pts=packet.pts,
        dts=packet.dts,
        duration=packet.duration or 0,
        is_keyframe=packet.is_keyframe,
        time_base=time_base,
        data=bytes(packet),
    )


def camera_time(packet: av.Packet[VideoStream]) -> datetime | None:
    """When the camera took the picture, by its own clock: RTCP's wall clock in microseconds since 1970 (FFmpeg: ``prft``)."""
    if not packet.has_sidedata("prft"):
        return None
    wall_clock_us = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little", signed=True)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_clock_us)
