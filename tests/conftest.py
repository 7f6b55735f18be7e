"""What every test may ask for: the shared material, golden files, a place for measured figures, and no network but loopback."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from ipaddress import ip_address
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from playwright.sync_api import Browser, sync_playwright
from xdist.scheduler import LoadScopeScheduling

from api.settings import load_settings
from evidence.database import Database

if TYPE_CHECKING:
    from tests.postgresql_server import PostgresqlServer
    from tests.s3_server import S3Server

CHECKOUT = Path(__file__).resolve().parents[1]
GOLDEN = CHECKOUT / "tests" / "golden"
FOOTAGE_TIMEOUT_S = 900
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
)
FIGURE = "measured figure"
TOGETHER = "tests/replay/"
"""Its files look at the same replays."""

APART = "tests/benchmarks/test_prove.py"
"""Its tests are long, and share nothing."""

FIRST = (TOGETHER, APART)
"""What is long is begun first where several processes share the tests: one of them would be left with it at the end."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Several processes: the tests of a file run in one of them, in their order, as they share what is made for the file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if file.startswith(TOGETHER):
            return TOGETHER
        return nodeid if file == APART else file


@pytest.fixture(scope="session")
def absent() -> Callable[[str], NoReturn]:
    """To be called with the reason where a test lacks something: skips the test, but fails it when CI=true."""

    def say(reason: str) -> NoReturn:
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return say


@pytest.fixture(scope="session")
def shared(absent: Callable[[str], NoReturn]) -> Path:
    """The folder of shared test material beside the checkout."""
    folder = CHECKOUT.parent / "shared"
    if not (folder / "README.md").is_file():
        absent("needs the shared test material as a folder named 'shared' beside the checkout")
    return folder


@pytest.fixture(scope="session")
def weights(shared: Path) -> Path:
    """The YOLOX-nano weights of the shared material."""
    return shared / "weights" / "yolox_nano.onnx"


@pytest.fixture(scope="session")
def cache_dir() -> Path:
    """Where fetched weights are kept between runs, as the settings say: ``$STOPLINE_CACHE``, or ``~/.cache/stopline``."""
    folder = load_settings().cache
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for all tests, on free ports of this machine."""
    from tests.s3_server import running

    with running(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture(scope="session")
def postgresql_server(absent: Callable[[str], NoReturn]) -> Iterator[PostgresqlServer]:
    """One PostgreSQL server for all tests, on a free port of this machine."""
    from tests.postgresql_server import programs, running

    where = programs()
    if where is None:
        absent("needs Debian's postgresql: run 'make setup-system' as root")
    with running(where) as found:
        yield found


@pytest.fixture
def postgresql_address(postgresql_server: PostgresqlServer) -> str:
    """The address of an empty database of the PostgreSQL server."""
    name = f"test_{uuid.uuid4().hex}"
    postgresql_server.run("createdb", name)
    return postgresql_server.address(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the newest tables: the test runs once on SQLite and once on PostgreSQL."""
    is_file = request.param == "sqlite"
    address = tmp_path / "records.sqlite" if is_file else request.getfixturevalue("postgresql_address")
    with closing(Database(address)) as opened:
        yield opened


@pytest.fixture(scope="session")
def browser(absent: Callable[[str], NoReturn]) -> Iterator[Browser]:
    """Debian's Chromium; one for the whole run, since Playwright's loop runs once in a process."""
    if not CHROMIUM.is_file():
        absent("needs Debian's chromium: run 'make setup-system' as root")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(CHROMIUM_FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str | bytes], None]:
    """Compares a text or bytes with the file of that name under tests/golden, or rewrites the file under ``--golden``."""
    rewrite = bool(request.config.getoption("--golden"))

    def check(name: str, content: str | bytes) -> None:
        path = GOLDEN / name
        actual = content.encode() if isinstance(content, str) else content
        if rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(actual)
            return
        if not path.is_file():
            pytest.fail(
                f"tests/golden/{name} is missing: write it with 'make golden' and review it", pytrace=False
            )
        expected = path.read_bytes()
        if isinstance(content, str):
            assert content == expected.decode(), f"differs from tests/golden/{name}"
        assert actual == expected, f"differs from tests/golden/{name}"

    return check


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, object], None]:
    """Records a measured figure under a name; all of them are printed at the end of the run."""

    def record(name: str, value: object) -> None:
        told = f"{value:.4g}" if isinstance(value, float) else str(value)
        request.node.user_properties.append((FIGURE, f"{name} = {told}"))

    return record


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden", action="store_true", help="rewrite tests/golden instead of comparing with it"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--golden") and os.environ.get("CI") == "true":
        raise pytest.UsageError("--golden rewrites what the tests expect, so it is refused when CI=true")
    sys.addaudithook(_refuse_other_hosts)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("footage") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(FOOTAGE_TIMEOUT_S))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(FIRST))
    if config.getoption("--golden"):
        others = [item for item in items if "golden" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    told = [
        (report.nodeid, text)
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, text in report.user_properties
        if name == FIGURE
    ]
    if not told:
        return
    terminalreporter.section("measured figures")
    test_before = None
    for test, text in sorted(told, key=itemgetter(0)):
        if test != test_before:
            terminalreporter.line(test)
        test_before = test
        terminalreporter.line(f"    {text}")


def _refuse_other_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: a test that opens a connection to another host than this one fails."""
    if event not in ("socket.connect", "socket.sendto"):
        return
    address = arguments[1]
    if not isinstance(address, tuple) or address[0] == "localhost":
        return
    try:
        is_loopback = ip_address(address[0]).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise pytest.fail.Exception(f"a test may connect to loopback only, not to {address[0]}", pytrace=True)
