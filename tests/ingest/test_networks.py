"""Whose host may be connected to: numbers, names, names with several numbers, and addresses that are read in two ways."""

from __future__ import annotations

import pytest

from ingest.errors import StreamOutsideError, StreamUnreachableError
from ingest.networks import Account, CameraNetworks, has_account, pinned

OWN = CameraNetworks.of(["10.0.0.0/8", " 192.168.7.0/24", "fd00::/8", ""])


@pytest.mark.parametrize(
    ("number", "inside"),
    [
        ("10.255.0.1", True),
        ("192.168.7.1", True),
        ("192.168.8.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False),
        ("fd12::1", True),
        ("fe80::1%eth0", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:169.254.169.254", False),
    ],
)
def test_what_lies_in_the_networks(number: str, inside: bool) -> None:
    assert OWN.hold(number) is inside


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        CameraNetworks.of(["10.0.0.1/8"])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://cam/1", "rtsp://10.0.0.9/1"),
        ("rtsp://cam:554/a?b=c@d", "rtsp://10.0.0.9:554/a?b=c@d"),
        ("rtsps://u:p%40w@cam:322/1#x", "rtsps://u:p%40w@10.0.0.9:322/1#x"),
        ("rtsp://u:a@b:c@cam/1", "rtsp://u:a@b:c@10.0.0.9/1"),
        ("rtsp://10.0.0.9", "rtsp://10.0.0.9"),
    ],
)
def test_a_name_is_replaced_by_its_number_and_nothing_else_changes(url: str, expected: str) -> None:
    assert pinned(url, OWN, lambda _: ("10.0.0.9",)) == expected


def test_version_6_stands_in_brackets() -> None:
    assert pinned("rtsp://cam:554/1", OWN, lambda _: ("fd00::9",)) == "rtsp://[fd00::9]:554/1"
    assert pinned("rtsp://[fd00::9]:554/1", OWN, lambda host: (host,)) == "rtsp://[fd00::9]:554/1"


def test_one_number_outside_is_enough_to_refuse_a_name() -> None:
    with pytest.raises(StreamOutsideError) as caught:
        pinned("rtsp://u:geheim@cam/1", OWN, lambda _: ("10.0.0.9", "169.254.169.254"))
    assert "169.254.169.254" in str(caught.value)
    assert "10.0.0.0/8" in str(caught.value)
    assert "geheim" not in f"{caught.value!r}{caught.value}"


@pytest.mark.parametrize("url", ["rtsp:///1", "rtsp://u:p@/1", "rtsp://[::1/1", "rtsp://a b:c:d/1"])
def test_an_address_without_a_host_is_unreachable(url: str) -> None:
    def unknown(host: str) -> tuple[str, ...]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(StreamUnreachableError):
        pinned(url, OWN, unknown)


def test_an_account_goes_before_the_host_or_where_the_address_wants_it() -> None:
    account = Account("op", "a@b:c/d")
    assert account.in_url("rtsp://cam:554/1") == "rtsp://op:a%40b%3Ac%2Fd@cam:554/1"
    assert account.in_url("rtsp://old:x@cam/1") == "rtsp://op:a%40b%3Ac%2Fd@cam/1"
    assert (
        account.in_url("rtsp://cam/user={user}_password={password}")
        == "rtsp://cam/user=op_password=a%40b%3Ac%2Fd"
    )
    assert "a@b" not in f"{account!r}{account}"
    assert has_account("rtsp://op@cam/1")
    assert not has_account("rtsp://cam/a@b")
