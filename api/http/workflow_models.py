"""What the API takes and gives about work on cases, field by field."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core.core_schema import ValidationInfo

from api.http.body import Body, Moment
from api.records.supervision import Appeal, Suspension
from api.records.workflow import Claim, PlateReading, ReviewPolicy, Step, StepKind
from api.work.case_submission import Outcome, Verdict, VerdictKind
from api.work.review import RejectCode
from api.work.supervision import AppealOutcome
from evidence.records import Decision, Stage
from rules.finding import Rule

ClaimNumber = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="The number of the claim that the work was done under.")
]


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("the text holds a NUL, which no record can keep")
    return text


Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_without_nul)]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_without_nul)
]
SiteId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
PlateText = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_upper=True, min_length=1, max_length=16, pattern=r"^[^\x00-\x1f]*$"
    ),
]


class ClaimModel(Body):
    """Who holds the case, and until when."""

    number: int = Field(description="Rises each time that somebody takes the case; a decision names it.")
    holder: str
    is_mine: bool
    claimed_at: datetime
    expires_at: datetime = Field(description="UTC; a renewal puts it off.")

    @classmethod
    def of(cls, claim: Claim, *, is_mine: bool) -> Self:
        """The claim as sent."""
        return cls(
            number=claim.number,
            holder=claim.name or "",
            is_mine=is_mine,
            claimed_at=claim.claimed_at,
            expires_at=claim.expires_at,
        )


class StepModel(Body):
    """One act of one person; who may give a second review sees none of before."""

    kind: StepKind
    by: str
    decision: Decision | None
    code: str | None
    note: str
    plate_text: str | None = Field(description="The plate that a decision stands on.")
    at: datetime = Field(description="UTC.")
    seconds: int | None = Field(description="From the claim to the act, as the server counted.")

    @classmethod
    def of(cls, step: Step) -> Self:
        """The step as sent."""
        return cls(
            kind=step.kind,
            by=step.name,
            decision=step.decision,
            code=step.code,
            note=step.note,
            plate_text=step.plate_text,
            at=step.at,
            seconds=step.seconds,
        )


class PlateReadingModel(Body):
    """A plate as a person read it."""

    text: str
    special: bool = Field(
        description="No kind of plate is like it; the person said that it is a foreign or special one."
    )
    by: str
    at: datetime = Field(description="UTC.")

    @classmethod
    def of(cls, reading: PlateReading) -> Self:
        """The reading as sent."""
        return cls(text=reading.text, special=reading.is_special, by=reading.name, at=reading.at)


class CaseHistory(Body):
    """What was done with a case, as far as the account may know it."""

    stage: Stage
    decision: Decision
    steps: list[StepModel]
    plate_readings: list[PlateReadingModel]


class PlateCorrection(Body):
    """The plate as the officer reads it."""

    text: PlateText = Field(description="Upper case; must be like a plate, unless 'special' is true.")
    special: bool = Field(False, description="It is a foreign or special plate, which no grammar knows.")
    claim: ClaimNumber


class PlateCorrected(Body):
    """The plate that the officer's decision will stand on."""

    plate_text: str | None
    plate_ocr_text: str | None = Field(description="What was read by the machine.")
    plate_readings: list[PlateReadingModel]


class _Said(Body):
    claim: ClaimNumber

    @abstractmethod
    def verdict(self) -> Verdict:
        """What is said."""


class Confirm(_Said):
    """The officer confirms the offence."""

    decision: Literal["confirm"]
    note: Note = ""

    def verdict(self) -> Verdict:
        """What is said."""
        return Verdict(kind=VerdictKind.CONFIRM, note=self.note)


class Reject(_Said):
    """The officer rejects the case, and says why."""

    decision: Literal["reject"]
    code: RejectCode = Field(description="'other' needs a note.")
    note: Annotated[Note, Field(validate_default=True)] = ""

    @field_validator("note")
    @classmethod
    def _other_needs_a_note(cls, note: str, info: ValidationInfo) -> str:
        if info.data.get("code") is RejectCode.OTHER and not note:
            raise ValueError("the code 'other' needs a note that says why")
        return note

    def verdict(self) -> Verdict:
        """What is said."""
        return Verdict(kind=VerdictKind.REJECT, code=self.code.value, note=self.note)


class AskOpinion(_Said):
    """The officer asks a colleague before deciding; the note is the question."""

    decision: Literal["ask_opinion"]
    note: Reason

    def verdict(self) -> Verdict:
        """What is said."""
        return Verdict(kind=VerdictKind.ASK_OPINION, note=self.note)


