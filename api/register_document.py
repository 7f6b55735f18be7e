"""What the register says of a site: what is enforced there, which signs and markings stand, since when the public is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.site_fields import Id, LocalDate


class SiteKind(StrEnum):
    """What a site is."""

    JUNCTION = "junction"
    NO_PARKING = "no_parking"


class SectionKind(StrEnum):
    """A part of a site that counts by itself: coverage is a share of these."""

    APPROACH = "approach"
    NO_PARKING = "no_parking"


class SignKind(StrEnum):
    """What stands at the roadside or is painted on the road."""

    NO_PARKING_SIGN = "no_parking_sign"
    NO_STOPPING_SIGN = "no_stopping_sign"
    KERB_MARKING = "kerb_marking"
    STOP_LINE = "stop_line"
    CAMERA_NOTICE = "camera_notice"
    OTHER = "other"


FORBIDS_PARKING = frozenset({SignKind.NO_PARKING_SIGN, SignKind.NO_STOPPING_SIGN, SignKind.KERB_MARKING})
"""Without one of these nobody can know that parking is forbidden."""

Direction = Literal["n", "ne", "e", "se", "s", "sw", "w", "nw"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]


def _unlike(items: tuple[_Named, ...]) -> tuple[_Named, ...]:
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise PydanticCustomError("id_twice", f"the id {item.id!r} is given twice; give each its own")
        seen.add(item.id)
    return items


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Named(_Part):
    id: Id = Field(description="Names it within the site: letters, digits, - and _, up to 40.")


class Section(_Named):
    """An approach of a junction, or a stretch of kerb where parking is forbidden."""

    kind: SectionKind
    name: Text = Field(description="As people call it.")
    direction: Direction | None = Field(
        default=None, description="Towards which traffic drives; null where that says nothing."
    )
    place_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=50,
        description="Stop lines and zones of the site file that enforce here. Default none: no equipment yet.",
    )


class Sign(_Named):
    """A sign or marking."""

    kind: SignKind
    section_id: Id = Field(description="The section at which it stands.")
    set_on: LocalDate = Field(description="Since which local date it stands, YYYY-MM-DD.")
    removed_on: LocalDate | None = Field(
        default=None, description="From which local date on it does not; null: it stands."
    )
    hours: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f]*$")] = Field(
        default="", description="The hours that it shows, as it shows them; empty: it shows none."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.removed_on is not None and self.removed_on <= self.set_on:
            raise PydanticCustomError("period", "removed_on must lie after set_on")
        return self

    def stands_on(self, day: date) -> bool:
        """Whether it stands on that local date."""
        return self.set_on <= day and (self.removed_on is None or day < self.removed_on)


class RegisterDocument(_Part):
    """A site's entry in the register; it may have no equipment at all."""

    kind: SiteKind
    name: Text = Field(description="As the public reads it.")
    area: Text = Field(description="District, or another part of the city that coverage is counted by.")
    is_priority: bool = Field(default=False, description="Whether the area's plan names it as a priority.")
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = Field(
        default=None, description="WGS 84, degrees."
    )
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = Field(
        default=None, description="WGS 84, degrees."
    )
    published_on: LocalDate | None = Field(
        default=None,
        description="Local date since which the public is told that it is enforced here; null: it is not, and all runs in trial.",
    )
    sections: Annotated[tuple[Section, ...], AfterValidator(_unlike)] = Field(default=(), max_length=100)
    signs: Annotated[tuple[Sign, ...], AfterValidator(_unlike)] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _known_sections(self) -> Self:
        known = {section.id for section in self.sections}
        for sign in self.signs:
            if sign.section_id not in known:
                raise PydanticCustomError(
                    "section_unknown", f"sign {sign.id}: there is no section {sign.section_id!r}"
                )
        return self

    def signs_at(self, place_id: str, day: date) -> Iterable[Sign]:
        """The signs and markings that stand, on that date, at the sections that the place enforces."""
        sections = {section.id for section in self.sections if place_id in section.place_ids}
        return (sign for sign in self.signs if sign.section_id in sections and sign.stands_on(day))
