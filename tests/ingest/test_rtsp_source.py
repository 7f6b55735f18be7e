"""A live camera: the same frames as the file it serves, its clock, its end, its errors, and no password anywhere."""

from __future__ import annotations

import hashlib
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from ingest.errors import (
    StreamAbsurdError,
    StreamError,
    StreamNotFoundError,
    StreamNoVideoError,
    StreamOutsideError,
    StreamRefusedError,
    StreamSilentError,
    StreamUnauthorisedError,
    StreamUnreachableError,
)
from ingest.file_source import FileSource
from ingest.networks import CameraNetworks
from ingest.packet_ring import PacketRing
from ingest.picture import DecodedFrame
from ingest.rtsp_source import RtspSource, Transport
from rules.observation import ClockSource
from tests.ingest.conftest import Serve
from tests.ingest.recordings import number_in, record

SECRET = "s3:cret/@path"


class SteppingClock:
    """Goes on by a millisecond whenever it is asked."""

    def __init__(self) -> None:
        self.given: list[datetime] = []

    def now(self) -> datetime:
        self.given.append(datetime(2026, 5, 1, 12, tzinfo=UTC) + timedelta(milliseconds=len(self.given)))
        return self.given[-1]


class LateClock(SteppingClock):
    """Packets come 40 ms apart, most of them up to two seconds late, every fifth in time."""

    def now(self) -> datetime:
        number = len(self.given)
        late_s = 0.0 if number % 5 == 0 else (number * 7 % 20) / 10.0
        self.given.append(datetime(2026, 5, 1, 12, tzinfo=UTC) + timedelta(seconds=0.04 * number + late_s))
        return self.given[-1]


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def digest(frame: DecodedFrame) -> str:
    return hashlib.sha256(frame.bgr().tobytes()).hexdigest()


@pytest.mark.parametrize("b_frames", [0, 3])
def test_a_served_file_gives_the_same_frames_as_the_file(
    tmp_path: Path, serve_rtsp: Serve, b_frames: int
) -> None:
    path = record(tmp_path / "a.mp4", frames=60, b_frames=b_frames)
    file = FileSource(path, camera_id="c1")
    expected = {number_in(frame): frame for frame in file.frames()}
    file.close()
    assert list(expected) == list(range(60))

    ring = PacketRing()
    source = RtspSource(serve_rtsp(path).url, camera_id="c1", clock=SystemClock(), packet_ring=ring)
    frames = list(source.frames())
    source.close()

    shown = [number_in(frame) for frame in frames]
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert shown[0] <= 1
    assert shown[-1] >= 58
    assert source.size_px == (160, 96)
    assert [digest(frame) for frame in frames] == [digest(expected[number]) for number in shown]
    for (a, b), (x, y) in zip(pairwise(frames), pairwise(shown), strict=True):
        step_s = expected[y].stamp.media_s - expected[x].stamp.media_s
        assert b.stamp.media_s - a.stamp.media_s == pytest.approx(step_s, abs=0.001)
    assert [frame.stamp.index for frame in frames] == list(range(len(frames)))
    for frame in frames:
        again = ring.decode_frame(frame.stamp)
        assert hashlib.sha256(again.tobytes()).hexdigest() == digest(frame)
    packets = ring.packets_between(0.5, 1.0)
    assert packets[0].is_keyframe
    assert ring.media_s_of(packets[0]) <= 0.5


def test_the_end_of_the_stream_is_a_disconnect_and_is_said(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=25))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock())
    before = source.damage
    assert len(list(source.frames())) >= 23
    source.close()
    assert before is None
    assert str(source.damage).startswith("the camera ended the stream after 0.9")


def test_a_camera_that_dies_is_a_disconnect_and_is_said(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=250))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock())
    frames = source.frames()
    next(frames)
    camera.process.kill()
    assert len(list(frames)) < 249
    source.close()
    assert source.damage is not None
    assert "the camera ended the stream" in source.damage or "the connection failed" in source.damage


