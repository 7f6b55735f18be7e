"""What a supervisor does about cases: void one, take in and decide appeals, suspend a rule at a site, set review policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from api.records import audit, idempotency, outbox, supervision, workflow
from api.records.supervision import Appeal, Suspension
from api.records.workflow import CaseState, ReviewPolicy, StepKind
from api.work.case_errors import (
    SiteHiddenError,
    SupervisionUnknownError,
    WrongStageError,
)
from api.work.case_sight import Actor
from api.work.case_submission import Outcome, Submission
from api.work.casework import CaseWork, review_of, visible
from evidence.database import Transaction
from evidence.records import Decision, Stage
from rules.finding import Rule


class AppealOutcome(StrEnum):
    """How an appeal ends."""

    UPHELD = "upheld"
    """The decision stands."""
    VOID = "void"
    """The decision is taken back."""


class Supervision:
    """A supervisor's work beside the queue. Methods raise as those of CaseWork, and SupervisionUnknownError."""

    def __init__(self, work: CaseWork) -> None:
        self._work = work
        self._database = work.database
        self._now = work.now

    def void(self, actor: Actor, case_id: str, *, reason: str, submitted: Submission) -> Outcome:
        """The confirmed case is void. Raises WrongStageError, CaseChangedError, IdempotencyKeyReusedError."""
        work = self._work
        with work.changing(actor, "case.voided", case_id) as (tx, state):
            if (given := work.answered(tx, actor, submitted)) is not None:
                return given
            work.check_version(state, actor.principal, submitted.if_match)
            _must_be_confirmed(state, "only a confirmed case can be made void")
            self._close(tx, actor, state, StepKind.VOID, Decision.VOID, reason)
            work.tell(tx, actor, "case.voided", state)
            return work.finished(tx, actor, case_id, submitted, None)

    def take_appeal(self, actor: Actor, case_id: str, *, reason: str, submitted: Submission) -> Appeal:
        """The confirmed case is under appeal, and under legal hold until the appeal has ended."""
        work = self._work
        with work.changing(actor, "appeal.taken", case_id) as (tx, state):

            def take() -> Appeal:
                now, case = self._now(), state.case
                work.check_version(state, actor.principal, submitted.if_match)
                _must_be_confirmed(state, "only a confirmed case can be appealed against")
                step = work.step(actor, state, StepKind.APPEAL, reason)
                workflow.add_step(tx, case.number, step)
                workflow.move(tx, case.number, stage=Stage.APPEAL, phase=Stage.APPEAL)
                workflow.start_clock(tx, case.number, now)
                taken = supervision.add_appeal(
                    tx, case, reason=reason, taken_by=step.account_id, name=step.name, at=now
                )
                work.tell(tx, actor, "appeal.taken", state, (("appeal", str(taken.number)),))
                return taken

            number = self._once(tx, actor, submitted, lambda: take().number)
            return self._appeal(tx, actor, number)

    def decide_appeal(
        self, actor: Actor, number: int, outcome: AppealOutcome, *, note: str, submitted: Submission
    ) -> Appeal:
        """The appeal has ended; the case is closed, and free of the hold that the appeal placed.

        Raises NotIndependentError, CaseChangedError, ClaimLostError, WrongStageError.
        """
        with self._database.read() as tx:
            case_id = self._appeal(tx, actor, number).case_id
        work = self._work
        with work.changing(actor, "appeal.decided", case_id) as (tx, state):

            def decide() -> int:
                if self._appeal(tx, actor, number).outcome is not None:
                    raise WrongStageError(case_id, "that appeal has ended")
                work.check(state, actor.principal, submitted.if_match, submitted.claim)
                decision = Decision.CONFIRMED if outcome is AppealOutcome.UPHELD else Decision.VOID
                self._close(tx, actor, state, StepKind.APPEAL_DECISION, decision, note)
                workflow.release_claim(tx, state.case.number)
                supervision.end_appeal(
                    tx,
                    number,
                    outcome=outcome.value,
                    by=actor.principal.account_id,
                    name=actor.principal.name,
                    at=self._now(),
                )
                facts = (("appeal", str(number)), ("outcome", outcome.value))
                work.tell(tx, actor, "appeal.decided", state, facts)
                return number

            return self._appeal(tx, actor, self._once(tx, actor, submitted, decide))

    def appeal(self, actor: Actor, number: int) -> Appeal:
        """The appeal of that number; that it was seen is audited."""
        with self._database.write() as tx:
            found = self._appeal(tx, actor, number)
            self._note(tx, actor, "appeal.viewed", f"appeal:{number}", found.site_id)
            return found

    def appeals(
        self, actor: Actor, *, open_only: bool, after_number: int | None, limit: int
    ) -> Sequence[Appeal]:
        """Up to ``limit`` appeals of the person's sites with a higher number, ascending; that they were seen is audited."""
        with self._database.write() as tx:
            found = supervision.appeals_page(
                tx,
                site_ids=actor.principal.site_ids,
                open_only=open_only,
                after_number=after_number,
                limit=limit,
            )
            self._note(tx, actor, "appeals.listed", "appeals", None, (("count", str(len(found))),))
            return found

    def suspend(
        self,
        actor: Actor,
        *,
        site_id: str,
        rule: Rule,
        from_at: datetime,
        to_at: datetime | None,
        reason: str,
        submitted: Submission,
    ) -> Suspension:
        """Cases of that rule that happened at that site in that time are withdrawn, also those recorded later."""
        self._must_see(actor, site_id, "rule.suspended")
        with self._database.write() as tx:

            def suspend() -> int:
                made = supervision.add_suspension(
                    tx,
                    site_id=site_id,
                    rule=rule,
                    from_at=from_at,
                    to_at=to_at,
                    reason=reason,
                    by=actor.principal.account_id,
                    at=self._now(),
                )
                facts = (("rule", rule.value), ("withdrawn", str(made.withdrawn)))
                self._note(tx, actor, "rule.suspended", f"suspension:{made.number}", site_id, facts)
                self._told(tx, made)
                return made.number

            found = supervision.suspension_of(tx, self._once(tx, actor, submitted, suspend))
            assert found is not None
            return found

    def lift(self, actor: Actor, number: int) -> Suspension:
        """The suspension is lifted, and the cases that it alone withdrew are back where they were; once."""
        with self._database.read() as tx:
            before = supervision.suspension_of(tx, number)
        if before is None:
            raise SupervisionUnknownError(f"suspension {number}")
        self._must_see(actor, before.site_id, "suspension.lifted")
        with self._database.write() as tx:
            if supervision.lift_suspension(tx, number, by=actor.principal.account_id, at=self._now()):
                self._note(tx, actor, "suspension.lifted", f"suspension:{number}", before.site_id)
                self._told(tx, before)
            found = supervision.suspension_of(tx, number)
            assert found is not None
            return found

    def suspensions(self, actor: Actor, *, after_number: int | None, limit: int) -> Sequence[Suspension]:
        """Up to ``limit`` suspensions of the person's sites with a higher number, ascending."""
        with self._database.read() as tx:
            return supervision.suspensions_page(
                tx, site_ids=actor.principal.site_ids, after_number=after_number, limit=limit
            )

    def suspension(self, actor: Actor, number: int) -> Suspension:
        """The suspension of that number."""
        with self._database.read() as tx:
            found = supervision.suspension_of(tx, number)
        if found is None:
            raise SupervisionUnknownError(f"suspension {number}")
        self._must_see(actor, found.site_id, "suspension.viewed")
        return found

    def set_policy(
        self,
        actor: Actor,
        *,
        site_id: str,
        rule: Rule | None,
        from_at: datetime,
        second_review: bool,
        submitted: Submission,
    ) -> ReviewPolicy:
        """From that moment on cases of that rule at that site need a second review, or do not; what held before stays on record."""
        self._must_see(actor, site_id, "policy.set")
        with self._database.write() as tx:

            def put() -> int:
                made = workflow.add_policy(
                    tx,
                    site_id=site_id,
                    rule=rule,
                    from_at=from_at,
                    second_review=second_review,
                    set_by=actor.principal.account_id,
                    set_at=self._now(),
                )
                facts = (
                    ("rule", "any" if rule is None else rule.value),
                    ("second_review", str(second_review)),
                )
                self._note(tx, actor, "policy.set", f"policy:{made.number}", site_id, facts)
                return made.number

            number = self._once(tx, actor, submitted, put)
            return next(found for found in workflow.policies_of(tx, site_id) if found.number == number)

    def policies(self, actor: Actor, site_id: str) -> Sequence[ReviewPolicy]:
        """Every policy that the site ever had, oldest first."""
        self._must_see(actor, site_id, "policy.viewed")
        with self._database.read() as tx:
            return workflow.policies_of(tx, site_id)

    def _close(
        self, tx: Transaction, actor: Actor, state: CaseState, kind: StepKind, decision: Decision, note: str
    ) -> None:
        made = replace(self._work.step(actor, state, kind, note), decision=decision)
        workflow.add_step(tx, state.case.number, made)
        workflow.close(tx, state.case, [review_of(made)], state.case.record.plate_text)

    def _appeal(self, tx: Transaction, actor: Actor, number: int) -> Appeal:
        found = supervision.appeal_of(tx, number)
        if found is None or not actor.principal.sees(found.site_id):
            raise SupervisionUnknownError(f"appeal {number}")
        visible(workflow.state_of(tx, found.case_id), found.case_id, actor.principal)
        return found

    def _must_see(self, actor: Actor, site_id: str, action: str) -> None:
        if not actor.principal.sees(site_id):
            with self._database.write() as tx:
                audit.append(
                    tx,
                    replace(
                        self._entry(actor, action, f"site:{site_id}", site_id), outcome=audit.Outcome.REFUSED
                    ),
                )
            raise SiteHiddenError(site_id)

    def _once(self, tx: Transaction, actor: Actor, submitted: Submission, act: Callable[[], int]) -> int:
        """The number that ``act`` gives, or gave when the same was submitted before."""
        named = {
            "account_id": actor.principal.account_id,
            "route": submitted.route,
            "key": submitted.key,
            "body_sha256": submitted.body_sha256,
        }
        given = idempotency.answered(tx, **named, now=self._now())
        if given is not None:
            return int(given)
        number = act()
        idempotency.keep_answer(tx, **named, answer=str(number), now=self._now())
        return number

    def _entry(
        self,
        actor: Actor,
        action: str,
        target: str,
        site_id: str | None,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> audit.AuditEntry:
        return audit.AuditEntry(
            at=self._now(),
            actor_id=actor.principal.account_id,
            action=action,
            target=target,
            site_id=site_id,
            request_id=actor.request_id,
            facts=facts,
        )

    def _note(
        self,
        tx: Transaction,
        actor: Actor,
        action: str,
        target: str,
        site_id: str | None,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        audit.append(tx, self._entry(actor, action, target, site_id, facts))

    def _told(self, tx: Transaction, suspension: Suspension) -> None:
        outbox.tell(
            tx,
            kind="suspension.changed",
            subject=f"suspension:{suspension.number}",
            site_id=suspension.site_id,
            at=self._now(),
        )


def _must_be_confirmed(state: CaseState, why: str) -> None:
    case = state.case
    if case.decision is not Decision.CONFIRMED or case.stage is not Stage.CLOSED:
        raise WrongStageError(case.record.id, why)
