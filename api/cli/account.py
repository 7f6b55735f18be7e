"""``stopline account``: makes, lists and closes people's accounts from the command line, where nobody can sign in yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
from pydantic import ValidationError

from api.cli.data_option import data_option
from api.clock import SystemClock
from api.errors import UsageError
from api.http.people_models import NewAccount
from api.settings import load_settings
from api.work.access import Role
from api.work.accounts import AccountChange, Accounts
from api.work.identity import SUBJECT
from api.work.passwords import Passwords
from api.work.records_place import open_database

AT_ONCE = 200
AS_TYPED = {"name": "NAME", "display_name": "--display-name", "site_ids": "--site"}


@click.group()
def account() -> None:
    """Make, list and close people's accounts.

    Who can read the data folder can do this, without signing in; it stands in the audit as done by nobody.
    """


@account.command()
@data_option
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role]), help="What the person does."
)
@click.option(
    "--site",
    "sites",
    multiple=True,
    help="A site that the account is for; again for more. Default: every site.",
)
@click.option("--display-name", help="As people read it. Default: the sign-in name.")
@click.argument("name")
def add(data: Path, role: str, sites: tuple[str, ...], display_name: str | None, name: str) -> None:
    """Make an account that signs in as NAME, and print its one-time password."""
    try:
        wanted = NewAccount(
            name=name, display_name=display_name or name, role=Role(role), site_ids=list(sites) or None
        )
    except ValidationError as exc:
        faults = [(str(fault["loc"][0]), fault["msg"]) for fault in exc.errors()]
        raise UsageError("; ".join(f"{AS_TYPED[field]}: {message}" for field, message in faults)) from exc
    with _accounts(data) as accounts:
        made, password = accounts.add(
            None,
            name=wanted.name,
            display_name=wanted.display_name,
            role=wanted.role,
            site_ids=None if wanted.site_ids is None else tuple(wanted.site_ids),
        )
    click.echo(f"{made.name}: one-time password {password}")


@account.command("list")
@data_option
def list_accounts(data: Path) -> None:
    """List the accounts by name."""
    with _accounts(data) as accounts:
        after = ""
        while page := accounts.page(after_name=after, limit=AT_ONCE):
            for found in page:
                sites = "every site" if found.site_ids is None else ", ".join(found.site_ids)
                closed = "" if found.closed_at is None else f", closed {found.closed_at:%Y-%m-%d}"
                click.echo(f"{found.name}: {found.role}, {sites}{closed}")
            after = page[-1].name


@account.command()
@data_option
@click.argument("name")
def close(data: Path, name: str) -> None:
    """Close the account NAME: it signs in no more, and its sessions and tokens are over. What it did stays."""
    with _accounts(data) as accounts:
        found = accounts.named(name)
        accounts.change(None, found.id, AccountChange(closed=True), version=found.version)
    click.echo(f"{name}: closed")


@account.command("reset-password")
@data_option
@click.argument("name")
def reset_password(data: Path, name: str) -> None:
    """Print a one-time password of the account NAME; its sessions are over."""
    with _accounts(data) as accounts:
        password = accounts.reset_password(None, accounts.named(name).id)
    click.echo(f"{name}: one-time password {password}")


@account.command()
@data_option
@click.option("--remove", is_flag=True, help="NAME is linked to nobody any more.")
@click.argument("name")
@click.argument("subject", required=False)
def identity(data: Path, remove: bool, name: str, subject: str | None) -> None:
    """Link the account NAME to SUBJECT at the identity provider that STOPLINE_OIDC_ISSUER names; its sessions are over.

    SUBJECT is the value of the claim STOPLINE_OIDC_CLAIM. A one-time password of NAME counts no more.
    """
    provider = load_settings().identity_provider()
    if provider is None:
        raise UsageError("STOPLINE_OIDC_ISSUER is not set: there is no identity provider to link to")
    if remove == (subject is not None):
        raise UsageError("give SUBJECT, or --remove")
    if subject is not None and not SUBJECT.fullmatch(subject):
        raise UsageError("SUBJECT: 1 to 255 printable characters of ASCII")
    with _accounts(data) as accounts:
        accounts.identify(None, accounts.named(name).id, provider.issuer, subject)
    click.echo(f"{name}: {'linked to nobody' if subject is None else 'linked'}")


@account.command()
@data_option
@click.argument("name")
def link(data: Path, name: str) -> None:
    """Print the end of an address with which NAME signs in once, within the hour: put it after the server's own."""
    with _accounts(data) as accounts:
        secret = accounts.link(accounts.named(name).id)
    click.echo(f"sign-in#{secret}")


@contextmanager
def _accounts(data: Path) -> Iterator[Accounts]:
    with closing(open_database(data, create=False)) as database:
        yield Accounts(database, Passwords(), SystemClock().now)