def test_a_camera_that_falls_silent_is_given_up_and_that_is_said(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=250))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock(), read_timeout_s=0.5)
    frames = source.frames()
    next(frames)
    camera.process.send_signal(signal.SIGSTOP)
    try:
        assert len(list(frames)) < 249
    finally:
        camera.process.send_signal(signal.SIGCONT)
        source.close()
    assert source.damage is not None
    assert "the camera fell silent after" in source.damage


def test_a_duration_ends_the_stream_and_is_no_disconnect(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=100))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock(), duration_s=0.5)
    frames = list(source.frames())
    source.close()
    assert 11 <= len(frames) <= 13
    assert frames[-1].stamp.media_s < 0.5
    assert source.length_s == 0.5
    assert source.damage is None


def test_frames_are_stamped_with_their_arrival(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=20, b_frames=0))
    clock = SteppingClock()
    source = RtspSource(camera.url, camera_id="c1", clock=clock, segment=4, arrival_error_s=0.4)
    stamps = [frame.stamp for frame in source.frames()]
    source.close()
    assert [stamp.captured_at for stamp in stamps] == clock.given[-len(stamps) :]
    assert {(stamp.segment, stamp.clock_source, stamp.error_s) for stamp in stamps} == {
        (4, ClockSource.ARRIVAL, 0.4)
    }


def test_packets_that_come_late_move_no_frame_in_time(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=40, b_frames=0))
    source = RtspSource(camera.url, camera_id="c1", clock=LateClock())
    stamps = [frame.stamp for frame in source.frames()]
    source.close()
    by_arrival = [s for s in stamps if s.clock_source is ClockSource.ARRIVAL][5:]
    assert len(by_arrival) > 20
    first = by_arrival[0]
    for stamp in by_arrival:
        assert stamp.captured_at is not None
        assert first.captured_at is not None
        apart_s = (stamp.captured_at - first.captured_at).total_seconds()
        assert apart_s == pytest.approx(stamp.media_s - first.media_s, abs=0.01)


def test_the_cameras_own_clock_is_used_once_it_tells_it(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=200, b_frames=0))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock())
    kinds = []
    for frame in source.frames():
        stamp = frame.stamp
        kinds.append(stamp.clock_source)
        if stamp.clock_source is ClockSource.RTCP:
            assert stamp.captured_at is not None
            assert abs(stamp.captured_at - datetime.now(UTC)) < timedelta(seconds=2)
            assert 0.05 <= stamp.error_s < 2
            break
    source.close()
    assert kinds[0] is ClockSource.ARRIVAL
    assert kinds[-1] is ClockSource.RTCP, "no RTCP report came within 8 s"


def test_a_digest_account_opens_the_camera_and_appears_nowhere(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=25), user="operator", password=SECRET)
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock())
    assert len(list(source.frames())) >= 23
    source.close()
    assert "operator" not in f"{source.damage}{source!r}"
    assert f"rtsp://***@127.0.0.1:{camera.port}/camera" in _chain(lambda: list(source.frames()), RuntimeError)


def test_a_wrong_password_is_refused_without_being_quoted(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=25), user="operator", password=SECRET)
    url = camera.url.replace("s3%3Acret", "wr0ng%3Aword")
    texts = _chain(lambda: RtspSource(url, camera_id="c1", clock=SystemClock()), StreamUnauthorisedError)
    assert "***@127.0.0.1" in texts
    for secret in ("wr0ng", "operator", "%3Aword"):
        assert secret not in texts


def test_a_path_that_the_camera_does_not_have(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=5))
    with pytest.raises(StreamNotFoundError, match="no stream of that path") as caught:
        RtspSource(camera.url + "7", camera_id="c1", clock=SystemClock())
    assert not caught.value.retryable


def test_nobody_there_is_unreachable_and_may_be_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"rtsp://operator:geheim@127.0.0.1:{unused.getsockname()[1]}/camera"
        texts = _chain(lambda: RtspSource(url, camera_id="c1", clock=SystemClock()), StreamUnreachableError)
    assert "geheim" not in texts
    assert "check host, port and network" in texts
    assert StreamUnreachableError.retryable


