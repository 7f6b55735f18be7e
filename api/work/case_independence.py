"""Who may not take a case's next step, since they worked on it before."""

from __future__ import annotations

from api.records.workflow import CaseState, StepKind
from evidence.records import Stage


def barred(state: CaseState) -> set[str]:
    """The accounts that are not independent at the case's stage. To take in an appeal is no work on the case."""
    case = state.case
    worked = [s for s in state.steps if s.kind is not StepKind.APPEAL]
    asked = [s.account_id for s in worked if s.kind is StepKind.OPINION_ASKED]
    found = set(asked[-1:]) if case.stage is Stage.OPINION else set()
    if case.phase in (Stage.SECOND_REVIEW, Stage.ADJUDICATION, Stage.APPEAL):
        found |= {step.account_id for step in worked if step.phase is not case.phase}
        found |= {reading.account_id for reading in state.readings if reading.phase is not case.phase}
    if case.phase is Stage.APPEAL:
        found |= {step.account_id for step in worked}
    return found
