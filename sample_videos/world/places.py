"""Where the roads of the sample world lie, in metres: x along the main road, y to its left, z up; traffic keeps right.

Junction: the watched approach runs along +x to its stop line at x = 0, in lanes at y = -1.75 and -5.25 with a lane
for two-wheelers at y = -8.2; the cross road's middle is at ``CROSS_X``. Street: a straight road without junction, its
kerb lanes beyond |y| = 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass

KERB_Y = 9.5
CROSS_X = 16.0
CROSS_HALF = 8.0
FAR_LINE_X = 32.0
ZEBRA = (2.2, 6.0)
STREET_KERB_Y = 6.4
INNER_Y, OUTER_Y, BIKE_Y = -1.75, -5.25, -8.45
MASTS = ((35.5, -11.0, 10.5), (-3.5, 11.0, 10.5))
"""Signal masts: x, y of the pole, and how far the arm reaches over the road."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A signal head: the middle of its front, which way along x it faces, and whether its lenses are arrows.

    ``scale`` 1 has lenses of 0.3 m. ``arrow`` is "", "left", "right" or "straight". It hangs from the arm of a mast,
    or ``has_pole`` under it.
    """

    head_id: str
    place: tuple[float, float, float]
    facing_x: float
    scale: float = 1.15
    arrow: str = ""
    has_pole: bool = False
