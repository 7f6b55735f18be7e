"""What can stand against working on a case."""

from __future__ import annotations

from enum import StrEnum

from api.work.case_sight import CaseSight
from evidence.records import Stage
from rules.errors import StoplineError


class CaseUnknownError(StoplineError):
    """No case has that id."""

    code = "case_unknown"

    def __init__(self, case_id: str) -> None:
        super().__init__(f"there is no case {case_id}")
        self.case_id = case_id


class CaseHiddenError(CaseUnknownError):
    """The case is of a site that the account is not for: it is told like one that is not there."""

    def __init__(self, case_id: str, site_id: str) -> None:
        super().__init__(case_id)
        self.site_id = site_id


class ConfirmBar(StrEnum):
    """Why a case cannot be confirmed, whoever asks."""

    DECIDED = "already_decided"
    MEDIA = "evidence_missing"
    EXEMPT = "exempt"
    TRIAL = "trial"


BAR_TEXT = {
    ConfirmBar.DECIDED: "the case is decided",
    ConfirmBar.MEDIA: "evidence is missing or altered, so the case can only be rejected",
    ConfirmBar.EXEMPT: "an exempt vehicle is recorded only",
    ConfirmBar.TRIAL: "its place was on trial: the site was not announced then, or no sign was on record",
}


class ConfirmRefusedError(StoplineError):
    """The case cannot be confirmed; ``bar`` says why."""

    code = "confirm_refused"

    def __init__(self, case_id: str, bar: ConfirmBar) -> None:
        super().__init__(f"case {case_id} cannot be confirmed: {BAR_TEXT[bar]}")
        self.case_id = case_id
        self.bar = bar


class ClaimedError(StoplineError):
    """Somebody else holds the case."""

    code = "claimed"

    def __init__(self, case_id: str, holder: str) -> None:
        super().__init__(
            f"case {case_id} is held by {holder}; it is free once they release it or their claim runs out"
        )
        self.case_id = case_id
        self.holder = holder


class NotIndependentError(StoplineError):
    """Somebody who worked on the case wants to be the independent person."""

    code = "not_independent"

    def __init__(self, case_id: str, stage: Stage, site_id: str) -> None:
        super().__init__(
            f"case {case_id} needs somebody who has not worked on it: you did, so you cannot take its {WORDS[stage]}"
        )
        self.case_id = case_id
        self.site_id = site_id


WORDS = {
    Stage.REVIEW: "review",
    Stage.OPINION: "opinion",
    Stage.SECOND_REVIEW: "second review",
    Stage.ADJUDICATION: "adjudication",
    Stage.CLOSED: "closed",
    Stage.APPEAL: "appeal",
    Stage.WITHDRAWN: "withdrawn",
}


class WrongStageError(StoplineError):
    """What is asked for is not to be done with the case now; ``why`` says why."""

    code = "wrong_stage"

    def __init__(self, case_id: str, why: str) -> None:
        super().__init__(f"case {case_id}: {why}")
        self.case_id = case_id


class CaseChangedError(StoplineError):
    """Somebody changed the case since it was read; ``current`` is how it stands."""

    code = "case_changed"

    def __init__(self, current: CaseSight) -> None:
        super().__init__(f"case {current.case.record.id} was changed since you read it; read it again")
        self.current = current


class ClaimLostError(StoplineError):
    """The claim ran out, or is not the newest; ``current`` is how the case stands."""

    code = "claim_lost"

    def __init__(self, current: CaseSight) -> None:
        super().__init__(
            f"your claim of case {current.case.record.id} ran out or was given back; claim it again"
        )
        self.current = current


class BlindError(StoplineError):
    """What would tell how a case was decided, while a second person is to decide without knowing."""

    code = "blind_review"

    def __init__(self, case_id: str) -> None:
        super().__init__(
            f"case {case_id} awaits a second review: who may give it learns nothing of the first one"
        )
        self.case_id = case_id


class PlateRefusedError(StoplineError):
    """A plate that no kind of plate is like, without the word that it is a special one."""

    code = "plate_refused"

    def __init__(self) -> None:
        super().__init__(
            "no kind of plate is like this text; send 'special' true for a foreign or special plate"
        )


class SupervisionUnknownError(StoplineError):
    """There is no such appeal, suspension or site, or none for this account."""

    code = "supervision_unknown"

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no {what}")


class SiteHiddenError(SupervisionUnknownError):
    """The account is not for that site: it is told like one that is not there."""

    def __init__(self, site_id: str) -> None:
        super().__init__(f"site {site_id}")
        self.site_id = site_id
