"""Recorded files: order, times, damage and stamps of what they give."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import av
import pytest

from ingest.decoding import Skipped
from ingest.file_source import FileSource
from ingest.picture import DecodedFrame
from rules.observation import ClockSource
from tests.ingest.recordings import cut, hide_beginning, number_in, record, spoil


def read(path: Path, **settings: object) -> tuple[list[DecodedFrame], FileSource]:
    source = FileSource(path, camera_id="c1", **settings)  # type: ignore[arg-type]
    frames = list(source.frames())
    source.close()
    return frames, source


def numbers(frames: Sequence[DecodedFrame]) -> list[int]:
    return [number_in(frame) for frame in frames]


def times_s(frames: Sequence[DecodedFrame]) -> list[float]:
    return [frame.stamp.media_s for frame in frames]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("h264.mp4", "libx264"),
        ("h264.mkv", "libx264"),
        ("h264.ts", "libx264"),
        ("h264.avi", "libx264"),
        ("h265.mp4", "libx265"),
        ("mpeg4.mp4", "mpeg4"),
        ("mpeg4.avi", "mpeg4"),
        ("mpeg2.ts", "mpeg2video"),
        ("vp9.webm", "libvpx-vp9"),
    ],
)
def test_pictures_come_once_in_the_order_in_which_they_are_shown(
    tmp_path: Path, name: str, codec: str
) -> None:
    frames, source = read(record(tmp_path / name, codec=codec))
    assert numbers(frames) == list(range(50))
    assert [frame.stamp.index for frame in frames] == list(range(50))
    assert times_s(frames) == pytest.approx([number / 25 for number in range(50)], abs=0.0005)
    assert source.size_px == (160, 96)
    assert source.damage is None
    assert source.skipped == Skipped()


def test_the_recordings_of_these_tests_do_reorder_their_pictures(tmp_path: Path) -> None:
    with av.open(str(record(tmp_path / "a.mp4"))) as container:
        shown = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert shown != sorted(shown)


def test_media_time_follows_a_variable_frame_rate(tmp_path: Path) -> None:
    times_ms = [0, 40, 90, 95, 300, 1300, 1333, 1400, 2000, 2040]
    frames, source = read(record(tmp_path / "vfr.mkv", frames=10, times_ms=times_ms))
    assert times_s(frames) == [time_ms / 1000 for time_ms in times_ms]
    assert source.damage is None


def test_media_time_counts_from_the_first_picture_shown(tmp_path: Path) -> None:
    times_ms = [5000 + 40 * number for number in range(20)]
    for name in ("offset.mkv", "offset.ts", "offset.mp4"):
        frames, source = read(record(tmp_path / name, frames=20, times_ms=times_ms))
        assert times_s(frames) == pytest.approx([number / 25 for number in range(20)], abs=0.0005), name
        assert source.damage is None, name


def test_pictures_outside_the_edit_list_are_not_shown(tmp_path: Path) -> None:
    edited = hide_beginning(tmp_path / "edited.mp4", record(tmp_path / "whole.mkv", group=100), 400)
    with av.open(str(edited)) as container:
        assert [packet.is_discard for packet in container.demux(video=0)][:5] == [True] * 5
    frames, _ = read(edited)
    assert numbers(frames) == list(range(10, 50))
    assert times_s(frames)[0] == 0.0


def test_pictures_without_stamps_are_timed_by_their_duration_and_that_is_said(tmp_path: Path) -> None:
    frames, source = read(record(tmp_path / "raw.h264", container="h264"))
    assert numbers(frames) == list(range(50))
    assert times_s(frames) == pytest.approx([number / 25 for number in range(50)])
    assert source.skipped == Skipped(frames_undated=50)
    assert source.damage == "pictures without a time stamp, timed by their duration: 50"
    assert source.length_s is None


def test_stamps_carry_the_declared_clock(tmp_path: Path) -> None:
    started_at = datetime(2026, 3, 29, 1, 59, 59, tzinfo=timezone(timedelta(hours=8)))
    frames, _ = read(record(tmp_path / "a.mp4", frames=30), segment=3, started_at=started_at, error_s=0.25)
    stamp = frames[29].stamp
    assert stamp.captured_at == started_at + timedelta(seconds=1.16)
    assert stamp.captured_at is not None
    assert stamp.captured_at.tzinfo is UTC
    assert (stamp.clock_source, stamp.error_s) == (ClockSource.DECLARED, 0.25)
    assert (stamp.camera_id, stamp.segment, stamp.index) == ("c1", 3, 29)
    assert frames[0].stamp.error_s == 0.25


def test_stamps_carry_no_clock_where_none_was_declared(tmp_path: Path) -> None:
    frames, _ = read(record(tmp_path / "a.mp4", frames=5))
    stamp = frames[4].stamp
    assert (stamp.captured_at, stamp.clock_source, stamp.error_s) == (None, ClockSource.NONE, 0.0)


def test_a_start_time_without_its_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="aware"):
        FileSource(record(tmp_path / "a.mp4", frames=5), camera_id="c1", started_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_transport_stream_cut_within_a_picture_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = record(tmp_path / "a.ts")
    frames, source = read(cut(path, path.stat().st_size * 6 // 10 // 188 * 188 + 100))
    assert 20 < len(frames) < 40
    assert numbers(frames) == sorted(set(numbers(frames)))
    assert source.damage is not None
    assert "breaks off within a picture" in source.damage


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_a_matroska_file_cut_anywhere_gives_what_is_there_and_says_how_much_is_missing(
    tmp_path: Path, name: str
) -> None:
    path = record(tmp_path / name, codec="libx264" if name == "a.mkv" else "libvpx-vp9")
    frames, source = read(cut(path, path.stat().st_size * 6 // 10))
    assert 20 < len(frames) < 40
    assert numbers(frames) == sorted(set(numbers(frames)))
    assert source.damage is not None
    assert source.damage.startswith("the file breaks off after 1.")
    assert "of 2.00 s" in source.damage


def test_an_mp4_with_its_index_in_front_cut_off_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", container_options={"movflags": "faststart"})
    frames, source = read(cut(path, path.stat().st_size * 6 // 10))
    assert 20 < len(frames) < 40
    assert numbers(frames) == list(range(len(frames)))
    assert source.damage is not None
    assert "breaks off within a picture" in source.damage
    assert source.skipped.packets_damaged == 1


def test_an_mp4_with_its_index_in_front_cut_between_pictures_says_how_much_is_missing(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", container_options={"movflags": "faststart"})
    with av.open(str(path)) as container:
        ends = [packet.pos + packet.size for packet in container.demux(video=0) if packet.pos is not None]
    frames, source = read(cut(path, ends[23]))
    assert len(frames) == 24
    assert source.damage == "the file breaks off after 0.96 s of 2.00 s"


def test_damage_in_the_middle_is_skipped_up_to_the_next_keyframe_and_counted(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    spoilt = packets[25]
    assert packets[24].is_keyframe
    assert packets[36].is_keyframe
    assert spoilt.pos is not None
    frames, source = read(spoil(path, spoilt.pos, spoilt.size))
    shown = numbers(frames)
    assert shown[:25] == list(range(25))
    assert shown[25:] == list(range(36, 50))
    assert times_s(frames)[25] == pytest.approx(36 / 25)
    skipped = source.skipped
    assert skipped.packets_damaged + skipped.frames_damaged >= 1
    assert skipped.packets_damaged + skipped.frames_damaged + skipped.frames_doubtful == 11
    assert source.damage is not None
    assert "build on damaged ones" in source.damage


@pytest.mark.parametrize("name", ["a.ts", "a.mkv", "a.mp4"])
def test_a_damaged_file_reads_the_same_every_time(tmp_path: Path, name: str) -> None:
    path = record(tmp_path / name)
    spoil(path, path.stat().st_size // 2, 300)
    cut(path, path.stat().st_size - 200) if name != "a.mp4" else None
    frames, source = read(path)
    assert source.damage is not None
    for _ in range(20):
        again, source_again = read(path)
        assert times_s(again) == times_s(frames)
        assert source_again.damage == source.damage


def test_a_recording_that_begins_between_keyframes_begins_with_the_first_one(tmp_path: Path) -> None:
    path = record(tmp_path / "a.ts", codec="mpeg4")
    with av.open(str(path)) as container:
        starts = [packet.pos for packet in container.demux(video=0) if packet.size]
    assert starts[5] is not None
    path.write_bytes(path.read_bytes()[:564] + path.read_bytes()[starts[5] // 188 * 188 :])
    frames, source = read(path)
    shown = numbers(frames)
    assert shown[0] > 5
    assert shown == list(range(shown[0], 50))
    assert times_s(frames)[0] == 0.0
    assert source.skipped.frames_doubtful > 0


def test_a_clock_that_begins_anew_ends_the_segment_and_says_so(tmp_path: Path) -> None:
    path = record(tmp_path / "a.ts")
    path.write_bytes(path.read_bytes() * 2)
    frames, source = read(path)
    assert len(frames) >= 45  # FFmpeg may take the seam itself for a damage
    assert numbers(frames) == list(range(len(frames)))
    assert source.damage is not None
    assert "the clock begins anew after 1." in source.damage
    assert "cut the file there" in source.damage


def test_a_change_of_size_ends_the_segment_and_says_so(tmp_path: Path) -> None:
    times_ms = [10_000 + 40 * number for number in range(20)]
    first = record(tmp_path / "a.ts")
    second = record(tmp_path / "b.ts", size=(192, 96), frames=20, times_ms=times_ms)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    frames, source = read(first)
    assert len(frames) >= 45  # FFmpeg may take the seam itself for a damage
    assert {(frame.width, frame.height) for frame in frames} == {(160, 96)}
    assert source.damage is not None
    assert "changes its size after 1." in source.damage


def test_a_picture_not_later_than_the_one_before_is_skipped(tmp_path: Path) -> None:
    single, path = record(tmp_path / "single.mkv", frames=4, b_frames=0), tmp_path / "double.mkv"
    with av.open(str(single)) as source_file, av.open(str(path), "w") as output:
        template = source_file.streams.video[0]
        stream = output.add_stream_from_template(template)
        for packet, stamp in zip(source_file.demux(template), (0, 40, 40, 80), strict=False):
            packet.pts = packet.dts = stamp
            packet.stream = stream
            output.mux(packet)
    frames, source = read(path)
    assert times_s(frames) == [0.0, 0.04, 0.08]
    assert source.skipped == Skipped(frames_not_advancing=1)


def test_a_duration_ends_the_segment_early_and_is_no_damage(tmp_path: Path) -> None:
    frames, source = read(record(tmp_path / "a.mp4"), duration_s=0.8)
    assert len(frames) == 20
    assert source.damage is None
    assert source.length_s == 0.8


def test_stopping_early_is_no_damage(tmp_path: Path) -> None:
    source = FileSource(record(tmp_path / "a.mkv"), camera_id="c1")
    frames = source.frames()
    next(frames)
    source.close()
    assert source.damage is None


def test_the_length_to_expect_is_the_video_tracks(tmp_path: Path) -> None:
    for name in ("a.mp4", "a.mkv", "a.ts"):
        _, source = read(record(tmp_path / name))
        assert source.length_s == pytest.approx(2.0, abs=0.001), name


def test_frames_are_read_once(tmp_path: Path) -> None:
    source = FileSource(record(tmp_path / "a.mp4", frames=5), camera_id="c1")
    assert len(list(source.frames())) == 5
    with pytest.raises(RuntimeError, match=r"a\.mp4.*read already"):
        list(source.frames())
    source.close()


def test_frames_outlive_their_source(tmp_path: Path) -> None:
    frames, source = read(record(tmp_path / "a.mp4"))
    del source
    assert numbers(frames) == list(range(50))
    assert frames[49].bgr().shape == (96, 160, 3)


def test_rotation_is_left_alone(tmp_path: Path) -> None:
    upright = record(tmp_path / "a.mp4", frames=5)
    turned = tmp_path / "turned.mp4"
    with av.open(str(upright)) as source, av.open(str(turned), "w") as output:
        template = source.streams.video[0]
        stream = output.add_stream_from_template(template)
        stream.set_display_rotation(90)
        for packet in source.demux(template):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    frames, read_source = read(turned)
    assert read_source.size_px == (160, 96)
    assert numbers(frames) == list(range(5))
