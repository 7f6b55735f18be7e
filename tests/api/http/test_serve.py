"""``stopline serve`` and ``openapi`` from the command line: what is refused, and with which exit code."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from api.cli.main import main
from api.clock import SystemClock
from api.http.app import describe_api
from api.work.access import Role
from api.work.data_folder import open_records
from tests.builders.service import a_service, token

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "", "127.0.0.2"])
def test_an_address_that_others_could_reach_is_refused(
    drawn: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--data", str(drawn), "--host", host]) == 2
    assert "in the clear" in capsys.readouterr().err


def test_an_occupied_port_is_said(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["serve", "--data", str(drawn), "--port", str(port)]) == 7
    assert f"port {port} on 127.0.0.1: another program listens there" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_an_impossible_port_is_wrong_usage(drawn: Path, port: str) -> None:
    assert main(["serve", "--data", str(drawn), "--port", port]) == 2


def test_a_folder_without_cases_is_said_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--data", str(tmp_path / "nowhere")]) == 4
    assert "is not a folder" in capsys.readouterr().err
    assert main(["serve", "--data", str(tmp_path)]) == 4
    assert "holds no records.sqlite" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "records.sqlite").write_bytes(b"not a database, however long one looks at it" * 9)
    assert main(["serve", "--data", str(tmp_path)]) == 4
    assert "not a database" in capsys.readouterr().err


def test_data_is_required() -> None:
    assert main(["serve"]) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_it_serves_until_it_is_interrupted(drawn: Path, tmp_path: Path, host: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(drawn, data)
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    command = [sys.executable, "-c", "import sys; from api.cli.main import main; sys.exit(main())"]
    server = subprocess.Popen(
        [*command, "serve", "--data", str(data), "--host", host, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert server.stderr is not None
    found = re.search(r"http://\S+/", server.stderr.readline())
    try:
        assert found
        with httpx.Client(base_url=found[0], trust_env=False, timeout=30) as client:
            assert client.get("review").status_code == 200
            assert client.get("api/v1/violations").status_code == 401
            client.headers["authorization"] = officers_token(data)
            assert len(client.get("api/v1/violations", params={"plate": "浙C"}).json()["items"]) == 1
            assert client.get("nowhere").status_code == 404
    finally:
        server.send_signal(signal.SIGINT)
        out, rest = server.communicate(timeout=30)
    told = rest.splitlines()
    assert re.search("'admin' with the one-time password [a-z2-9-]{23}$", told[0])
    assert "stopline account add" in told[1]
    assert (server.returncode, out, told[2:]) == (
        0,
        "",
        ["Ended."],
    )  # no access log: an address can hold a plate


def test_the_log_is_json_lines_where_that_is_wanted(drawn: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(drawn, data)
    command = [sys.executable, "-c", "import sys; from api.cli.main import main; sys.exit(main())"]
    server = subprocess.Popen(
        [*command, "serve", "--data", str(data), "--port", "0", "--log", "json"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert server.stderr is not None
    found = re.search(r"http://\S+/", server.stderr.readline())
    try:
        assert found
        httpx.get(f"{found[0]}nowhere", trust_env=False, timeout=30)
    finally:
        server.send_signal(signal.SIGINT)
        _, rest = server.communicate(timeout=30)
    lines = [json.loads(line) for line in rest.splitlines() if line.startswith("{")]
    assert [(line["event"], line["status"]) for line in lines] == [("request_answered", 404)]


def test_behind_a_proxy_it_answers_to_its_public_name_and_its_cookies_travel_by_https_only(
    drawn: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(drawn, data)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "import sys; from api.cli.main import main; sys.exit(main())"]
    server = subprocess.Popen(
        [
            *command,
            "serve",
            "--data",
            str(data),
            "--port",
            str(port),
            "--public-url",
            "https://Cases.example",
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    assert server.stderr is not None
    try:
        assert "review at https://Cases.example" in server.stderr.readline()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as proxy:
            passed = {"Host": "cases.example", "X-Forwarded-For": "203.0.113.9"}
            assert proxy.get("/review", headers=passed).status_code == 200
            assert proxy.get("/healthz").status_code == 200, "this machine asks by its own name"
            for name in ("evil.example", "cases.example.evil.example", "cases.example@evil.example", ""):
                refused = proxy.get("/review", headers={"Host": name})
                assert refused.status_code in (400, 421), name
            page = passed | {"Origin": "https://cases.example", "Sec-Fetch-Site": "same-origin"}
            link = {"link": officers_link(data)}
            for other in ("http://cases.example", "https://cases.example:8443", "https://evil.example"):
                refused = proxy.post("/api/v1/sessions", json=link, headers=page | {"Origin": other})
                assert (refused.status_code, refused.json()["code"]) == (403, "cross_origin")
            begun = proxy.post("/api/v1/sessions", json=link, headers=page)
            assert begun.status_code == 201, begun.text
            (cookie,) = begun.headers.get_list("set-cookie")
            assert {"secure", "httponly", "samesite=strict", "path=/"} <= {
                part.strip().lower() for part in cookie.split(";")
            }
            start = proxy.get("/", headers=passed)
            assert (start.status_code, start.headers["location"]) == (307, "/review"), "no host is told"
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)


def test_openapi_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == describe_api()


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def officers_link(data: Path) -> str:
    """What a new officer signs in with once, made beside the running server."""
    with closing(open_records(data)) as records:
        accounts = a_service(data, records, SystemClock().now).accounts
        account, _ = accounts.add(
            None, name="he", display_name="He", role=Role.OFFICER, site_ids=None, must_change=False
        )
        return accounts.link(account.id)


def officers_token(data: Path) -> str:
    """A new officer's token, made beside the running server."""
    with closing(open_records(data)) as records:
        service = a_service(data, records, SystemClock().now)
        return token(service, Role.OFFICER, f"li-{uuid.uuid4().hex}")
