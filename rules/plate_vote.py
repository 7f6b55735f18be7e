"""One plate from many readings of a track: characters are voted on, and the text must fit the grammar."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from rules import plate_grammar
from rules.finding import PlateAlternative, PlateResult
from rules.observation import FrameStamp, PlateReading, Point

READABLE_CONFIDENCE = 0.7
"""Below this a text is as likely wrong as right, and a wrong plate accuses somebody else.

Measured with our reader on 483 real crops halved to 47x12 px: of the readings below 0.7 13 were right and 16
wrong, of those from 0.7 on 445 were right and 4 wrong. In full size all 480 from 0.2 on were right.
"""

MOST_TEXTS = 32
"""How many whole texts are remembered per track; the lightest is forgotten first."""

MOST_ALTERNATIVES = 5
"""How many other texts a result lists: more than a person compares with the close-up."""

Corners = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextVote:
    """The readings of one whole text: their weight, and the best of them for the close-up."""

    weight: float
    best_weight: float
    stamp: FrameStamp
    corners_px: Corners


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackVotes:
    """All readings of one track.

    ``columns`` hold, per length of the text, for each place the weight of each character; ``weights`` the
    weight of the readings of that length. ``texts`` are whole texts, as read, the empty one included.
    """

    readings: int = 0
    columns: Mapping[int, tuple[Mapping[str, float], ...]] = field(default_factory=dict)
    weights: Mapping[int, float] = field(default_factory=dict)
    texts: Mapping[str, TextVote] = field(default_factory=dict)


PlateVotes = Mapping[int, TrackVotes]
"""The votes of each track by its id; treated as immutable."""


def step(votes: PlateVotes, readings: Sequence[PlateReading], stamp: FrameStamp) -> PlateVotes:
    """The votes with the readings of one frame added; the very same mapping where there are none."""
    if not readings:
        return votes
    counted = dict(votes)
    for reading in readings:
        counted[reading.track_id] = _counted(counted.get(reading.track_id, TrackVotes()), reading, stamp)
    return counted


def without(votes: PlateVotes, track_ids: Collection[int]) -> PlateVotes:
    """The votes without those tracks, which are gone for good."""
    return {track_id: vote for track_id, vote in votes.items() if track_id not in track_ids}


def weight(reading: PlateReading) -> float:
    """What one reading counts among those of its track: detector's score times sharpness times all characters' confidence.

    Only ratios matter, so no scale of sharpness is assumed. A reading without characters counts nothing.
    """
    return (
        reading.detection_score * reading.sharpness * prod(reading.char_confidences) if reading.text else 0.0
    )


def result(
    votes: PlateVotes,
    track_ids: Iterable[int],
    profile: str,
    least_confidence: float = READABLE_CONFIDENCE,
) -> PlateResult | None:
    """The plate of the vehicle that was seen under these tracks, or None where no plate was found at all.

    Per place the confidence is the mean of what the readings gave the character, each by its weight: many
    frames of one blur say no more than one. The text's is the product of its characters' and of the share
    of the readings with its length. The length with the greatest weight of readings decides; the text is None
    where nothing of that length fits the profile or the confidence is below ``least_confidence``.
    ``alternatives`` are whole texts as read, with their share of the weight, best first, without ``text``.
    Raises ValueError for an unknown profile.
    """
    vote = _merged(votes[track_id] for track_id in dict.fromkeys(track_ids) if track_id in votes)
    if vote.readings == 0:
        return None
    text, shares, confidence = _decided(vote, profile, least_confidence)
    total = sum(vote.weights.values())
    ranked = sorted(vote.texts.items(), key=lambda item: (-item[1].weight, item[0]))
    others = [
        PlateAlternative(text=other, confidence=cast.weight / total)
        for other, cast in ranked
        if other and other != text and total > 0.0
    ]
    read_so = vote.texts.get(text) if text is not None else None
    best = read_so or max(vote.texts.values(), key=lambda cast: cast.best_weight)
    return PlateResult(
        text=text,
        confidence=confidence,
        char_confidences=shares,
        alternatives=tuple(others[:MOST_ALTERNATIVES]),
        readings=vote.readings,
        stamp=best.stamp,
        corners_px=best.corners_px,
    )


def _decided(
    vote: TrackVotes, profile: str, least_confidence: float
) -> tuple[str | None, tuple[float, ...], float]:
    """The winning text with its characters' confidences and its own, or None."""
    if not vote.weights or max(vote.weights.values()) <= 0.0:
        return None, (), 0.0
    length = max(sorted(vote.weights), key=lambda count: vote.weights[count])
    columns = [
        {char: cast / vote.weights[length] for char, cast in column.items()}
        for column in vote.columns[length]
    ]
    fit = plate_grammar.best_fit(columns, profile)
    if fit is None:
        return None, (), 0.0
    text, shares = fit
    confidence = prod(shares) * vote.weights[length] / sum(vote.weights.values())
    return (text, shares, confidence) if confidence >= least_confidence else (None, (), 0.0)


def _counted(vote: TrackVotes, reading: PlateReading, stamp: FrameStamp) -> TrackVotes:
    cast = weight(reading)
    length = len(reading.text)
    vote = replace(vote, readings=vote.readings + 1, texts=_with_text(vote.texts, reading, cast, stamp))
    if length == 0:
        return vote
    columns = [dict(column) for column in vote.columns.get(length, ({},) * length)]
    for column, char, confidence, alternatives in zip(
        columns, reading.text, reading.char_confidences, reading.char_alternatives, strict=True
    ):
        column[char] = column.get(char, 0.0) + cast * confidence
        for other, other_confidence in alternatives:
            if other != char:
                column[other] = column.get(other, 0.0) + cast * other_confidence
    return replace(
        vote,
        columns={**vote.columns, length: tuple(columns)},
        weights={**vote.weights, length: vote.weights.get(length, 0.0) + cast},
    )


def _with_text(
    texts: Mapping[str, TextVote], reading: PlateReading, cast: float, stamp: FrameStamp
) -> Mapping[str, TextVote]:
    """The whole texts with this one counted."""
    old = texts.get(reading.text)
    if old is not None and old.best_weight >= cast:
        fresh = replace(old, weight=old.weight + cast)
    else:
        before = old.weight if old is not None else 0.0
        fresh = TextVote(weight=before + cast, best_weight=cast, stamp=stamp, corners_px=reading.corners_px)
    counted = {**texts, reading.text: fresh}
    if len(counted) > MOST_TEXTS:
        del counted[min(counted, key=lambda text: (counted[text].weight, text))]
    return counted


def _merged(parts: Iterable[TrackVotes]) -> TrackVotes:
    merged = TrackVotes()
    for part in parts:
        columns, weights, texts = dict(merged.columns), dict(merged.weights), dict(merged.texts)
        for length, more in part.columns.items():
            old = columns.get(length, ({},) * length)
            columns[length] = tuple(_sum(a, b) for a, b in zip(old, more, strict=True))
        for length, cast in part.weights.items():
            weights[length] = weights.get(length, 0.0) + cast
        for text, vote in part.texts.items():
            known = texts.get(text)
            if known is None:
                texts[text] = vote
            else:
                best = max(known, vote, key=lambda one: one.best_weight)
                texts[text] = replace(best, weight=known.weight + vote.weight)
        merged = TrackVotes(
            readings=merged.readings + part.readings, columns=columns, weights=weights, texts=texts
        )
    return merged


def _sum(first: Mapping[str, float], second: Mapping[str, float]) -> Mapping[str, float]:
    return {char: first.get(char, 0.0) + second.get(char, 0.0) for char in dict.fromkeys((*first, *second))}