class GiveOpinion(_Said):
    """The colleague's answer; the case goes back to where it was."""

    decision: Literal["give_opinion"]
    note: Reason

    def verdict(self) -> Verdict:
        """What is said."""
        return Verdict(kind=VerdictKind.GIVE_OPINION, note=self.note)


ReviewBody = Annotated[Confirm | Reject | AskOpinion | GiveOpinion, Field(discriminator="decision")]


class OutcomeModel(Body):
    """How the case stands after it; its ETag is the answer's."""

    id: str
    stage: Stage
    decision: Decision
    at: datetime = Field(description="UTC.")
    seconds: int | None = Field(description="From the claim to the decision, as the server counted.")

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """The outcome as sent."""
        return cls(
            id=outcome.case_id,
            stage=outcome.stage,
            decision=outcome.decision,
            at=outcome.at,
            seconds=outcome.seconds,
        )


class Voiding(Body):
    """A confirmed case is taken back."""

    reason: Reason


class NewAppeal(Body):
    """Somebody objects to a confirmed case."""

    reason: Reason = Field(description="What the appellant says; no names are needed.")


class AppealDecision(Body):
    """How the appeal ends."""

    outcome: AppealOutcome = Field(description="'upheld': the decision stands. 'void': it is taken back.")
    note: Reason
    claim: ClaimNumber


class AppealModel(Body):
    """An appeal against a case."""

    number: int
    violation_id: str
    site_id: str
    reason: str
    taken_by: str = Field(description="Id of the account.")
    taken_at: datetime
    outcome: AppealOutcome | None = Field(description="Null while it is open.")
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, appeal: Appeal) -> Self:
        """The appeal as sent."""
        return cls(
            number=appeal.number,
            violation_id=appeal.case_id,
            site_id=appeal.site_id,
            reason=appeal.reason,
            taken_by=appeal.taken_by,
            taken_at=appeal.taken_at,
            outcome=None if appeal.outcome is None else AppealOutcome(appeal.outcome),
            decided_by=appeal.decided_by,
            decided_at=appeal.decided_at,
        )


class AppealPage(Body):
    """Appeals, oldest first."""

    items: list[AppealModel]
    next_cursor: str | None


class NewSuspension(Body):
    """A rule is not to be applied at a site for a time, which may be past."""

    site_id: SiteId
    rule: Rule
    from_at: Moment
    to_at: Moment | None = Field(None, description="Before this moment; null: until it is lifted.")
    reason: Reason

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_at is not None and self.to_at <= self.from_at:
            raise ValueError("to_at must be after from_at")
        return self


class SuspensionModel(Body):
    """A rule that is, or was, suspended at a site."""

    number: int
    site_id: str
    rule: Rule
    from_at: datetime
    to_at: datetime | None
    reason: str
    ordered_by: str = Field(description="Id of the account.")
    ordered_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    withdrawn: int = Field(description="How many cases it keeps out of the queues.")

    @classmethod
    def of(cls, found: Suspension) -> Self:
        """The suspension as sent."""
        return cls(
            number=found.number,
            site_id=found.site_id,
            rule=found.rule,
            from_at=found.from_at,
            to_at=found.to_at,
            reason=found.reason,
            ordered_by=found.ordered_by,
            ordered_at=found.ordered_at,
            lifted_by=found.lifted_by,
            lifted_at=found.lifted_at,
            withdrawn=found.withdrawn,
        )


class SuspensionPage(Body):
    """Suspensions, oldest first."""

    items: list[SuspensionModel]
    next_cursor: str | None


class NewPolicy(Body):
    """Whether cases of a site need a second review."""

    site_id: SiteId
    rule: Rule | None = Field(None, description="Null: every rule that has no policy of its own.")
    from_at: Moment = Field(description="First reviews from this moment on.")
    second_review: bool


class PolicyModel(Body):
    """A review policy of a site. Held cases need a second review whatever it says."""

    number: int
    site_id: str
    rule: Rule | None
    from_at: datetime
    second_review: bool
    set_by: str = Field(description="Id of the account.")
    set_at: datetime

    @classmethod
    def of(cls, policy: ReviewPolicy) -> Self:
        """The policy as sent."""
        return cls(
            number=policy.number,
            site_id=policy.site_id,
            rule=policy.rule,
            from_at=policy.from_at,
            second_review=policy.second_review,
            set_by=policy.set_by,
            set_at=policy.set_at,
        )


class Policies(Body):
    """Every policy that the site ever had, oldest first; of one rule the newest that has begun counts."""

    items: list[PolicyModel]
