"""The lights under which the sample world is filmed."""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Sun (direction towards it), sky and ground in linear light; ``night`` 0..1 lights windows and lamps, ``wet`` 0..1.

    ``tone`` is how the camera develops: gamma, gain, and what is added (8-bit steps).
    """

    sun_dir: Triple = (0.45, -0.55, 0.70)
    sun: Triple = (0.0, 0.0, 0.0)
    sky: Triple
    horizon: Triple
    ground: Triple
    exposure: float
    night: float = 0.0
    wet: float = 0.0
    fog: float = 0.0
    clouds: float = 0.4
    headlamps: float = 0.0
    street_lamps: Triple = (0.0, 0.0, 0.0)
    contact: float = 0.75
    noise: float = 0.8
    rain: float = 0.0
    tone: tuple[float, float, float] = (0.8, 1.4, -50.0)


LIGHTS: dict[str, Light] = {
    "day": Light(
        sun=(3.1, 2.9, 2.6),
        sky=(0.42, 0.60, 0.95),
        horizon=(0.85, 0.90, 0.98),
        ground=(0.30, 0.29, 0.27),
        exposure=1.05,
    ),
    "afternoon": Light(
        sun_dir=(-0.62, -0.45, 0.52),
        sun=(3.2, 2.7, 2.1),
        sky=(0.40, 0.55, 0.85),
        horizon=(0.92, 0.88, 0.82),
        ground=(0.30, 0.28, 0.25),
        exposure=1.05,
    ),
    "overcast": Light(
        sky=(0.95, 1.0, 1.05),
        horizon=(1.05, 1.07, 1.1),
        ground=(0.36, 0.36, 0.35),
        exposure=1.25,
        clouds=0.9,
        contact=0.6,
    ),
    "rain": Light(
        sky=(0.62, 0.66, 0.72),
        horizon=(0.72, 0.75, 0.79),
        ground=(0.24, 0.25, 0.26),
        exposure=1.15,
        clouds=0.9,
        wet=0.8,
        fog=0.0016,
        headlamps=1.6,
        contact=0.55,
        noise=1.2,
        rain=1.0,
    ),
    "dusk": Light(
        sky=(0.20, 0.25, 0.40),
        horizon=(0.55, 0.42, 0.36),
        ground=(0.11, 0.11, 0.12),
        exposure=1.9,
        night=0.55,
        headlamps=2.0,
        street_lamps=(9.0, 6.8, 4.2),
        noise=1.2,
    ),
    "night": Light(
        sky=(0.030, 0.034, 0.050),
        horizon=(0.062, 0.056, 0.056),
        ground=(0.030, 0.028, 0.026),
        exposure=2.3,
        night=1.0,
        clouds=0.1,
        headlamps=3.0,
        street_lamps=(30.0, 23.0, 14.0),
        noise=1.6,
    ),
}
"""By name; night's street lamps are bright, as at junctions with cameras."""
