"""Which pictures build on something damaged. Numbers are in decoding order, stamps in the order of showing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.soundness import Soundness


def sound(soundness: Soundness, numbers: range) -> list[int]:
    """Those of the packets that are sound, shown in the order in which they were decoded."""
    return [number for number in numbers if soundness.is_sound(number, number)]


def test_a_damage_lasts_until_the_next_keyframe() -> None:
    soundness = Soundness()
    for key in (0, 10, 20):
        soundness.note_keyframe(key, key)
    soundness.note_damage(13)
    assert sound(soundness, range(30)) == [*range(13), *range(20, 30)]


def test_a_damaged_keyframe_spoils_its_whole_group() -> None:
    soundness = Soundness()
    for key in (0, 10, 20):
        soundness.note_keyframe(key, key)
    soundness.note_damage(10)
    assert sound(soundness, range(30)) == [*range(10), *range(20, 30)]


def test_a_picture_shown_before_its_keyframe_builds_on_the_group_before() -> None:
    soundness = Soundness()
    soundness.note_keyframe(0, 0)
    soundness.note_keyframe(10, 12)
    soundness.note_damage(7)
    assert not soundness.is_sound(11, 10)
    assert not soundness.is_sound(12, 11)
    assert soundness.is_sound(13, 14)


def test_without_a_keyframe_everything_builds_on_the_first_packet() -> None:
    soundness = Soundness()
    assert soundness.is_sound(3, 3)
    soundness.note_damage(0)
    assert not soundness.is_sound(3, 3)
    soundness.note_keyframe(4, 6)
    assert not soundness.is_sound(5, 5)
    assert soundness.is_sound(6, 7)


@given(st.sets(st.integers(0, 99), max_size=12), st.sets(st.integers(0, 99), max_size=12), st.integers(0, 99))
def test_forgetting_changes_no_answer_that_is_still_asked_for(
    keys: set[int], damages: set[int], now: int
) -> None:
    whole, forgetful = Soundness(), Soundness()
    for soundness in (whole, forgetful):
        for key in sorted(keys):
            soundness.note_keyframe(key, key + 2)
        for damage in damages:
            soundness.note_damage(damage)
    forgetful.forget_before(now)
    for number in range(now, 100):
        for stamp in (number, number + 3, None):
            assert forgetful.is_sound(number, stamp) == whole.is_sound(number, stamp)
