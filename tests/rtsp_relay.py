"""A relay in front of a real RTSP server that loses, delays, reorders and spoils what the camera sends, over TCP and UDP."""

from __future__ import annotations

import random
import re
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DOLLAR = 0x24
SENDER_REPORT = 200
TICK_S = 0.01
HOLDS_BYTES = 4 * 1024 * 1024
"""What a socket of datagrams may hold: on a busy machine the relay itself must lose nothing."""


Target = socket.socket | tuple[socket.socket, int]
"""A connection, or the socket of datagrams to send from and the port to send to."""


@dataclass
class Faults:
    """What happens to what the camera sends; may be changed while it runs. Shares are of RTP packets, 0 to 1."""

    lost: float = 0.0
    reordered: float = 0.0
    spoiled: float = 0.0
    delay_s: float = 0.0
    clock_s: float = 0.0
    """Added to the wall clock that the camera tells by RTCP."""
    met: Counter[str] = field(default_factory=Counter)


class RtspRelay:
    """Relays RTSP connections to a port of this machine. Interleaved packets pass through ``faults`` one by one, and so do
    datagrams, for which the relay stands in for each side.
    """

    def __init__(self, target_port: int, seed: int = 1) -> None:
        self.faults = Faults()
        self._target_port = target_port
        self._chance = random.Random(seed)
        self._ending = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.port = int(self._server.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(5)
        self._server.close()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                client, _ = self._server.accept()
            except TimeoutError:
                continue
            try:
                camera = socket.create_connection(("127.0.0.1", self._target_port), 5)
            except OSError:
                client.close()
                continue
            thread = threading.Thread(target=_Session(self, client, camera).run, daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def ending(self) -> bool:
        return self._ending.is_set()

    def fate(self, packet: bytes, *, is_control: bool) -> list[tuple[float, bytes]]:
        """What becomes of a packet: (seconds to wait, bytes) for each that is passed on."""
        faults = self.faults
        if is_control:
            if faults.clock_s and packet[1] == SENDER_REPORT:
                seconds, fraction = struct.unpack(">II", packet[8:16])
                faults.met["clock"] += 1
                packet = (
                    packet[:8] + struct.pack(">II", seconds + int(faults.clock_s), fraction) + packet[16:]
                )
            return [(faults.delay_s, packet)]
        if self._chance.random() < faults.lost:
            faults.met["lost"] += 1
            return []
        if self._chance.random() < faults.spoiled:
            faults.met["spoiled"] += 1
            middle = len(packet) // 2
            packet = packet[:middle] + self._chance.randbytes(len(packet) - middle)
        if self._chance.random() < faults.reordered:
            faults.met["reordered"] += 1
            return [(faults.delay_s + 0.03, packet)]
        return [(faults.delay_s, packet)]


class _Session:
    """One client with its connection to the camera."""

    def __init__(self, relay: RtspRelay, client: socket.socket, camera: socket.socket) -> None:
        self._relay, self._client, self._camera = relay, client, camera
        self._rest = b""
        self._due: list[tuple[float, int, bytes, Target]] = []
        self._number = 0
        self._pairs: list[_UdpPair] = []

    def run(self) -> None:
        with self._client, self._camera, suppress(OSError):
            while not self._relay.ending and self._turn():
                pass
        for pair in self._pairs:
            pair.close()

    def _turn(self) -> bool:
        """Passes on what has come; False once a side has hung up."""
        self._flush()
        watched = [self._client, self._camera, *(one for pair in self._pairs for one in pair.sockets)]
        for ready in select.select(watched, [], [], TICK_S)[0]:
            if ready in (self._client, self._camera):
                data = ready.recv(262144)
                if not data:
                    return False
                if ready is self._client:
                    self._camera.sendall(self._asked(data))
                else:
                    self._answered(data)
            else:
                for pair in self._pairs:
                    self._datagram(pair, ready)
        return True

    def _asked(self, data: bytes) -> bytes:
        """A request, in which datagrams are asked for at the relay's own ports."""
        found = re.search(rb"client_port=(\d+)-(\d+)", data)
        if not found:
            return data
        pair = _UdpPair(int(found[1]), int(found[2]))
        self._pairs.append(pair)
        own = b"client_port=%d-%d" % pair.to_camera_ports
        return data[: found.start()] + own + data[found.end() :]

    def _answered(self, data: bytes) -> None:
        """Answers pass as they are, but for the ports of datagrams; interleaved packets go through the faults."""
        self._rest += data
        while self._rest:
            if self._rest[0] == DOLLAR:
                if len(self._rest) < 4:
                    return
                channel, size = self._rest[1], int.from_bytes(self._rest[2:4], "big")
                if len(self._rest) < 4 + size:
                    return
                packet, self._rest = self._rest[4 : 4 + size], self._rest[4 + size :]
                for wait_s, out in self._relay.fate(packet, is_control=channel % 2 == 1):
                    framed = bytes([DOLLAR, channel]) + len(out).to_bytes(2, "big") + out
                    self._later(wait_s, framed, self._client)
                continue
            end = self._rest.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._rest[: end + 4]
            length = re.search(rb"Content-Length: *(\d+)", head, re.IGNORECASE)
            size = len(head) + (int(length[1]) if length else 0)
            if len(self._rest) < size:
                return
            answer, self._rest = self._rest[:size], self._rest[size:]
            found = re.search(rb"client_port=(\d+-\d+);server_port=(\d+)-(\d+)", answer)
            if found and self._pairs:
                pair = self._pairs[-1]
                pair.camera_ports = (int(found[2]), int(found[3]))
                told = b"client_port=%d-%d;server_port=%d-%d" % (*pair.client_ports, *pair.to_client_ports)
                answer = answer[: found.start()] + told + answer[found.end() :]
            self._flush(everything=True)
            self._client.sendall(answer)

    def _datagram(self, pair: _UdpPair, ready: socket.socket) -> None:
        """What the client sent goes on at once, what the camera sent meets its fate."""
        if ready not in pair.sockets:
            return
        data, at = ready.recv(65536), pair.sockets.index(ready)
        if at >= 2:
            if pair.camera_ports[at - 2]:
                pair.sockets[at - 2].sendto(data, ("127.0.0.1", pair.camera_ports[at - 2]))
            return
        for wait_s, out in self._relay.fate(data, is_control=at == 1):
            self._later(wait_s, out, (pair.sockets[at + 2], pair.client_ports[at]))

    def _later(self, wait_s: float, data: bytes, target: Target) -> None:
        self._number += 1
        self._due.append((time.monotonic() + wait_s, self._number, data, target))
        self._due.sort(key=lambda one: one[:2])
        self._flush()

    def _flush(self, *, everything: bool = False) -> None:
        now_s = time.monotonic()
        while self._due and (everything or self._due[0][0] <= now_s):
            _, _, data, target = self._due.pop(0)
            if isinstance(target, socket.socket):
                target.sendall(data)
            else:
                with suppress(OSError):
                    target[0].sendto(data, ("127.0.0.1", target[1]))


class _UdpPair:
    """The datagrams of one stream: what each side sends to the relay goes on to the other."""

    def __init__(self, client_rtp: int, client_rtcp: int) -> None:
        self.client_ports = (client_rtp, client_rtcp)
        self.camera_ports = (0, 0)
        self._to_camera = _adjacent()
        self._to_client = _adjacent()
        self.to_camera_ports = tuple(one.getsockname()[1] for one in self._to_camera)
        self.to_client_ports = tuple(one.getsockname()[1] for one in self._to_client)
        self.sockets = (*self._to_camera, *self._to_client)

    def close(self) -> None:
        for one in self.sockets:
            one.close()


def _adjacent() -> tuple[socket.socket, socket.socket]:
    """Two datagram sockets on an even port and the next one."""
    while True:
        first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (first, second):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HOLDS_BYTES)
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        try:
            if port % 2 == 0:
                second.bind(("127.0.0.1", port + 1))
                return first, second
        except OSError:
            pass
        first.close()
        second.close()


@contextmanager
def relayed(target_port: int, seed: int = 1) -> Iterator[RtspRelay]:
    """A relay in front of the RTSP server at that port."""
    relay = RtspRelay(target_port, seed)
    try:
        yield relay
    finally:
        relay.close()
