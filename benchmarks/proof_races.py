"""Proof: of two clients that reach for the same claim, case or draft at once, exactly one wins, and the other is told."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx

from api.work.access import Role
from api.work.records_place import move_records
from benchmarks.api_server import served_api, token_of
from benchmarks.proof import Figures, Proof, Trial, Verdict
from evidence.records import CaseRecord, PackageState
from evidence.records_sql import SqlRecords
from rules.finding import Rule, Status
from tests.builders.sites import race_for_site
from tests.postgresql_server import programs, running

RECORD = CaseRecord(
    id="case",
    rule=Rule.RED_LIGHT,
    site_id="site",
    camera_id="north",
    place_id="line-1",
    status=Status.ASSERTED,
    t_s=12.34,
    captured_at=None,
    time_zone="Asia/Shanghai",
    vehicle_class="car",
    plate_text=None,
    package=PackageState.COMPLETE,
    package_reasons=(),
    evidence_path="evidence/case",
    manifest_path="evidence/case/manifest.json",
    manifest_sha256="0" * 64,
    event_json="{}",
)
CLAIM_LOST = (409, "claimed")
REVIEW_LOST = {(409, "already_decided"), (412, "case_changed"), (412, "claim_lost")}
"""The documented answers to who comes second."""


def _at_once(
    first: Callable[[], httpx.Response], second: Callable[[], httpx.Response]
) -> list[httpx.Response]:
    """The answers to both, sent at the same moment."""
    start = threading.Barrier(2)
    answers: list[httpx.Response] = []

    def run(send: Callable[[], httpx.Response]) -> None:
        start.wait()
        answers.append(send())

    threads = [threading.Thread(target=run, args=(send,)) for send in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, "" if answer.is_success else str(answer.json()["code"])


def _race(clients: tuple[httpx.Client, httpx.Client], case_id: str) -> tuple[bool, bool]:
    """Whether the claim, then the decision, was won by exactly one, and the other got the documented answer."""
    url = f"/api/v1/violations/{case_id}"
    first, second = clients
    claims = _at_once(lambda: first.put(f"{url}/claim"), lambda: second.put(f"{url}/claim"))
    codes = sorted(_code(answer) for answer in claims)
    claim_fits = codes == [(200, ""), CLAIM_LOST]
    winner = next(answer for answer in claims if answer.is_success)
    held_by = first if winner.request.headers["authorization"] == first.headers["authorization"] else second

    def decide() -> httpx.Response:
        return held_by.post(
            f"{url}/reviews",
            json={"decision": "reject", "code": "stopped", "claim": winner.json()["number"]},
            headers={"If-Match": winner.headers["etag"], "Idempotency-Key": uuid.uuid4().hex},
        )

    decided = sorted(_code(answer) for answer in _at_once(decide, decide))
    return claim_fits, decided[0] == (201, "") and decided[1] in REVIEW_LOST


def _on(kind: str, where: Path | None, trial: Trial) -> Figures:
    data = trial.folder / kind
    data.mkdir(exist_ok=True)
    (data / "records.sqlite").unlink(missing_ok=True)
    with closing(SqlRecords(data / "records.sqlite")) as records:
        for number in range(trial.size):
            records.add_case(replace(RECORD, id=f"case-{number}", manifest_sha256=f"{number:064x}"))
    with ExitStack() as stack:
        if kind == "postgresql":
            assert where is not None
            (data / "database.json").unlink(missing_ok=True)
            move_records(data, stack.enter_context(running(where)).address("postgres"))
        api = stack.enter_context(served_api(data))
        tokens = (api.tokens[Role.OFFICER], token_of(api.service, Role.OFFICER))
        clients = tuple(
            stack.enter_context(
                httpx.Client(
                    base_url=api.address, trust_env=False, timeout=60, headers={"Authorization": token}
                )
            )
            for token in tokens
        )
        found = [_race((clients[0], clients[1]), f"case-{number}") for number in range(trial.size)]
        configured = race_for_site(api.service.sites, trial.size)
        with closing(SqlRecords(api.service.database)) as records:
            once = sum(
                len(case.reviews) == 1
                for number in range(trial.size)
                if (case := records.case(f"case-{number}")) is not None
            )
    return {
        "races": trial.size,
        "claims_won_by_one": sum(claim for claim, _ in found),
        "decisions_won_by_one": sum(decision for _, decision in found),
        "decided_once": once,
        "drafts_won_by_one": configured["draft", "done", "site_changed"],
        "publications_won_by_one": configured["publish", "done", "site_changed"],
    }


def prove(trial: Trial) -> Verdict:
    """``trial.size`` races for a claim, a decision, a site's draft and its publication, on SQLite and, where it is installed,
    on PostgreSQL.
    """
    where = programs()
    figures: dict[str, int | float | str | bool] = {}
    passed = True
    for kind in ("sqlite",) if where is None else ("sqlite", "postgresql"):
        found = trial.once(kind, partial(_on, kind, where, trial))
        figures |= {f"{kind}_{name}": value for name, value in found.items()}
        passed = passed and set(found.values()) == {trial.size}
    return Verdict(passed=passed, figures=figures)


PROOF = Proof(
    claim="Two clients reach 1,000 times for one claim, and send as often a decision of one case, a draft of one site and its "
    "publication at the same moment, on SQLite and PostgreSQL: exactly one wins each time, the other gets the documented answer.",
    small=8,
    full=1_000,
    prove=prove,
)
