"""Which class a track is: detectors change their mind, and the class seen most often counts."""

from __future__ import annotations

from rules.observation import ObjectClass

ClassVotes = tuple[tuple[ObjectClass, int], ...]
"""How often each class was seen, in the order in which they were first seen."""


def with_vote(votes: ClassVotes, object_class: ObjectClass) -> ClassVotes:
    """The votes after the track was seen as that class once more."""
    for index, (voted, count) in enumerate(votes):
        if voted is object_class:
            return (*votes[:index], (voted, count + 1), *votes[index + 1 :])
    return (*votes, (object_class, 1))


def most_seen(votes: ClassVotes) -> ObjectClass:
    """The class seen most often; the first seen of equals. Raises ValueError where there is no vote."""
    return max(votes, key=lambda vote: vote[1])[0]
