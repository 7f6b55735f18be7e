"""The packet ring: what it keeps, what it lets go and why, frames decoded again to the byte, clips that play."""

from __future__ import annotations

import hashlib
import io
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from ingest.errors import FrameGoneError, PacketsGoneError
from ingest.file_source import FileSource
from ingest.frame import Packet, Pixels, StreamParameters
from ingest.packet_ring import PACKET_OVERHEAD_BYTES, Drops, PacketRing
from ingest.picture import to_bgr
from ingest.redecode import Redecoding
from rules.observation import FrameStamp
from tests.ingest.recordings import hide_beginning, record, spoil


def digest(pixels: Pixels) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def read(path: Path, ring: PacketRing) -> tuple[list[FrameStamp], list[str]]:
    """Stamps and picture hashes of the whole file, the ring filled on the way; the source is closed."""
    source = FileSource(path, camera_id="c1", packet_ring=ring)
    stamps, digests = [], []
    for frame in source.frames():
        stamps.append(frame.stamp)
        digests.append(digest(frame.bgr()))
    source.close()
    return stamps, digests


CODINGS = [
    pytest.param("a.mp4", "libx264", {}, id="h264-b-frames"),
    pytest.param("a.ts", "libx264", {}, id="h264-annex-b"),
    pytest.param(
        "a.mp4",
        "libx264",
        {"x264-params": "open-gop=1:keyint=12:bframes=3:b-adapt=0:scenecut=0"},
        id="h264-open-groups",
    ),
    pytest.param("a.avi", "libx264", {}, id="h264-wrong-stamps"),
    pytest.param("a.h264", "libx264", {}, id="h264-no-stamps"),
    pytest.param("a.mp4", "mpeg4", {}, id="mpeg4-b-frames"),
    pytest.param("a.avi", "mpeg4", {}, id="mpeg4-avi"),
    pytest.param(
        "a.mp4",
        "libx265",
        {"x265-params": "open-gop=1:keyint=12:bframes=3:b-adapt=0:log-level=none"},
        id="h265-open-groups",
    ),
    pytest.param("a.ts", "mpeg2video", {}, id="mpeg2"),
]


