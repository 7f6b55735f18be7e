"""Coverage and statistics over HTTP: who sees reviewers, which periods are answered, and that no plate is told."""

from __future__ import annotations

import pytest

from api.work.access import Role
from tests.api.http.conftest import RED, Served, assert_problem
from tests.builders.sites import publish

DAYS = "first=2026-03-01&last=2026-03-31"


def test_statistics_for_each_role(served: Served) -> None:
    assert served.decide(RED, decision="reject", code="stopped").status_code == 201
    with served.as_of(Role.SUPERVISOR, "chen") as chen, served.as_of(Role.ENGINEER, "wu") as wu:
        for client, sees in ((chen, True), (wu, False)):
            answer = client.get(f"/api/v1/statistics?{DAYS}")
            assert answer.status_code == 200, answer.text
            told = answer.json()
            assert (told["reviewers"] is not None) is sees
            assert len(told["hours"]) == 7
            assert "浙" not in answer.text
        elsewhere = chen.get(f"/api/v1/statistics?{DAYS}&site=nowhere").json()
        assert elsewhere["total"]["approval"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "request_invalid"),
        ("first=2026-03-01", "request_invalid"),
        ("first=2026-03-02&last=2026-03-01", "period_refused"),
        ("first=2026-01-01&last=2026-04-03", "period_refused"),
        ("first=0001-01-01&last=0001-01-02", "request_invalid"),
        ("first=9999-12-31&last=9999-12-31", "request_invalid"),
        ("first=1e400&last=x", "request_invalid"),
        (f"{DAYS}&site=%00", "request_invalid"),
    ],
)
def test_periods_that_are_not_answered(served: Served, query: str, code: str) -> None:
    with served.as_of(Role.SUPERVISOR, "chen") as chen:
        assert_problem(chen.get(f"/api/v1/statistics?{query}"), 422, code)


def test_coverage_and_armed_minutes(served: Served) -> None:
    publish(served.service.sites)
    with served.as_of(Role.ENGINEER, "wu") as wu:
        coverage = wu.get("/api/v1/coverage").json()
        assert (coverage["directions"]["rate"], coverage["directions_aim"]) == (None, 0.595)
        (camera,) = wu.get(f"/api/v1/coverage/armed-minutes?{DAYS}").json()["items"]
        assert (camera["camera_id"], camera["armed_min"]) == ("north", 0)
        assert [place["place_id"] for place in camera["places"]] == ["kerb", "line"]
        assert_problem(
            wu.get("/api/v1/coverage/armed-minutes?first=2026-03-02&last=2026-03-01"), 422, "period_refused"
        )
