"""Which texts can be number plates: the kinds of GA 36 plates, a permissive Latin profile, and none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

PROFILES = ("ga36", "latin", "none")

LEAST_SHARE = 0.02
"""A character that the readings give less than this share is no evidence for a text that fits."""

PROVINCES = frozenset("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼")
DIGITS = frozenset("0123456789")
LETTERS = frozenset("ABCDEFGHJKLMNPQRSTUVWXYZ")
"""Letters of serials: I and O are left out, as they look like 1 and 0."""
AUTHORITIES = LETTERS | {"O"}
"""Letters of issuing offices; O is the provincial police."""
SERIAL = DIGITS | LETTERS
NEW_ENERGY = frozenset("DABCEFGHJK")
ALNUM = SERIAL | {"I", "O"}

CharSet = frozenset[str]


Pattern = tuple[CharSet, ...]
"""One kind of plate: which characters each place may hold."""


def patterns(profile: str) -> tuple[Pattern, ...]:
    """The kinds of plates of a profile. Raises ValueError for an unknown one.

    ``ga36``: GA 36 as in ``reference/standards.md`` §2 of the design's material. ``latin``: 2 to 10 Latin
    letters and digits. ``none``: no text is refused (no patterns).
    """
    if profile == "ga36":
        return _GA36
    if profile == "latin":
        return _LATIN
    if profile == "none":
        return ()
    raise ValueError(f"plate profile {profile!r} is unknown; there are {', '.join(PROFILES)}")


def fits(text: str, profile: str) -> bool:
    """Whether the text can be a plate of the profile. Raises ValueError as ``patterns`` does."""
    if profile == "none":
        return bool(text)
    return any(
        len(text) == len(places) and all(char in place for char, place in zip(text, places, strict=True))
        for places in patterns(profile)
    )


def best_fit(columns: Sequence[Mapping[str, float]], profile: str) -> tuple[str, tuple[float, ...]] | None:
    """The likeliest text that fits, with the share of each of its characters, or None where no text does.

    ``columns`` hold, per place, the share (0..1) of each character that was read there. Per kind of plate
    each place takes its likeliest allowed character; the kind with the greatest product wins, the first
    named of equals. No kind and no province is favoured, and a character below ``LEAST_SHARE`` is none.
    """
    best: tuple[float, str, tuple[float, ...]] | None = None
    kinds = patterns(profile)
    if profile == "none":
        kinds = (tuple(frozenset(column) for column in columns),)
    for places in kinds:
        if len(places) != len(columns) or not columns:
            continue
        chosen = [_likeliest(column, place) for column, place in zip(columns, places, strict=True)]
        shares = tuple(share for _, share in chosen)
        if min(shares) < LEAST_SHARE:
            continue
        product = prod(shares)
        if best is None or product > best[0]:
            best = (product, "".join(char for char, _ in chosen), shares)
    return None if best is None else (best[1], best[2])


def _likeliest(column: Mapping[str, float], place: CharSet) -> tuple[str, float]:
    """The allowed character with the greatest share, the first in order of code points of equals."""
    allowed = [(share, char) for char, share in column.items() if char in place]
    share, char = min(allowed, key=lambda pair: (-pair[0], pair[1]), default=(0.0, ""))
    return char, share


def _of(*places: CharSet | str) -> Pattern:
    return tuple(frozenset(place) for place in places)


_GA36 = (
    _of(PROVINCES, AUTHORITIES, *[SERIAL] * 5),  # ordinary
    _of(PROVINCES, AUTHORITIES, NEW_ENERGY, SERIAL, *[DIGITS] * 4),  # new energy, small
    _of(PROVINCES, AUTHORITIES, *[DIGITS] * 5, NEW_ENERGY),  # new energy, large
    _of(PROVINCES, AUTHORITIES, *[DIGITS] * 4, "警"),  # police
    _of(PROVINCES, AUTHORITIES, "ABCD", *[DIGITS] * 3, "警"),
    *(
        _of(PROVINCES, AUTHORITIES, *[SERIAL] * 4, suffix) for suffix in "挂学港澳"
    ),  # trailer, school, visitors
    _of(*[DIGITS] * 6, "使"),  # embassy
    _of("使", *[DIGITS] * 6),
    _of(PROVINCES, AUTHORITIES, *[SERIAL] * 4, "领"),  # consulate
    _of("W", "J", *[DIGITS] * 4, SERIAL),  # armed police
    _of("W", "J", PROVINCES, *[DIGITS] * 4, SERIAL),
    _of(LETTERS, LETTERS, *[DIGITS] * 5),  # military
    _of(PROVINCES, AUTHORITIES, *[SERIAL] * 4, "应", "急"),  # emergency
)

_LATIN = tuple((ALNUM,) * length for length in range(2, 11))
