"""A live camera over RTSP as a source of frames: one connection is one segment, and the end of the stream is a disconnect."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain

import av
from av.container import InputContainer
from av.error import (
    ExitError,
    FFmpegError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPOtherClientError,
    HTTPUnauthorizedError,
    InvalidDataError,
)
from av.video.stream import VideoStream

from ingest.decoding import Picture, SegmentReader, Skipped, Traffic
from ingest.errors import (
    StreamAbsurdError,
    StreamCodecError,
    StreamEndedError,
    StreamError,
    StreamNotFoundError,
    StreamNoVideoError,
    StreamRefusedError,
    StreamSilentError,
    StreamUnauthorisedError,
    StreamUnreachableError,
)
from ingest.networks import CameraNetworks, Resolve, pinned, resolve_host
from ingest.packet_pump import PacketPump, SilenceError, TooSlowError
from ingest.packet_ring import PacketRing
from ingest.picture import MOST_PX, DecodedFrame
from ingest.ports import Clock
from ingest.redact import RedactedCause, redact_text, redact_url
from ingest.sentences import account_of
from rules.observation import ClockSource, FrameStamp

CAMERA_CLOCK_ERROR_S = 0.05
"""The least error of a time by RTCP: such times were 0.04 s from the arrival on the reference machine."""

SETTLE_S = 10.0
"""In the first seconds packets come late because connecting took its time (FFmpeg estimates a rate from 20 pictures: 4.7 s at
6 a second on the reference machine). Until then a delay says nothing about the clocks beyond the error of an arrival."""

CLOCK_JUMP_S = 0.5
"""A camera's clock that leaves its pictures' own stamps by more was set anew: what follows is another segment."""

MOST_RATE = 240
"""The most pictures in a second of media time."""

MARGIN_S = 0.5
"""FFmpeg's own timeout comes so much later than the watchdog, which then says what happened."""

DRIFT = 1e-4
"""How far two clocks may run apart, as a share of the time: 100 ppm is more than two quartz clocks of the worst kind."""


QUICK = {"fpsprobesize": "1"}
"""FFmpeg else waits for 20 pictures to estimate a rate, which nobody needs: a camera that is back is seen so much sooner."""

UDP_OPTIONS = {"buffer_size": str(4 * 1024 * 1024), "reorder_queue_size": "500"}
"""A socket that holds a keyframe of a large picture, and datagrams sorted over as many as FFmpeg does unasked."""


class Transport(StrEnum):
    """How a camera sends: within the connection, or as datagrams, which may be lost."""

    TCP = "tcp"
    UDP = "udp"


