"""Which class a track is: detectors change their mind, and the class seen most often counts."""

from __future__ import annotations

from rules.observation import ObjectClass

ClassVotes = tuple[tuple[ObjectClass, int], ...]
"""How often each class was seen, in the order in which they were first seen."""

LIKELY_SHARE = 1 / 3
"""A track may well be of a class that it was seen as in this share of its sightings."""

LIKELY_CAR_SHARE = 0.2
"""And a car from fewer: detectors that learned from COCO take vans, SUVs and cars seen from behind for trucks more often
than trucks for cars.

On the sample clips (YOLOX-nano) cars were taken for a truck in 0.64 and 0.52 of their sightings, another in 0.30; with
frames dropped one in 0.69.
"""


def with_vote(votes: ClassVotes, object_class: ObjectClass) -> ClassVotes:
    """The votes after the track was seen as that class once more."""
    for index, (voted, count) in enumerate(votes):
        if voted is object_class:
            return (*votes[:index], (voted, count + 1), *votes[index + 1 :])
    return (*votes, (object_class, 1))


def likely(votes: ClassVotes) -> tuple[ObjectClass, ...]:
    """The classes that the track may well be, in the order of ``votes``."""
    total = sum(count for _, count in votes)
    return tuple(
        voted
        for voted, count in votes
        if count >= (LIKELY_CAR_SHARE if voted is ObjectClass.CAR else LIKELY_SHARE) * total
    )


def likeliest(votes: ClassVotes) -> ObjectClass:
    """The class seen most often, the first seen of equals; a car before a truck where it may well be one.

    Raises ValueError where there is no vote.
    """
    most = max(votes, key=lambda vote: vote[1])[0]
    if most is ObjectClass.TRUCK and ObjectClass.CAR in likely(votes):
        return ObjectClass.CAR
    return most
