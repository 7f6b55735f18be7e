"""Frames of clips are decoded once, with those that follow, and forgotten when there are too many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from api.work import frame_cache
from api.work.frame_cache import AHEAD, FrameCache
from evidence import clip_frames
from evidence.clip_frames import frame_at
from evidence.errors import ClipError
from evidence.picture import Pixels, jpeg
from tests.builders.filmed import Filming, Street


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Three seconds of 25 pictures each, in groups of 50."""
    street = Street(filming=Filming(seconds=3.0, size_px=(160, 96)))
    return street.film(tmp_path_factory.mktemp("film") / "street.mp4").read_bytes()


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From which numbers on something was decoded."""
    seen: list[int] = []
    real = clip_frames.frames_from

    def noted(clip: bytes, number: int, count: int) -> Iterator[tuple[int, Pixels]]:
        seen.append(number)
        yield from real(clip, number, count)

    monkeypatch.setattr(clip_frames, "frames_from", noted)
    return seen


def test_who_steps_waits_for_one_decoding_and_sees_each_frame_itself(
    clip: bytes, decodings: list[int]
) -> None:
    with closing(FrameCache()) as frames:
        for number in (40, 41, 42, 43, 44, 41):
            assert frames.picture("a", clip, number) == jpeg(frame_at(clip, number)), number
        assert [at for at in decodings if at == 40] == [40, 40], "one of them by frame_at"
        assert decodings.count(41) == 2, "both by frame_at"
        frames.picture("a", clip, 40 + AHEAD + 1)
        assert decodings[-1] == 40 + AHEAD + 1
        assert frames.picture("a", clip, 74) == jpeg(frame_at(clip, 74)), "the last one"
        assert frames.picture("another", clip, 41) == frames.picture("a", clip, 41)


def test_what_cannot_be_had_is_an_error_and_the_next_is_served(clip: bytes) -> None:
    with closing(FrameCache()) as frames:
        with pytest.raises(IndexError):
            frames.picture("a", clip, 75)
        with pytest.raises(ClipError):
            frames.picture("b", b"no film", 0)
        assert frames.picture("a", clip, 0)


def test_memory_is_bounded_and_what_was_seen_last_stays(
    clip: bytes, decodings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(jpeg(frame_at(clip, 0)))
    monkeypatch.setattr(frame_cache, "MOST_BYTES", 7 * size)
    with closing(FrameCache()) as frames:
        for number in (0, 10, 20, 30):
            frames.picture("a", clip, number)
        decodings.clear()
        frames.picture("a", clip, 30)
        assert decodings == []
        frames.picture("a", clip, 0)
        assert decodings == [0]


def test_many_at_once_get_theirs(clip: bytes) -> None:
    wanted = {number: jpeg(frame_at(clip, number)) for number in range(0, 75, 6)}
    found: dict[int, bytes] = {}
    with closing(FrameCache()) as frames:
        threads = [
            threading.Thread(
                target=lambda number=number: found.update({number: frames.picture("a", clip, number)})
            )
            for number in wanted
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert found == wanted
