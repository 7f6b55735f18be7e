"""Which frames are looked at and whose plates are read when: bounded, in turn, and by media time alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cadence import LookCadence, PlateCadence
from rules.observation import FrameStamp, LampSample, LampState, ObjectClass, Observation, TrackPoint


def seen(media_s: float, tracks: Collection[int] | None) -> Observation:
    points = tuple(
        TrackPoint(track_id=track, object_class=ObjectClass.CAR, box_px=(0.0, 0.0, 9.0, 9.0), score=0.9)
        for track in tracks or ()
    )
    return Observation(
        stamp=FrameStamp(camera_id="c1", segment=0, index=0, media_s=media_s),
        tracks=None if tracks is None else points,
    )


def run(
    cadence: PlateCadence,
    frames: int,
    watched: Collection[int],
    visible: Mapping[int, Collection[int]] | None = None,
) -> list[tuple[int, ...]]:
    """What is chosen in each of ``frames`` frames at 25 per second; ``visible`` are the tracks seen, all by default."""
    choices = []
    for number in range(frames):
        media_s = number / 25
        chosen = cadence.choose(watched, media_s)
        choices.append(chosen)
        cadence.note(chosen, seen(media_s, (visible or {}).get(number, watched)))
    return choices


def test_one_track_is_read_every_fifth_frame() -> None:
    choices = run(PlateCadence(), 26, [7])
    assert [number for number, chosen in enumerate(choices) if chosen] == [1, 6, 11, 16, 21]


def test_at_most_two_plates_a_frame_and_each_at_most_every_interval() -> None:
    choices = run(PlateCadence(), 500, range(20))
    assert max(len(chosen) for chosen in choices) == 2
    last: dict[int, int] = {}
    for number, chosen in enumerate(choices):
        for track in chosen:
            assert number - last.get(track, -5) >= 5
            last[track] = number


def test_many_tracks_take_turns() -> None:
    reads = Counter(track for chosen in run(PlateCadence(), 501, range(20)) for track in chosen)
    assert reads == dict.fromkeys(range(20), 50)


def test_a_newcomer_comes_before_those_who_were_read_often() -> None:
    cadence = PlateCadence(max_reads=1)
    run(cadence, 50, [1, 2])
    cadence.choose([1, 2, 3], 2.0)
    cadence.note((), seen(2.0, [1, 2, 3]))
    assert cadence.choose([1, 2, 3], 2.04) == (3,)


def test_who_is_not_seen_takes_no_turn_and_is_not_charged_for_one() -> None:
    cadence = PlateCadence(max_reads=1)
    visible = {number: [2] for number in range(10)}
    choices = run(cadence, 12, [1, 2], visible)
    assert {track for chosen in choices[:11] for track in chosen} == {2}
    assert choices[11] == (1,)


def test_frames_without_detection_change_nothing() -> None:
    cadence = PlateCadence()
    cadence.note((), seen(0.0, [5]))
    for number in range(1, 4):
        assert cadence.choose([5], number / 25) == (5,)
        cadence.note((5,), seen(number / 25, None))


def test_who_never_shows_a_plate_does_not_keep_others_waiting() -> None:
    choices = run(PlateCadence(max_reads=1, plate_interval_s=0.04), 41, [1, 2])  # no reading ever comes back
    assert Counter(track for chosen in choices for track in chosen) == {1: 20, 2: 20}


def test_nobody_is_read_where_no_reads_are_allowed() -> None:
    assert not any(run(PlateCadence(max_reads=0), 50, [1, 2, 3]))


@given(st.lists(st.sets(st.integers(0, 9)), max_size=60))
def test_the_choice_depends_on_what_was_watched_and_not_on_its_order(watched: list[set[int]]) -> None:
    rising, falling = PlateCadence(), PlateCadence()
    for number, tracks in enumerate(watched):
        media_s = number / 25
        chosen = rising.choose(sorted(tracks), media_s)
        assert chosen == falling.choose(sorted(tracks, reverse=True), media_s)
        assert len(chosen) <= 2
        assert set(chosen) <= tracks
        for cadence in (rising, falling):
            cadence.note(chosen, seen(media_s, tracks))


def looks(cadence: LookCadence, watched: range, lamps: Mapping[int, LampState] | None = None) -> list[int]:
    """The numbers of the frames that are looked at, of 50 at 25 per second; ``watched`` are those with somebody watched."""
    looked, state = [], LampState.GREEN
    for number in range(50):
        media_s = number / 25
        due = cadence.is_due(media_s, watching=number in watched)
        looked += [number] * due
        state = (lamps or {}).get(number, state)
        sample = LampSample(head_id="h1", state=state, confidence=0.9)
        cadence.note(
            Observation(
                stamp=FrameStamp(camera_id="c1", segment=0, index=number, media_s=media_s),
                tracks=() if due else None,
                lamps=(sample,),
            )
        )
    return looked


def test_with_nobody_watched_every_third_frame_is_looked_at() -> None:
    assert looks(LookCadence(), range(0)) == list(range(0, 50, 3))


def test_while_somebody_is_watched_every_second_frame_is() -> None:
    assert looks(LookCadence(), range(12, 20)) == [0, 3, 6, 9, 12, 14, 16, 18, *range(21, 50, 3)]


@pytest.mark.parametrize("watched", [range(0), range(50)])
def test_after_red_has_begun_or_ended_every_frame_is_for_a_second(watched: range) -> None:
    every = list(range(12, 36))
    begun = looks(LookCadence(), watched, {0: LampState.AMBER, 11: LampState.RED})
    assert [number for number in begun if 12 <= number < 36] == every
    assert len(begun) < 50
    assert looks(LookCadence(), watched, {0: LampState.RED, 11: LampState.GREEN}) == begun
    assert looks(LookCadence(), watched, {0: LampState.GREEN, 11: LampState.RED_AMBER}) == begun


def test_a_signal_that_flashes_green_or_turns_amber_has_not_changed_for_anybody() -> None:
    flashing = {
        5: LampState.OFF,
        10: LampState.GREEN,
        15: LampState.OFF,
        20: LampState.GREEN,
        25: LampState.AMBER,
    }
    assert looks(LookCadence(), range(0), flashing) == list(range(0, 50, 3))


def test_a_lamp_that_cannot_be_read_for_a_while_has_not_changed() -> None:
    unread = {11: LampState.UNKNOWN, 13: LampState.GREEN}
    assert looks(LookCadence(), range(0), unread) == list(range(0, 50, 3))


def test_looks_are_never_as_far_apart_as_a_gap() -> None:
    assert looks(LookCadence.within(0.5), range(0)) == list(range(0, 50, 3))
    assert looks(LookCadence.within(0.16), range(0)) == list(range(0, 50, 2))
    assert looks(LookCadence.within(0.08), range(50)) == list(range(50))
