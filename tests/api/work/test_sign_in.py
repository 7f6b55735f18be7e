"""Signing in on both databases: guessing, also many at once; sessions, tokens and links that are over; what stands in the audit."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Table, func, select

from api.records import people
from api.records.audit import AuditQuery
from api.work.access import Permission, Principal, Role, SessionRequiredError
from api.work.accounts import FIRST, AccountChange, AccountExistsError, Accounts
from api.work.audit_book import AuditBook
from api.work.passwords import Passwords
from api.work.sign_in import IDLE, LONGEST, REFUSED_TOKENS, NewSession, SignIn, SignInRefusedError
from api.work.throttle import MAX_FAILURES, WINDOW, TooManyAttemptsError, address_key
from evidence.database import Database
from tests.builders.service import CHEAP

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WANG, WRONG = "wang's own long password", "a wrong password"


class People:
    """Accounts and sign-ins of a database, and a clock that is turned by hand."""

    def __init__(self, database: Database, hasher: PasswordHasher = CHEAP) -> None:
        self.database = database
        self.at = NOON
        passwords = Passwords(hasher)
        self.accounts = Accounts(database, passwords, lambda: self.at)
        self.sign_in = SignIn(database, passwords, lambda: self.at)

    def wang(self, role: Role = Role.OFFICER) -> str:
        """The id of Wang's account."""
        made, given = self.accounts.add(
            None, name="wang", display_name="Wang", role=role, site_ids=None, must_change=False
        )
        assert self.accounts.change_own_password(self.signs_in(given).principal, given, WANG)
        return made.id

    def signs_in(self, password: str, name: str = "wang", address: str = "192.0.2.1") -> NewSession:
        return self.sign_in.by_password(name, password, address=address, request_id=None)

    def told(self, action: str) -> list[tuple[str, str, str]]:
        """Action, target and outcome of the audit's lines, the newest first."""
        found = AuditBook(self.database).found(AuditQuery(action=action), before_number=None, limit=100)
        lines = [json.loads(line.line) for line in found]
        return [(line["action"], line["target"], line["outcome"]) for line in lines]

    def number(self, table: Table) -> int:
        with self.database.read() as tx:
            return int(tx.execute(select(func.count()).select_from(table)).scalar_one())


class Resets(PasswordHasher):
    """Somebody resets a password while it is checked."""

    resets: Callable[[], object] | None = None

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as the library names it
        is_right = super().verify(hash, password)
        if self.resets is not None:
            self.resets()
        return is_right


@pytest.fixture
def the(database: Database) -> People:
    return People(database)


def test_the_first_administrator_is_made_once_also_when_two_servers_start(the: People) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: the.accounts.first_administrator(), range(4)))
    given = [password for password in made if password is not None]
    assert len(given) == 1
    assert the.signs_in(given[0], FIRST).principal.must_change


def test_a_name_belongs_to_one_account_also_when_two_make_it(the: People) -> None:
    def make(_: int) -> bool:
        try:
            the.accounts.add(None, name="wang", display_name="W", role=Role.OFFICER, site_ids=None)
        except AccountExistsError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, range(4))) == [False, False, False, True]


def test_guessing_at_once_gets_no_more_tries_than_one_by_one(the: People) -> None:
    the.wang()

    def guess(number: int) -> str:
        with pytest.raises((SignInRefusedError, TooManyAttemptsError)) as refused:
            the.signs_in(f"{WRONG} {number}")
        return str(refused.value.code)

    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(guess, range(24)))
    assert codes.count("sign_in_refused") == MAX_FAILURES["account"]
    with pytest.raises(TooManyAttemptsError) as waits:
        the.signs_in(WANG)
    assert waits.value.wait_s == WINDOW.total_seconds()
    the.at += WINDOW
    assert the.signs_in(WANG).principal.name == "Wang"


def test_a_name_that_nobody_has_is_slowed_down_alike(the: People) -> None:
    for _ in range(MAX_FAILURES["account"]):
        with pytest.raises(SignInRefusedError):
            the.signs_in(WRONG, "nobody")
    with pytest.raises(TooManyAttemptsError):
        the.signs_in(WRONG, "nobody")


def test_the_right_password_forgets_the_accounts_failures_but_not_the_addresss(the: People) -> None:
    the.wang()
    for number in range(MAX_FAILURES["address"]):
        with pytest.raises(SignInRefusedError):
            the.signs_in(WRONG, f"name{number}")
        if number % 10 == 0:
            the.signs_in(WANG)
    with pytest.raises(TooManyAttemptsError):
        the.signs_in(WANG)
    assert the.signs_in(WANG, address="198.51.100.7").principal.name == "Wang"
    with pytest.raises(TooManyAttemptsError):
        the.sign_in.by_link("guessed", address="192.0.2.1", request_id=None)


def test_links_are_guessed_no_faster_and_do_not_fill_the_audit(the: People) -> None:
    refused = 0
    for _ in range(100):
        with pytest.raises((SignInRefusedError, TooManyAttemptsError)) as told:
            the.sign_in.by_link("guessed", address="192.0.2.1", request_id=None)
        refused += told.value.code == "sign_in_refused"
    assert refused == MAX_FAILURES["address"] == len(the.told("session.begun"))


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("unix", "unix", True),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(one: str, other: str, is_same: bool) -> None:
    assert (address_key(one) == address_key(other)) is is_same


