"""Work on a case: claim it, correct its plate, decide; each with its audit line and its event in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from api.clock import Now
from api.records import audit, idempotency, outbox, workflow
from api.records.queue import Place, QueueFilter, queue_page
from api.records.workflow import CaseState, Claim, PlateReading, Step, StepKind
from api.work.access import NotAllowedError, Permission, Principal
from api.work.case_errors import (
    CaseChangedError,
    CaseHiddenError,
    CaseUnknownError,
    ClaimedError,
    ClaimLostError,
    ConfirmBar,
    ConfirmRefusedError,
    NotIndependentError,
    PlateRefusedError,
    WrongStageError,
)
from api.work.case_independence import barred
from api.work.case_sight import Actor, CaseSight, WorkTerms, sight_of
from api.work.case_submission import Outcome, Submission, Verdict, VerdictKind, outcome_of, outcome_text
from api.work.trial import is_trial
from evidence.database import Database, Transaction
from evidence.records import AlreadyDecidedError, CaseRemovedError, Decision, Review, Stage
from rules.plate_grammar import fits

DECISION_OF = {VerdictKind.CONFIRM: Decision.CONFIRMED, VerdictKind.REJECT: Decision.REJECTED}
STEP_OF = {
    Stage.REVIEW: StepKind.REVIEW,
    Stage.SECOND_REVIEW: StepKind.SECOND_REVIEW,
    Stage.ADJUDICATION: StepKind.ADJUDICATION,
}
NEEDED = {Stage.ADJUDICATION: Permission.ADJUDICATE, Stage.APPEAL: Permission.SUPERVISE}
"""What a stage needs; any other needs ``review``."""


class CaseWork:
    """Work on cases in ``database``. ``bar_of`` says what stands against confirming a case, having looked at its evidence;
    ``keep`` makes the store keep the evidence of a confirmed one. Both are asked outside of transactions.

    Methods raise CaseUnknownError (also for cases of other sites, which is audited), CaseRemovedError, NotAllowedError
    and what Database raises.
    """

    def __init__(
        self,
        database: Database,
        now: Now,
        terms: WorkTerms,
        bar_of: Callable[[str], ConfirmBar | None],
        keep: Callable[[str], None],
    ) -> None:
        self.database = database
        self.now = now
        self.terms = terms
        self._bar_of = bar_of
        self._keep = keep

    def queue(
        self, principal: Principal, wanted: QueueFilter, after: Place | None, limit: int
    ) -> tuple[CaseSight, ...]:
        """Up to ``limit`` cases of the queue after that place, as the person may see them."""
        with self.database.read() as tx:
            cases = queue_page(tx, wanted, after, limit)
            claims = workflow.claims_of(tx, [case.number for case in cases])
        return tuple(
            self.sight(CaseState(case=case, steps=(), readings=(), claim=claims.get(case.number)), principal)
            for case in cases
        )

    def see(self, principal: Principal, case_id: str) -> CaseSight:
        """The case as that person may see it; whoever asks has written into the audit that it is looked at."""
        with self.database.read() as tx:
            return self.sight(visible(workflow.state_of(tx, case_id), case_id, principal), principal)

    def claim(self, actor: Actor, case_id: str) -> CaseSight:
        """The case, which is the person's from now until the lease ends; a claim that is theirs already is renewed.

        Raises ClaimedError while somebody else holds it, NotIndependentError, WrongStageError.
        """
        with self.changing(actor, "case.claimed", case_id) as (tx, state):
            now, principal = self.now(), actor.principal
            self.may_work(state, principal)
            before = state.claim
            expires_at = now + self.terms.lease
            if before is not None and before.is_of(principal.account_id, now):
                claim = replace(before, expires_at=expires_at)
            elif before is not None and before.runs(now):
                raise ClaimedError(case_id, before.name or "")
            else:
                claim = Claim(
                    number=1 if before is None else before.number + 1,
                    account_id=principal.account_id,
                    name=principal.name,
                    claimed_at=now,
                    expires_at=expires_at,
                )
                self.tell(tx, actor, "case.claimed", state, (("claim", str(claim.number)),))
            workflow.put_claim(tx, state.case.number, claim)
            return self.sight(replace(state, claim=claim), principal)

    def release(self, actor: Actor, case_id: str) -> None:
        """The person does not hold the case any more; nothing happens where they did not."""
        with self.changing(actor, "case.released", case_id) as (tx, state):
            if state.claim is not None and state.claim.is_of(actor.principal.account_id, self.now()):
                workflow.release_claim(tx, state.case.number)
                self.tell(tx, actor, "case.released", state)

    def correct_plate(
        self, actor: Actor, case_id: str, *, text: str, is_special: bool, if_match: str, claim: int
    ) -> CaseSight:
        """The case with the plate as the person reads it, which their decision will stand on; what was read stays.

        Others learn of it with that decision. Raises PlateRefusedError, CaseChangedError, ClaimLostError and as ``claim``.
        """
        with self.changing(actor, "case.plate_corrected", case_id) as (tx, state):
            principal, case = actor.principal, state.case
            self.check(state, principal, if_match, claim)
            if case.stage not in STEP_OF:
                raise WrongStageError(case_id, "its plate is corrected by whoever reviews it")
            if not is_special and not fits(text, _profile(case.record.plate_text)):
                raise PlateRefusedError
            reading = PlateReading(
                phase=case.phase,
                account_id=principal.account_id,
                name=principal.name,
                text=text,
                is_special=is_special,
                at=self.now(),
            )
            workflow.add_reading(tx, case.number, reading)
            # No event: it would tell a second reviewer that the first one corrected the plate, so confirmed.
            self.audited(tx, actor, "case.plate_corrected", state)
            return self.sight(replace(state, readings=(*state.readings, reading)), principal)

    def review(self, actor: Actor, case_id: str, verdict: Verdict, submitted: Submission) -> Outcome:
        """The decision, or the opinion, is the case's next step; where it is the last one, the case is closed.

        A submission that was sent before gives the answer that it got. Raises AlreadyDecidedError, WrongStageError,
        NotIndependentError, CaseChangedError, ClaimLostError, ConfirmRefusedError, IdempotencyKeyReusedError.
        """
        principal = actor.principal
        if verdict.kind is VerdictKind.CONFIRM:
            with self.changing(actor, "case.reviewed", case_id) as (tx, state):
                if (given := self.answered(tx, actor, submitted)) is not None:
                    return given
                self.check(state, principal, submitted.if_match, submitted.claim)
                stage = state.case.stage
                may_be_last = stage is not Stage.REVIEW or not self._needs_second(tx, state)
            bar = self._bar_of(case_id)
            if bar is not None:
                raise ConfirmRefusedError(case_id, bar)
            if (
                may_be_last
            ):  # before the decision: a store that is away leaves the case open, and nothing unlocked
                self._keep(case_id)
        with self.changing(actor, "case.reviewed", case_id) as (tx, state):
            if (given := self.answered(tx, actor, submitted)) is not None:
                return given
            self.check(state, principal, submitted.if_match, submitted.claim)
            if verdict.kind is VerdictKind.CONFIRM and is_trial(tx, state.case.record, self.now()):
                raise ConfirmRefusedError(case_id, ConfirmBar.TRIAL)
            seconds = self._take(tx, actor, state, verdict)
            return self.finished(tx, actor, case_id, submitted, seconds)

    def _take(self, tx: Transaction, actor: Actor, state: CaseState, verdict: Verdict) -> int | None:
        case = state.case
        step = self.step(actor, state, StepKind.REVIEW, verdict.note)
        number, stage = case.number, case.stage
        if (stage is Stage.OPINION) != (verdict.kind is VerdictKind.GIVE_OPINION):
            awaits = stage is Stage.OPINION
            awaited = "its opinion is awaited first" if awaits else "nobody asked for an opinion"
            raise WrongStageError(case.record.id, awaited)
        if stage is Stage.OPINION:
            step = replace(step, kind=StepKind.OPINION_GIVEN)
            workflow.move(tx, number, stage=case.phase, phase=case.phase)
        elif verdict.kind is VerdictKind.ASK_OPINION:
            step = replace(step, kind=StepKind.OPINION_ASKED)
            workflow.move(tx, number, stage=Stage.OPINION, phase=case.phase)
        elif stage not in STEP_OF:
            raise WrongStageError(case.record.id, "it is under appeal, which is decided as an appeal")
        else:
            reading = state.reading_of(actor.principal.account_id)
            plate = case.record.plate_text if reading is None else reading.text
            step = replace(
                step,
                kind=STEP_OF[stage],
                decision=DECISION_OF[verdict.kind],
                code=verdict.code,
                plate_text=plate,
            )
            self._decide(tx, state, step)
        workflow.add_step(tx, number, step)
        workflow.release_claim(tx, number)
        # What the first review said stands in its step alone: the audit's reader learns that there was one.
        self.tell(tx, actor, "case.reviewed", state, (("step", step.kind.value),))
        return step.seconds

    def _decide(self, tx: Transaction, state: CaseState, step: Step) -> None:
        case = state.case
        before = [found for found in state.steps if found.decision is not None]
        if case.stage is Stage.REVIEW and self._needs_second(tx, state):
            workflow.move(tx, case.number, stage=Stage.SECOND_REVIEW, phase=Stage.SECOND_REVIEW)
        elif case.stage is Stage.SECOND_REVIEW and not _agree(before[-1], step):
            workflow.move(tx, case.number, stage=Stage.ADJUDICATION, phase=Stage.ADJUDICATION)
        else:
            is_confirmed = step.decision is Decision.CONFIRMED
            plate = step.plate_text if is_confirmed else case.record.plate_text
            workflow.close(tx, case, [review_of(found) for found in (*before, step)], plate)

    def _needs_second(self, tx: Transaction, state: CaseState) -> bool:
        return workflow.needs_second_review(tx, state.case.record, self.now())

    def may_work(self, state: CaseState, principal: Principal) -> None:
        """Raises what stands against that person's working on the case as it stands."""
        case = state.case
        case_id, stage = case.record.id, case.stage
        needed = NEEDED.get(stage, Permission.REVIEW)
        if not principal.may(needed):
            raise NotAllowedError(needed)
        if stage is Stage.CLOSED:
            raise AlreadyDecidedError(case_id, case.decision)
        if stage is Stage.WITHDRAWN:
            raise WrongStageError(
                case_id, "it is withdrawn, since its rule is suspended at its site for that time"
            )
        if principal.account_id in barred(state):
            raise NotIndependentError(case_id, stage, case.record.site_id)

    def check(self, state: CaseState, principal: Principal, if_match: str, claim: int | None) -> None:
        """Raises what stands against a change that was made from that version, with that claim."""
        case = state.case
        if case.stage in NEEDED and not principal.may(NEEDED[case.stage]):
            raise NotAllowedError(NEEDED[case.stage])
        if principal.account_id in barred(state):
            raise NotIndependentError(case.record.id, case.stage, case.record.site_id)
        self.check_version(state, principal, if_match)
        self.may_work(state, principal)
        held = state.claim
        if held is None or held.number != claim or not held.is_of(principal.account_id, self.now()):
            raise ClaimLostError(self.sight(state, principal))

    def check_version(self, state: CaseState, principal: Principal, if_match: str) -> None:
        """Raises CaseChangedError where the case is of another version for that person."""
        current = self.sight(state, principal)
        if if_match != current.version:
            raise CaseChangedError(current)

    def step(self, actor: Actor, state: CaseState, kind: StepKind, note: str) -> Step:
        """A step of that person, with the time that they claimed the case for it."""
        now, held = self.now(), state.claim
        is_mine = held is not None and held.is_of(actor.principal.account_id, now)
        return Step(
            phase=state.case.phase,
            kind=kind,
            account_id=actor.principal.account_id,
            name=actor.principal.name,
            decision=None,
            code=None,
            note=note,
            plate_text=None,
            at=now,
            seconds=int((now - held.claimed_at).total_seconds()) if held is not None and is_mine else None,
        )

    def sight(self, state: CaseState, principal: Principal) -> CaseSight:
        """The case as that person may see it now."""
        return sight_of(state, principal, self.terms, self.now())

    @contextmanager
    def changing(self, actor: Actor, action: str, case_id: str) -> Iterator[tuple[Transaction, CaseState]]:
        """The writer's transaction and the case as it stands in it; what is refused to this person is audited."""
        try:
            with self.database.write() as tx:
                yield tx, visible(workflow.state_of(tx, case_id), case_id, actor.principal)
        except (CaseHiddenError, NotIndependentError, NotAllowedError) as exc:
            self.refused(actor, action, case_id, getattr(exc, "site_id", None))
            raise

    def refused(self, actor: Actor, action: str, case_id: str, site_id: str | None) -> None:
        """The audit knows that this was refused."""
        with self.database.write() as tx:
            entry = _entry(actor, action, case_id, site_id, self.now())
            audit.append(tx, replace(entry, outcome=audit.Outcome.REFUSED))

    def audited(
        self,
        tx: Transaction,
        actor: Actor,
        action: str,
        state: CaseState,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """The audit has a line of that."""
        record = state.case.record
        audit.append(tx, replace(_entry(actor, action, record.id, record.site_id, self.now()), facts=facts))

    def tell(
        self,
        tx: Transaction,
        actor: Actor,
        action: str,
        state: CaseState,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """The audit has a line of that, and who listens hears that the case changed."""
        record = state.case.record
        self.audited(tx, actor, action, state, facts)
        outbox.tell(
            tx, kind="case.changed", subject=f"case:{record.id}", site_id=record.site_id, at=self.now()
        )

    def answered(self, tx: Transaction, actor: Actor, submitted: Submission) -> Outcome | None:
        """The outcome that the same submission had. Raises IdempotencyKeyReusedError."""
        given = idempotency.answered(
            tx,
            account_id=actor.principal.account_id,
            route=submitted.route,
            key=submitted.key,
            body_sha256=submitted.body_sha256,
            now=self.now(),
        )
        return None if given is None else outcome_of(given)

    def finished(
        self, tx: Transaction, actor: Actor, case_id: str, submitted: Submission, seconds: int | None
    ) -> Outcome:
        """How the case stands now, kept as the answer to that submission."""
        state = workflow.state_of(tx, case_id)
        assert state is not None
        now = self.now()
        given = Outcome(
            case_id=case_id,
            stage=state.case.stage,
            decision=state.case.decision,
            version=self.sight(state, actor.principal).version,
            at=now,
            seconds=seconds,
        )
        idempotency.keep_answer(
            tx,
            account_id=actor.principal.account_id,
            route=submitted.route,
            key=submitted.key,
            body_sha256=submitted.body_sha256,
            answer=outcome_text(given),
            now=now,
        )
        return given


def visible(state: CaseState | None, case_id: str, principal: Principal) -> CaseState:
    """The case, which is there and which the account is for. Raises CaseUnknownError and CaseRemovedError."""
    if state is None:
        raise CaseUnknownError(case_id)
    if not principal.sees(state.case.record.site_id):
        raise CaseHiddenError(case_id, state.case.record.site_id)
    if state.case.removal is not None:
        raise CaseRemovedError(case_id, state.case.removal.begun_at)
    return state


def review_of(step: Step) -> Review:
    """The step as the case's reviews have it."""
    assert step.decision is not None
    return Review(
        decision=step.decision, code=step.code, note=step.note, reviewer=step.name, decided_at=step.at
    )


def _agree(first: Step, second: Step) -> bool:
    is_same = first.decision is second.decision
    return is_same and (first.decision is Decision.REJECTED or first.plate_text == second.plate_text)


def _profile(plate_ocr: str | None) -> str:
    """The kind of plates that the site has, as far as the plate that was read tells it."""
    is_latin = fits(plate_ocr or "", "latin") and not fits(plate_ocr or "", "ga36")
    return "latin" if is_latin else "ga36"


def _entry(actor: Actor, action: str, case_id: str, site_id: str | None, at: datetime) -> audit.AuditEntry:
    return audit.AuditEntry(
        at=at,
        actor_id=actor.principal.account_id,
        action=action,
        target=f"case:{case_id}",
        site_id=site_id,
        request_id=actor.request_id,
    )
