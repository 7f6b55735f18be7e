"""What a case's record brings along in the tables of its workflow, and what goes from them with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, delete, func, or_, select, update

from evidence.records import CaseRecord, Stage
from evidence.records_tables import CASES
from evidence.workflow_tables import APPEALS, PLATE_GRAMS, PLATE_READINGS, STEPS, SUSPENSIONS
from rules.finding import Status

LONGEST_GRAM = 3


def grams_of(plate_text: str | None) -> tuple[str, ...]:
    """Each part of the plate of one to three characters, once, sorted."""
    text = plate_text or ""
    return tuple(
        sorted(
            {
                text[at : at + length]
                for length in range(1, LONGEST_GRAM + 1)
                for at in range(len(text) - length + 1)
            }
        )
    )


def index_plate(connection: Connection, case_number: int, plate_text: str | None) -> None:
    """The case is found by each part of that plate, and of no other."""
    connection.execute(delete(PLATE_GRAMS).where(PLATE_GRAMS.c.case_number == case_number))
    if grams := grams_of(plate_text):
        connection.execute(
            PLATE_GRAMS.insert(), [{"gram": gram, "case_number": case_number} for gram in grams]
        )


def enter(connection: Connection, number: int, record: CaseRecord, recorded_at: datetime | None) -> None:
    """A case that was just added is found by its plate, has its clock, and is withdrawn where its rule was suspended."""
    index_plate(connection, number, record.plate_text)
    values: dict[str, object] = {
        "recorded_at": recorded_at,
        "due_from": None if record.status is Status.EXEMPT else recorded_at,
    }
    at = record.captured_at or recorded_at
    if at is not None:
        suspension = connection.execute(suspended(record.site_id, record.rule.value, at)).scalar()
        if suspension is not None:
            values |= {
                "stage": Stage.WITHDRAWN.value,
                "stage_before": Stage.REVIEW.value,
                "suspension_number": suspension,
            }
    connection.execute(update(CASES).where(CASES.c.number == number).values(**values))


def suspended(site_id: str, rule: str, at: datetime) -> Select[tuple[int]]:
    """The first suspension of that rule at that site that holds for that moment."""
    return (
        select(func.min(SUSPENSIONS.c.number))
        .where(SUSPENSIONS.c.site_id == site_id, SUSPENSIONS.c.rule == rule)
        .where(SUSPENSIONS.c.lifted_at.is_(None), SUSPENSIONS.c.from_at <= at)
        .where(or_(SUSPENSIONS.c.to_at.is_(None), SUSPENSIONS.c.to_at > at))
    )


def forget_people(connection: Connection, case_number: int) -> None:
    """Plates, notes and reasons of the case's workflow are gone; who did what, and when, stays."""
    connection.execute(delete(PLATE_GRAMS).where(PLATE_GRAMS.c.case_number == case_number))
    connection.execute(
        update(STEPS).where(STEPS.c.case_number == case_number).values(note="", plate_text=None)
    )
    connection.execute(
        update(PLATE_READINGS).where(PLATE_READINGS.c.case_number == case_number).values(text="")
    )
    connection.execute(update(APPEALS).where(APPEALS.c.case_number == case_number).values(reason=""))