def test_who_found_an_open_browser_guesses_no_faster(the: People) -> None:
    the.wang()
    principal = the.signs_in(WANG).principal
    for _ in range(MAX_FAILURES["account"]):
        assert not the.accounts.change_own_password(principal, WRONG, "a new and long password")
    with pytest.raises(TooManyAttemptsError):
        the.accounts.change_own_password(principal, WANG, "a new and long password")


def test_a_token_makes_no_token_and_changes_no_password(the: People) -> None:
    the.wang()
    session = the.signs_in(WANG).principal
    _, secret = made(the, session, timedelta(hours=1))
    program = the.sign_in.principal_of_token(secret)
    assert program is not None
    with pytest.raises(SessionRequiredError):
        made(the, program, timedelta(days=300))
    with pytest.raises(SessionRequiredError):
        the.accounts.change_own_password(program, WANG, "a new and long password")


def test_a_new_role_narrows_the_tokens_that_there_are(the: People) -> None:
    account_id = the.wang()
    _, secret = made(the, the.signs_in(WANG).principal, timedelta(hours=1))
    the.accounts.change(None, account_id, AccountChange(role=Role.ADMINISTRATOR), version=2)
    program = the.sign_in.principal_of_token(secret)
    assert program is not None
    assert program.permissions == frozenset()


def test_tokens_that_are_over_stand_in_the_audit_but_do_not_fill_it(the: People) -> None:
    the.wang()
    token, secret = made(the, the.signs_in(WANG).principal, timedelta(hours=1))
    the.at += timedelta(hours=1)
    for _ in range(3):
        assert the.sign_in.principal_of_token(secret) is None
    for number in range(REFUSED_TOKENS + 5):
        assert the.sign_in.principal_of_token(f"stopline_guess{number}") is None
    told = the.told("token.used")
    assert told.count(("token.used", f"token:{token.id}", "refused")) == 1
    assert told.count(("token.used", "token:unknown", "refused")) == REFUSED_TOKENS
    the.at += WINDOW
    assert the.sign_in.principal_of_token(secret) is None
    assert len(the.told("token.used")) == len(told) + 1


def test_when_a_token_was_used_last_is_kept(the: People) -> None:
    the.wang()
    session = the.signs_in(WANG).principal
    _, secret = made(the, session, timedelta(days=1))
    the.at += timedelta(hours=2)
    the.sign_in.principal_of_token(secret)
    assert [token.used_at for token in the.sign_in.tokens(session)] == [NOON + timedelta(hours=2)]


def test_what_is_over_is_not_kept(the: People) -> None:
    account_id = the.wang()
    the.signs_in(WANG)
    the.accounts.link(account_id)
    assert (the.number(people.SESSIONS), the.number(people.LINKS_IN)) == (1, 1)
    the.at += max(IDLE, LONGEST)
    the.signs_in(WANG)
    assert (the.number(people.SESSIONS), the.number(people.LINKS_IN)) == (1, 0)


def test_one_of_many_gets_the_session_of_a_link(the: People) -> None:
    link = the.accounts.link(the.wang())

    def take(number: int) -> bool:
        try:
            the.sign_in.by_link(link, address=f"192.0.2.{number}", request_id=None)
        except SignInRefusedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(16))) == 1


def test_a_session_does_not_begin_with_a_password_that_was_reset_meanwhile(database: Database) -> None:
    hasher = Resets(time_cost=1, memory_cost=8, parallelism=1)
    people_ = People(database, hasher)
    account_id = people_.wang()
    hasher.resets = lambda: people_.accounts.reset_password(None, account_id)
    with pytest.raises(SignInRefusedError):
        people_.signs_in(WANG)
    assert people_.number(people.SESSIONS) == 0


def test_a_closed_accounts_link_is_over(the: People) -> None:
    account_id = the.wang()
    link = the.accounts.link(account_id)
    the.accounts.change(None, account_id, AccountChange(closed=True), version=2)
    with pytest.raises(SignInRefusedError):
        the.sign_in.by_link(link, request_id=None)


def test_each_sign_in_stands_in_the_audit_without_its_name(the: People, database: Database) -> None:
    account_id = the.wang()
    the.signs_in(WANG)
    with pytest.raises(SignInRefusedError):
        the.signs_in(WRONG)
    with pytest.raises(SignInRefusedError):
        the.signs_in(WRONG, "somebody")
    begun = the.told("session.begun")
    assert begun[:3] == [
        ("session.begun", "account:unknown", "refused"),
        ("session.begun", f"account:{account_id}", "refused"),
        ("session.begun", f"account:{account_id}", "done"),
    ]
    text = "\n".join(AuditBook(database).exported())
    for word in ("wang", "Wang", "somebody", "192.0.2.1"):
        assert word not in text


def made(the: People, by: Principal, lasts: timedelta) -> tuple[people.Token, str]:
    """A token of that principal for reading cases."""
    return the.sign_in.add_token(
        by,
        label="script",
        permissions=frozenset({Permission.READ_CASES}),
        expires_at=the.at + lasts,
        request_id=None,
    )
