"""Who is whom at an identity provider goes down and up with data, and is in a backup, on both databases."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect

from api.records import identities
from api.work.access import Role
from api.work.accounts import Accounts, IdentityTakenError
from api.work.passwords import Passwords
from api.work.sign_in import SignIn, SignInRefusedError
from evidence.database import Database, RecordsError, migrate
from evidence.records_backup import restore_backup, write_backup
from tests.builders.service import CHEAP

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ISSUER = "https://id.example"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    is_file = request.param == "sqlite"
    found: Path | str = (
        tmp_path / "records.sqlite" if is_file else request.getfixturevalue("postgresql_address")
    )
    return found


def account(database: Database, name: str) -> tuple[Accounts, str]:
    accounts = Accounts(database, Passwords(CHEAP), lambda: NOON)
    made, _ = accounts.add(None, name=name, display_name=name, role=Role.OFFICER, site_ids=None)
    return accounts, made.id


def test_down_and_up_again_with_data(address: Path | str) -> None:
    with closing(Database(address)) as database:
        accounts, wang = account(database, "wang")
        accounts.identify(None, wang, ISSUER, "officer-7")
    migrate(address, "0013")
    with closing(Database(address, upgrade=False)) as database, database.read() as tx:
        assert "identities" not in inspect(tx).get_table_names()
    with closing(Database(address)) as database:
        accounts, _ = account(database, "li")
        assert accounts.account(wang).name == "wang"
        with database.read() as tx:
            assert identities.linked_account(tx, ISSUER, "officer-7") is None
        accounts.identify(None, wang, ISSUER, "officer-7")


def test_a_backup_has_it_and_a_subject_belongs_to_one(address: Path | str, tmp_path: Path) -> None:
    with closing(Database(address)) as database:
        accounts, wang = account(database, "wang")
        _, li = account(database, "li")
        accounts.identify(None, wang, ISSUER, "officer-7")
        accounts.identify(None, wang, ISSUER, "officer-7")
        accounts.identify(None, li, "https://other.example", "officer-7")
        with pytest.raises(IdentityTakenError):
            accounts.identify(None, li, ISSUER, "officer-7")
        with pytest.raises(RecordsError), database.write() as tx:
            identities.keep_identity(tx, li, ISSUER, "officer-7")
        write_backup(database, tmp_path / "backup.gz")
    restore_backup(tmp_path / "backup.gz", tmp_path / "restored.sqlite")
    with closing(Database(tmp_path / "restored.sqlite")) as database, database.read() as tx:
        assert identities.linked_account(tx, ISSUER, "officer-7") == wang
        assert identities.linked_account(tx, "https://other.example", "officer-7") == li


def test_a_link_made_or_removed_ends_the_accounts_sessions(address: Path | str) -> None:
    with closing(Database(address)) as database:
        accounts, wang = account(database, "wang")
        sign_in = SignIn(database, Passwords(CHEAP), lambda: NOON)
        begun = sign_in.by_link(accounts.link(wang), request_id=None)
        accounts.identify(None, wang, ISSUER, "officer-7")
        assert sign_in.principal(begun.secret) is None
        begun = sign_in.by_identity(ISSUER, "officer-7", address="", request_id=None)
        assert begun.principal.must_change is False
        accounts.identify(None, wang, ISSUER, None)
        assert sign_in.principal(begun.secret) is None
        with pytest.raises(SignInRefusedError):
            sign_in.by_identity(ISSUER, "officer-7", address="", request_id=None)
