"""Cameras over HTTP: pictures and tests of real streams, only of where cameras may stand, and never an account in an answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from api.records.audit import AuditQuery
from api.work.access import Role
from api.work.camera_desk import AT_ONCE, CameraReach
from api.work.data_folder import open_records
from evidence.picture import from_file
from ingest.networks import Account, CameraNetworks
from tests.api.http.conftest import NOW, Served, assert_problem
from tests.builders.scripted import a_recording
from tests.builders.service import a_service
from tests.builders.sites import SITE_FILE, engineer, publish
from tests.rtsp import Camera, serve

SECRET = "hunter2/x"
LOOPBACK = CameraNetworks.of(["127.0.0.0/8"])
PRIVATE = CameraNetworks.of(["10.0.0.0/8", "192.168.0.0/16"])


def streaming(address: str, account: str | None = None) -> str:
    named = "" if account is None else f", account: {account}"
    return SITE_FILE + f"    stream: {{address: '{address}'{named}}}\n"


@pytest.fixture
def reach() -> CameraReach:
    return CameraReach(networks=LOOPBACK, accounts={"gate": Account("operator", SECRET)})


@pytest.fixture
def wu(served: Served, reach: CameraReach) -> Iterator[httpx.Client]:
    records = open_records(served.folder)
    served.app.state.service = a_service(served.folder, records, lambda: NOW, reach=lambda: reach)
    with served.as_of(Role.ENGINEER, "wu") as client:
        yield client
    records.close()


@pytest.fixture
def camera(tmp_path: Path, absent: Callable[[str], NoReturn]) -> Iterator[Camera]:
    recording = a_recording(tmp_path / "camera.mp4", 60.0, codec="libx264")
    with serve(recording, absent, user="operator", password=SECRET, loop=True) as serving:
        yield serving


def test_a_picture_and_a_test_of_a_camera(served: Served, wu: httpx.Client, camera: Camera) -> None:
    publish(served.service.sites, streaming(f"rtsp://127.0.0.1:{camera.port}/camera", "gate"))
    picture = wu.get("/api/v1/cameras/north/snapshot")
    assert picture.status_code == 200, picture.text
    assert from_file(picture.content).shape == (192, 320, 3)
    tested = wu.post("/api/v1/cameras/north/connection-test")
    assert tested.status_code == 200, tested.text
    assert (tested.json()["codec"], tested.json()["width_px"]) == ("h264", 320)
    assert "hunter2" not in tested.text
    told = served.service.audit.found(AuditQuery(target="camera:north"), before_number=None, limit=9)
    assert [json.loads(line.line)["action"] for line in reversed(told)] == [
        "camera.snapshot_taken",
        "camera.tested",
    ]


def test_the_address_of_a_draft_is_tried_before_it_is_published(
    served: Served, wu: httpx.Client, camera: Camera
) -> None:
    sites = served.service.sites
    publish(sites, streaming("rtsp://127.0.0.1:1/none"))
    row, _ = sites.draft(engineer(), "crossing")
    sites.put_draft(
        engineer(),
        "crossing",
        streaming(f"rtsp://127.0.0.1:{camera.port}/camera", "gate"),
        looked_at=row.version,
    )
    assert_problem(wu.get("/api/v1/cameras/north/snapshot"), 409, "camera_unreachable")
    assert wu.get("/api/v1/cameras/north/snapshot?draft_of=crossing").status_code == 200
    sites.add(engineer(), "new", "a new site")
    text = streaming(f"rtsp://127.0.0.1:{camera.port}/camera", "gate")
    text = text.replace("id: crossing", "id: new").replace("north", "south")
    sites.put_draft(engineer(), "new", text, looked_at=1)
    assert_problem(wu.get("/api/v1/cameras/south/snapshot"), 404, "camera_unknown")
    assert wu.get("/api/v1/cameras/south/snapshot?draft_of=new").status_code == 200
    assert_problem(wu.get("/api/v1/cameras/north/snapshot?draft_of=new"), 404, "camera_unknown")
    assert_problem(wu.get("/api/v1/cameras/north/snapshot?draft_of=none"), 404, "site_unknown")
    row, _ = sites.draft(engineer(), "crossing")
    sites.put_draft(engineer(), "crossing", "cameras: [", looked_at=row.version)
    assert_problem(wu.get("/api/v1/cameras/north/snapshot?draft_of=crossing"), 422, "config_invalid")


class Untouched:
    """A listener that nobody may connect to."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.listening = socket.create_server((host, 0))
        self.listening.settimeout(0.2)
        self.port = self.listening.getsockname()[1]

    def was_reached(self) -> bool:
        try:
            self.listening.accept()[0].close()
        except TimeoutError:
            return False
        return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0177.0.0.1"])
