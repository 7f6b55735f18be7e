"""What a site says of movements: the shapes of heads, turns on red, lanes, and which heads allow which way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.geometry import Segment


class HeadKind(StrEnum):
    """The shape of a head's lenses: a round one always shows a lamp, an arrow may be off and then controls nothing."""

    ROUND = "round"
    ARROW_LEFT = "arrow_left"
    ARROW_STRAIGHT = "arrow_straight"
    ARROW_RIGHT = "arrow_right"
    ARROW_U_TURN = "arrow_u_turn"


class TurnOnRed(StrEnum):
    """Whether a round red lets a movement go; a red arrow forbids it in any case."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"
    AFTER_STOP = "after_stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One way over a stop line: the heads that allow it, and the line that only its traffic crosses when it leaves."""

    name: str
    head_ids: tuple[str, ...]
    on_red: TurnOnRed = TurnOnRed.FORBIDDEN
    exit_px: Segment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A lane at a stop line: ``share`` (0..1) of the line from its first end, and the movements allowed from it."""

    lane_id: str
    share: tuple[float, float]
    movements: tuple[str, ...]
