"""The kinds of road users of the sample world with their measures in metres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. ``object_class`` is the product's class; ``front_overhang_m`` lies before the front wheels' contact."""

    name: str
    object_class: str
    length_m: float
    width_m: float
    height_m: float
    wheelbase_m: float
    front_overhang_m: float

    @property
    def rear_overhang_m(self) -> float:
        """What lies behind the rear wheels' contact."""
        return self.length_m - self.wheelbase_m - self.front_overhang_m


def _kind(name: str, object_class: str, measures: str) -> Kind:
    length, width, height, wheelbase, front = (float(word) for word in measures.split())
    return Kind(
        name=name,
        object_class=object_class,
        length_m=length,
        width_m=width,
        height_m=height,
        wheelbase_m=wheelbase,
        front_overhang_m=front,
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("hatchback", "car", "4.15 1.74 1.50 2.58 0.80"),
        _kind("sedan", "car", "4.72 1.82 1.46 2.74 0.92"),
        _kind("suv", "car", "4.62 1.87 1.69 2.68 0.90"),
        _kind("van", "car", "4.95 1.88 2.00 2.95 0.95"),
        _kind("bus", "bus", "11.0 2.50 3.10 5.60 2.60"),
        _kind("truck", "truck", "7.60 2.30 3.05 4.30 1.25"),
        _kind("motorcycle", "motorcycle", "1.90 0.74 1.66 1.30 0.30"),
        _kind("bicycle", "bicycle", "1.74 0.60 1.70 1.06 0.34"),
        _kind("person", "person", "0.36 0.52 1.72 0.20 0.08"),
    )
}
"""All kinds by name. Lengths stay within 15 % of those the rules assume for their class."""
