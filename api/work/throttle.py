"""How often somebody may try to sign in: failures are counted per account and per address, and then one waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from api.records import people
from api.work.secrets import kept
from evidence.database import Transaction
from rules.errors import StoplineError

WINDOW = timedelta(minutes=15)
MAX_FAILURES = {"account": 5, "address": 30}
"""Failed sign-ins in WINDOW after which one waits until WINDOW after the last; many people may share an address."""
IPV6_NETWORK_BITS = 64
"""Whoever has one address of IPv6 has all of its network: they count as one."""


class TooManyAttemptsError(StoplineError):
    """Too many sign-ins failed; ``wait_s`` says how long to wait."""

    code = "too_many_attempts"
    retryable = True

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many sign-ins failed; try again in {wait_s} s")
        self.wait_s = wait_s


def account_key(name: str) -> str:
    """Under what the failures of that sign-in name are counted, whether or not there is such an account."""
    return f"account:{kept(name.casefold())}"


def address_key(address: str) -> str:
    """Under what the failures from that address are counted."""
    return f"address:{kept(_network(address))}"


def check(tx: Transaction, key: str, now: datetime) -> None:
    """One more may be tried under that key. Raises TooManyAttemptsError."""
    number, last = people.failures_since(tx, key, now - WINDOW)
    if last is not None and number >= MAX_FAILURES[key.partition(":")[0]]:
        raise TooManyAttemptsError(max(1, round((last + WINDOW - now).total_seconds())))


def begin(tx: Transaction, key: str, now: datetime) -> None:
    """A try under that key counts as failed until ``forget``: so as many at once get no more tries than one by one.

    Raises TooManyAttemptsError.
    """
    check(tx, key, now)
    people.add_failure(tx, key, now)


def forget(tx: Transaction, key: str, now: datetime) -> None:
    """A try under that key was right: its failures are forgotten, and everybody's that are old."""
    people.forget_failures(tx, key, now - WINDOW)


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, IPV6_NETWORK_BITS), strict=False))
    return str(parsed)
