"""How routes declare the errors that they answer with, in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from api.http.problems import Problem

WORDS = {
    400: "The cursor is malformed.",
    401: "Nobody is signed in, or the session or token is over.",
    403: "The role does not permit it, or the CSRF token is missing.",
    404: "There is nothing of that id, or not for this account.",
    408: "The body did not arrive in time.",
    409: "What stands forbids it; the detail says what.",
    410: "It is gone: its time was over, or it was removed.",
    412: "It was changed meanwhile; the answer's ETag is the one that stands, where there is one.",
    413: "The body is longer than this address takes.",
    416: "The range begins beyond the end.",
    421: "The Host header names another server.",
    422: "The request is invalid; 'errors' says where.",
    428: "If-Match is missing.",
    429: "Too many attempts; Retry-After says how long to wait.",
    502: "The evidence store refuses; its operator must act.",
    503: "The records are busy, or the evidence store does not answer; try again.",
}

Answers = dict[int | str, dict[str, Any]]


def problems(*statuses: int, signed_in: bool = True, **words: str) -> Answers:
    """The declared errors: those statuses, and what every route answers that wants to know who asks.

    ``words`` replaces the text of a status, as ``s404="…"``.
    """
    usual = (401, 403, 503) if signed_in else (503,)
    return {
        status: {"model": Problem, "description": words.get(f"s{status}", WORDS[status])}
        for status in sorted({*statuses, *usual})
    }