@pytest.mark.parametrize("reach", [CameraReach(networks=PRIVATE, accounts={})])
def test_what_stands_elsewhere_is_not_connected_to(served: Served, wu: httpx.Client, host: str) -> None:
    """Names and other spellings of an address are resolved first: none of them reaches this machine."""
    own = Untouched()
    publish(served.service.sites, streaming(f"rtsp://{host}:{own.port}/x"))
    for answer in (
        wu.get("/api/v1/cameras/north/snapshot"),
        wu.post("/api/v1/cameras/north/connection-test"),
    ):
        assert_problem(answer, 409, "camera_unreachable")
    assert not own.was_reached()
    own.listening.close()


@pytest.mark.xfail(reason="FFmpeg follows a camera's redirect out of the camera networks", strict=True)
@pytest.mark.parametrize("reach", [CameraReach(networks=CameraNetworks.of(["127.0.0.1/32"]), accounts={})])
def test_a_redirect_leads_nowhere(served: Served, wu: httpx.Client) -> None:
    """A camera that answers each request with a redirect to an address outside of the camera networks."""
    own, lure = Untouched("127.0.0.2"), socket.create_server(("127.0.0.1", 0))

    def redirect() -> None:
        while True:
            try:
                connection, _ = lure.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    asked = connection.recv(4096).decode(errors="replace")
                except OSError:
                    continue
                number = next((line for line in asked.splitlines() if line.startswith("CSeq")), "CSeq: 1")
                answer = f"RTSP/1.0 302 Moved\r\n{number}\r\nLocation: rtsp://127.0.0.2:{own.port}/x\r\n\r\n"
                connection.sendall(answer.encode())

    thread = threading.Thread(target=redirect, daemon=True)
    thread.start()
    publish(served.service.sites, streaming(f"rtsp://127.0.0.1:{lure.getsockname()[1]}/x"))
    assert_problem(wu.get("/api/v1/cameras/north/snapshot"), 409, "camera_unreachable")
    assert not own.was_reached()
    lure.close()
    own.listening.close()


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.7/x",
        "file:///etc/passwd",
        "rtmp://10.0.0.7/x",
        "concat:/etc/passwd",
        "/etc/passwd",
    ],
)
def test_other_schemes_are_in_no_site_file(served: Served, wu: httpx.Client, address: str) -> None:
    wu.post("/api/v1/sites", json={"id": "crossing", "name": "x"})
    put = wu.put(
        "/api/v1/sites/crossing/config/draft", json={"text": streaming(address)}, headers={"If-Match": '"v1"'}
    )
    assert put.status_code == 200
    told = wu.post("/api/v1/sites/crossing/config/validate").json()
    assert [problem["pointer"] for problem in told["problems"]] == ["#/cameras/0/stream/address"]


def test_few_look_at_once_and_an_unknown_account_is_told_without_a_password(
    served: Served, wu: httpx.Client
) -> None:
    publish(served.service.sites, streaming("rtsp://127.0.0.1:1/x", "nobody"))
    answer = wu.get("/api/v1/cameras/north/snapshot")
    assert_problem(answer, 409, "camera_unreachable", "nobody")
    assert "hunter2" not in answer.text
    desk = served.app.state.service.cameras
    slots = [desk._slot() for _ in range(AT_ONCE)]
    for slot in slots:
        slot.__enter__()
    assert_problem(wu.get("/api/v1/cameras/north/snapshot"), 409, "camera_busy")
    for slot in slots:
        slot.__exit__(None, None, None)


def test_a_cameras_configuration_is_its_sites(served: Served, wu: httpx.Client) -> None:
    publish(served.service.sites)
    (listed,) = wu.get("/api/v1/cameras").json()["items"]
    assert listed == {"id": "north", "site_id": "crossing"}
    assert [place["id"] for place in wu.get("/api/v1/cameras/north").json()["places"]] == ["kerb", "line"]
    way = "/api/v1/cameras/north/config"
    etag = wu.get(f"{way}/draft").headers["etag"]
    text = SITE_FILE.replace("A crossing", "The crossing")
    etag = wu.put(f"{way}/draft", json={"text": text}, headers={"If-Match": etag}).headers["etag"]
    assert wu.post(f"{way}/validate").json()["is_in_order"] is True
    published = wu.post(f"{way}/versions", json={"reason": "a better name"}, headers={"If-Match": etag})
    assert (published.status_code, published.json()["number"]) == (201, 2)
    assert [one["number"] for one in wu.get(f"{way}/versions").json()["items"]] == [2, 1]
    assert_problem(wu.get("/api/v1/cameras/south"), 404, "camera_unknown")
