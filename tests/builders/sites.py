"""A small site file as text, people who work on sites, and a site that is published."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from api.work.access import GRANTS, Principal, Role
from api.work.case_sight import Actor
from api.work.configuration import Configuration
from evidence.database import Database
from rules.errors import StoplineError

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

SITE_FILE = """\
site: {id: crossing, name: A crossing, time_zone: Asia/Shanghai}
heads:
  - {id: ahead, camera: north, box: [0.1, 0.1, 0.12, 0.2]}
cameras:
  - id: north
    size_px: [1000, 500]
    stop_lines:
      - id: line
        movement: straight
        line: [[0.2, 0.8], [0.8, 0.8]]
        further_on: [[0.2, 0.5], [0.8, 0.5]]
        direction: [[0.5, 0.9], [0.5, 0.4]]
        view: departing
        scale: {from: [0.5, 0.9], to: [0.5, 0.7], length_m: 5}
        heads: [ahead]
    no_parking:
      - {id: kerb, zone: [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.1]], allowed_stop_s: 60}
"""
"""One camera that sees a stop line and a no-parking zone."""


def site_file(site_id: str = "crossing", camera_id: str = "north", *, grace_s: float | None = None) -> str:
    """The site file under another id, with another camera, or another grace."""
    text = SITE_FILE.replace("id: crossing", f"id: {site_id}").replace("north", camera_id)
    return (
        text
        if grace_s is None
        else text.replace("        view:", f"        grace_s: {grace_s}\n        view:")
    )


def engineer(name: str = "Wu", sites: tuple[str, ...] | None = None, role: Role = Role.ENGINEER) -> Actor:
    """Somebody who works on sites."""
    return Actor(
        principal=Principal(
            account_id=f"a-{name}", name=name, role=role, site_ids=sites, permissions=GRANTS[role]
        )
    )


def a_configuration(database: Database, folder: Path, now: datetime = NOON) -> Configuration:
    """Site files of that database, published into ``folder``."""
    return Configuration(database, lambda: now, folder)


def publish(configuration: Configuration, text: str = SITE_FILE, site_id: str = "crossing") -> int:
    """The number of the version that the text is published as; the site is made where there is none."""
    wu = engineer()
    if site_id not in [row.id for row in configuration.page(wu, after_id="", limit=200)]:
        configuration.add(wu, site_id, site_id)
    row, _ = configuration.draft(wu, site_id)
    row = configuration.put_draft(wu, site_id, text, looked_at=row.version)
    return configuration.publish(wu, site_id, reason="as measured", looked_at=row.version).number


def race_for_site(configuration: Configuration, turns: int) -> Counter[tuple[str, ...]]:
    """How often two who write the draft of one site at once, then two who publish it, ended how: each time ``done`` or a code."""
    wu, he = engineer("Wu"), engineer("He")
    ends: Counter[tuple[str, ...]] = Counter()
    version = configuration.add(wu, "crossing", "x").version
    for turn in range(turns):
        texts = [site_file(grace_s=0.3 + turn % 100 / 100 + extra) for extra in (0.001, 0.002)]
        put = partial(configuration.put_draft, site_id="crossing", looked_at=version)
        ends["draft", *_at_once(partial(put, wu, text=texts[0]), partial(put, he, text=texts[1]))] += 1
        version = configuration.draft(wu, "crossing")[0].version
        give = partial(configuration.publish, site_id="crossing", reason="as measured", looked_at=version)
        ends["publish", *_at_once(partial(give, wu), partial(give, he))] += 1
        version = configuration.draft(wu, "crossing")[0].version
    return ends


def _at_once(*acts: Callable[[], object]) -> list[str]:
    start = threading.Barrier(len(acts))
    ends: list[str] = []

    def run(act: Callable[[], object]) -> None:
        start.wait(timeout=30)
        try:
            act()
        except StoplineError as exc:
            ends.append(exc.code)
        else:
            ends.append("done")

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(ends)
