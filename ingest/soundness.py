"""Knows which pictures of a segment are as the camera saw them: neither damaged nor built on something damaged."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort


class Soundness:
    """Packets by their number in decoding order: which are keyframes, which were damaged.

    A picture builds on nothing before its keyframe, the last one up to it in decoding order; one that is
    shown before that keyframe (open groups of pictures) builds on nothing before the keyframe before.
    """

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._key_stamps: list[int | None] = []
        self._damaged: list[int] = []

    def note_keyframe(self, number: int, stamp: int | None) -> None:
        """A keyframe that may be built on; ``stamp`` is when it is shown. Keyframes come in rising order."""
        if not self._keys or number > self._keys[-1]:
            self._keys.append(number)
            self._key_stamps.append(stamp)

    def note_damage(self, number: int) -> None:
        """A packet that was lost, or whose picture was decoded with errors."""
        insort(self._damaged, number)

    def is_sound(self, number: int, stamp: int | None) -> bool:
        """Whether nothing that the picture of that packet builds on was damaged, as far as is known now."""
        at = bisect_right(self._keys, number) - 1
        if at >= 0 and stamp is not None:
            key_stamp = self._key_stamps[at]
            if key_stamp is not None and stamp < key_stamp:
                at -= 1
        builds_on = self._keys[at] if at >= 0 else -1
        first = bisect_left(self._damaged, builds_on)
        return first == len(self._damaged) or self._damaged[first] > number

    def forget_before(self, number: int) -> None:
        """Nothing before this packet will be asked about: drops what does not matter from there on."""
        unneeded = bisect_right(self._keys, number) - 2
        if unneeded > 0:
            del self._keys[:unneeded], self._key_stamps[:unneeded]
            del self._damaged[: bisect_left(self._damaged, self._keys[0])]
