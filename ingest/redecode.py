"""Decodes frames of a segment again from its packets, bit for bit as they were analysed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import av
from av import CodecContext, VideoFrame
from av.error import FFmpegError
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext

from ingest.frame import Packet, StreamParameters


class Redecoding:
    """One way through these packets: pictures that are asked for in the order in which they are shown cost it once.

    It holds a decoder with its pictures, some 50 MB at 1920x1080: let go of it soon.
    """

    def __init__(self, parameters: StreamParameters, packets: Iterable[tuple[int, Packet]]) -> None:
        """``packets`` are numbered in decoding order and begin with a keyframe.

        Damaged ones among them are passed over, as they were the first time.
        """
        decoder = CodecContext.create(parameters.codec_name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.width, decoder.height = parameters.width, parameters.height
        decoder.codec_tag = parameters.codec_tag
        if parameters.extradata is not None:
            decoder.extradata = parameters.extradata
        decoder.thread_count = 1
        self._decoder = decoder
        self._pictures = self._decoded(packets)

    def picture(self, wanted: int) -> VideoFrame | None:
        """The picture of packet number ``wanted``; None where they do not give it undamaged, or it was passed by."""
        for picture in self._pictures:
            if picture.pts == wanted:
                return None if picture.is_corrupt else picture
        return None

    def _decoded(self, packets: Iterable[tuple[int, Packet]]) -> Iterator[VideoFrame]:
        for packet in chain(_compressed(packets), [None]):
            try:
                pictures = self._decoder.decode(packet)
            except FFmpegError:
                continue
            yield from pictures


def _compressed(packets: Iterable[tuple[int, Packet]]) -> Iterator[av.Packet[Stream]]:
    """The packets with their number for a stamp, which comes out with the picture (see ``SegmentReader``)."""
    for number, packet in packets:
        # Copied into FFmpeg's own memory: a packet that lends Python's dead-locks with a decoder that has
        # threads, since freeing it there waits for the interpreter, and the interpreter for the thread.
        compressed = av.Packet(len(packet.data))
        compressed.update(packet.data)
        compressed.pts, compressed.dts = number, packet.dts
        compressed.time_base = packet.time_base
        compressed.is_keyframe = packet.is_keyframe
        yield compressed
