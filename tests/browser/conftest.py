"""A real Chromium in front of the real server, over packages that the real evidence builder made of a drawn street."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Request

from api.clock import SystemClock
from api.work.access import Role
from api.work.accounts import Accounts
from api.work.event_lines import event_line
from api.work.passwords import Passwords
from evidence.case_builder import CaseBuilder
from evidence.delivery import InlineDelivery
from evidence.durable import Disk
from evidence.manifest import Origin
from evidence.records_sql import SqlRecords
from evidence.store_local import LocalStore
from ingest.packet_ring import PacketRing
from tests.builders.filmed import START, Filming, Street, frames_of, spoken
from tests.builders.service import CHEAP
from tests.builders.signing import a_custody

SERVE = "import sys; from api.cli.main import main; sys.exit(main())"
CHECKOUT = Path(__file__).resolve().parents[2]

DROVE = "north-red_light-s0-f000184-t7"
STOOD = "north-no_parking-s0-f000550-t3"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a car that drove over the line on red (DROVE) and one that stood too long (STOOD)."""
    street = Street(filming=Filming(seconds=30.0, size_px=(640, 360)), arrival_s=2.0)
    return build(tmp_path_factory.mktemp("built"), street)


def build(folder: Path, street: Street) -> Path:
    """The data folder ``data`` in ``folder`` with the cases of that street, whose second car parks."""
    data = folder / "data"
    data.mkdir()
    film = street.film(folder / "street.mp4")
    records = SqlRecords(data / "records.sqlite")
    ring = PacketRing(hold_s=60)
    custody = a_custody(data, records)
    builder = CaseBuilder(
        data_dir=data,
        site=street.site(),
        zone=ZoneInfo("Asia/Shanghai"),
        footage=ring,
        delivery=InlineDelivery(data, LocalStore(data, Disk()), custody),
        sign=custody.signature,
        event_line=event_line,
        origin=Origin(site_sha256="0" * 64, code_version="test", weights=()),
    )
    say = spoken([street.red_light(started_at=START), street.parking(allowed_stop_s=20.0)])
    for stamp in frames_of(film, ring, started_at=START):
        builder.said(say(stamp), stamp)
    builder.finish()
    assert [case for case in (DROVE, STOOD) if records.case(case) is None] == []
    records.close()
    return data


@dataclass
class Desk:
    """A served copy of the built folder, and what went wrong in the pages that looked at it."""

    data: Path
    address: str
    records: SqlRecords
    officer_id: str = ""
    troubles: list[str] = field(default_factory=list)

    def link(self) -> str:
        """The address at which the officer signs in, once."""
        accounts = Accounts(self.records.database, Passwords(CHEAP), SystemClock().now)
        return f"{self.address}sign-in#{accounts.link(self.officer_id)}"

    def watch(self, page: Page) -> None:
        """Every console error, uncaught exception and request to elsewhere becomes a trouble."""
        page.on("console", lambda message: self._note("console", message.text, message.type == "error"))
        page.on("pageerror", lambda error: self._note("exception", str(error), True))
        page.on("request", self._requested)

    def _note(self, kind: str, text: str, bad: bool) -> None:
        if bad:
            self.troubles.append(f"{kind}: {text}")

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(self.address):
            self.troubles.append(f"request to elsewhere: {request.url}")


@pytest.fixture
def desk(built: Path, tmp_path: Path) -> Iterator[Desk]:
    data = tmp_path / "data"
    shutil.copytree(built, data)
    with serving(data) as served:
        yield served


@contextmanager
def serving(data: Path) -> Iterator[Desk]:
    """The folder behind a server of its own process."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", "--data", str(data), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert server.stderr is not None
    said = server.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/", said)
    records = SqlRecords(data / "records.sqlite")
    try:
        assert found, said + server.stderr.read()
        accounts = Accounts(records.database, Passwords(CHEAP), SystemClock().now)
        officer, _ = accounts.add(
            None, name="li", display_name="Li", role=Role.OFFICER, site_ids=None, must_change=False
        )
        yield Desk(data=data, address=found[0], records=records, officer_id=officer.id)
    finally:
        records.close()
        server.send_signal(signal.SIGINT)
        rest = server.communicate(timeout=30)[1]
    assert server.returncode == 0, rest
    assert "Traceback" not in rest


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """A fresh profile's page; the test fails where anything went wrong in it that it did not take out of ``desk.troubles``."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", timezone_id="America/New_York"
    )  # the site is in Shanghai: no time that the page shows may be the reader's
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    desk.watch(opened)
    opened.goto(desk.link())
    opened.wait_for_url(f"{desk.address}review")
    yield opened
    context.close()
    assert desk.troubles == []
