"""ETag and If-Match of what counts its changes: who changes it says which version was looked at."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends, Header

from rules.errors import StoplineError

TAG = re.compile(r'^(?:W/)?"v([0-9]{1,9})"$')
CASE_TAG = re.compile(r'^(?:W/)?"c([0-9]{1,9}\.[0-9]{1,9})"$')

IfMatch = Annotated[
    str | None, Header(max_length=200, description="The ETag of what was looked at; 428 without it.")
]


class PreconditionRequiredError(StoplineError):
    """A change without If-Match."""

    code = "precondition_required"

    def __init__(self) -> None:
        super().__init__("send If-Match with the ETag of what you looked at")


class PreconditionMalformedError(StoplineError):
    """An If-Match that is no ETag of ours: it fits nothing that stands."""

    code = "stale"

    def __init__(self) -> None:
        super().__init__('If-Match is no ETag of this resource; they look like "v3"')


def etag(version: int) -> str:
    """The ETag of that version."""
    return f'"v{version}"'


def _named(if_match: str | None, tag: re.Pattern[str]) -> str:
    if if_match is None:
        raise PreconditionRequiredError
    found = tag.fullmatch(if_match.strip())
    if found is None:
        raise PreconditionMalformedError
    return found[1]


def _version(if_match: IfMatch = None) -> int:
    return int(_named(if_match, TAG))


def _case_version(if_match: IfMatch = None) -> str:
    return _named(if_match, CASE_TAG)


LookedAt = Annotated[int, Depends(_version)]
"""The version that If-Match names. 428 without the header, 412 where it is none of ours."""

CaseLookedAt = Annotated[str, Depends(_case_version)]
"""The version of a case that If-Match names, likewise."""

IdempotencyKey = Annotated[
    str,
    Header(
        min_length=1,
        max_length=100,
        pattern=r"^[\x21-\x7e]*$",
        description="Names this change: sent again within 24 hours by the same account with the same body, it gets the first "
        "answer; with another body, 422.",
    ),
]
