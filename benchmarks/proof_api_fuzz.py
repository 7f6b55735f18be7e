"""Proof: whatever is sent to the API, it answers as its OpenAPI document says, and never with a fault."""

from __future__ import annotations

import time
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.http.app import describe_api
from api.register_document import RegisterDocument
from api.work.access import Role
from api.work.records_place import move_records
from api.work.service import Service
from benchmarks.api_server import ServedApi, served_api
from benchmarks.proof import Proof, Trial, Verdict
from tests.builders.case_folder import fill, held, parking, red_light, unreadable
from tests.builders.sites import engineer, publish, site_file
from tests.postgresql_server import programs, running

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
AT_ONCE = 12
"""Requests to one route before the next one has its turn."""
ENDLESS = ("/api/v1/events",)
"""Streams: tests follow them, here they would never end."""
TIMEOUT_S = 30.0
THERE = {
    "case_id": (
        "north-red_light-s0-f000500-t7",
        "kerb-no_parking-s0-f001000-t3",
        "north-red_light-s0-f001300-t12",
    ),
    "name": ("scene-1.jpg", "plate.jpg"),
    "site_id": ("crossroads",),
    "camera_id": ("east",),
    "sign_id": ("sign",),
}
"""What the drawn data folder has."""
MOST_TOLD = 20


class Fuzzer:
    """Sends drawn requests, right and wrong ones, as every role and as nobody."""

    def __init__(self, api: ServedApi) -> None:
        self._api = api
        self._schema = schemathesis.openapi.from_dict(describe_api())
        self._session = requests.Session()
        self._session.trust_env = False
        self.sent = 0
        self.by_status: dict[int, int] = {}
        self.failures: list[str] = []

    def run(self, until: float, first_seed: int) -> None:
        """Requests are sent until that moment of the monotonic clock."""
        found = [one.ok() for one in self._schema.get_all_operations() if isinstance(one, Ok)]
        operations = [operation for operation in found if operation.path not in ENDLESS]
        askers: list[Role | None] = [*Role, None]
        rounds = cycle(
            (role, mode) for role in askers for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        )
        number = first_seed
        while time.monotonic() < until:
            role, mode = next(rounds)
            for operation in operations:
                if time.monotonic() >= until:
                    return
                number += 1
                try:
                    strategy = operation.as_strategy(generation_mode=mode)
                    self._drawn(strategy, role, number)
                except (schemathesis.errors.SchemathesisError, Unsatisfiable):
                    continue  # nothing wrong can be sent to a route that takes nothing

    def _drawn(self, strategy: Any, role: Role | None, number: int) -> None:
        @seed(number)
        @settings(
            max_examples=AT_ONCE,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def send(case: Any) -> None:
            self._send(case, role)

        send()

    def _send(self, case: Any, role: Role | None) -> None:
        headers = {} if role is None else {"Authorization": self._api.tokens[role]}
        if self.sent % 2:  # what is drawn is there by accident only
            for name, values in THERE.items():
                if name in (case.path_parameters or {}):
                    case.path_parameters[name] = values[self.sent // 2 % len(values)]
        response = case.call(
            base_url=self._api.address, headers=headers, session=self._session, timeout=TIMEOUT_S
        )
        self.sent += 1
        self.by_status[response.status_code] = self.by_status.get(response.status_code, 0) + 1
        try:
            case.validate_response(response, checks=CHECKS)
        except AssertionError as exc:
            if len(self.failures) < MOST_TOLD:
                words = " ".join(str(exc).split())[:400]
                self.failures.append(f"{case.method} {case.path} as {role}: {response.status_code}: {words}")
        except BaseExceptionGroup as exc:
            if len(self.failures) < MOST_TOLD:
                words = " ".join(" | ".join(str(one) for one in exc.exceptions).split())[:400]
                self.failures.append(f"{case.method} {case.path} as {role}: {response.status_code}: {words}")


def prove(trial: Trial) -> Verdict:
    """``trial.size`` seconds of drawn requests, half of them over SQLite, half over PostgreSQL where it is installed."""
    where = programs()
    kinds = ["sqlite"] if where is None else ["sqlite", "postgresql"]
    figures: dict[str, int | float | str | bool] = {"routes": len(describe_api()["paths"])}
    told: list[str] = []
    for kind in kinds:
        data = trial.folder / kind
        if not data.exists():
            data.mkdir()
            fill(data, [red_light(), unreadable(), held(), parking()])
        with ExitStack() as stack:
            if kind == "postgresql" and where is not None:
                server = stack.enter_context(running(where))
                _move(data, server.address("postgres"))
            api = stack.enter_context(served_api(data))
            _keep_register(api.service)
            fuzzer = Fuzzer(api)
            fuzzer.run(time.monotonic() + trial.size / len(kinds), first_seed=1)
        figures[f"requests_{kind}"] = fuzzer.sent
        figures[f"faults_{kind}"] = sum(
            number for status, number in fuzzer.by_status.items() if status >= 500
        )
        figures[f"answers_{kind}"] = ", ".join(
            f"{status}: {fuzzer.by_status[status]}" for status in sorted(fuzzer.by_status)
        )
        told += fuzzer.failures
    figures["undocumented"] = len(told)
    figures["first_failures"] = "; ".join(told[:5])
    return Verdict(
        passed=not told and all(int(figures[f"requests_{kind}"]) > 0 for kind in kinds), figures=figures
    )


def _keep_register(service: Service) -> None:
    """The drawn cases' site is published and announced, so that they can be confirmed."""
    who = engineer()
    if service.sites.page(who, after_id="", limit=1):
        return
    publish(service.sites, site_file("crossroads", "east"), "crossroads")
    entry = {"kind": "junction", "name": "Crossroads", "area": "Old town", "published_on": "2020-01-01"}
    service.register.put(who, "crossroads", RegisterDocument.model_validate(entry), looked_at=0)


def _move(data: Path, address: str) -> None:
    (data / "database.json").unlink(missing_ok=True)
    moved = data / "moved-records.sqlite"
    if moved.exists():
        moved.rename(data / "records.sqlite")
    move_records(data, address)


PROOF = Proof(
    claim="Ten minutes of drawn requests, valid and invalid, as each role and as nobody, on SQLite and PostgreSQL: no answer is a "
    "fault of the server, and each is as the OpenAPI document says.",
    small=10,
    full=600,
    prove=prove,
)