@pytest.mark.parametrize(("name", "codec", "options"), CODINGS)
def test_every_frame_decoded_again_equals_the_analysed_one(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    ring = PacketRing()
    stamps, digests = read(record(tmp_path / name, codec=codec, options=options), ring)
    assert len(stamps) == 50
    assert len(set(digests)) == 50
    assert [digest(ring.decode_frame(stamp)) for stamp in stamps] == digests
    assert ring.decode_frame(stamps[7]).flags.writeable is False


@pytest.mark.parametrize(("name", "codec", "options"), CODINGS)
def test_frames_decode_again_in_whatever_order_they_are_asked_for(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    ring = PacketRing()
    stamps, digests = read(record(tmp_path / name, codec=codec, options=options), ring)
    asked = [0, 4, 8, 9, 10, 24, 24, 23, 49, 3, 4, 5, 6, 7, *range(11, 50, 7)]
    assert [digest(ring.decode_frame(stamps[at])) for at in asked] == [digests[at] for at in asked]


def test_later_frames_of_a_group_cost_no_second_way_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = PacketRing()
    stamps, _ = read(record(tmp_path / "a.mp4", group=100), ring)
    begun: list[int] = []

    class Counted(Redecoding):
        def picture(self, wanted: int) -> av.VideoFrame | None:
            begun.append(id(self))
            return super().picture(wanted)

    monkeypatch.setattr("ingest.packet_ring.Redecoding", Counted)
    for at in (10, 25, 40):
        ring.decode_frame(stamps[at])
    assert len(set(begun)) == 1
    ring.framed(50, 50, 2.0)  # a frame came in between: the decoder is let go of
    ring.decode_frame(stamps[45])
    assert len(begun) == 4
    assert len(set(begun)) == 2


def test_frames_around_a_damage_decode_again_too(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        spoilt = [packet for packet in container.demux(video=0) if packet.size][26]
    assert spoilt.pos is not None
    ring = PacketRing()
    stamps, digests = read(spoil(path, spoilt.pos, spoilt.size), ring)
    assert 20 < len(stamps) < 50
    assert [digest(ring.decode_frame(stamp)) for stamp in stamps] == digests


def test_frames_whose_keyframe_was_hidden_by_an_edit_list_decode_again_too(tmp_path: Path) -> None:
    path = hide_beginning(tmp_path / "a.mp4", record(tmp_path / "whole.mkv", group=100), 400)
    ring = PacketRing()
    stamps, digests = read(path, ring)
    assert len(stamps) == 40
    assert [digest(ring.decode_frame(stamp)) for stamp in stamps] == digests
    assert ring.packets_between(0.0, 0.5)[0].is_keyframe


def test_frames_decode_again_while_the_source_is_being_read(tmp_path: Path) -> None:
    ring = PacketRing()
    source = FileSource(record(tmp_path / "a.mp4"), camera_id="c1", packet_ring=ring)
    for frame in source.frames():
        assert digest(ring.decode_frame(frame.stamp)) == digest(frame.bgr())
    source.close()


@pytest.mark.parametrize(("name", "codec", "options"), CODINGS)
def test_a_clip_of_the_packets_plays_and_shows_the_analysed_frames(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    ring = PacketRing()
    _, digests = read(record(tmp_path / name, codec=codec, options=options), ring)
    packets = ring.packets_between(0.8, 1.4)
    assert packets[0].is_keyframe
    assert all(packet.pts is not None and packet.dts is not None for packet in packets)
    assert all(a.dts < b.dts for a, b in pairwise(packets))  # type: ignore[operator]
    assert all(packet.dts <= packet.pts for packet in packets)  # type: ignore[operator]

    clip = io.BytesIO()
    with (
        av.open(io.BytesIO(ring.parameters.template)) as template,
        av.open(
            clip, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        ) as output,
    ):
        stream = output.add_stream_from_template(template.streams.video[0], opaque=True)
        first_pts = min(packet.pts for packet in packets if packet.pts is not None)
        for packet in packets:
            muxed = av.Packet(packet.data)
            assert packet.pts is not None
            assert packet.dts is not None
            muxed.pts, muxed.dts = packet.pts - first_pts, packet.dts - first_pts
            muxed.duration, muxed.time_base = packet.duration, packet.time_base
            muxed.is_keyframe, muxed.stream = packet.is_keyframe, stream
            output.mux(muxed)
    clip.seek(0)
    key_s = ring.media_s_of(packets[0])
    shown: dict[int, str] = {}
    with av.open(clip, "r") as container:
        # Muxers move the whole clip so that it begins at 0: count from its keyframe.
        pictures = list(container.decode(video=0))
    for picture in pictures:
        shown[round((picture.time - pictures[0].time + key_s) * 25)] = digest(to_bgr(picture))
    expected = dict(enumerate(digests))
    wanted = range(20, 36)
    assert {number: shown.get(number) for number in wanted} == {number: expected[number] for number in wanted}
    assert min(shown) >= 20 - 24
    assert max(shown) <= 35 + 4


def test_packets_begin_with_the_keyframe_at_or_before_and_end_with_the_last_picture_wanted(
    tmp_path: Path,
) -> None:
    ring = PacketRing()
    read(record(tmp_path / "a.mp4", b_frames=0), ring)
    for from_s, to_s, first, last in [
        (0.0, 0.0, 0, 0),
        (0.5, 1.0, 12, 25),
        (0.48, 0.98, 12, 24),
        (0.47, 9.0, 0, 49),
    ]:
        times = [ring.media_s_of(packet) for packet in ring.packets_between(from_s, to_s)]
        assert times == pytest.approx([number / 25 for number in range(first, last + 1)]), (from_s, to_s)


def test_the_pictures_of_a_clip_have_no_hole_at_its_end(tmp_path: Path) -> None:
    ring = PacketRing()
    read(record(tmp_path / "a.mp4"), ring)
    for last in range(13, 45):
        times = sorted(ring.media_s_of(packet) for packet in ring.packets_between(0.5, last / 25))
        assert times == pytest.approx([number / 25 for number in range(12, 12 + len(times))]), last
        assert last / 25 <= times[-1] + 1e-6 <= last / 25 + 0.17, last


# The ring alone, with packets made by hand: one keyframe a second, 25 pictures a second, media time = pts.

PARAMETERS = StreamParameters(
    codec_name="h264",
    codec_tag="avc1",
    extradata=None,
    width=64,
    height=64,
    pixel_format="yuv420p",
    time_base=Fraction(1, 25),
    frame_rate=Fraction(25),
    template=b"",
)
SIZE_BYTES = 1000
COST_BYTES = SIZE_BYTES + PACKET_OVERHEAD_BYTES


def packet_at(number: int, *, is_keyframe: bool | None = None) -> Packet:
    return Packet(
        segment=0,
        pts=number,
        dts=number,
        duration=1,
        is_keyframe=number % 25 == 0 if is_keyframe is None else is_keyframe,
        time_base=Fraction(1, 25),
        data=bytes(SIZE_BYTES),
    )


def feed(ring: PacketRing, numbers: range) -> None:
    for number in numbers:
        ring.add(number, packet_at(number))
        ring.framed(number, number, number / 25)


def begun(*, hold_s: float, max_bytes: int = 10**9) -> PacketRing:
    ring = PacketRing(hold_s=hold_s, max_bytes=max_bytes)
    ring.begin(0, PARAMETERS)
    return ring


def test_what_is_older_than_the_span_goes_by_whole_groups_and_is_counted() -> None:
    ring = begun(hold_s=3.0)
    feed(ring, range(25 * 20))
    assert ring.kept_s == (16.0, 499 / 25)
    assert ring.drops == Drops(aged=400)
    assert ring.size_bytes == 100 * COST_BYTES
    for number in range(25 * 20, 25 * 40):
        feed(ring, range(number, number + 1))
        assert ring.kept_s is not None
        assert 3.0 <= ring.kept_s[1] - ring.kept_s[0] < 4.0


def test_what_is_held_stays_until_it_is_released() -> None:
    ring = begun(hold_s=3.0)
    feed(ring, range(25 * 5))
    early = ring.hold_from(3.5)
    late = ring.hold_from(4.5)
    feed(ring, range(25 * 5, 25 * 60))
    assert ring.kept_s == (3.0, 1499 / 25)
    ring.release(early)
    assert ring.kept_s == (4.0, 1499 / 25)
    ring.release(late)
    ring.release(late)
    assert ring.kept_s == (56.0, 1499 / 25)
    assert ring.drops.over_bytes == 0


def test_the_byte_budget_is_never_exceeded_and_what_it_costs_is_counted() -> None:
    ring = begun(hold_s=30.0, max_bytes=60 * COST_BYTES)
    for number in range(25 * 20):
        feed(ring, range(number, number + 1))
        assert ring.size_bytes <= 60 * COST_BYTES
    assert ring.kept_s == (18.0, 499 / 25)
    assert ring.drops == Drops(over_bytes=450)


def test_a_hold_ends_at_the_byte_budget_and_that_is_counted_apart() -> None:
    ring = begun(hold_s=1.0, max_bytes=100 * COST_BYTES)
    feed(ring, range(25 * 5))
    ring.hold_from(4.0)
    feed(ring, range(25 * 5, 25 * 10))
    assert ring.kept_s == (6.0, 249 / 25)
    assert ring.drops.over_bytes_held == 50
    assert ring.drops.over_bytes >= 50


def test_a_group_larger_than_the_budget_is_let_go_and_nothing_that_builds_on_it_is_kept() -> None:
    ring = begun(hold_s=30.0, max_bytes=10 * COST_BYTES)
    feed(ring, range(25))
    assert ring.kept_s is None
    assert ring.drops == Drops(over_bytes=11, no_keyframe=14)
    feed(ring, range(25, 30))
    assert ring.kept_s == (1.0, 29 / 25)


def test_packets_before_the_first_keyframe_are_not_kept() -> None:
    ring = begun(hold_s=30.0)
    feed(ring, range(20, 30))
    assert ring.kept_s == (1.0, 29 / 25)
    assert ring.drops == Drops(no_keyframe=5)


def test_a_keyframe_that_never_became_a_frame_does_not_stop_the_rest_from_ageing() -> None:
    ring = begun(hold_s=3.0)
    for number in range(25 * 20):
        ring.add(number, packet_at(number))
        if number % 50:
            ring.framed(number, number, number / 25)
    assert ring.kept_s is not None
    assert ring.kept_s[0] > 15


def test_a_new_segment_empties_the_ring_and_its_holds() -> None:
    ring = begun(hold_s=3.0)
    feed(ring, range(50))
    hold = ring.hold_from(0.0)
    ring.begin(1, PARAMETERS)
    assert ring.kept_s is None
    assert ring.size_bytes == 0
    ring.release(hold)
    feed(ring, range(25 * 10))
    assert ring.kept_s == (6.0, 249 / 25)


def test_what_is_gone_is_an_error_that_says_what_there_is(tmp_path: Path) -> None:
    ring = PacketRing(hold_s=0.4)
    stamps, digests = read(record(tmp_path / "a.mp4"), ring)
    with pytest.raises(FrameGoneError) as caught:
        ring.decode_frame(stamps[3])
    assert caught.value.stamp == stamps[3]
    assert caught.value.kept_s == pytest.approx((36 / 25, 49 / 25))
    assert "frame 3 of segment 0 (0.120 s)" in str(caught.value)
    assert "1.440 s to 1.960 s" in str(caught.value)
    with pytest.raises(PacketsGoneError, match=r"from 0\.100 s to 0\.500 s"):
        ring.packets_between(0.1, 0.5)
    assert digest(ring.decode_frame(stamps[49])) == digests[49]


def test_a_frame_of_another_segment_is_not_decoded_by_mistake(tmp_path: Path) -> None:
    ring = PacketRing()
    path = record(tmp_path / "a.mp4")
    stamps, _ = read(path, ring)
    source = FileSource(path, camera_id="c1", segment=1, packet_ring=ring)
    list(source.frames())
    source.close()
    with pytest.raises(FrameGoneError):
        ring.decode_frame(stamps[3])


def test_an_empty_ring_says_so() -> None:
    ring = begun(hold_s=1.0)
    with pytest.raises(PacketsGoneError, match="holds nothing"):
        ring.packets_between(0.0, 1.0)
    with pytest.raises(RuntimeError, match="no source has begun"):
        _ = PacketRing().parameters
