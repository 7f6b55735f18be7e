"""The connection to a stream of which packets are kept and nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ingest.decoding import camera_time, parameters_of, retained
from ingest.networks import CameraNetworks, Resolve, pinned
from ingest.packet_pump import Arrived, PacketPump, SilenceError, TooSlowError
from ingest.packet_ring import PacketRing
from ingest.ports import Clock
from ingest.redact import redact_text, redact_url
from ingest.rtsp_source import LeastDelay, Transport, connect


class LargeStream:
    """Fills a packet ring, on the thread that calls ``take``, with what has come. Media time counts from its first packet.

    Raises what RtspSource raises, except what only decoding tells.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        segment: int,
        ring: PacketRing,
        open_timeout_s: float,
        silence_s: float,
        transport: Transport,
        networks: CameraNetworks | None,
        resolve: Resolve,
        on_thread: Callable[[int], None],
    ) -> None:
        self._url, self.name = url, redact_url(url)
        target = url if networks is None else pinned(url, networks, resolve)
        container, stream = connect(target, url, clock, open_timeout_s, silence_s, transport)
        self.size_px = (stream.codec_context.width, stream.codec_context.height)
        self._segment, self._ring = segment, ring
        self._time_base = stream.time_base or Fraction(1, 90_000)
        ring.begin(segment, parameters_of(stream))
        self._pump = PacketPump(container, stream, clock, silence_s=silence_s, on_thread=on_thread)
        self._pump.start()
        self._number = 0
        self._origin: int | None = None
        self._arrival = LeastDelay()
        self._by_arrival_s: float | None = None
        self._by_camera_s: float | None = None

    @property
    def offsets_s(self) -> tuple[float | None, float | None]:
        """Wall clock less media time: by the camera's clock, and by arrival; None while unknown."""
        return self._by_camera_s, self._by_arrival_s

    def take(self) -> None:
        """The ring has every packet that has come."""
        for arrived in self._pump.waiting():
            self._add(arrived)

    def ended(self) -> str | None:
        """Why nothing more will come, as a sentence; None while it may."""
        failure = self._pump.ending()
        if failure is None:
            return None
        if isinstance(failure, SilenceError | TimeoutError):
            return "the camera's main stream fell silent"
        if isinstance(failure, TooSlowError):
            return "this machine was too slow for the camera's main stream; too many packets waited"
        if isinstance(failure, EOFError):
            return "the camera ended its main stream"
        reason = redact_text(getattr(failure, "strerror", None) or "unknown", self._url)
        return f"the connection to the main stream failed ({reason})"

    def close(self) -> None:
        self._pump.close()

    def _add(self, arrived: Arrived) -> None:
        packet, number = arrived.packet, self._number
        self._number += 1
        self._ring.add(number, retained(packet, self._segment, self._time_base))
        if packet.pts is None or packet.is_corrupt:
            return
        if self._origin is None:
            self._origin = packet.pts
        media_s = float((packet.pts - self._origin) * self._time_base)
        self._ring.framed(number, number, media_s)
        self._by_arrival_s = self._arrival.after(arrived.at.timestamp() - media_s, media_s)
        told = camera_time(packet)
        if told is not None:
            self._by_camera_s = told.timestamp() - media_s
