"""Recorded files as sources of frames: whatever FFmpeg reads, from the first picture to the last that is sound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from ingest.decoding import CUT_TOLERANCE_S, Picture, SegmentReader, Skipped
from ingest.errors import (
    FileCutOffError,
    FileEmptyError,
    FileMissingError,
    FileUnreadableError,
    NoFramesError,
    NotAFileError,
    NotVideoError,
    NoVideoTrackError,
    PictureTooLargeError,
    UnknownCodecError,
)
from ingest.packet_ring import PacketRing
from ingest.picture import MOST_PX, DecodedFrame
from ingest.sentences import account_of
from rules.observation import ClockSource, FrameStamp

NOT_MOVING = ("tty", "image2", "gif_pipe")
"""Formats under which FFmpeg shows texts and still pictures as if they were videos; with all ``…_pipe``."""

BEGINNINGS = (
    (4, b"ftyp", "an MP4 or MOV whose index (moov) is missing"),
    (4, b"moov", "an MP4 or MOV with a broken index (moov)"),
    (4, b"mdat", "an MP4 or MOV whose index (moov) is missing"),
    (0, b"\x1a\x45\xdf\xa3", "the mere beginning of an MKV or WebM"),
    (0, b"RIFF", "the mere beginning of an AVI"),
    (0, b"FLV\x01", "the mere beginning of an FLV"),
    (0, b"\x47", "the mere beginning of an MPEG transport stream"),
)
"""(offset, bytes, what a file that begins so and cannot be opened is)."""

TRANSPORT_PACKET_SIZES = (188, 192, 204)
"""Bytes of an MPEG transport packet: plain, with the time code of M2TS, with Reed-Solomon parity."""


class FileSource:
    """One recording as one segment.

    Opened, and its first picture decoded, when it is made: a file that cannot be used fails here.
    ``media_s`` counts from the first picture shown, after edit lists and start offsets were applied
    (a recording that begins between keyframes: from its first keyframe). With ``started_at`` (aware; the
    wall clock at that picture, as declared by the operator) stamps carry ``captured_at`` and ``error_s``.
    Rotation stated by the container is left alone: pictures, sizes and pixels are as coded.
    Of several video tracks the one that FFmpeg ranks best is read. No network is used, whatever the file asks for.

    Raises FileMissingError, NotAFileError, FileEmptyError, FileUnreadableError, NotVideoError,
    NoVideoTrackError, UnknownCodecError, PictureTooLargeError, FileCutOffError, NoFramesError.
    """

    def __init__(
        self,
        path: Path,
        *,
        camera_id: str,
        segment: int = 0,
        started_at: datetime | None = None,
        error_s: float = 1.0,
        duration_s: float | None = None,
        packet_ring: PacketRing | None = None,
    ) -> None:
        """``duration_s``: end after that much media time. ``packet_ring``: is filled while frames are read."""
        if started_at is not None and started_at.tzinfo is None:
            raise ValueError("started_at must be aware")
        self._name = str(path)
        self._camera_id = camera_id
        self._segment = segment
        self._started_at = started_at.astimezone(UTC) if started_at else None
        self._error_s = error_s
        self._duration_s = duration_s
        self._has_ended = False
        self._container, stream = _open(path)
        try:
            size_px = (stream.codec_context.width, stream.codec_context.height)
            if max(size_px) > MOST_PX:
                raise PictureTooLargeError(self._name, size_px, MOST_PX)
            self._promised_s = _promised_s(self._container, stream)
            self._expects_pictures = stream.frames > 0 or bool(self._promised_s)
            self._reader = SegmentReader(
                self._container,
                stream,
                segment=segment,
                ring=packet_ring,
                until_s=duration_s,
                is_cut=_is_cut_transport_stream(path, self._container),
            )
            pictures = self._reader.pictures()
            first = self._first_of(pictures)
        except FFmpegError as error:
            self._container.close()
            raise FileCutOffError(self._name, f"its header makes no sense ({error.strerror})") from error
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
        """How much media time to expect, where the container says: for progress, not for judgement."""
        if self._duration_s is None or self._promised_s is None:
            return self._promised_s or self._duration_s
        return min(self._promised_s, self._duration_s)

    @property
    def skipped(self) -> Skipped:
        return self._reader.skipped

    @property
    def damage(self) -> str | None:
        """As a FrameSource promises. A clean cut between two pictures shows only where the header gives a length."""
        return account_of(self._ending() if self._has_ended else None, self._reader.skipped)

    def frames(self) -> Iterator[DecodedFrame]:
        """Each picture once, in presentation order. Raises RuntimeError when asked for a second time."""
        if self._pictures is None:
            raise RuntimeError(f"{self._name}: its frames were read already")
        pictures, self._pictures = self._pictures, None
        for picture in pictures:
            yield self._frame(picture)
        self._has_ended = True

    def close(self) -> None:
        """Frees the file and the decoder; frames that were given out stay valid."""
        self._container.close()

    def _frame(self, picture: Picture) -> DecodedFrame:
        captured_at = self._started_at and self._started_at + timedelta(seconds=picture.media_s)
        stamp = FrameStamp(
            camera_id=self._camera_id,
            segment=self._segment,
            index=picture.index,
            media_s=picture.media_s,
            captured_at=captured_at,
            clock_source=ClockSource.DECLARED if captured_at else ClockSource.NONE,
            error_s=self._error_s if captured_at else 0.0,
        )
        return DecodedFrame(picture.picture, stamp)

    def _first_of(self, pictures: Iterator[Picture]) -> Picture:
        first = next(pictures, None)
        if first is not None:
            return first
        if self._reader.packets or self._reader.failure or self._expects_pictures:
            raise FileCutOffError(
                self._name,
                f"of its video {self._reader.packets} packets are left and no picture can be decoded",
            ) from self._reader.failure
        raise NoFramesError(self._name)

    def _ending(self) -> str | None:
        """Why the segment ended before the recording was meant to."""
        reader = self._reader
        if reader.ending:
            return f"{reader.ending}: cut the file there and replay the parts"
        if reader.reached_until:
            return None
        if isinstance(reader.failure, FFmpegError):
            return f"reading failed after {reader.last_s:.2f} s ({reader.failure.strerror})"
        if reader.last_packet_damaged:
            return f"the file breaks off within a picture after {reader.last_s:.2f} s"
        if self._promised_s and 0 < reader.covered_s < self._promised_s - CUT_TOLERANCE_S:
            return f"the file breaks off after {reader.covered_s:.2f} s of {self._promised_s:.2f} s"
        return None


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    name = str(path)
    try:
        if not path.exists():
            raise FileMissingError(name)
        if not path.is_file():
            raise NotAFileError(name, is_folder=path.is_dir())
        with path.open("rb") as file:
            beginning = file.read(16)
    except OSError as error:
        raise FileUnreadableError(name, error.strerror or type(error).__name__) from error
    if not beginning:
        raise FileEmptyError(name)
    try:
        # An absolute path is never taken for an address, and what the file refers to may only be files.
        container = av.open(
            str(path.absolute()), "r", options={"protocol_whitelist": "file"}, metadata_errors="replace"
        )
    except FFmpegError as error:
        for offset, mark, found in BEGINNINGS:
            if beginning[offset:].startswith(mark):
                raise FileCutOffError(name, found) from error
        raise NotVideoError(name) from error
    try:
        return container, _video_stream(name, container)
    except BaseException:
        container.close()
        raise


def _video_stream(name: str, container: InputContainer) -> VideoStream:
    kind = container.format.name
    if kind in NOT_MOVING or kind.endswith("_pipe"):
        raise NotVideoError(name, "a text" if kind == "tty" else "a still picture")
    if not container.streams:
        raise NoFramesError(name)
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    if all(stream.disposition & covers for stream in container.streams.video):
        raise NoVideoTrackError(
            name, tuple(stream.type for stream in container.streams if stream.type != "video")
        )
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.codec_context is None:
        raise UnknownCodecError(name)
    return stream


def _promised_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Length of the video track as the container's header has it; None where it says nothing about this track."""
    time_base = stream.time_base or Fraction(0)
    if stream.duration:
        return float(stream.duration * time_base)
    # Matroska: the end of the track rather than its length, which a start offset makes shorter.
    start_s = float(max(stream.start_time or 0, 0) * time_base)
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return float(Fraction(hours) * 3600 + Fraction(minutes) * 60 + Fraction(seconds)) - start_s
    except ValueError:
        pass
    if len(container.streams) == 1 and container.duration:
        return container.duration / av.time_base - start_s
    return None


def _is_cut_transport_stream(path: Path, container: InputContainer) -> bool:
    if container.format.name != "mpegts":
        return False
    size_bytes = path.stat().st_size
    return all(size_bytes % packet_size for packet_size in TRANSPORT_PACKET_SIZES)
