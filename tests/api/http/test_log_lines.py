"""The log as JSON lines: which facts stand in it, and that no text of a request or an error does."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from api.http.log_lines import JsonLines
from tests.api.http.conftest import RED, Served

PLATE = "浙C12345"


def line_of(record: logging.LogRecord) -> dict[str, object]:
    read: dict[str, object] = json.loads(JsonLines().format(record))
    return read


def test_each_answer_is_a_line_without_the_address_that_was_asked_for(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "api.http"):
        case = served.client.get(f"/api/v1/violations/{RED}", params={"plate": PLATE})
        served.client.get(f"/{PLATE}")
    lines = [line_of(record) for record in caplog.records]
    assert [(line["event"], line["route"], line["status"]) for line in lines] == [
        ("request_answered", "/api/v1/violations/{case_id}", 200),
        ("request_answered", "other", 404),
    ]
    assert lines[0]["request_id"] == case.headers["x-request-id"]
    assert lines[0]["level"] == "info"
    assert PLATE not in str(lines)
    assert RED not in str(lines)


def test_an_error_is_told_by_its_kind_and_way_and_not_by_its_text() -> None:
    try:
        raise ValueError(PLATE)
    except ValueError:
        record = logging.LogRecord("api", logging.ERROR, "", 0, "request_failed", (PLATE,), sys.exc_info())
    record.plate = PLATE
    line = line_of(record)
    assert (line["event"], line["error"]) == ("request_failed", "ValueError")
    assert __file__ in str(line["way"])
    assert PLATE not in JsonLines().format(record)
