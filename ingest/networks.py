"""Finds a camera's host, and refuses one that lies outside the networks in which cameras may stand."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self
from urllib.parse import quote

from ingest.errors import StreamOutsideError, StreamUnreachableError
from ingest.redact import redact_url

Resolve = Callable[[str], tuple[str, ...]]
"""Gives the numeric addresses of a host's name; raises OSError where there are none."""

USER, PASSWORD = "{user}", "{password}"
"""Where some recorders want the account: in the path or the query instead of before the host."""

_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?:(?P<account>[^/?#]*)@)?"
    r"(?P<host>\[[^\]/?#]*\]|[^:/?#@\[\]]*)(?P<port>:\d+)?(?P<rest>[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
"""Read as FFmpeg does: the account ends at the last @ before the path."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account at a camera. Its text shows neither name nor password."""

    user: str
    password: str

    def __repr__(self) -> str:
        return "Account(***)"

    def in_url(self, url: str) -> str:
        """The address with this account: where it says {user} and {password}, else before the host."""
        if PASSWORD in url:
            return url.replace(USER, quote(self.user, safe="")).replace(
                PASSWORD, quote(self.password, safe="")
            )
        parts = _parts(url)
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        return f"{parts['scheme']}{login}{parts['host']}{parts['port'] or ''}{parts['rest'] or ''}"


@dataclass(frozen=True, slots=True)
class CameraNetworks:
    """The networks in which cameras may stand."""

    networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """From texts such as ``10.20.0.0/16``. Raises ValueError for one that is no network."""
        return cls(tuple(ip_network(text.strip()) for text in texts if text.strip()))

    def hold(self, address: str) -> bool:
        """Whether that numeric address lies in one of them."""
        found: IPv4Address | IPv6Address = ip_address(address.split("%", 1)[0])
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.networks if network.version == found.version)

    def __str__(self) -> str:
        return ", ".join(map(str, self.networks)) or "none"


def resolve_host(host: str) -> tuple[str, ...]:
    """The numeric addresses of a host, as the system resolves its name. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def has_account(url: str) -> bool:
    """Whether the address has an account in it."""
    return _parts(url)["account"] is not None


def pinned(url: str, networks: CameraNetworks, resolve: Resolve = resolve_host) -> str:
    """The address with its host's number instead of its name, so that nobody resolves it again; every number that the name
    has lies in the networks.

    Raises StreamUnreachableError for an unknown name, StreamOutsideError for one that is elsewhere.
    """
    name, parts = redact_url(url), _parts(url)
    host = (parts["host"] or "").strip("[]")
    if not host:
        raise StreamUnreachableError(name, "there is no host in the address")
    try:
        numbers = resolve(host)
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "no such name"
        raise StreamUnreachableError(name, reason) from exc
    outside = [number for number in numbers if not networks.hold(number)]
    if outside or not numbers:
        raise StreamOutsideError(name, ", ".join(outside) or "no number", str(networks))
    number = numbers[0]
    host = f"[{number}]" if ":" in number else number
    account = "" if parts["account"] is None else f"{parts['account']}@"
    return f"{parts['scheme']}{account}{host}{parts['port'] or ''}{parts['rest'] or ''}"


def _parts(url: str) -> dict[str, str | None]:
    found = _ADDRESS.fullmatch(url)
    if found is None:
        raise StreamUnreachableError(redact_url(url), "this is no address; write rtsp://HOST[:PORT]/PATH")
    return found.groupdict()
