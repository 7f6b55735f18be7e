"""The camera loop: order of calls, watches, gaps, lamps, and both ways to end. Frames come from a real file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ingest.cadence import LookCadence, PlateCadence
from ingest.camera import HeadStats, Looks, LoopStats, run_camera
from ingest.file_source import FileSource
from ingest.frame import Frame
from rules.finding import Keep, Output, Passage, PhotoRole, Rule, Watch
from rules.observation import FrameStamp, Gap, LampSample, LampState, ObjectClass, Observation, TrackPoint
from tests.ingest.recordings import number_in, record


class Script:
    """Analyst, judge and sink in one: sees what the test says, says what the test says, writes everything down."""

    def __init__(
        self,
        *,
        tracks: Callable[[int], Sequence[int] | None] = lambda _: (),
        lamps: Callable[[int], Sequence[LampSample]] = lambda _: (),
        outputs: Callable[[FrameStamp], Sequence[Output]] = lambda _: (),
        final: Sequence[Output] = (),
    ) -> None:
        self.tracks, self.lamps, self.outputs, self.final = tracks, lamps, outputs, final
        self.log: list[tuple[str, int]] = []
        self.watched: list[tuple[int, ...]] = []
        self.received: list[tuple[tuple[Output, ...], int]] = []

    def observe(self, frame: Frame, watched: Sequence[int]) -> Observation:
        number = frame.stamp.index
        assert number_in(frame) == number
        self.log.append(("observe", number))
        self.watched.append(tuple(watched))
        seen = self.tracks(number)
        points = tuple(
            TrackPoint(track_id=track, object_class=ObjectClass.CAR, box_px=(0.0, 0.0, 9.0, 9.0), score=0.9)
            for track in seen or ()
        )
        return Observation(
            stamp=frame.stamp,
            tracks=None if seen is None else points,
            lamps=tuple(self.lamps(number)),
        )

    def observed(self, observation: Observation) -> None:
        self.log.append(("observed", observation.stamp.index))

    def step(self, observation: Observation) -> tuple[Output, ...]:
        self.log.append(("step", observation.stamp.index))
        return tuple(self.outputs(observation.stamp))

    def said(self, outputs: Sequence[Output], now: FrameStamp) -> None:
        self.log.append(("said", now.index))
        self.received.append((tuple(outputs), now.index))

    def finish(self) -> tuple[Output, ...]:
        self.log.append(("finish", -1))
        return tuple(self.final)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[FileSource]:
    opened = FileSource(record(tmp_path / "a.mp4"), camera_id="c1")
    yield opened
    opened.close()


def run(source: FileSource, script: Script, **settings: object) -> LoopStats:
    return run_camera(source, script, script, script, cadence=PlateCadence(), **settings)  # type: ignore[arg-type]


def keep(stamp: FrameStamp) -> Keep:
    return Keep(rule=Rule.RED_LIGHT, track_id=1, role=PhotoRole.BEFORE_LINE, stamp=stamp)


def passage(stamp: FrameStamp) -> Passage:
    return Passage(
        camera_id="c1",
        gate_id=None,
        direction=None,
        track_id=1,
        stamp=stamp,
        t_s=stamp.media_s,
        at_px=(0.0, 0.0),
        object_class=ObjectClass.CAR,
        plate=None,
    )


def test_every_frame_is_observed_recorded_judged_and_what_was_said_is_passed_on(source: FileSource) -> None:
    script = Script(outputs=lambda stamp: (keep(stamp),) if stamp.index == 3 else ())
    stats = run(source, script)
    expected = []
    for number in range(50):
        expected += [("observe", number), ("observed", number), ("step", number)]
        expected += [("said", 3)] if number == 3 else []
    assert script.log == [*expected, ("finish", -1)]
    assert len(script.received) == 1
    assert script.received[0][1] == 3
    assert stats == LoopStats(
        frames=50,
        analysed=50,
        from_s=0.0,
        to_s=1.96,
        gaps=(),
        gap_count=0,
        gap_s=0.0,
        heads=(),
        interrupted=False,
    )


def test_frames_are_only_glanced_at_until_somebody_is_watched(source: FileSource) -> None:
    def watch(stamp: FrameStamp) -> Sequence[Output]:
        return (Watch(track_id=1, why="near a red stop line", until_s=1.2),) if stamp.index == 18 else ()

    lamp = LampSample(head_id="h1", state=LampState.RED, confidence=0.9)

    def glance(frame: Frame) -> Observation:
        script.log.append(("glance", frame.stamp.index))
        return Observation(stamp=frame.stamp, tracks=None, lamps=(lamp,))

    script = Script(tracks=lambda _: (1,), outputs=watch)
    stats = run(source, script, looks=Looks(cadence=LookCadence(), glance=glance))
    looked = [*range(0, 18, 3), *range(18, 31, 2), *range(33, 50, 3)]
    assert [number for what, number in script.log if what == "observe"] == looked
    assert [number for what, number in script.log if what in ("observe", "glance")] == list(range(50))
    assert [number for what, number in script.log if what == "step"] == list(range(50))
    assert (stats.analysed, stats.frames, stats.gap_count) == (len(looked), 50, 0)


def test_what_the_judge_says_at_the_end_goes_with_the_last_frame(source: FileSource) -> None:
    last = FrameStamp(camera_id="c1", segment=0, index=49, media_s=1.96)
    script = Script(final=[passage(last)])
    run(source, script)
    assert script.log[-2:] == [("finish", -1), ("said", 49)]
    assert script.received == [((passage(last),), 49)]


def test_a_watched_track_has_its_plate_read_from_the_next_frame_until_the_watch_ends(
    source: FileSource,
) -> None:
    script = Script(
        tracks=lambda _: (4, 9),
        outputs=lambda stamp: (
            (Watch(track_id=9, why="near the line", until_s=1.0),) if stamp.index == 10 else ()
        ),
    )
    run(source, script)
    asked = {number for number, watched in enumerate(script.watched) if watched}
    assert asked == {11, 16, 21}
    assert {track for watched in script.watched for track in watched} == {9}


def test_of_several_watches_of_a_track_the_longest_counts(source: FileSource) -> None:
    script = Script(
        tracks=lambda _: (9,),
        outputs=lambda stamp: (
            (
                Watch(track_id=9, why="near the line", until_s=1.0),
                Watch(track_id=9, why="standing", until_s=0.5),
            )
            if stamp.index == 10
            else ()
        ),
    )
    run(source, script)
    assert [number for number, watched in enumerate(script.watched) if watched] == [11, 16, 21]


def test_gaps_are_between_analysed_frames_only_and_include_the_tail(source: FileSource) -> None:
    analysed = {0, 1, 2, 20, 21, 34}
    script = Script(tracks=lambda number: () if number in analysed else None)
    stats = run(source, script, max_gap_s=0.5)
    assert (stats.frames, stats.analysed) == (50, 6)
    assert stats.gaps == (
        Gap(camera_id="c1", segment=0, from_s=0.08, to_s=0.8),
        Gap(camera_id="c1", segment=0, from_s=0.84, to_s=1.36),
        Gap(camera_id="c1", segment=0, from_s=1.36, to_s=1.96),
    )
    assert stats.gap_count == 3
    assert stats.gap_s == pytest.approx(0.72 + 0.52 + 0.6)


def test_a_hole_in_the_recording_is_a_gap(tmp_path: Path) -> None:
    times_ms = [40 * number + (700 if number >= 5 else 0) for number in range(10)]
    source = FileSource(record(tmp_path / "hole.mkv", frames=10, times_ms=times_ms), camera_id="c1")
    stats = run(source, Script(), max_gap_s=0.5)
    source.close()
    assert stats.gaps == (Gap(camera_id="c1", segment=0, from_s=0.16, to_s=0.9),)


def test_without_any_detection_the_whole_segment_is_a_gap(source: FileSource) -> None:
    stats = run(source, Script(tracks=lambda _: None))
    assert stats.gaps == (Gap(camera_id="c1", segment=0, from_s=0.0, to_s=1.96),)


def test_unknown_lamps_are_counted_by_head(source: FileSource) -> None:
    def lamps(number: int) -> Sequence[LampSample]:
        state = LampState.UNKNOWN if number < 5 else LampState.RED
        left = LampSample(head_id="left", state=state, confidence=0.9)
        right = LampSample(head_id="right", state=LampState.GREEN, confidence=0.9)
        return (right, left) if number % 2 else (left,)

    stats = run(source, Script(lamps=lamps))
    assert stats.heads == (
        HeadStats(head_id="left", samples=50, unknown=5),
        HeadStats(head_id="right", samples=25, unknown=0),
    )
    assert [head.unknown_share for head in stats.heads] == [0.1, 0.0]


def test_stopping_ends_between_two_frames_and_finishes_the_judge(source: FileSource) -> None:
    script = Script()
    stats = run(source, script, should_stop=lambda: len(script.watched) == 20)
    assert stats.interrupted
    assert (stats.frames, stats.to_s) == (20, 0.76)
    assert script.log[-2:] == [("step", 19), ("finish", -1)]


def test_stopping_before_the_first_frame_is_no_error(source: FileSource) -> None:
    script = Script(final=[])
    stats = run(source, script, should_stop=lambda: True)
    assert stats.interrupted
    assert (stats.frames, stats.gaps, script.log) == (0, (), [("finish", -1)])


def test_an_error_of_any_part_is_passed_on_and_nothing_is_finished(source: FileSource) -> None:
    def fail(stamp: FrameStamp) -> Sequence[Output]:
        if stamp.index == 7:
            raise OSError("the disk is full")
        return ()

    script = Script(outputs=fail)
    with pytest.raises(OSError, match="disk is full"):
        run(source, script)
    assert script.log[-1] == ("step", 7)
