"""The retention part of a site file: how long cases are kept, by what was decided about them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from api.site_fields import SitePart
from evidence.retention import Period, Periods

MOST_DAYS = 36_500

Days = Annotated[int, Field(strict=True, ge=0, le=MOST_DAYS)]


class PeriodPart(SitePart):
    """From when on a case may be deleted, and by when it must be."""

    at_least_days: Days = Field(
        description="Days for which a case stays, counted from its decision, or from its recording while it has none. "
        "0: it may go at once."
    )
    at_most_days: Days = Field(
        description="Days after which it must be gone. 'stopline evidence retain' deletes it at its first run after "
        "at_least_days, and says where that is later than this."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.at_most_days < self.at_least_days:
            raise PydanticCustomError(
                "retention_order",
                f"a case that stays {self.at_least_days} days at least cannot be gone after {self.at_most_days}; "
                "give at_most_days that is not less than at_least_days",
            )
        return self


class RetentionPart(SitePart):
    """How long cases of this site are kept. A standing that is left out has no period: its cases stay."""

    open: PeriodPart | None = Field(
        default=None,
        description="Cases that accuse and that nobody decided. Default none: they stay, since somebody should decide.",
    )
    held: PeriodPart | None = Field(
        default=None,
        description="Cases held back by a rule, undecided. Default none: they stay; how long is a matter of law.",
    )
    exempt: PeriodPart | None = Field(
        default=None, description="Cases of exempt vehicles, undecided. Default none: likewise."
    )
    rejected: PeriodPart | None = Field(
        default=None,
        description="Rejected cases, which should go early. Default none: likewise; 30 days are a usual least.",
    )
    confirmed: PeriodPart | None = Field(
        default=None,
        description="Confirmed offences. Default none: they stay; appeals and courts have terms of their own.",
    )

    def periods(self) -> Periods:
        """The periods as evidence knows them."""
        return Periods(
            open=_period(self.open),
            held=_period(self.held),
            exempt=_period(self.exempt),
            rejected=_period(self.rejected),
            confirmed=_period(self.confirmed),
        )


def _period(part: PeriodPart | None) -> Period | None:
    if part is None:
        return None
    return Period(at_least_days=part.at_least_days, at_most_days=part.at_most_days)
