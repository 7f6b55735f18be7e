"""A live camera over RTSP as a source of frames: one connection is one segment, and the end of the stream is a disconnect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

import av
from av.container import InputContainer
from av.error import (
    ExitError,
    FFmpegError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPUnauthorizedError,
    InvalidDataError,
)
from av.video.stream import VideoStream

from ingest.decoding import Picture, SegmentReader, Skipped
from ingest.errors import (
    StreamEndedError,
    StreamError,
    StreamNotFoundError,
    StreamRefusedError,
    StreamSilentError,
    StreamUnauthorisedError,
    StreamUnreachableError,
)
from ingest.packet_ring import PacketRing
from ingest.picture import DecodedFrame
from ingest.ports import Clock
from ingest.redact import RedactedCause, redact_text, redact_url
from ingest.sentences import account_of
from rules.observation import ClockSource, FrameStamp

CAMERA_CLOCK_ERROR_S = 0.05
"""The least error of a time by RTCP: such times were 0.04 s from the arrival on the reference machine."""

SETTLE_S = 10.0
"""In the first seconds packets come late because connecting took its time (FFmpeg estimates a rate from 20 pictures: 4.7 s at
6 a second on the reference machine). Until then a delay says nothing about the clocks beyond the error of an arrival."""

DRIFT = 1e-4
"""How far two clocks may run apart, as a share of the time: 100 ppm is more than two quartz clocks of the worst kind."""


class RtspSource:
    """One connection to one camera, over TCP, as one segment.

    Connected, and its first picture decoded, when it is made: a camera that cannot be used fails here.
    ``media_s`` counts from the first picture shown. ``captured_at`` is by arrival (error as given): media time
    placed by the packet that came with the least delay so far, since network, buffers and a busy machine
    only ever add to it. Once the camera has told its wall clock by RTCP it is that time (``rtcp``): its
    error is how far that clock and ours are apart, by the same packets, since nobody here knows which is right.
    When the camera disconnects or falls silent, ``frames()`` ends and ``damage`` says so; connecting anew
    makes a new source with the next segment number. Account and password appear nowhere.

    Raises StreamUnreachableError, StreamUnauthorisedError, StreamNotFoundError, StreamSilentError,
    StreamEndedError, StreamRefusedError.
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
    ) -> None:
        """``duration_s``: end after that much media time."""
        self._url = url
        self._name = redact_url(url)
        self._camera_id = camera_id
        self._segment = segment
        self._duration_s = duration_s
        self._read_timeout_s = read_timeout_s
        self._arrival_error_s = arrival_error_s
        self._has_ended = False
        self._arrival = _LeastDelay()
        self._camera_clock = _LeastDelay()
        self._container, stream = _connect(url, clock, open_timeout_s, read_timeout_s)
        try:
            self._reader = SegmentReader(
                self._container, stream, segment=segment, ring=packet_ring, clock=clock, until_s=duration_s
            )
            pictures = self._reader.pictures()
            first = self._first_of(pictures)
        except BaseException:
            self._container.close()
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
            yield self._frame(picture)
        self._has_ended = True

    def close(self) -> None:
        """Ends the connection and frees the decoder; frames that were given out stay valid."""
        self._container.close()

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
        if media_s < SETTLE_S and apart_s > 0.0:
            error_s = min(error_s, self._arrival_error_s)
        return picture.camera_at, ClockSource.RTCP, error_s

    def _first_of(self, pictures: Iterator[Picture]) -> Picture:
        error: StreamError
        first = next(pictures, None)
        if first is not None:
            return first
        failure = self._reader.failure
        if isinstance(failure, TimeoutError | ExitError):
            error = StreamSilentError(self._name, self._read_timeout_s)
        else:
            error = StreamEndedError(self._name, self._ending())
        raise error from (RedactedCause(failure, self._url) if failure else None)

    def _ending(self) -> str:
        reader = self._reader
        if reader.ending:
            return reader.ending
        if isinstance(reader.failure, TimeoutError | ExitError):
            return f"the camera fell silent after {reader.last_s:.2f} s"
        if reader.failure:
            reason = redact_text(reader.failure.strerror or "unknown", self._url)
            return f"the connection failed after {reader.last_s:.2f} s ({reason})"
        return f"the camera ended the stream after {reader.last_s:.2f} s"


class _LeastDelay:
    """The least of the delays so far, which may grow again by no more than clocks drift."""

    def __init__(self) -> None:
        self._least_s: float | None = None
        self._at_s = 0.0

    def after(self, delay_s: float, media_s: float) -> float:
        """The least delay after one more was seen at ``media_s``."""
        if self._least_s is not None:
            delay_s = min(delay_s, self._least_s + DRIFT * (media_s - self._at_s))
        self._least_s, self._at_s = delay_s, media_s
        return delay_s


def _connect(
    url: str, clock: Clock, open_timeout_s: float, read_timeout_s: float
) -> tuple[InputContainer, VideoStream]:
    options = {"rtsp_transport": "tcp", "allowed_media_types": "video"}
    failure: FFmpegError | None = None
    began_at = clock.now()
    try:
        container = av.open(url, "r", options=options, timeout=(open_timeout_s, read_timeout_s))
    except FFmpegError as error:
        failure = error
    if failure is not None:
        waited_s = (clock.now() - began_at).total_seconds()
        # Raised out here, so that the vendor's error, whose text has the password, is not even its context.
        raise _translated(url, failure, waited_s, open_timeout_s) from RedactedCause(failure, url)
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.codec_context is None:
        container.close()
        raise StreamRefusedError(redact_url(url), "no video in it that can be decoded")
    return container, stream


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