class RtspSource:
    """One connection to one camera as one segment.

    Connected, and its first picture decoded, when it is made: a camera that cannot be used fails here.
    ``media_s`` counts from the first picture shown. ``captured_at`` is by arrival (error as given): media time
    placed by the packet that came with the least delay so far, since network, buffers and a busy machine
    only ever add to it. Once the camera has told its wall clock by RTCP it is that time (``rtcp``): its
    error is how far that clock and ours are apart, by the same packets, since nobody here knows which is right.
    When the camera disconnects or falls silent, ``frames()`` ends and ``damage`` says so; connecting anew
    makes a new source with the next segment number. Account and password appear nowhere. Packets are read on a
    thread of its own (``PacketPump``); everything else happens on the thread that asks for frames.

    Raises StreamOutsideError, StreamUnreachableError, StreamUnauthorisedError, StreamNotFoundError, StreamSilentError,
    StreamEndedError, StreamNoVideoError, StreamCodecError, StreamAbsurdError, StreamRefusedError.
    """

    def __init__(
        self,
        url: str,
        *,
        camera_id: str,
        clock: Clock,
        segment: int = 0,
        duration_s: float | None = None,
        open_timeout_s: float = 10.0,
        read_timeout_s: float = 10.0,
        arrival_error_s: float = 1.0,
        packet_ring: PacketRing | None = None,
        transport: Transport = Transport.TCP,
        networks: CameraNetworks | None = None,
        resolve: Resolve = resolve_host,
        on_thread: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``duration_s``: end after that much media time. ``read_timeout_s``: the age of the last packet at which the camera
        counts as silent. ``networks``: where its host must stand; None asks nothing. ``on_thread`` is told the identifier of the
        thread that reads packets.
        """
        self._url = url
        self._name = redact_url(url)
        self._camera_id = camera_id
        self._segment = segment
        self._duration_s = duration_s
        self._read_timeout_s = read_timeout_s
        self._arrival_error_s = arrival_error_s
        self._has_ended = False
        self._arrival = LeastDelay()
        self._camera_clock = LeastDelay()
        self._camera_offset_s: float | None = None
        self._jump_s: float | None = None
        self._recent: deque[float] = deque(maxlen=MOST_RATE + 1)
        self._waited_from: datetime | None = None
        target = url if networks is None else pinned(url, networks, resolve)
        container, stream = connect(target, url, clock, open_timeout_s, read_timeout_s, transport)
        self._codec = stream.codec_context.name
        self._pump = PacketPump(container, stream, clock, silence_s=read_timeout_s, on_thread=on_thread)
        try:
            size_px = (stream.codec_context.width, stream.codec_context.height)
            if max(size_px) > MOST_PX:
                raise StreamAbsurdError(self._name, f"pictures of {size_px[0]}x{size_px[1]} px")
            self._reader = SegmentReader(
                container, stream, segment=segment, ring=packet_ring, pump=self._pump, until_s=duration_s
            )
            pictures = self._reader.pictures()
            first = self._first_of(pictures)
        except BaseException:
            self._pump.close()
            raise
        self._size_px = (first.picture.width, first.picture.height)
        self._pictures: Iterator[Picture] | None = chain([first], pictures)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of every picture of the segment."""
        return self._size_px

    @property
    def length_s(self) -> float | None:
        """How much media time to expect; None for as long as the camera sends."""
        return self._duration_s

    @property
    def codec(self) -> str:
        """The decoder's name: ``h264``, ``hevc``."""
        return self._codec

    @property
    def traffic(self) -> Traffic:
        return self._reader.traffic

    @property
    def skipped(self) -> Skipped:
        return self._reader.skipped

    @property
    def damage(self) -> str | None:
        """As a FrameSource promises; a disconnect is one."""
        has_lost_it = self._has_ended and not self._reader.reached_until
        skipped = self._reader.skipped
        # FFmpeg gives the first packet over RTSP no stamp: not worth a word.
        skipped = replace(skipped, frames_undated=max(skipped.frames_undated - 1, 0))
        return account_of(self._ending() if has_lost_it else None, skipped)

    def frames(self) -> Iterator[DecodedFrame]:
        """Each picture once, in presentation order, as it comes. Raises RuntimeError when asked for a second time."""
        if self._pictures is None:
            raise RuntimeError(f"{self._name}: its frames were read already")
        pictures, self._pictures = self._pictures, None
        for picture in pictures:
            if self._has_jumped(picture):
                break
            self._waited_from = picture.arrived_at
            self._recent.append(picture.media_s)
            if len(self._recent) > MOST_RATE and self._recent[-1] - self._recent[0] < 1.0:
                raise StreamAbsurdError(self._name, f"more than {MOST_RATE} pictures in a second")
            yield self._frame(picture)
        self._has_ended = True

    @property
    def camera_offset_s(self) -> float | None:
        """The camera's clock less media time, as of the last frame; None until it tells it."""
        return self._camera_offset_s

    @property
    def arrival_offset_s(self) -> float | None:
        """Our clock less media time, by the packet that came with the least delay."""
        return self._arrival.least_s

    @property
    def lag_s(self) -> float:
        """How far the frame given out last is behind what has come from the camera."""
        return 0.0 if self._waited_from is None else self._pump.waited_s(self._waited_from)

    def skip_to_keyframe(self) -> None:
        """Nothing is decoded up to the next keyframe, for want of time; the packet ring gets the packets all the same."""
        self._reader.skip_to_keyframe()

    def close(self) -> None:
        """Ends the connection, also while another thread waits for a frame; frames that were given out stay valid."""
        self._pump.close()

    def _frame(self, picture: Picture) -> DecodedFrame:
        captured_at, clock_source, error_s = self._wall_clock(picture)
        stamp = FrameStamp(
            camera_id=self._camera_id,
            segment=self._segment,
            index=picture.index,
            media_s=picture.media_s,
            captured_at=captured_at,
            clock_source=clock_source,
            error_s=error_s,
        )
        return DecodedFrame(picture.picture, stamp)

    def _has_jumped(self, picture: Picture) -> bool:
        """Whether the camera's clock was set anew: from there on nothing is the same segment."""
        if picture.camera_at is None:
            return False
        offset_s = picture.camera_at.timestamp() - picture.media_s
        before_s, self._camera_offset_s = self._camera_offset_s, offset_s
        if before_s is not None and abs(offset_s - before_s) > CLOCK_JUMP_S:
            self._jump_s = offset_s - before_s
        return self._jump_s is not None

    def _wall_clock(self, picture: Picture) -> tuple[datetime | None, ClockSource, float]:
        if picture.arrived_at is None:
            return None, ClockSource.ARRIVAL, self._arrival_error_s
        arrived_s, media_s = picture.arrived_at.timestamp(), picture.media_s
        offset_s = self._arrival.after(arrived_s - media_s, media_s)
        if picture.camera_at is None:
            captured_at = datetime.fromtimestamp(media_s + offset_s, tz=UTC)
            return captured_at, ClockSource.ARRIVAL, self._arrival_error_s
        apart_s = self._camera_clock.after(arrived_s - picture.camera_at.timestamp(), media_s)
        error_s = max(abs(apart_s), CAMERA_CLOCK_ERROR_S)
        if media_s < SETTLE_S and 0.0 < apart_s < SETTLE_S:
            error_s = min(error_s, self._arrival_error_s)
        return picture.camera_at, ClockSource.RTCP, error_s

    def _first_of(self, pictures: Iterator[Picture]) -> Picture:
        error: StreamError
        first = next(pictures, None)
        if first is not None:
            return first
        failure = self._reader.failure
        if _is_silence(failure):
            error = StreamSilentError(self._name, self._read_timeout_s)
        else:
            error = StreamEndedError(self._name, self._ending())
        raise error from (RedactedCause(failure, self._url) if failure else None)

    def _ending(self) -> str:
        reader = self._reader
        if self._jump_s is not None:
            return f"the camera's clock jumped by {self._jump_s:+.1f} s after {reader.last_s:.2f} s"
        if reader.ending:
            return reader.ending
        if _is_silence(reader.failure):
            return f"the camera fell silent after {reader.last_s:.2f} s"
        if isinstance(reader.failure, TooSlowError):
            return f"this machine was too slow for the camera after {reader.last_s:.2f} s; too many packets waited"
        if reader.failure:
            reason = redact_text(getattr(reader.failure, "strerror", None) or "unknown", self._url)
            return f"the connection failed after {reader.last_s:.2f} s ({reason})"
        return f"the camera ended the stream after {reader.last_s:.2f} s"


class LeastDelay:
    """The least of the delays so far, which may grow again by no more than clocks drift."""

    def __init__(self) -> None:
        self._least_s: float | None = None
        self._at_s = 0.0

    @property
    def least_s(self) -> float | None:
        """None before the first."""
        return self._least_s

    def after(self, delay_s: float, media_s: float) -> float:
        """The least delay after one more was seen at ``media_s``."""
        if self._least_s is not None:
            delay_s = min(delay_s, self._least_s + DRIFT * (media_s - self._at_s))
        self._least_s, self._at_s = delay_s, media_s
        return delay_s


def connect(
    target: str, url: str, clock: Clock, open_timeout_s: float, read_timeout_s: float, transport: Transport
) -> tuple[InputContainer, VideoStream]:
    """The open container and its best video stream; errors name ``url`` without its secrets. Raises StreamError."""
    options = {"rtsp_transport": transport.value, "allowed_media_types": "video", **QUICK}
    if transport is Transport.UDP:
        options |= UDP_OPTIONS
    failure: FFmpegError | None = None
    began_at = clock.now()
    try:
        container = av.open(target, "r", options=options, timeout=(open_timeout_s, read_timeout_s + MARGIN_S))
    except FFmpegError as error:
        failure = error
    if isinstance(failure, HTTPOtherClientError) and _has_no_video(target, open_timeout_s):
        raise StreamNoVideoError(redact_url(url)) from RedactedCause(failure, target)
    if failure is not None:
        waited_s = (clock.now() - began_at).total_seconds()
        # Raised out here, so that the vendor's error, whose text has the password, is not even its context.
        raise _translated(url, failure, waited_s, open_timeout_s) from RedactedCause(failure, target)
    stream = container.streams.best("video")
    if isinstance(stream, VideoStream) and stream.codec_context is not None:
        return container, stream
    videos = [one for one in container.streams if one.type == "video"]
    with suppress(FFmpegError):
        container.close()
    if videos:
        raise StreamCodecError(redact_url(url), "it is unknown here")
    raise StreamNoVideoError(redact_url(url))


def _has_no_video(target: str, timeout_s: float) -> bool:
    """Whether the camera has a stream, but none with a picture: FFmpeg then asks it to play nothing, which it refuses."""
    try:
        with av.open(target, "r", options={"rtsp_transport": "tcp"}, timeout=timeout_s) as container:
            return all(one.type != "video" for one in container.streams)
    except FFmpegError:
        return False


def _is_silence(failure: Exception | None) -> bool:
    return isinstance(failure, TimeoutError | ExitError | SilenceError)


def _translated(url: str, failure: FFmpegError, waited_s: float, open_timeout_s: float) -> StreamError:
    name = redact_url(url)
    reason = redact_text(failure.strerror or type(failure).__name__, url)
    if isinstance(failure, HTTPUnauthorizedError | HTTPForbiddenError):
        return StreamUnauthorisedError(name)
    if isinstance(failure, HTTPNotFoundError):
        return StreamNotFoundError(name)
    # A silence that was interrupted while FFmpeg waited for an answer counts there as an invalid answer.
    gave_up = isinstance(failure, InvalidDataError) and waited_s >= open_timeout_s
    if gave_up or isinstance(failure, TimeoutError | ExitError):
        return StreamSilentError(name, open_timeout_s)
    if isinstance(failure, InvalidDataError):
        return StreamRefusedError(name, reason)
    if isinstance(failure, OSError):
        return StreamUnreachableError(name, reason)
    return StreamRefusedError(name, reason)
