"""What the bodies of the API have in common: frozen, no unknown field, moments in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such moment in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with an offset, as UTC."""


class Body(BaseModel):
    """Something that the API takes or gives."""

    model_config = ConfigDict(extra="forbid", frozen=True)
