"""Rows of the records as cases, reviews, holds and links, within somebody's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from evidence.chain import Link, LinkKind, NextLink, read_link
from evidence.records import (
    Case,
    CaseRecord,
    Decision,
    LegalHold,
    PackageState,
    Removal,
    Review,
    Stage,
)
from evidence.records_tables import CASES, HOLDS, LINKS, REVIEWS
from rules.finding import Rule, Status


def linked(connection: Connection, chain_id: str, next_link: NextLink) -> Link:
    """The link that follows the chain's last one, kept; or the one of its kind and manifest that was there."""
    of_chain = select(LINKS.c.line).where(LINKS.c.chain_id == chain_id)
    last = connection.execute(of_chain.order_by(LINKS.c.number.desc()).limit(1)).scalar()
    link = next_link(None if last is None else read_link(last.encode()))
    before = link_of(connection, chain_id, link.kind, link.manifest_sha256)
    if before is not None:
        return before
    connection.execute(LINKS.insert().values(link_row(link)))
    return link


def link_of(connection: Connection, chain_id: str, kind: LinkKind, manifest_sha256: str) -> Link | None:
    line = connection.execute(
        select(LINKS.c.line).where(
            LINKS.c.chain_id == chain_id,
            LINKS.c.kind == kind.value,
            LINKS.c.manifest_sha256 == manifest_sha256,
        )
    ).scalar()
    return None if line is None else read_link(line.encode())


def recorded_at(connection: Connection, record: CaseRecord) -> datetime | None:
    """The time of the case's link; None where no chain has one."""
    line = connection.execute(
        select(LINKS.c.line).where(
            LINKS.c.manifest_sha256 == record.manifest_sha256, LINKS.c.kind == LinkKind.CASE.value
        )
    ).scalar()
    return None if line is None else read_link(line.encode()).at


def link_row(link: Link) -> dict[str, str | int]:
    return {
        "chain_id": link.chain_id,
        "number": link.number,
        "kind": link.kind.value,
        "manifest_sha256": link.manifest_sha256,
        "line": link.line,
    }


def case_of(connection: Connection, case_id: str) -> Case | None:
    row = connection.execute(select(CASES).where(CASES.c.id == case_id)).one_or_none()
    return None if row is None else cases_of(connection, [row])[0]


def cases_of(connection: Connection, rows: Sequence[Row[Any]]) -> list[Case]:
    numbers = [row.number for row in rows]
    reviews: dict[int, list[Review]] = {number: [] for number in numbers}
    found = connection.execute(
        select(REVIEWS).where(REVIEWS.c.case_number.in_(numbers)).order_by(REVIEWS.c.id)
    )
    for row in found:
        reviews[row.case_number].append(
            Review(
                decision=Decision(row.decision),
                code=row.code,
                note=row.note,
                reviewer=row.reviewer,
                decided_at=row.decided_at,
            )
        )
    held = connection.execute(
        select(HOLDS).where(HOLDS.c.case_number.in_(numbers), HOLDS.c.lifted_at.is_(None))
    )
    holds = {
        row.case_number: LegalHold(reason=row.reason, placed_by=row.placed_by, placed_at=row.placed_at)
        for row in held
    }
    return [
        Case(
            number=row.number,
            record=record_of(row),
            decision=Decision(row.decision),
            reviews=tuple(reviews[row.number]),
            hold=holds.get(row.number),
            removal=None
            if row.removing_at is None
            else Removal(begun_at=row.removing_at, ended_at=row.removed_at),
            stage=Stage(row.stage),
            phase=Stage(row.phase),
            version=row.version,
            due_from=row.due_from,
            plate_ocr=row.plate_ocr,
        )
        for row in rows
    ]


def record_of(row: Row[Any]) -> CaseRecord:
    return CaseRecord(
        id=row.id,
        rule=Rule(row.rule),
        site_id=row.site_id,
        camera_id=row.camera_id,
        place_id=row.place_id,
        status=Status(row.status),
        t_s=row.t_s,
        captured_at=row.captured_at,
        time_zone=row.time_zone,
        vehicle_class=row.vehicle_class,
        plate_text=row.plate_text,
        package=PackageState(row.package),
        package_reasons=tuple(json.loads(row.package_reasons)),
        evidence_path=row.evidence_path,
        manifest_path=row.manifest_path,
        manifest_sha256=row.manifest_sha256,
        event_json=row.event_json,
    )


def record_row(record: CaseRecord) -> dict[str, Any]:
    """The columns of a case that its record fills."""
    return {
        "id": record.id,
        "rule": record.rule.value,
        "site_id": record.site_id,
        "camera_id": record.camera_id,
        "place_id": record.place_id,
        "status": record.status.value,
        "t_s": record.t_s,
        "captured_at": record.captured_at,
        "time_zone": record.time_zone,
        "vehicle_class": record.vehicle_class,
        "plate_text": record.plate_text,
        "package": record.package.value,
        "package_reasons": json.dumps(record.package_reasons, ensure_ascii=False),
        "evidence_path": record.evidence_path,
        "manifest_path": record.manifest_path,
        "manifest_sha256": record.manifest_sha256,
        "event_json": record.event_json,
    }
