"""Reads a live stream's packets on a thread of its own, so that none waits in the network while pictures are looked at."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from ingest.ports import Clock

MOST_WAITING_BYTES = 64 * 1024 * 1024
"""What may wait for a slow machine: 20 s of 25 Mbit/s. Decoding is given up long before (``Overload``)."""

JOIN_S = 1.0
"""How long closing waits for the thread; one that hangs in a silent connection closes it alone."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A packet and when it came."""

    packet: av.Packet[VideoStream]
    at: datetime


class SilenceError(Exception):
    """No packet came for as long as is waited."""


class TooSlowError(Exception):
    """More packets wait than may."""


class PacketPump:
    """The packets of an open container in their order, each stamped when it comes; it owns the container from now on.

    Reading begins when the first is asked for: until then others may ask the container about its stream.
    The watchdog is the age of the last packet: FFmpeg's own timeouts fire late, and only between packets.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        clock: Clock,
        *,
        silence_s: float,
        max_bytes: int = MOST_WAITING_BYTES,
        on_thread: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``on_thread`` is told the thread's identifier, so that a crash within FFmpeg has a camera's name."""
        self._on_thread = on_thread
        self._container, self._stream, self._clock = container, stream, clock
        self._silence_s, self._max_bytes = silence_s, max_bytes
        self._changed = threading.Condition()
        self._queue: deque[Arrived] = deque()
        self._size_bytes = 0
        self._newest_at: datetime | None = None
        self._failure: BaseException | None = None
        self._has_ended = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="packets", daemon=True)

    def packets(self) -> Iterator[Arrived]:
        """Each packet once, to the end of the stream or until ``close``.

        Raises SilenceError, TooSlowError, and FFmpegError where the connection failed.
        """
        self.start()
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._queue or self._has_ended or self._is_closed, self._silence_s
                )
                if self._is_closed:
                    return
                if self._queue:
                    arrived = self._queue.popleft()
                    self._size_bytes -= arrived.packet.size
                elif self._failure is not None:
                    raise self._failure
                elif self._has_ended:
                    return
                else:
                    raise SilenceError
            yield arrived

    def start(self) -> None:
        """Reading begins now."""
        if self._thread.ident is None:
            self._thread.start()

    def waiting(self) -> tuple[Arrived, ...]:
        """The packets that have come and nobody took, without waiting for more."""
        with self._changed:
            taken = tuple(self._queue)
            self._queue.clear()
            self._size_bytes = 0
        return taken

    def ending(self) -> BaseException | None:
        """Why no packet will come any more (EOFError: the stream has ended), or SilenceError; None while some may."""
        with self._changed:
            if self._has_ended and not self._queue:
                return self._failure or EOFError()
            newest = self._newest_at
            if newest is not None and (self._clock.now() - newest).total_seconds() > self._silence_s:
                return SilenceError()
            return None

    def waited_s(self, arrived_at: datetime) -> float:
        """How much has come since that packet: the lag of whoever works on it."""
        newest = self._newest_at
        return 0.0 if newest is None else max(0.0, (newest - arrived_at).total_seconds())

    def close(self) -> None:
        """``packets`` ends, and the connection soon: at once, or when a silent one times out."""
        with self._changed:
            self._is_closed = True
            self._queue.clear()
            self._changed.notify_all()
        if self._thread.ident is None:
            self._container.close()
        else:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        self._on_thread(threading.get_ident())
        try:
            for packet in self._container.demux(self._stream):
                if self._is_closed:
                    return
                if packet.size:
                    self._put(packet)
        except EOFError:
            pass
        except Exception as error:  # noqa: BLE001 - it is raised in the thread of whoever reads
            self._failure = error
        finally:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()
            self._container.close()

    def _put(self, packet: av.Packet[VideoStream]) -> None:
        arrived = Arrived(packet, self._clock.now())
        with self._changed:
            self._newest_at = arrived.at
            self._size_bytes += packet.size
            if self._size_bytes > self._max_bytes:
                raise TooSlowError
            self._queue.append(arrived)
            self._changed.notify_all()
