"""Tracks: ids of one's own, media time, what is reported and as what; and the same partition as a library's ByteTrack."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.detection import Detection
from detector.tracker import ByteTracker, TrackerSettings
from rules.observation import Box, ObjectClass, TrackPoint
from tests.detector.pictures import stamp

PARITY = Path(__file__).with_name("data") / "bytetrack_parity.json.gz"

CAR, BUS, TRUCK = ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK
PERSON, MOTORCYCLE, BICYCLE = ObjectClass.PERSON, ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE


def at(
    x: float,
    object_class: ObjectClass = CAR,
    score: float = 0.8,
    *,
    y: float = 0.0,
    class_score: float | None = None,
) -> Detection:
    """A box of 40 x 80 pixels whose left edge is at ``x``."""
    return Detection(
        object_class=object_class,
        box_px=(x, y, x + 40, y + 80),
        score=score,
        class_score=score if class_score is None else class_score,
    )


def run(frames: Sequence[Sequence[Detection]], fps: float = 25.0) -> list[tuple[TrackPoint, ...]]:
    tracker = ByteTracker()
    return [tracker.update(found, stamp(i, i / fps)) for i, found in enumerate(frames)]


def ids(points: Sequence[TrackPoint]) -> list[int]:
    return [point.track_id for point in points]


def test_one_car_keeps_its_id_and_its_measured_boxes() -> None:
    frames = [[at(5.0 * i)] for i in range(40)]
    for found, points in zip(frames, run(frames), strict=True):
        assert [(p.track_id, p.box_px, p.score, p.object_class) for p in points] == [
            (1, found[0].box_px, 0.8, CAR)
        ]


def test_two_trackers_share_no_ids() -> None:
    one, other = ByteTracker(), ByteTracker()
    assert ids(one.update([at(0), at(100)], stamp(0, 0.0))) == [1, 2]
    assert ids(other.update([at(0), at(100), at(200)], stamp(0, 0.0))) == [1, 2, 3]
    assert ids(one.update([at(0), at(100), at(200)], stamp(1, 0.04))) == [1, 2]
    assert ids(one.update([at(0), at(100), at(200)], stamp(2, 0.08))) == [1, 2, 3]


def test_a_newcomer_is_reported_from_the_second_sighting_on() -> None:
    seen = run([[at(0)], [at(0), at(200)], [at(0), at(200)]])
    assert [ids(points) for points in seen] == [[1], [1], [1, 2]]


def test_a_newcomer_seen_once_is_never_reported_and_uses_no_id() -> None:
    seen = run([[], [at(0)], [], [at(200)], [at(200)]])
    assert [ids(points) for points in seen] == [[], [], [], [], [1]]


def test_only_what_is_seen_is_reported() -> None:
    seen = run([[at(0)], [at(0)], [], [], [at(0)]])
    assert [ids(points) for points in seen] == [[1], [1], [], [], [1]]


@pytest.mark.parametrize(("fps", "frames"), [(25.0, 25), (6.0, 6), (50.0, 50)])
def test_a_lost_track_lives_one_second_of_media_time(fps: float, frames: int) -> None:
    before = [[at(0)], [at(0)]]
    assert ids(run([*before, *[[]] * (frames - 1), [at(0)]], fps)[-1]) == [1]
    assert ids(run([*before, *[[]] * frames, [at(0)], [at(0)]], fps)[-1]) == [2]


def test_nothing_is_matched_across_a_gap() -> None:
    tracker = ByteTracker()
    for i in range(3):
        tracker.update([at(0)], stamp(i, i / 25))
    assert tracker.update([at(0)], stamp(3, 60.0)) == ()
    assert ids(tracker.update([at(0)], stamp(4, 60.04))) == [2]


def test_a_new_segment_starts_anew_and_goes_on_counting() -> None:
    tracker = ByteTracker()
    tracker.update([at(0), at(100)], stamp(0, 5.0))
    assert ids(tracker.update([at(0)], stamp(0, 0.0, segment=1))) == [3]


@pytest.mark.parametrize("media_s", [0.04, 0.0])
def test_time_must_go_on(media_s: float) -> None:
    tracker = ByteTracker()
    tracker.update([], stamp(0, 0.04))
    with pytest.raises(ValueError, match=f"{media_s} s after the one at 0.04 s"):
        tracker.update([], stamp(1, media_s))


def test_variable_frame_rate() -> None:
    times = [0.0, 0.04, 0.3, 0.34, 0.38, 0.7, 0.74, 1.0, 1.04, 1.5]
    tracker = ByteTracker()
    seen = [tracker.update([at(60 * t)], stamp(i, t)) for i, t in enumerate(times)]
    assert [ids(points) for points in seen] == [[1]] * len(times)


def test_a_fast_small_vehicle_at_six_frames_a_second() -> None:
    frames = [[at(20.0 * i, MOTORCYCLE, 0.3)] for i in range(1, 12)]
    frames[0] = [at(20.0, MOTORCYCLE, 0.4)]
    assert {tuple(ids(points)) for points in run(frames, fps=6.0)} == {(1,)}


def test_an_unsure_detection_carries_a_track_on_but_starts_none() -> None:
    seen = run([[at(0), at(200, score=0.34)], [at(2, score=0.1), at(200, score=0.34)], [at(4)]])
    assert [ids(points) for points in seen] == [[1], [1], [1]]
    assert seen[1][0].score == 0.1


def test_two_that_meet_keep_their_ids() -> None:
    frames = [[at(4.0 * i), at(200 - 4.0 * i, y=30)] for i in range(50)]
    seen = run(frames)
    for found, points in zip(frames, seen, strict=True):
        assert {p.track_id: p.box_px for p in points} == {1: found[0].box_px, 2: found[1].box_px}


def test_a_car_is_not_continued_by_the_pedestrian_before_it() -> None:
    seen = run([[at(0)], [at(0)], [at(0, PERSON)], [at(0, PERSON)], [at(0)]])
    assert [ids(points) for points in seen] == [[1], [1], [], [2], [1]]


def test_the_class_is_that_of_the_whole_life() -> None:
    kinds = [CAR, CAR, TRUCK, BUS, CAR, TRUCK, CAR]
    seen = run([[at(0, kind)] for kind in kinds])
    assert [p.object_class for (p,) in seen] == [CAR] * 7


def test_the_class_goes_by_scores() -> None:
    assert (
        run([[at(0, TRUCK, 0.8, class_score=0.3)], [at(0, CAR, 0.8, class_score=0.7)]])[-1][0].object_class
        is CAR
    )


def test_a_person_found_on_a_machine_now_and_then_is_its_rider() -> None:
    frames = [[at(0, MOTORCYCLE if i % 4 == 3 else PERSON, 0.7, class_score=0.12)] for i in range(12)]
    classes = [p.object_class for (p,) in run(frames)]
    assert classes == [PERSON] * 7 + [MOTORCYCLE] * 5


def test_a_person_who_passes_a_parked_machine_stays_a_person() -> None:
    frames = [[at(2.0 * i, MOTORCYCLE if i in (9, 10, 11) else PERSON, 0.7)] for i in range(40)]
    assert run(frames)[-1][0].object_class is PERSON


def test_the_machine_is_the_one_it_was_taken_for_more_surely() -> None:
    kinds = [(BICYCLE, 0.1), (MOTORCYCLE, 0.4), (BICYCLE, 0.1), (PERSON, 0.9)]
    frames = [[at(0, kind, 0.7, class_score=score)] for kind, score in kinds]
    assert run(frames)[-1][0].object_class is MOTORCYCLE


def test_settings_are_used() -> None:
    tracker = ByteTracker(TrackerSettings(new_score=0.9))
    assert tracker.update([at(0)], stamp(0, 0.0)) == ()


boxes = st.tuples(*[st.floats(0, 300)] * 2, *[st.floats(1, 80)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def detection(object_class: ObjectClass, box_px: Box, score: float) -> Detection:
    return Detection(object_class=object_class, box_px=box_px, score=score, class_score=score)


@given(
    st.lists(
        st.tuples(
            st.floats(0.01, 2.0),
            st.lists(
                st.builds(detection, st.sampled_from(ObjectClass), boxes, st.floats(0.1, 1.0)), max_size=8
            ),
        ),
        max_size=12,
    )
)
def test_whatever_is_found_is_reported_once_at_most_and_never_invented(
    frames: list[tuple[float, list[Detection]]],
) -> None:
    tracker = ByteTracker()
    media_s, highest = 0.0, 0
    for index, (step_s, found) in enumerate(frames):
        media_s += step_s
        points = tracker.update(found, stamp(index, media_s))
        assert ids(points) == sorted(set(ids(points)))
        left = [d.box_px for d in found]
        for point in points:
            left.remove(point.box_px)  # raises where a box was not found, or not so often
        new = [i for i in ids(points) if i > highest]
        assert all(i <= highest + len(found) for i in new)
        highest = max(ids(points), default=highest) if new else highest


def test_partition_equals_that_of_a_library_on_a_real_clip(figure: Callable[[str, object], None]) -> None:
    """See data/make_bytetrack_parity.py: 480 frames of dense two-way traffic, boxes and ids of a library's ByteTrack.

    The library counts frames, as of a video of 30 a second; a lost track may be found again up to its buffer and
    one frame later.
    """
    content = json.loads(gzip.decompress(PARITY.read_bytes()))
    tracker = ByteTracker(TrackerSettings(lost_s=(content["lost_frames"] + 1) / 30))
    partners: defaultdict[int, set[int]] = defaultdict(set)
    boxes_seen = 0
    for index, rows in enumerate(content["frames"]):
        found = [detection(CAR, (x1, y1, x2, y2), score) for x1, y1, x2, y2, score, _ in rows]
        ours = {p.box_px: p.track_id for p in tracker.update(found, stamp(index, index / 30))}
        for one, (*_, theirs) in zip(found, rows, strict=True):
            partners[theirs].add(ours.get(one.box_px, -1))
            boxes_seen += theirs != -1
    assert boxes_seen > 1500
    assert len(partners) > 30
    assert partners.pop(-1) == {-1}
    assert all(len(mine) == 1 for mine in partners.values())
    assert len(set.union(*partners.values()) - {-1}) == len(partners)
    figure("boxes with the same track as the library's", f"{boxes_seen} of {boxes_seen}")