def test_a_camera_that_accepts_and_says_nothing() -> None:
    with _answering(None) as port, pytest.raises(StreamSilentError) as caught:
        RtspSource(
            f"rtsp://u:geheim@127.0.0.1:{port}/camera",
            camera_id="c1",
            clock=SystemClock(),
            open_timeout_s=0.5,
            read_timeout_s=0.5,
        )
    assert caught.value.waited_s == 0.5
    assert caught.value.retryable


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"RTSP/1.0 461 Unsupported Transport\r\nCSeq: 1\r\n\r\n", b""]
)
def test_something_else_than_a_camera_answers(answer: bytes) -> None:
    with _answering(answer) as port:
        texts = _chain(
            lambda: RtspSource(
                f"rtsp://u:geheim@127.0.0.1:{port}/camera",
                camera_id="c1",
                clock=SystemClock(),
                open_timeout_s=2,
                read_timeout_s=2,
            ),
            StreamRefusedError,
        )
    assert "geheim" not in texts


@pytest.mark.parametrize("basic", [False, True])
@pytest.mark.parametrize("transport", list(Transport))
def test_accounts_and_transports(
    tmp_path: Path, serve_rtsp: Serve, transport: Transport, basic: bool
) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=50), user="operator", password=SECRET, basic=basic)
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock(), transport=transport, duration_s=1.0)
    numbers = [number_in(frame) for frame in source.frames()]
    source.close()
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) == 25
    assert source.damage is None


def test_h265_gives_the_same_frames_as_the_file(tmp_path: Path, serve_rtsp: Serve) -> None:
    path = record(
        tmp_path / "a.mp4",
        frames=50,
        codec="libx265",
        b_frames=2,
        options={"x265-params": "log-level=none:keyint=10"},
    )
    file = FileSource(path, camera_id="c1")
    expected = {number_in(frame): digest(frame) for frame in file.frames()}
    file.close()
    source = RtspSource(
        serve_rtsp(path).url, camera_id="c1", clock=SystemClock(), packet_ring=(ring := PacketRing())
    )
    frames = list(source.frames())
    source.close()
    assert source.codec == "hevc"
    assert len(frames) >= 47
    assert [digest(frame) for frame in frames] == [expected[number_in(frame)] for frame in frames]
    for frame in frames[::9]:
        assert hashlib.sha256(ring.decode_frame(frame.stamp).tobytes()).hexdigest() == digest(frame)


def test_a_host_outside_the_networks_is_never_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"rtsp://operator:geheim@127.0.0.1:{server.getsockname()[1]}/camera"
        texts = _chain(
            lambda: RtspSource(
                url, camera_id="c1", clock=SystemClock(), networks=CameraNetworks.of(["10.0.0.0/8"])
            ),
            StreamOutsideError,
        )
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "geheim" not in texts


def test_each_connection_asks_again_where_the_host_is(tmp_path: Path, serve_rtsp: Serve) -> None:
    """A name that changes its number to one outside is refused, and what it was connected to before is no excuse."""
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=50))
    url = camera.url.replace("127.0.0.1", "camera.example")
    numbers = iter((("127.0.0.1",), ("127.0.0.1", "169.254.169.254")))

    def connect() -> RtspSource:
        return RtspSource(
            url,
            camera_id="c1",
            clock=SystemClock(),
            networks=CameraNetworks.of(["127.0.0.0/8"]),
            resolve=lambda host: next(numbers) if host == "camera.example" else (),
        )

    source = connect()
    assert next(source.frames()).stamp.index == 0
    source.close()
    with pytest.raises(StreamOutsideError, match=r"169\.254\.169\.254"):
        connect()


def test_a_stream_of_sound_only(serve_rtsp: Serve) -> None:
    with pytest.raises(StreamNoVideoError, match="no video track"):
        RtspSource(serve_rtsp("sound").url, camera_id="c1", clock=SystemClock(), open_timeout_s=5)


def test_pictures_that_come_too_fast_are_refused(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=600, rate=300, b_frames=0))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock())
    with pytest.raises(StreamAbsurdError, match="more than 240 pictures in a second"):
        list(source.frames())
    source.close()


