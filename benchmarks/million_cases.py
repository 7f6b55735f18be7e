"""A year of a city in the records: a million generated cases, most of them decided, as bulk rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import insert, text

from evidence.database import Database
from evidence.records_tables import CASES
from evidence.workflow_rows import grams_of
from evidence.workflow_tables import PLATE_GRAMS

AT_ONCE = 5_000
SITES = 171
"""137 junctions and 34 no-parking sites, as the first city has."""
CAMERAS_A_SITE = 2
END = datetime(2026, 11, 1, tzinfo=UTC)
YEAR_S = 365 * 86_400.0
PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def generated(count: int, first: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rows of cases, in the order in which they were recorded."""
    draw = random.Random(seed)
    for number in range(first, first + count):
        site = draw.randrange(SITES)
        at = END - timedelta(seconds=YEAR_S * (1 - (number - first) / count))
        status = draw.choices(("asserted", "held", "exempt"), (90, 8, 2))[0]
        is_old = number - first < count * 0.97
        decision = draw.choices(("confirmed", "rejected", "open"), (70, 29, 1))[0] if is_old else "open"
        if status == "exempt":
            decision = "open"
        yield {
            "number": number,
            "id": f"cam{site}-red_light-s0-f{number:09d}-t1",
            "rule": draw.choices(("red_light", "no_parking", "stopped_past_line"), (60, 35, 5))[0],
            "site_id": f"site-{site:03d}",
            "camera_id": f"cam-{site * CAMERAS_A_SITE + draw.randrange(CAMERAS_A_SITE):03d}",
            "place_id": f"line-{draw.randrange(4)}",
            "status": status,
            "t_s": float(number % 86_400),
            "captured_at": at,
            "time_zone": "Asia/Shanghai",
            "vehicle_class": "car",
            "plate_text": _plate(draw) if draw.random() < 0.93 else None,
            "package": "complete" if draw.random() < 0.9 else "incomplete",
            "package_reasons": "[]",
            "evidence_path": f"evidence/{number}",
            "manifest_path": f"evidence/{number}/manifest.json",
            "manifest_sha256": f"{number:064x}",
            "event_json": '{"id":"x","reasons":["drove over the line on red"]}',
            "decision": decision,
            "stage": "review" if decision == "open" else "closed",
            "phase": "review" if decision == "open" else "closed",
            "version": 1,
            "recorded_at": at,
            "due_from": at if decision == "open" and status != "exempt" else None,
        }


def fill_with(database: Database, count: int, *, seed: int = 8) -> None:
    """The database, which has no cases, has that many, and knows how they are spread."""
    rows = generated(count, 1, seed)
    while chunk := list(islice(rows, AT_ONCE)):
        grams = [
            {"gram": gram, "case_number": row["number"]}
            for row in chunk
            for gram in grams_of(row["plate_text"])
        ]
        with database.write() as connection:
            connection.execute(insert(CASES), chunk)
            connection.execute(insert(PLATE_GRAMS), grams)
    with database.write() as connection:
        connection.execute(text("ANALYZE"))


def _plate(draw: random.Random) -> str:
    tail = "".join(draw.choice(LETTERS + "0123456789") for _ in range(5))
    return f"{'浙' if draw.random() < 0.8 else draw.choice(PROVINCES)}{draw.choice('ABCD')}{tail}"
