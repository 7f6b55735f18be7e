"""Networks and accounts of cameras: read, refused with what would be right, and no password in any text."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.errors import ConfigInvalidError
from api.settings import Settings
from api.site_file import parse_site_file
from tests.builders.scripted import SITE


def test_cameras_stand_in_private_networks_unless_said_otherwise() -> None:
    networks = Settings.of({}).networks()
    assert networks.hold("10.1.2.3")
    assert not networks.hold("127.0.0.1")
    assert not networks.hold("8.8.8.8")
    assert Settings.of({"STOPLINE_CAMERA_NETWORKS": "127.0.0.0/8, ::1/128"}).networks().hold("::1")
    with pytest.raises(ConfigInvalidError, match="STOPLINE_CAMERA_NETWORKS"):
        Settings.of({"STOPLINE_CAMERA_NETWORKS": "somewhere"}).networks()


def test_accounts_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text("north: {user: op, password: 's3:cret'}\n", encoding="utf-8")
    settings = Settings.of({"STOPLINE_CAMERA_ACCOUNTS_FILE": str(path)})
    account = settings.camera_accounts()["north"]
    assert (account.user, account.password) == ("op", "s3:cret")
    assert "s3:cret" not in f"{settings!r}{account!r}"
    assert Settings.of({}).camera_accounts() == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("north: {user: op, pasword: geheim1}", "north.pas"),
        ("north: {user: op, password: [geheim1]}", "north.password"),
        ("- geheim1", "wrong"),
        ("north: {user: op, password: 'geheim1", "no YAML"),
    ],
)
def test_a_wrong_file_of_accounts_is_refused_without_being_quoted(
    tmp_path: Path, content: str, told: str
) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigInvalidError) as caught:
        Settings.of({"STOPLINE_CAMERA_ACCOUNTS_FILE": str(path)}).camera_accounts()
    assert told in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_missing_file_of_accounts_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalidError, match="No such file"):
        Settings.of({"STOPLINE_CAMERA_ACCOUNTS_FILE": str(tmp_path / "none")}).camera_accounts()


def with_stream(stream: str) -> bytes:
    return SITE.replace(
        "    size_px: [320, 192]\n", f"    size_px: [320, 192]\n    stream: {stream}\n"
    ).encode()


def test_a_camera_may_say_where_its_live_pictures_come_from() -> None:
    text = "{address: 'rtsp://cam.lan/main', small_address: 'rtsps://cam.lan/user={user}_password={password}', account: a}"
    stream = parse_site_file(with_stream(text), "x").document.cameras[0].stream
    assert stream is not None
    assert (stream.address, stream.account, stream.transport) == ("rtsp://cam.lan/main", "a", "tcp")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("rtsp://op:geheim@cam/1", "holds an account or a password"),
        ("rtsp://cam/1?password=geheim", "holds an account or a password"),
        ("http://cam/geheim", "begins with rtsp"),
        ("rtsp://cam/" + 500 * "geheim", "at most 500"),
    ],
)
def test_an_address_in_a_site_file_holds_no_secret_and_is_not_quoted(address: str, told: str) -> None:
    with pytest.raises(ConfigInvalidError, match=told) as caught:
        parse_site_file(with_stream(f"{{address: '{address}'}}"), "x")
    assert "geheim" not in str(caught.value)
