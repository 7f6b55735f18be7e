"""A supervisor's work: void cases, appeals that freeze their case, rules that are suspended, policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from api.records.queue import QueueFilter, queue_page
from api.records.supervision import Appeal, Suspension
from api.work.access import NotAllowedError, Role
from api.work.case_errors import (
    CaseChangedError,
    ClaimLostError,
    NotIndependentError,
    SiteHiddenError,
    SupervisionUnknownError,
    WrongStageError,
)
from api.work.case_sight import Actor
from api.work.case_submission import Submission, Verdict, VerdictKind
from api.work.supervision import AppealOutcome, Supervision
from evidence.database import Database
from evidence.records import CaseRecord, Decision, LegalHold, Stage
from evidence.records_sql import SqlRecords
from rules.finding import Rule
from tests.api.work.test_casework import ASK, CHEN, LI, NOON, SUN, WANG, Office, person
from tests.evidence.test_records_sql import RECORD


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database, [RECORD])


def sent(key: str, if_match: str = "", claim: int | None = None) -> Submission:
    return Submission(if_match=if_match, claim=claim, route="supervision", key=key, body_sha256="ab" * 32)


def take(office: Office, who: Actor = SUN, key: str = "take") -> Appeal:
    return Supervision(office.work).take_appeal(
        who, "c1", reason="It was not me.", submitted=sent(key, office.see(who).version)
    )


def decide(
    office: Office, number: int, outcome: AppealOutcome, who: Actor = CHEN, key: str = "end"
) -> Appeal:
    sight = office.work.claim(who, "c1")
    assert sight.claim is not None
    return Supervision(office.work).decide_appeal(
        who, number, outcome, note="seen again", submitted=sent(key, sight.version, sight.claim.number)
    )


def suspend(
    office: Office,
    from_at: datetime,
    to_at: datetime | None = None,
    rule: Rule = Rule.RED_LIGHT,
    key: str = "s",
) -> Suspension:
    return Supervision(office.work).suspend(
        CHEN,
        site_id="site",
        rule=rule,
        from_at=from_at,
        to_at=to_at,
        reason="lamp hidden",
        submitted=sent(key),
    )


def listed(office: Office, stage: Stage | None = None) -> list[str]:
    with office.database.read() as tx:
        return [case.record.id for case in queue_page(tx, QueueFilter(stage=stage), None, 50)]


def test_a_confirmed_case_is_made_void_with_a_reason(office: Office) -> None:
    supervision = Supervision(office.work)
    with pytest.raises(WrongStageError, match="only a confirmed case"):
        supervision.void(CHEN, "c1", reason="r", submitted=sent("k", office.see(CHEN).version))
    office.decide(LI)
    version = office.see(CHEN).version
    outcome = supervision.void(CHEN, "c1", reason="the lamp was broken", submitted=sent("k", version))
    assert (outcome.stage, outcome.decision) == (Stage.CLOSED, Decision.VOID)
    assert supervision.void(CHEN, "c1", reason="the lamp was broken", submitted=sent("k", version)) == outcome
    case = office.case()
    assert [review.decision for review in case.reviews] == [Decision.CONFIRMED, Decision.VOID]
    assert case.reviews[-1].note == "the lamp was broken"
    with pytest.raises(CaseChangedError):
        supervision.void(CHEN, "c1", reason="again", submitted=sent("other", version))


@pytest.mark.parametrize(
    ("outcome", "decision"),
    [(AppealOutcome.UPHELD, Decision.CONFIRMED), (AppealOutcome.VOID, Decision.VOID)],
)
def test_an_appeal_freezes_the_case_and_ends(
    office: Office, outcome: AppealOutcome, decision: Decision
) -> None:
    office.decide(LI)
    appeal = take(office)
    assert take(office) == appeal, "sent again, it is the same one"
    case = office.case()
    assert (case.stage, case.decision) == (Stage.APPEAL, Decision.CONFIRMED)
    assert case.hold is not None and case.due_from == NOON
    with pytest.raises(WrongStageError):
        Supervision(office.work).void(CHEN, "c1", reason="r", submitted=sent("v", office.see(CHEN).version))
    with pytest.raises(NotAllowedError):
        office.work.claim(WANG, "c1")
    with pytest.raises(WrongStageError, match="under appeal"):
        office.decide(CHEN)
    ended = decide(office, appeal.number, outcome)
    assert (ended.outcome, ended.decided_by, ended.decided_at) == (outcome.value, "a-Chen", NOON)
    assert decide_again(office, appeal.number, outcome) == ended
    case = office.case()
    assert (case.stage, case.decision, case.hold) == (Stage.CLOSED, decision, None)
    assert "It was not me" not in "".join(office.audit())


def decide_again(office: Office, number: int, outcome: AppealOutcome) -> Appeal:
    return Supervision(office.work).decide_appeal(
        CHEN, number, outcome, note="seen again", submitted=sent("end", "anything", 1)
    )


def test_an_appeal_goes_to_somebody_who_has_not_touched_the_case(office: Office) -> None:
    office.decide(CHEN)
    appeal = take(office)
    with pytest.raises(NotIndependentError, match="appeal"):
        office.work.claim(CHEN, "c1")
    with pytest.raises(ClaimLostError):
        Supervision(office.work).decide_appeal(
            SUN, appeal.number, AppealOutcome.VOID, note="", submitted=sent("x", office.see(SUN).version, 1)
        )
    decide(office, appeal.number, AppealOutcome.UPHELD, SUN)
    second = take(office, CHEN, "second")
    with pytest.raises(NotIndependentError):
        office.work.claim(SUN, "c1")
    ma = person("Ma", Role.SUPERVISOR)
    assert decide(office, second.number, AppealOutcome.VOID, ma, "end2").outcome == "void"
    with pytest.raises(WrongStageError, match="has ended"):
        Supervision(office.work).decide_appeal(
            ma, second.number, AppealOutcome.VOID, note="", submitted=sent("y", "1.0", 1)
        )


def test_a_hold_of_before_the_appeal_outlives_it(office: Office) -> None:
    office.decide(LI)
    hold = LegalHold(reason="court", placed_by="Chen", placed_at=NOON)
    SqlRecords(office.database).place_hold("c1", hold)
    decide(office, take(office).number, AppealOutcome.UPHELD)
    assert office.case().hold == hold


def test_appeals_of_other_sites_are_not_there(office: Office) -> None:
    office.decide(LI)
    number = take(office).number
    supervision = Supervision(office.work)
    stranger = person("Qian", Role.SUPERVISOR, sites=("elsewhere",))
    with pytest.raises(SupervisionUnknownError):
        supervision.appeal(stranger, number)
    with pytest.raises(SupervisionUnknownError):
        supervision.appeal(SUN, number + 1)
    assert supervision.appeals(stranger, open_only=True, after_number=None, limit=9) == []
    assert supervision.appeals(SUN, open_only=True, after_number=None, limit=9) == [
        supervision.appeal(SUN, number)
    ]
    assert supervision.appeals(SUN, open_only=True, after_number=number, limit=9) == []
    with pytest.raises(SiteHiddenError):
        supervision.policies(stranger, "site")


def a_case(number: int, captured_at: datetime, rule: Rule = Rule.RED_LIGHT) -> CaseRecord:
    return replace(
        RECORD, id=f"c{number}", rule=rule, captured_at=captured_at, manifest_sha256=f"{number:064x}"
    )


def test_cases_of_a_suspended_rule_are_withdrawn_and_come_back(database: Database) -> None:
    day = timedelta(days=1)
    before, of_then, after = a_case(1, NOON - day), a_case(2, NOON), a_case(3, NOON + day)
    office = Office(database, [before, of_then, after, a_case(4, NOON, Rule.NO_PARKING), a_case(5, NOON)])
    office.decide(LI, case_id="c5")
    stale = office.submission(office.work.claim(LI, "c2"))
    made = suspend(office, NOON, NOON + day)
    assert made.withdrawn == 2
    assert listed(office) == ["c1", "c3", "c4"]
    assert listed(office, Stage.WITHDRAWN) == ["c2", "c5"]
    with pytest.raises(CaseChangedError):
        office.work.review(LI, "c2", Verdict(kind=VerdictKind.CONFIRM), stale)
    with pytest.raises(WrongStageError, match="suspended"):
        office.work.claim(WANG, "c2")
    assert office.case("c5").decision is Decision.CONFIRMED, "withdrawn, not decided anew"
    SqlRecords(database).add_case(a_case(6, NOON + day / 2))
    assert office.case("c6").stage is Stage.WITHDRAWN, "found later, and of that time too"
    other = suspend(office, NOON, None, key="other")
    assert other.withdrawn == 1, "c3"
    lifted = Supervision(office.work).lift(SUN, made.number)
    assert lifted.lifted_by == "a-Sun" and lifted.withdrawn == 0
    assert listed(office, Stage.WITHDRAWN) == ["c2", "c3", "c5", "c6"], "the other suspension keeps them"
    Supervision(office.work).lift(SUN, other.number)
    assert Supervision(office.work).lift(CHEN, other.number).lifted_by == "a-Sun", "once"
    assert listed(office, Stage.WITHDRAWN) == []
    assert [office.case(f"c{n}").stage for n in (2, 5, 6)] == [Stage.REVIEW, Stage.CLOSED, Stage.REVIEW]
    assert office.decide(LI, case_id="c2").decision is Decision.CONFIRMED


def test_an_opinion_and_a_second_review_are_awaited_again_after_a_suspension(office: Office) -> None:
    office.policy(second_review=True)
    office.decide(LI)
    office.decide(WANG, ASK)
    made = suspend(office, NOON - timedelta(hours=1))
    assert office.see(CHEN).is_blind, "also while it is withdrawn"
    Supervision(office.work).lift(CHEN, made.number)
    assert (office.case().stage, office.case().phase) == (Stage.OPINION, Stage.SECOND_REVIEW)


def test_a_suspension_that_is_sent_again_is_one(office: Office) -> None:
    assert suspend(office, NOON) == suspend(office, NOON)
    found = Supervision(office.work).suspensions(CHEN, after_number=None, limit=9)
    assert len(found) == 1
    stranger = person("Qian", Role.SUPERVISOR, sites=("elsewhere",))
    assert Supervision(office.work).suspensions(stranger, after_number=None, limit=9) == []
    with pytest.raises(SiteHiddenError):
        Supervision(office.work).lift(stranger, found[0].number)


def test_a_policy_is_set_and_stays_on_record(office: Office) -> None:
    supervision = Supervision(office.work)
    for key, second_review in (("a", True), ("a", True), ("b", False)):
        supervision.set_policy(
            CHEN,
            site_id="site",
            rule=None,
            from_at=office.at,
            second_review=second_review,
            submitted=sent(key),
        )
    assert [found.second_review for found in supervision.policies(CHEN, "site")] == [True, False]
    assert office.decide(LI).stage is Stage.CLOSED