def test_a_slow_viewer_loses_nothing_and_knows_how_far_it_is_behind(
    tmp_path: Path, serve_rtsp: Serve
) -> None:
    """Packets come in while nobody looks; then nothing is decoded up to the next keyframe, and the ring has it all."""
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=100, b_frames=0, group=25))
    ring = PacketRing()
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock(), packet_ring=ring)
    frames = source.frames()
    next(frames)
    time.sleep(1.5)  # the camera waits for nobody, so neither can this test hand in a clock
    second = next(frames)
    assert 1.0 < source.lag_s < 2.0
    source.skip_to_keyframe()
    third = next(frames)
    rest = list(frames)
    source.close()
    assert number_in(third) % 25 == 0
    assert third.stamp.media_s - second.stamp.media_s > 0.5
    assert source.lag_s < 1.0
    assert [number_in(frame) for frame in rest] == list(range(number_in(third) + 1, number_in(rest[-1]) + 1))
    assert source.skipped.packets_skipped > 10
    assert "packets not decoded, since the machine was too slow" in str(source.damage)
    assert source.skipped.packets_skipped + len(rest) + 3 == source.traffic.packets
    kept = ring.packets_between(0.0, rest[-1].stamp.media_s)
    assert len(kept) >= source.traffic.packets - 1
    again = ring.decode_frame(third.stamp)
    assert hashlib.sha256(again.tobytes()).hexdigest() == digest(third)


def test_who_asks_again_and_again_to_skip_catches_up_all_the_same(tmp_path: Path, serve_rtsp: Serve) -> None:
    """Pictures leave the decoder later than their packets enter it: those from before a skip must not cause the next one."""
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=250, b_frames=3, group=50))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock())
    frames = source.frames()
    next(frames)
    time.sleep(3.0)  # the camera waits for nobody
    lags_s = []
    for _ in frames:
        lags_s.append(source.lag_s)
        if source.lag_s > 0.5:
            source.skip_to_keyframe()
    source.close()
    assert max(lags_s) > 2.0
    caught_up = next(at for at, lag_s in enumerate(lags_s) if lag_s <= 0.5)
    assert len(lags_s) - caught_up > 40, "it goes on with every picture"
    assert source.skipped.packets_skipped > 30


def test_closing_ends_the_wait_of_another_thread(tmp_path: Path, serve_rtsp: Serve) -> None:
    camera = serve_rtsp(record(tmp_path / "a.mp4", frames=100))
    source = RtspSource(camera.url, camera_id="c1", clock=SystemClock(), read_timeout_s=30)
    frames = source.frames()
    next(frames)
    camera.process.send_signal(signal.SIGSTOP)
    thread = Thread(target=lambda: list(frames))
    thread.start()
    thread.join(1.0)
    source.close()
    thread.join(5.0)
    assert not thread.is_alive()


def test_every_error_of_a_stream_has_a_code_of_its_own() -> None:
    kinds = [kind for kind in StreamError.__subclasses__() if kind.__module__ == StreamError.__module__]
    assert len(kinds) == 10
    assert len({kind.code for kind in kinds} | {StreamError.code}) == 11


def _chain(call: Callable[[], object], kind: type[Exception]) -> str:
    """All texts of the error and of what it was raised from or in, to be searched for secrets."""
    with pytest.raises(kind) as caught:
        call()
    texts, error, seen = [], [caught.value], set()
    while error:
        one = error.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        texts.append(f"{one!r} {one} {vars(one)}")
        error += [other for other in (one.__cause__, one.__context__) if other is not None]  # type: ignore[misc]
    return "\n".join(texts)


@contextmanager
def _answering(answer: bytes | None) -> Iterator[int]:
    """A port that accepts one connection and answers the first words with ``answer``, or with nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def answer_once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                connection.recv(4096)
                if answer is not None:
                    connection.sendall(answer)
                else:
                    connection.recv(4096)  # until the other side gives up

        thread = Thread(target=answer_once)
        thread.start()
        yield server.getsockname()[1]
        thread.join()
