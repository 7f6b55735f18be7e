"""Work on cases: claims are leases, decisions stand on what was read, a second review is blind, and one of two that race wins."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.records import audit, outbox, workflow
from api.records.idempotency import IdempotencyKeyReusedError
from api.records.workflow import StepKind
from api.work.access import GRANTS, NotAllowedError, Permission, Principal, Role
from api.work.case_errors import (
    CaseChangedError,
    CaseUnknownError,
    ClaimedError,
    ClaimLostError,
    ConfirmBar,
    ConfirmRefusedError,
    NotIndependentError,
    PlateRefusedError,
    WrongStageError,
)
from api.work.case_sight import Actor, CaseSight, WorkTerms
from api.work.case_submission import Outcome, Submission, Verdict, VerdictKind
from api.work.casework import CaseWork
from evidence.database import Database
from evidence.records import AlreadyDecidedError, Case, CaseRecord, Decision, Stage
from evidence.records_sql import SqlRecords
from rules.finding import Rule, Status
from tests.evidence.test_records_sql import RECORD

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CONFIRM = Verdict(kind=VerdictKind.CONFIRM)
REJECT = Verdict(kind=VerdictKind.REJECT, code="too-close", note="the car stands still")
ASK = Verdict(kind=VerdictKind.ASK_OPINION, note="is that a bus lane?")
GIVE = Verdict(kind=VerdictKind.GIVE_OPINION, note="it is one")


def person(name: str, role: Role = Role.OFFICER, sites: tuple[str, ...] | None = None) -> Actor:
    return Actor(
        principal=Principal(
            account_id=f"a-{name}", name=name, role=role, site_ids=sites, permissions=GRANTS[role]
        )
    )


LI, WANG, ZHAO = person("Li"), person("Wang"), person("Zhao")
CHEN, SUN = person("Chen", Role.SUPERVISOR), person("Sun", Role.SUPERVISOR)


class Office:
    """Cases in a database, people who work on them, and a clock that only the test moves."""

    def __init__(self, database: Database, records: Sequence[CaseRecord]) -> None:
        self.database = database
        self.at = NOON
        self.keys = itertools.count()
        self.kept: list[str] = []
        self.bar: ConfirmBar | None = None
        for record in records:
            assert SqlRecords(database).add_case(record)
        self.work = CaseWork(database, lambda: self.at, WorkTerms(), lambda _: self.bar, self.kept.append)

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def submission(self, sight: CaseSight, **changes: object) -> Submission:
        made = Submission(
            if_match=sight.version,
            claim=None if sight.claim is None else sight.claim.number,
            route="reviews",
            key=f"key-{next(self.keys)}",
            body_sha256="ab" * 32,
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    def decide(self, who: Actor, verdict: Verdict = CONFIRM, case_id: str = "c1") -> Outcome:
        sight = self.work.claim(who, case_id)
        return self.work.review(who, case_id, verdict, self.submission(sight))

    def correct(self, who: Actor, text: str, *, is_special: bool = False) -> CaseSight:
        sight = self.work.claim(who, "c1")
        assert sight.claim is not None
        return self.work.correct_plate(
            who, "c1", text=text, is_special=is_special, if_match=sight.version, claim=sight.claim.number
        )

    def see(self, who: Actor, case_id: str = "c1") -> CaseSight:
        with self.database.read() as tx:
            state = workflow.state_of(tx, case_id)
        assert state is not None
        return self.work.sight(state, who.principal)

    def case(self, case_id: str = "c1") -> Case:
        found = SqlRecords(self.database).case(case_id)
        assert found is not None
        return found

    def audit(self) -> list[str]:
        with self.database.read() as tx:
            return [line.line for line in audit.lines(tx)]

    def told(self) -> list[str]:
        with self.database.read() as tx:
            return [event.subject for event in outbox.told_after(tx, 0, 1000)]

    def policy(self, *, second_review: bool, rule: Rule | None = None, from_at: datetime = NOON) -> None:
        with self.database.write() as tx:
            workflow.add_policy(
                tx,
                site_id="site",
                rule=rule,
                from_at=from_at,
                second_review=second_review,
                set_by="a-Chen",
                set_at=from_at,
            )


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database, [RECORD])


def test_a_claim_is_a_lease_that_is_renewed_shown_released_and_stolen_once_it_ran_out(office: Office) -> None:
    mine = office.work.claim(LI, "c1").claim
    assert mine is not None and (mine.number, mine.name) == (1, "Li")
    assert mine.expires_at == NOON + timedelta(minutes=10)
    with pytest.raises(ClaimedError, match="held by Li"):
        office.work.claim(WANG, "c1")
    shown = office.see(WANG)
    assert shown.claim == mine and not shown.is_mine and office.see(LI).is_mine
    office.wait(599)
    renewed = office.work.claim(LI, "c1").claim
    assert renewed == replace(mine, expires_at=office.at + timedelta(minutes=10)), "one lease, one beginning"
    office.wait(600)
    assert office.see(WANG).claim is None, "a lease that ran out is none"
    stolen = office.work.claim(WANG, "c1").claim
    assert stolen is not None and (stolen.number, stolen.name) == (2, "Wang")
    office.work.release(LI, "c1")
    assert office.see(WANG).claim == stolen, "who does not hold it releases nothing"
    office.work.release(WANG, "c1")
    again = office.work.claim(LI, "c1").claim
    assert again is not None and again.number == 3
    assert len(office.told()) == 4, "renewals are no news"


def test_a_decision_closes_the_case_and_tells_how_long_it_took(office: Office) -> None:
    sight = office.work.claim(LI, "c1")
    office.wait(42.9)
    outcome = office.work.review(LI, "c1", CONFIRM, office.submission(sight))
    assert (outcome.stage, outcome.decision, outcome.seconds) == (Stage.CLOSED, Decision.CONFIRMED, 42)
    case = office.case()
    assert (case.decision, case.stage, case.due_from) == (Decision.CONFIRMED, Stage.CLOSED, None)
    (review,) = case.reviews
    assert (review.reviewer, review.decided_at) == ("Li", office.at)
    assert office.kept == ["c1"], "its evidence is kept as that of confirmed cases is"
    with pytest.raises(AlreadyDecidedError):
        office.work.claim(WANG, "c1")
    assert all("浙" not in line and "Li" not in line.replace("a-Li", "") for line in office.audit())
    assert len(office.audit()) == 2 and len(office.told()) == 2


def test_a_rejected_case_is_not_kept_longer(office: Office) -> None:
    assert office.decide(LI, REJECT).decision is Decision.REJECTED
    assert office.case().reviews[0].code == "too-close"
    assert office.kept == []


def test_a_decision_with_a_claim_that_ran_out_or_was_taken_over_is_told_the_current_state(
    office: Office,
) -> None:
    stale = office.submission(office.work.claim(LI, "c1"))
    office.wait(600)
    with pytest.raises(ClaimLostError) as lost:
        office.work.review(LI, "c1", REJECT, stale)
    assert lost.value.current.claim is None
    office.work.claim(WANG, "c1")
    with pytest.raises(ClaimLostError) as taken:
        office.work.review(LI, "c1", REJECT, stale)
    assert taken.value.current.claim is not None and taken.value.current.claim.name == "Wang"
    office.work.release(WANG, "c1")
    office.work.claim(LI, "c1")
    with pytest.raises(ClaimLostError):
        office.work.review(LI, "c1", REJECT, stale)
    assert office.case().decision is Decision.OPEN


def test_a_decision_after_somebody_elses_change_is_refused_with_the_current_state(office: Office) -> None:
    stale = office.submission(office.work.claim(LI, "c1"))
    office.wait(600)
    office.decide(WANG, REJECT)
    with pytest.raises(CaseChangedError) as changed:
        office.work.review(LI, "c1", CONFIRM, stale)
    assert changed.value.current.case.decision is Decision.REJECTED
    assert len(office.case().reviews) == 1


def test_the_same_submission_gets_the_same_answer_and_happens_once(office: Office) -> None:
    sight = office.work.claim(LI, "c1")
    sent = office.submission(sight)
    first = office.work.review(LI, "c1", CONFIRM, sent)
    office.wait(60)
    assert office.work.review(LI, "c1", CONFIRM, sent) == first
    assert len(office.case().reviews) == 1
    with pytest.raises(IdempotencyKeyReusedError):
        office.work.review(LI, "c1", REJECT, replace(sent, body_sha256="cd" * 32))
    with pytest.raises(CaseChangedError):
        office.work.review(WANG, "c1", REJECT, sent)  # a key is its account's alone
    office.wait(25 * 3600)
    with pytest.raises(CaseChangedError):
        office.work.review(LI, "c1", CONFIRM, sent)  # the answer is kept for a day


def test_what_bars_a_confirmation(office: Office) -> None:
    office.bar = ConfirmBar.MEDIA
    sight = office.work.claim(LI, "c1")
    with pytest.raises(ConfirmRefusedError, match="missing or altered"):
        office.work.review(LI, "c1", CONFIRM, office.submission(sight))
    assert office.kept == []
    assert office.work.review(LI, "c1", REJECT, office.submission(sight)).decision is Decision.REJECTED


def test_held_cases_need_a_second_review_by_somebody_else(database: Database) -> None:
    office = Office(database, [replace(RECORD, status=Status.HELD)])
    outcome = office.decide(LI)
    assert (outcome.stage, outcome.decision) == (Stage.SECOND_REVIEW, Decision.OPEN)
    assert office.kept == [] and office.case().reviews == ()
    with pytest.raises(NotIndependentError, match="second review"):
        office.work.claim(LI, "c1")
    with pytest.raises(NotIndependentError):
        office.work.review(LI, "c1", CONFIRM, office.submission(office.see(LI)))
    assert sum('"outcome":"refused"' in line for line in office.audit()) == 2
    outcome = office.decide(WANG)
    assert (outcome.stage, outcome.decision) == (Stage.CLOSED, Decision.CONFIRMED)
    assert [review.reviewer for review in office.case().reviews] == ["Li", "Wang"]
    assert office.kept == ["c1"]


@pytest.mark.parametrize(("third", "decision"), [(CONFIRM, Decision.CONFIRMED), (REJECT, Decision.REJECTED)])
def test_a_third_person_decides_between_two_that_disagree(
    office: Office, third: Verdict, decision: Decision
) -> None:
    office.policy(second_review=True)
    office.decide(LI, REJECT)
    assert office.decide(CHEN).stage is Stage.ADJUDICATION
    assert [step.name for step in office.see(SUN).steps] == ["Li", "Chen"], (
        "who decides between them sees both"
    )
    with pytest.raises(NotIndependentError, match="adjudication"):
        office.work.claim(CHEN, "c1")
    with pytest.raises(NotAllowedError):
        office.work.claim(ZHAO, "c1")
    outcome = office.decide(SUN, third)
    assert (outcome.stage, outcome.decision) == (Stage.CLOSED, decision)
    assert len(office.case().reviews) == 3


def test_two_that_confirm_other_plates_disagree(office: Office) -> None:
    office.policy(second_review=True)
    office.correct(LI, "浙A12346")
    office.decide(LI)
    assert office.decide(CHEN).stage is Stage.ADJUDICATION
    office.correct(SUN, "浙A12346")
    assert office.decide(SUN).decision is Decision.CONFIRMED
    case = office.case()
    assert (case.record.plate_text, case.plate_ocr) == ("浙A12346", RECORD.plate_text)


def test_the_policy_of_the_moment_and_of_the_rule_counts(office: Office) -> None:
    office.policy(second_review=True, rule=Rule.NO_PARKING)
    office.policy(second_review=True, from_at=NOON + timedelta(days=1))
    assert office.decide(LI).stage is Stage.CLOSED
    with office.database.read() as tx:
        needs = [
            workflow.needs_second_review(tx, replace(RECORD, rule=rule), at)
            for rule in (Rule.RED_LIGHT, Rule.NO_PARKING)
            for at in (NOON, NOON + timedelta(days=1))
        ]
    assert needs == [False, True, True, True]
    office.policy(second_review=False, rule=Rule.RED_LIGHT, from_at=NOON + timedelta(days=2))
    with office.database.read() as tx:
        assert not workflow.needs_second_review(tx, RECORD, NOON + timedelta(days=3))


def test_an_opinion_comes_from_somebody_else_and_the_case_goes_on(office: Office) -> None:
    assert office.decide(LI, ASK).stage is Stage.OPINION
    with pytest.raises(NotIndependentError, match="opinion"):
        office.work.claim(LI, "c1")
    sight = office.work.claim(WANG, "c1")
    with pytest.raises(WrongStageError, match="opinion is awaited"):
        office.work.review(WANG, "c1", REJECT, office.submission(sight))
    assert office.work.review(WANG, "c1", GIVE, office.submission(sight)).stage is Stage.REVIEW
    with pytest.raises(WrongStageError, match="nobody asked"):
        office.decide(ZHAO, GIVE)
    office.work.release(ZHAO, "c1")
    assert [step.kind for step in office.see(LI).steps] == [StepKind.OPINION_ASKED, StepKind.OPINION_GIVEN]
    assert office.decide(LI).decision is Decision.CONFIRMED


def test_a_plate_is_corrected_by_who_decides_and_stands_with_the_decision(office: Office) -> None:
    corrected = office.correct(LI, "浙A54321")
    assert (corrected.plate_text, corrected.version) == ("浙A54321", "1.1")
    assert office.see(WANG).plate_text == RECORD.plate_text and office.see(WANG).version == "1.0"
    with pytest.raises(PlateRefusedError):
        office.correct(LI, "B-AB 1234")
    office.correct(LI, "B-AB 1234", is_special=True)
    office.decide(LI)
    case = office.case()
    assert (case.record.plate_text, case.plate_ocr) == ("B-AB 1234", RECORD.plate_text)
    assert [(found.text, found.name) for found in office.see(WANG).readings] == [
        ("浙A54321", "Li"),
        ("B-AB 1234", "Li"),
    ]
    assert all("54321" not in line for line in office.audit())


def test_a_plate_is_corrected_by_whoever_holds_the_case_only(office: Office) -> None:
    with pytest.raises(ClaimLostError):
        office.work.correct_plate(
            LI, "c1", text="浙A54321", is_special=False, if_match=office.see(LI).version, claim=1
        )
    with pytest.raises(CaseChangedError):
        office.work.correct_plate(LI, "c1", text="浙A54321", is_special=False, if_match="7.0", claim=1)


def test_cases_of_other_sites_are_not_there_and_that_is_audited(office: Office) -> None:
    stranger = person("Qian", sites=("elsewhere",))
    for case_id in ("c1", "nothing"):
        with pytest.raises(CaseUnknownError, match=f"there is no case {case_id}"):
            office.work.claim(stranger, case_id)
    (line,) = office.audit()
    assert '"outcome":"refused"' in line and "case:c1" in line
    with pytest.raises(NotAllowedError):
        office.work.claim(person("Eng", Role.ENGINEER), "c1")


@pytest.mark.parametrize("what", ["claim", "review"])
def test_of_many_that_race_one_wins(office: Office, what: str) -> None:
    people = [person(f"P{n}") for n in range(6)]
    sight = office.work.claim(LI, "c1") if what == "review" else None
    start = threading.Barrier(len(people))
    results: list[str] = []

    def act(who: Actor) -> None:
        start.wait(timeout=30)
        try:
            if sight is None:
                office.work.claim(who, "c1")
            else:
                office.work.review(LI, "c1", REJECT, office.submission(sight))
            results.append("won")
        except (ClaimedError, CaseChangedError) as exc:
            results.append(exc.code)

    threads = [threading.Thread(target=act, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    loser = "claimed" if what == "claim" else "case_changed"
    assert sorted(results) == sorted(["won", *[loser] * 5])


@pytest.mark.parametrize("who", [WANG, CHEN], ids=["officer", "supervisor"])
def test_who_may_give_the_second_review_sees_the_same_in_every_world(database: Database, who: Actor) -> None:
    records = [
        replace(RECORD, id=f"c{number}", status=Status.HELD, manifest_sha256=f"{number:064x}")
        for number in range(3)
    ]
    office = Office(database, records)
    seen = []
    for record, verdict in zip(records, (CONFIRM, CONFIRM, REJECT), strict=True):
        sight = office.work.claim(LI, record.id)
        assert sight.claim is not None
        if record.id == "c1":
            sight = office.work.correct_plate(
                LI, "c1", text="浙A99999", is_special=False, if_match=sight.version, claim=sight.claim.number
            )
        office.work.review(LI, record.id, verdict, office.submission(sight))
        now = office.see(who, record.id)
        assert now.is_blind and now.steps == () and now.readings == ()
        seen.append((now.version, now.plate_text, now.case.decision, now.case.stage, now.claim, now.due_at))
    assert len(set(seen)) == 1
    token = Actor(principal=replace(who.principal, permissions=frozenset({Permission.READ_CASES})))
    assert office.see(token, "c2").steps == (), "a token that may only read is the same person's"
    auditor = person("Zhou", Role.AUDITOR)
    assert [step.decision for step in office.see(auditor, "c2").steps] == [Decision.REJECTED]
    assert [step.decision for step in office.see(LI, "c2").steps] == [Decision.REJECTED], (
        "one's own is no secret"
    )
