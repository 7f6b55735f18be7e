"""Answers to changes that name an Idempotency-Key: kept for a day, so that a change that is sent again happens once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, String, Table, Text, delete, select

from evidence.records_tables import METADATA, UtcDateTime
from rules.errors import StoplineError

KEPT = timedelta(hours=24)
"""How long an answer is kept: longer than any client tries again, and short enough that nothing piles up."""

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("account_id", String, primary_key=True),
    Column("route", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("body_sha256", String, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)


class IdempotencyKeyReusedError(StoplineError):
    """The key was sent before with another body."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key was sent with another body before; a new change needs a new key"
        )


def answered(
    connection: Connection, *, account_id: str, route: str, key: str, body_sha256: str, now: datetime
) -> str | None:
    """The answer that was given to that key of that account at that route; None where there is none of the last day.

    Raises IdempotencyKeyReusedError where the body was another.
    """
    row = connection.execute(
        select(IDEMPOTENCY.c.body_sha256, IDEMPOTENCY.c.answer).where(
            IDEMPOTENCY.c.account_id == account_id,
            IDEMPOTENCY.c.route == route,
            IDEMPOTENCY.c.key == key,
            IDEMPOTENCY.c.at > now - KEPT,
        )
    ).first()
    if row is None:
        return None
    if row.body_sha256 != body_sha256:
        raise IdempotencyKeyReusedError
    answer: str = row.answer
    return answer


def keep_answer(
    connection: Connection,
    *,
    account_id: str,
    route: str,
    key: str,
    body_sha256: str,
    answer: str,
    now: datetime,
) -> None:
    """The answer is given again to the same key, from this transaction on; what is older than a day is gone."""
    connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.at <= now - KEPT))
    connection.execute(
        IDEMPOTENCY.insert().values(
            account_id=account_id, route=route, key=key, body_sha256=body_sha256, answer=answer, at=now
        )
    )
