"""What each signal head shows at which time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

FLASH_S = 0.5
"""A flashing lamp is dark for this long and then lit for this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A head's states, each from its second (media seconds, may be negative) on, in order of time."""

    head_id: str
    changes: tuple[tuple[float, str], ...]

    def state(self, t_s: float) -> str:
        """red, amber, green, flashing_green, flashing_amber or off."""
        index = bisect_right([at for at, _ in self.changes], t_s) - 1
        return self.changes[max(index, 0)][1]

    def lamp(self, t_s: float) -> str:
        """What is lit at that moment: red, amber, green or off."""
        index = max(bisect_right([at for at, _ in self.changes], t_s) - 1, 0)
        since, state = self.changes[index]
        if not state.startswith("flashing_"):
            return state
        return "off" if int((t_s - since) / FLASH_S) % 2 == 0 else state.removeprefix("flashing_")

    def intervals(self, to_s: float) -> list[tuple[str, float, float]]:
        """(state, from, to) between 0 and ``to_s``."""
        ends = [at for at, _ in self.changes[1:]] + [to_s]
        return [
            (state, max(at, 0.0), min(end, to_s))
            for (at, state), end in zip(self.changes, ends, strict=True)
            if end > 0.0 and at < to_s
        ]

    def onset(self, t_s: float) -> float:
        """Since when the state at ``t_s`` has been shown."""
        return self.changes[max(bisect_right([at for at, _ in self.changes], t_s) - 1, 0)][0]


def cycle(
    head_id: str,
    *,
    first_green_s: float,
    green_s: float,
    red_s: float,
    flash_s: float = 3.0,
    amber_s: float = 3.0,
) -> Program:
    """A program that repeats: green, then flashing green, amber, red; one green begins at ``first_green_s``."""
    period = green_s + flash_s + amber_s + red_s
    changes: list[tuple[float, str]] = []
    at = first_green_s - period * 8
    while at < 1200.0:
        for state, lasts in (
            ("green", green_s),
            ("flashing_green", flash_s),
            ("amber", amber_s),
            ("red", red_s),
        ):
            if lasts > 0.0:
                changes.append((round(at, 3), state))
            at += lasts
    return Program(head_id=head_id, changes=tuple(changes))
