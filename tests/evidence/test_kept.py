"""What is kept for tracks that may become findings: cut at once, obeyed to the letter, bounded, gone when released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from evidence.clip import Part, cut
from evidence.durable import Disk
from evidence.kept import STANDING_MEMORY_S, KeptTracks
from evidence.picture import frame_sha256
from evidence.reel import HEAD, Reel, ReelError
from ingest.errors import FrameGoneError
from ingest.packet_ring import PacketRing
from rules.finding import Keep, PhotoRole, Rule
from rules.observation import FrameStamp
from tests.builders.filmed import Street, frames_of

PARKED = (Rule.NO_PARKING, 3)


def keep(street: Street, media_s: float, role: PhotoRole = PhotoRole.FIRST, *, cut_now: bool = True) -> Keep:
    return Keep(rule=PARKED[0], track_id=PARKED[1], role=role, stamp=street.stamp(media_s), cut_now=cut_now)


@dataclass
class Reading:
    """The film as far as it was read."""

    film: Path
    ring: PacketRing
    stamps: Iterator[FrameStamp] = field(init=False)

    def __post_init__(self) -> None:
        self.stamps = frames_of(self.film, self.ring)

    def until(self, media_s: float, kept: KeptTracks) -> None:
        for stamp in self.stamps:
            kept.advance(stamp.media_s)
            if stamp.media_s >= media_s:
                return


@pytest.fixture
def reading(film: Path) -> Reading:
    return Reading(film, PacketRing(hold_s=3.0))


@pytest.fixture
def kept(reading: Reading, tmp_path: Path) -> KeptTracks:
    return KeptTracks(tmp_path / "kept", reading.ring, Disk())


def test_a_still_is_the_frame_to_the_byte_long_after_its_packets_are_gone(
    kept: KeptTracks, reading: Reading, street: Street
) -> None:
    reading.until(9.52, kept)
    frame = reading.ring.decode_frame(street.stamp(9.52))
    kept.keep(keep(street, 9.52, PhotoRole.MIDDLE))
    reading.until(30.0, kept)
    with pytest.raises(FrameGoneError):
        reading.ring.decode_frame(street.stamp(9.52))
    assert frame_sha256(kept.frame(*PARKED, street.stamp(9.52))) == frame_sha256(frame)
    with pytest.raises(FrameGoneError):
        kept.frame(PARKED[0], 4, street.stamp(9.52))


def test_release_deletes_what_was_kept_and_can_be_said_twice(
    kept: KeptTracks, reading: Reading, street: Street, tmp_path: Path
) -> None:
    reading.until(9.52, kept)
    kept.keep(keep(street, 9.52))
    assert list((tmp_path / "kept").rglob("*.png"))
    kept.release(*PARKED)
    kept.release(*PARKED)
    assert not list((tmp_path / "kept").rglob("*.png"))


def test_a_keep_without_haste_holds_the_packets_and_release_lets_them_go(
    kept: KeptTracks, reading: Reading, street: Street
) -> None:
    reading.until(9.52, kept)
    kept.keep(keep(street, 9.52, PhotoRole.BEFORE_LINE, cut_now=False))
    reading.until(25.0, kept)
    assert np.array_equal(
        kept.frame(*PARKED, street.stamp(9.52)), reading.ring.decode_frame(street.stamp(9.52))
    )
    kept.release(*PARKED)
    reading.until(26.0, kept)
    with pytest.raises(FrameGoneError):
        kept.frame(*PARKED, street.stamp(9.52))


def test_memory_holds_a_standing_track_s_last_footage_and_no_more(street: Street, tmp_path: Path) -> None:
    asked: list[float] = []
    released: list[int] = []

    class Counting(PacketRing):
        def hold_from(self, media_s: float) -> int:
            asked.append(media_s)
            return super().hold_from(media_s)

        def release(self, hold: int) -> None:
            released.append(hold)
            super().release(hold)

    ring = Counting()
    kept = KeptTracks(tmp_path / "kept", ring, Disk())
    kept.keep(keep(street, 10.0))
    for tenth in range(100, 1200):
        kept.advance(tenth / 10)
    assert asked[0] == 5.0
    assert asked[-1] == pytest.approx(119.0 - STANDING_MEMORY_S, abs=1.0)
    assert len(asked) - len(released) == 1, "every hold but the last was released"
    assert len(asked) < 120, "a hold moves on once a second, not with every frame"


def test_a_frame_that_is_gone_already_is_no_crash_but_missing_later(
    kept: KeptTracks, reading: Reading, street: Street
) -> None:
    reading.until(20.0, kept)
    kept.keep(keep(street, 9.52))
    with pytest.raises(FrameGoneError):
        kept.frame(*PARKED, street.stamp(9.52))


def test_a_stay_begun_anew_replaces_what_was_kept(
    kept: KeptTracks, reading: Reading, street: Street, tmp_path: Path
) -> None:
    reading.until(9.52, kept)
    kept.keep(keep(street, 9.52))
    reading.until(14.0, kept)
    kept.keep(keep(street, 14.0))
    assert [path.name for path in (tmp_path / "kept").rglob("*.png")] == ["frame-0-350.png"]


def test_clear_leaves_nothing(kept: KeptTracks, reading: Reading, street: Street, tmp_path: Path) -> None:
    reading.until(9.52, kept)
    kept.keep(keep(street, 9.52))
    kept.clear()
    assert list(tmp_path.iterdir()) == []


def whole(film: Path) -> PacketRing:
    ring = PacketRing(hold_s=1000.0)
    for _ in frames_of(film, ring):
        pass
    return ring


def reel_of(tmp_path: Path, arrived_s: float, **more: int) -> Reel:
    tmp_path.mkdir(parents=True, exist_ok=True)
    return Reel(arrived_s, tmp_path, Disk(), **more)


def test_a_reel_gathered_late_or_little_by_little_is_the_same(film: Path, tmp_path: Path) -> None:
    ring = whole(film)
    event = cut(ring, "event", 34.0, 39.0)
    late, slow = reel_of(tmp_path / "a", 8.0), reel_of(tmp_path / "b", 8.0)
    late.advance(ring, 36.0)
    for tenth in range(80, 361):
        slow.advance(ring, tenth / 10)
    parts = late.parts_with(event)
    assert parts == slow.parts_with(event)
    assert [part.what for part in parts] == ["arrival", "interval", "event"]
    assert [packet.media_s for packet in parts[1].packets] == [18.0, 28.0]
    assert late.lost == ()


def test_what_a_reel_could_not_have_is_said(film: Path, tmp_path: Path) -> None:
    reel = reel_of(tmp_path / "a", 100.0)
    reel.advance(whole(film), 125.0)
    assert reel.lost == ("what was shown around 101.0 s and at 2 later moments was gone before it was kept",)


def test_a_full_reel_stops_and_says_so(film: Path, tmp_path: Path) -> None:
    ring = whole(film)
    event = cut(ring, "event", 34.0, 39.0)
    arrival: Part = cut(ring, "arrival", 3.0, 9.0)
    room = sum(len(packet.data) + HEAD.size for packet in arrival.packets)
    reel = reel_of(tmp_path / "a", 8.0, most_bytes=room)
    reel.advance(ring, 36.0)
    assert [part.what for part in reel.parts_with(event)] == ["arrival", "event"]
    assert reel.lost == ("from 19.0 s on no more keyframes fitted into the clip",)


def test_a_damaged_reel_is_an_error(film: Path, tmp_path: Path) -> None:
    ring = whole(film)
    reel = reel_of(tmp_path / "a", 8.0)
    reel.advance(ring, 36.0)
    path = next((tmp_path / "a").glob("arrival*"))
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(ReelError, match="arrival"):
        reel.parts_with(cut(ring, "event", 34.0, 39.0))
