"""Clips: the camera's own packets, from the keyframe on, playable, seekable, the same bytes every time."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import pytest

from evidence import clip
from evidence.clip import Part, TimedPacket, cut, joined, keyframe_at, mux, plays_in_browser
from evidence.errors import ClipError
from evidence.playback import shown_frames
from evidence.reencode import changed, pictures, times
from ingest.errors import PacketsGoneError
from ingest.packet_ring import PacketRing
from tests.builders.filmed import Filming, Street, frames_of, number_in

SMALL = (160, 96)


def ring_of(path: Path, *, hold_s: float = 1000.0) -> PacketRing:
    ring = PacketRing(hold_s=hold_s)
    for _ in frames_of(path, ring):
        pass
    return ring


def decoded(data: bytes) -> list[av.VideoFrame]:
    with av.open(BytesIO(data), "r") as container:
        return list(container.decode(video=0))


def numbers(data: bytes, size_px: tuple[int, int]) -> list[int]:
    return [number_in(frame.to_ndarray(format="bgr24"), size_px) for frame in decoded(data)]


def packets_in(data: bytes) -> list[bytes]:
    with av.open(BytesIO(data), "r") as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


CODECS = [
    ("mp4", "libx264", (("preset", "ultrafast"), ("g", "25"), ("bf", "0"))),
    ("mp4", "libx264", (("preset", "ultrafast"), ("g", "50"), ("bf", "3"), ("b-pyramid", "normal"))),
    ("ts", "libx264", (("preset", "ultrafast"), ("g", "25"), ("bf", "2"))),
    ("mkv", "libx265", (("preset", "ultrafast"), ("x265-params", "keyint=25:log-level=none"))),
    ("avi", "mpeg4", (("g", "25"),)),
    ("mp4", "mpeg4", (("g", "25"), ("bf", "2"))),
    ("avi", "mjpeg", ()),
]


@pytest.mark.parametrize(("suffix", "codec", "options"), CODECS)
def test_packets_are_put_into_the_clip_as_they_came(
    tmp_path: Path, suffix: str, codec: str, options: tuple[tuple[str, str], ...]
) -> None:
    street = Street(filming=Filming(seconds=8.0, size_px=SMALL, codec=codec, options=options))
    ring = ring_of(street.film(tmp_path / f"street.{suffix}"))
    part = cut(ring, "event", 3.0, 6.0)
    data = mux(ring.parameters, [part])
    shown = numbers(data, SMALL)
    assert shown[0] <= 75 and shown[0] >= 75 - 50
    assert shown == list(range(shown[0], shown[0] + len(shown))), "pictures are missing or out of order"
    assert shown[-1] >= 150
    assert part.first_s == pytest.approx(shown[0] / 25)
    assert part.last_s == pytest.approx(shown[-1] / 25)
    frames = decoded(data)
    assert frames[0].time == 0.0
    assert frames[-1].time == pytest.approx(part.last_s - part.first_s, abs=1e-3)
    if suffix != "ts":  # an MP4 delimits H.264 by lengths, a transport stream by start codes
        assert packets_in(data) == [packet.data for packet in part.packets]
    assert mux(ring.parameters, [cut(ring, "event", 3.0, 6.0)]) == data
    assert data.find(b"moov") < data.find(b"mdat"), "the index must stand first"


def test_only_what_a_browser_plays_is_said_to_play(tmp_path: Path) -> None:
    for codec, plays in (("libx264", True), ("mpeg4", False)):
        street = Street(filming=Filming(seconds=1.0, size_px=SMALL, codec=codec, options=()))
        ring = ring_of(street.film(tmp_path / f"{codec}.mp4"))
        assert plays_in_browser(ring.parameters) is plays


def test_a_codec_that_an_mp4_does_not_take_is_a_clear_error(tmp_path: Path) -> None:
    options = (("deadline", "realtime"), ("cpu-used", "8"))
    street = Street(filming=Filming(seconds=1.0, size_px=SMALL, codec="libvpx", options=options))
    ring = ring_of(street.film(tmp_path / "street.mkv"))
    with pytest.raises(ClipError, match=r"vp8 cannot be put into an MP4 unchanged"):
        mux(ring.parameters, [cut(ring, "event", 0.0, 1.0)])


def test_leading_pictures_of_an_open_group_are_left_out(tmp_path: Path) -> None:
    options = (("preset", "veryfast"), ("bf", "3"), ("g", "50"), ("x264-params", "open-gop=1"))
    street = Street(filming=Filming(seconds=6.0, size_px=SMALL, options=options))
    ring = ring_of(street.film(tmp_path / "street.mp4"))
    given = ring.packets_between(3.5, 5.0)
    part = cut(ring, "event", 3.5, 5.0)
    assert len(part.packets) < len(given), "the encoder made no open group; the test tests nothing"
    shown = numbers(mux(ring.parameters, [part]), SMALL)
    assert shown == list(range(shown[0], shown[0] + len(part.packets)))


LONG_GROUPS = [
    ("libx264", (("preset", "ultrafast"), ("g", "250"), ("bf", "3")), 0),
    (
        "libx264",
        (("preset", "veryfast"), ("x264-params", "keyint=100:min-keyint=100:open-gop=1:bframes=8")),
        100,
    ),
    ("libx264", (("preset", "ultrafast"), ("x264-params", "keyint=infinite:bframes=2")), 0),
    (
        "libx265",
        (("preset", "ultrafast"), ("x265-params", "keyint=100:scenecut=0:bframes=4:log-level=none")),
        100,
    ),
    ("libx265", (("preset", "ultrafast"), ("x265-params", "keyint=-1:bframes=4:log-level=none")), 0),
]


@pytest.mark.parametrize(("codec", "options", "first"), LONG_GROUPS)
def test_a_long_group_is_cut_whole_whatever_its_pictures_build_on(
    tmp_path: Path, codec: str, options: tuple[tuple[str, str], ...], first: int
) -> None:
    street = Street(filming=Filming(seconds=9.0, size_px=SMALL, codec=codec, options=options))
    ring = ring_of(street.film(tmp_path / "street.mkv"))
    part = cut(ring, "event", 5.0, 7.0)
    data = mux(ring.parameters, [part])
    shown = numbers(data, SMALL)
    assert shown == list(range(first, first + len(part.packets))), (
        "from the keyframe on, each picture once, in order"
    )
    assert shown[-1] >= 175
    times = [frame.time for frame in decoded(data)]
    assert times == pytest.approx([number / 25 for number in range(len(shown))], abs=2e-3)


def test_the_clip_begins_at_the_keyframe_at_or_before_and_ends_in_time(street: Street, film: Path) -> None:
    ring = ring_of(film)
    part = cut(ring, "event", 7.3, 12.3)
    assert part.first_s == 6.0
    assert 12.24 <= part.last_s <= 12.3 + 4 / 25, "at most the pictures that B-frames build on"


def test_footage_that_is_gone_is_not_an_empty_clip(film: Path) -> None:
    ring = ring_of(film, hold_s=5.0)
    with pytest.raises(PacketsGoneError):
        cut(ring, "event", 2.0, 10.0)


def test_footage_whose_beginning_is_gone_begins_later(film: Path) -> None:
    ring = ring_of(film, hold_s=5.0)
    part = cut(ring, "event", 2.0, 38.0)
    assert part.first_s > 30.0
    assert part.packets[0].is_keyframe


def test_parts_of_a_parked_car_play_in_one_clip_at_their_own_times(street: Street, film: Path) -> None:
    ring = ring_of(film)
    arrival = cut(ring, "arrival", 4.5, 10.5)
    between = [keyframe_at(ring, 12.0), keyframe_at(ring, 20.5)]
    event = cut(ring, "event", 30.0, 36.0)
    parts = joined(arrival, between, event)
    assert [part.what for part in parts] == ["arrival", "interval", "event"]
    data = mux(ring.parameters, parts)
    shown = numbers(data, street.filming.size_px)
    wanted = [*_indices(arrival), 300, 500, *_indices(event)]
    assert shown == wanted
    times = [frame.time for frame in decoded(data)]
    assert times == pytest.approx([(number - shown[0]) / 25 for number in shown], abs=1e-3)


OPEN_GROUPS = [
    ("libx264", (("preset", "veryfast"), ("x264-params", "keyint=50:min-keyint=50:open-gop=1:bframes=3"))),
    ("libx265", (("preset", "ultrafast"), ("x265-params", "keyint=50:scenecut=0:bframes=4:log-level=none"))),
]


@pytest.mark.parametrize(("codec", "options"), OPEN_GROUPS)
def test_parts_of_open_groups_are_shown_in_order_by_a_decoder_that_begins_anew_at_joints(
    tmp_path: Path, codec: str, options: tuple[tuple[str, str], ...]
) -> None:
    street = Street(filming=Filming(seconds=36.0, size_px=SMALL, codec=codec, options=options))
    ring = ring_of(street.film(tmp_path / "street.mkv"))
    arrival, event = cut(ring, "arrival", 2.5, 6.5), cut(ring, "event", 28.0, 34.0)
    parts = joined(arrival, [keyframe_at(ring, 12.0), keyframe_at(ring, 20.5)], event)
    data = mux(ring.parameters, parts)
    with av.open(BytesIO(data), "r") as container:
        shown = [
            (number_in(frame.to_ndarray(format="bgr24"), SMALL), frame.time)
            for frame in shown_frames(container)
        ]
    wanted = [index for part in parts for index in _indices(part)]
    assert [number for number, _ in shown] == wanted
    assert [at for _, at in shown] == pytest.approx(
        [(number - wanted[0]) / 25 for number in wanted], abs=2e-3
    )
    copy = changed(data, lambda picture: picture.pixels)
    assert [number_in(picture.pixels, SMALL) for picture in pictures(copy)] == wanted
    assert times(copy) == pytest.approx([at for _, at in shown], abs=1e-6)


def test_parts_that_overlap_have_no_picture_twice(film: Path) -> None:
    ring = ring_of(film)
    arrival = cut(ring, "arrival", 4.0, 12.9)
    event = cut(ring, "event", 11.0, 14.0)
    parts = joined(arrival, [keyframe_at(ring, 6.0), keyframe_at(ring, 13.0)], event)
    indices = [index for part in parts for index in _indices(part)]
    assert len(indices) == len(set(indices))
    assert sorted(indices) == list(range(100, max(indices) + 1))
    assert joined(cut(ring, "arrival", 12.0, 13.0), [], cut(ring, "event", 10.0, 14.0))[0].what == "event"


def test_packets_without_decoding_times_and_with_equal_ones_are_put_in_order(
    street: Street, film: Path
) -> None:
    ring = ring_of(film)
    part = cut(ring, "event", 4.0, 8.0)
    doubled = Part(
        what="event",
        packets=tuple(
            TimedPacket(
                media_s=packet.media_s,
                pts=packet.pts // 1024,
                duration=packet.duration,
                is_keyframe=packet.is_keyframe,
                time_base=Fraction(1, 12),
                data=packet.data,
            )
            for packet in part.packets
        ),
    )
    assert len(packets_in(mux(ring.parameters, [doubled]))) == len(part.packets)


def test_a_clip_that_does_not_read_back_is_refused(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = ring_of(film)
    monkeypatch.setattr(clip, "sample_count", lambda data: 3)
    with pytest.raises(ClipError, match="holds 3 pictures"):
        mux(ring.parameters, [cut(ring, "event", 4.0, 8.0)])


@pytest.mark.footage
def test_every_real_clip_can_be_cut_and_decodes_whole(shared: Path) -> None:
    found = sorted((shared / "footage").glob("*.mp4"))
    assert len(found) == 7
    for path in found:
        ring = ring_of(path)
        part = cut(ring, "event", 5.0, 17.0)
        data = mux(ring.parameters, [part])
        assert len(decoded(data)) == len(part.packets), path.name
        assert packets_in(data) == [packet.data for packet in part.packets], path.name
        assert part.first_s <= 5.0, path.name


def _indices(part: Part) -> Sequence[int]:
    return sorted(round(packet.media_s * 25) for packet in part.packets)
