"""What a reviewer submits, and how the case stands afterwards: kept as text, so that it can be answered again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evidence.records import Decision, Stage


class VerdictKind(StrEnum):
    """What a reviewer says of a case."""

    CONFIRM = "confirm"
    REJECT = "reject"
    ASK_OPINION = "ask_opinion"
    GIVE_OPINION = "give_opinion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reviewer says; ``code`` is a rejection code, None otherwise."""

    kind: VerdictKind
    code: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a change stands on: the version that was read (``if_match``), and the claim that was held.

    ``key`` and ``body_sha256`` make sure that a change that is sent again happens once; ``route`` is what it was sent to.
    """

    if_match: str
    claim: int | None
    route: str
    key: str
    body_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case stands after a change. ``seconds`` is how long the person had claimed it for that."""

    case_id: str
    stage: Stage
    decision: Decision
    version: str
    at: datetime
    seconds: int | None


def outcome_text(given: Outcome) -> str:
    """The outcome as it is kept."""
    return json.dumps(
        {
            "case_id": given.case_id,
            "stage": given.stage.value,
            "decision": given.decision.value,
            "version": given.version,
            "at": given.at.isoformat(),
            "seconds": given.seconds,
        }
    )


def outcome_of(text: str) -> Outcome:
    """The outcome that was kept."""
    said = json.loads(text)
    return Outcome(
        case_id=said["case_id"],
        stage=Stage(said["stage"]),
        decision=Decision(said["decision"]),
        version=said["version"],
        at=datetime.fromisoformat(said["at"]),
        seconds=said["seconds"],
    )
