"""Looks at a camera's small stream and keeps the packets of its large one, from which photos, clips and plates are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from ingest.decoding import Skipped, Traffic
from ingest.errors import FrameGoneError, StreamEndedError
from ingest.frame import Packet, Pixels
from ingest.large_stream import LargeStream
from ingest.networks import CameraNetworks, Resolve, resolve_host
from ingest.packet_ring import PacketRing
from ingest.picture import DecodedFrame
from ingest.ports import Clock
from ingest.rtsp_source import RtspSource, Transport
from rules.observation import FrameStamp

NEAR_S = 0.1
"""A picture of the large stream shows the moment of one of the small stream when it is no further away than this."""

SHAPE = 0.02
"""How much the two pictures' proportions may differ: sizes are rounded to multiples of 8 or 16."""


class PairedRing(PacketRing):
    """A packet ring of the large stream that is asked in the small one's media time."""

    def __init__(self) -> None:
        super().__init__()
        self.shift_s = 0.0
        """How much later the same moment is in the large stream's media time."""

    @property
    def kept_s(self) -> tuple[float, float] | None:
        kept_s = super().kept_s
        return None if kept_s is None else (kept_s[0] - self.shift_s, kept_s[1] - self.shift_s)

    def hold_from(self, media_s: float) -> int:
        return super().hold_from(media_s + self.shift_s)

    def media_s_of(self, packet: Packet) -> float:
        return super().media_s_of(packet) - self.shift_s

    def packets_between(self, from_s: float, to_s: float) -> tuple[Packet, ...]:
        return super().packets_between(from_s + self.shift_s, to_s + self.shift_s)

    def decode_frame(self, stamp: FrameStamp) -> Pixels:
        """The picture of the large stream that shows that moment. Raises FrameGoneError where none does, or it is gone."""
        found = self.frame_near(stamp.media_s + self.shift_s)
        if found is None or abs(found[1] - stamp.media_s - self.shift_s) > NEAR_S:
            raise FrameGoneError(stamp, self.kept_s)
        return super().decode_frame(replace(stamp, index=found[0]))

    def newest(self, stamp: FrameStamp, within_s: float) -> tuple[Pixels, float] | None:
        """The last picture up to that moment and the small stream's media time that it shows; None where it is older."""
        found = self.frame_near(stamp.media_s + self.shift_s, not_after=True)
        if found is None or stamp.media_s + self.shift_s - found[1] > within_s:
            return None
        with suppress(FrameGoneError):
            return super().decode_frame(replace(stamp, index=found[0])), found[1] - self.shift_s
        return None


class PairedSource:
    """Two connections to one camera as one source: the frames are those of the small stream, in its media time.

    ``size_px`` is the large picture's. Nothing of the large stream is decoded until somebody asks the ring. Where one of the
    two ends, both do. Raises what RtspSource raises.
    """

    def __init__(
        self,
        url: str,
        small_url: str,
        *,
        camera_id: str,
        clock: Clock,
        segment: int,
        packet_ring: PairedRing,
        open_timeout_s: float = 10.0,
        read_timeout_s: float = 10.0,
        transport: Transport = Transport.TCP,
        networks: CameraNetworks | None = None,
        resolve: Resolve = resolve_host,
        on_thread: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._ring = packet_ring
        self._ended: str | None = None
        self._large = LargeStream(
            url,
            clock=clock,
            segment=segment,
            ring=packet_ring,
            open_timeout_s=open_timeout_s,
            silence_s=read_timeout_s,
            transport=transport,
            networks=networks,
            resolve=resolve,
            on_thread=on_thread,
        )
        try:
            self._small = RtspSource(
                small_url,
                camera_id=camera_id,
                clock=clock,
                segment=segment,
                open_timeout_s=open_timeout_s,
                read_timeout_s=read_timeout_s,
                transport=transport,
                networks=networks,
                resolve=resolve,
                on_thread=on_thread,
            )
        except BaseException:
            self._large.close()
            raise
        (width, height), (small_width, small_height) = self.size_px, self.small_px
        if abs(small_width * height / (small_height * width) - 1.0) > SHAPE:
            self.close()
            raise StreamEndedError(
                self._large.name,
                f"its small picture, {small_width}x{small_height} px, has another shape than its large one, {width}x{height} px",
            )

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the large picture."""
        return self._large.size_px

    @property
    def small_px(self) -> tuple[int, int]:
        """(width, height) of the frames."""
        return self._small.size_px

    @property
    def length_s(self) -> float | None:
        return None

    @property
    def skipped(self) -> Skipped:
        return self._small.skipped

    @property
    def traffic(self) -> Traffic:
        return self._small.traffic

    @property
    def lag_s(self) -> float:
        return self._small.lag_s

    def skip_to_keyframe(self) -> None:
        self._small.skip_to_keyframe()

    @property
    def damage(self) -> str | None:
        """As a FrameSource promises."""
        return self._ended or self._small.damage

    def frames(self) -> Iterator[DecodedFrame]:
        """The small stream's frames; before each, the ring has what had come of the large one."""
        for frame in self._small.frames():
            self._large.take()
            self._ended = self._large.ended()
            if self._ended is not None:
                return
            self._ring.shift_s = self._shift_s(frame.stamp)
            yield frame

    def close(self) -> None:
        """Ends both connections."""
        self._small.close()
        self._large.close()

    def _shift_s(self, stamp: FrameStamp) -> float:
        """By the camera's clock where it told it for both streams, else by when their packets came."""
        by_camera, by_arrival = self._large.offsets_s
        if by_camera is not None and self._small.camera_offset_s is not None:
            return self._small.camera_offset_s - by_camera
        if by_arrival is None or self._small.arrival_offset_s is None:
            return 0.0
        return self._small.arrival_offset_s - by_arrival
