"""Events through a real server: in order, to whoever may see them, and until the session ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.records.outbox import forget_before, tell
from api.work.access import Role
from api.work.accounts import AccountChange
from api.work.event_feed import NEEDED
from tests.api.http.conftest import NOW, Served, assert_problem
from tests.builders.service import token

EVENTS = "/api/v1/events"
CHECKOUT = Path(__file__).resolve().parents[3]


def happened(served: Served, *kinds: tuple[str, str | None]) -> None:
    with served.records.database.write() as tx:
        for kind, site_id in kinds:
            tell(tx, kind=kind, subject=f"{kind}-of-{site_id}", site_id=site_id, at=NOW)


def follow(served: Served, number: int, **headers: str) -> list[str]:
    """The first lines that say an event, as many as ``number``."""
    with httpx.stream(
        "GET",
        served.client.base_url.join(EVENTS),
        headers={"Authorization": served.client.headers["Authorization"], **headers},
        timeout=30,
        trust_env=False,
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.startswith("event: "))
        return [line.removeprefix("event: ") for _, line in zip(range(number), lines, strict=False)]


def test_events_go_on_after_the_last_one_seen(served: Served) -> None:
    happened(served, ("case.changed", "s1"), ("case.claimed", "s1"), ("case.changed", "s2"))
    assert follow(served, 3, **{"Last-Event-ID": "0"}) == ["case.changed", "case.claimed", "case.changed"]
    assert follow(served, 1, **{"Last-Event-ID": "2"}) == ["case.changed"]


def test_nobody_hears_of_what_he_may_not_see(served: Served) -> None:
    happened(
        served,
        ("site.changed", None),
        ("job.done", None),
        ("secret.thing", None),
        ("case.changed", "s2"),
        ("case.changed", "s1"),
    )
    officer = {"Authorization": token(served.service, Role.OFFICER, "s1-only", ("s1",)), "Last-Event-ID": "0"}
    assert follow(served, 2, **officer) == ["site.changed", "case.changed"]
    engineer = {"Authorization": token(served.service, Role.ENGINEER, "zhao"), "Last-Event-ID": "0"}
    assert follow(served, 2, **engineer) == ["site.changed", "job.done"]


def test_what_was_forgotten_meanwhile_is_said(served: Served) -> None:
    happened(served, ("case.changed", "s1"), ("case.changed", "s1"), ("case.changed", "s1"))
    with served.records.database.write() as tx:
        forget_before(tx, NOW.replace(year=2030))
        tell(tx, kind="case.changed", subject="c", site_id="s1", at=NOW)
    assert follow(served, 1, **{"Last-Event-ID": "1"}) == ["reset"]


def test_the_stream_ends_with_the_token(served: Served) -> None:
    secret = token(served.service, Role.OFFICER, "leaving")

    def lines() -> Iterator[str]:
        with httpx.stream(
            "GET",
            served.client.base_url.join(EVENTS),
            headers={"Authorization": secret},
            timeout=30,
            trust_env=False,
        ) as answer:
            yield from answer.iter_lines()

    told = lines()
    assert next(told) == ": stopline"
    account_id = served.service.accounts.named("leaving").id
    version = served.service.accounts.account(account_id).version
    served.service.accounts.change(None, account_id, AccountChange(closed=True), version=version)
    assert list(told) == [""]


@pytest.mark.parametrize("wrong", ["x", "-1", "1" * 19, "１"])
def test_an_id_that_is_none_is_refused(served: Served, wrong: str) -> None:
    answer = served.client.get(EVENTS, headers=[(b"Last-Event-ID", wrong.encode())])
    assert_problem(answer, 400, "cursor_malformed")


def test_every_kind_that_is_told_is_heard_by_somebody() -> None:
    """A kind whose first word nobody may hear would be told in vain."""
    told = {
        kind
        for path in (CHECKOUT / "api").rglob("*.py")
        for kind in re.findall(r'tell\([^)]*?kind="([a-z_]+)\.', path.read_text(encoding="utf-8"), re.S)
    }
    assert {"case", "suspension"} <= told
    assert told <= set(NEEDED)
