"""How long to wait before a camera is tried again: longer each time, and not all cameras at once."""

from __future__ import annotations

from collections.abc import Callable

FIRST_S, MOST_S = 0.25, 2.0
"""A camera that is back is seen within 5 s: the longest wait with its jitter, and two seconds to connect."""

REFUSED_S = 60.0
"""For a refused account: often enough for somebody who mends it, too seldom to lock it."""

JITTER = 0.25
"""Each wait is longer or shorter by up to this share, so that cameras behind one switch do not come back as one crowd."""


class BackOff:
    """The waits of one camera. ``chance`` gives numbers from 0 to 1."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._next_s = FIRST_S

    def wait_s(self, *, helps: bool) -> float:
        """Seconds to wait now; ``helps``: trying again may help."""
        wait_s = self._next_s if helps else REFUSED_S
        if helps:
            self._next_s = min(2 * self._next_s, MOST_S)
        return wait_s * (1 + JITTER * (2 * self._chance() - 1))

    def succeeded(self) -> None:
        """The camera was there: the next wait is the shortest again."""
        self._next_s = FIRST_S
