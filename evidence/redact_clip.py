"""Redacts a clip: who was found in some of its pictures is hidden in those between them too."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from evidence import reencode
from evidence.picture import Pixels
from evidence.redaction import VEHICLES, Accused, Eyes, Hidden, Sighting, grown, hidden_in, redacted
from evidence.reencode import FilmPicture
from rules.geometry import iou
from rules.observation import Box, Point

LOOK_EVERY_S = 0.13
"""How often is looked. A vehicle at 15 m/s goes 2 m meanwhile, less than its length: its two boxes overlap."""

MATCH = 0.1
"""From this intersection over union on, two boxes of following looks are one road user."""

CARRIED_MARGIN = 0.15
"""Around the box of somebody whom the next look misses: it stays for that look."""

CLIP_BLOCKS = 4
"""Blocks on the longer side in films. Photos have 6; but a film shows the same face beneath many grids, one after another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    at_s: float
    users: tuple[Sighting, ...]


def redacted_clip(
    clip: bytes,
    accused_at: Callable[[float], Accused | None],
    kept_px: Sequence[tuple[Point, ...]],
    eyes: Eyes,
    told: Callable[[FilmPicture, Hidden], None] = lambda picture, hidden: None,
) -> bytes:
    """An H.264 film of the clip; ``accused_at`` says where the accused vehicle is at a second of the clip, as far as known.

    ``kept_px`` are areas that stay visible whatever covers them (signal heads). ``told`` hears what is hidden in each
    picture.

    Raises ClipError, and what ``eyes`` raise.
    """
    looks = _looks(clip, eyes)
    starts = [look.at_s for look in looks]

    def change(picture: FilmPicture) -> Pixels:
        users = _users_at(looks, bisect_right(starts, picture.at_s + 1e-6) - 1, picture.at_s)

        def copied(hidden: Hidden) -> Pixels:
            return redacted(picture.pixels, hidden, CLIP_BLOCKS)

        hidden = hidden_in(picture.pixels, users, accused_at(picture.at_s), eyes, copied)
        hidden = replace(hidden, kept_px=(*hidden.kept_px, *kept_px))
        told(picture, hidden)
        return copied(hidden)

    return reencode.changed(clip, change)


def _looks(clip: bytes, eyes: Eyes) -> list[_Look]:
    wanted = set(_look_times(reencode.times(clip)))
    return [
        _Look(at_s=picture.at_s, users=tuple(eyes.road_users(picture.pixels)))
        for picture in reencode.pictures(clip)
        if picture.at_s in wanted
    ]


def _look_times(times: Sequence[float]) -> list[float]:
    """Often enough, and at the last picture before a gap: nothing is carried across one."""
    wanted: list[float] = []
    for at_s, next_s in zip(times, (*times[1:], float("inf")), strict=True):
        if not wanted or next_s - wanted[-1] > LOOK_EVERY_S:
            wanted.append(at_s)
    return wanted


def _users_at(looks: Sequence[_Look], before: int, at_s: float) -> list[Sighting]:
    """Who is there between look number ``before`` and the next one: each with a box that holds both of theirs."""
    here = looks[before].users
    if before > 0 and _near(looks[before - 1], looks[before]):
        here = (*here, *_missed(looks[before - 1].users, here))
    if before + 1 == len(looks) or not _near(looks[before], looks[before + 1]):
        return list(here)
    if at_s <= looks[before].at_s + 1e-6:
        return [*here, *_missed(looks[before + 1].users, here)]
    there = looks[before + 1].users
    if before + 2 < len(looks) and _near(looks[before + 1], looks[before + 2]):
        there = (*there, *_missed(looks[before + 2].users, there))
    both = [_joined(user, there) for user in here]
    return [*both, *(user for user in there if _match(user, here) is None)]


def _near(look: _Look, later: _Look) -> bool:
    return later.at_s - look.at_s <= 2 * LOOK_EVERY_S + 1e-6


def _missed(users: Sequence[Sighting], by: Sequence[Sighting]) -> list[Sighting]:
    """Those of another look that this one has not found, in a larger box and in doubt."""
    return [
        Sighting(object_class=user.object_class, box_px=grown(user.box_px, CARRIED_MARGIN), score=0.0)
        for user in users
        if _match(user, by) is None
    ]


def _joined(user: Sighting, others: Sequence[Sighting]) -> Sighting:
    match = _match(user, others)
    if match is None:
        return user
    a, b = user.box_px, match.box_px
    box: Box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    return Sighting(object_class=user.object_class, box_px=box, score=min(user.score, match.score))


def _match(user: Sighting, others: Sequence[Sighting]) -> Sighting | None:
    found = [
        (iou(user.box_px, other.box_px), other)
        for other in others
        if (other.object_class in VEHICLES) == (user.object_class in VEHICLES)
    ]
    best, other = max(found, key=lambda pair: pair[0], default=(0.0, None))
    return other if best >= MATCH else None
