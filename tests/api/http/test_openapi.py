"""The API's description is complete, and what is sent agrees with it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.http.app import describe_api
from tests.api.http.conftest import HELD, PARKED, RED, UNREADABLE, Served


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe_api()


def conforms(document: dict[str, Any], schema: str, instance: Any) -> None:
    Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    ).validate(instance)


def test_every_error_is_described_as_a_problem(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path in ("/healthz", "/readyz"):
                continue  # no problems: they answer with what is wrong
            assert operation["summary"]
            assert operation["description"]
            errors = {status: r for status, r in operation["responses"].items() if int(status) >= 400}
            assert {"503", "421"} <= set(errors)
            assert ({"408", "413"} <= set(errors)) == ("requestBody" in operation)
            for response in errors.values():
                assert response["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_served_document_is_the_printed_one(served: Served, document: dict[str, Any]) -> None:
    assert served.get("openapi.json").json() == document


def test_what_is_sent_agrees_with_it(served: Served, document: dict[str, Any]) -> None:
    conforms(document, "ViolationPage", served.get("violations?status=any").json())
    for case_id in (RED, UNREADABLE, HELD, PARKED):
        conforms(document, "ViolationDetail", served.get(f"violations/{case_id}").json())
        conforms(document, "Trace", served.get(f"violations/{case_id}/trace").json())
    conforms(document, "Problem", served.get("violations?limit=0").json())
    conforms(document, "FrameList", served.get(f"violations/{RED}/frames").json())
    conforms(document, "OutcomeModel", served.decide(RED, decision="reject", code="stopped").json())
