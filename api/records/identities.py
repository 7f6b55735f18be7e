"""Which account belongs to whom at an identity provider, in SQL."""

from __future__ import annotations

from sqlalchemy import Column, Connection, ForeignKey, String, Table, UniqueConstraint, delete, select

from evidence.records_tables import METADATA

IDENTITIES = Table(
    "identities",
    METADATA,
    Column("account_id", String, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("issuer", String, nullable=False),
    Column("subject", String, nullable=False),
    UniqueConstraint("issuer", "subject"),
)
"""One for each account at most, and one account for each."""


def linked_account(connection: Connection, issuer: str, subject: str) -> str | None:
    """The id of the account to which that subject of the issuer is linked."""
    wanted = select(IDENTITIES.c.account_id).where(
        IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject
    )
    found = connection.execute(wanted).scalar_one_or_none()
    return None if found is None else str(found)


def keep_identity(connection: Connection, account_id: str, issuer: str, subject: str) -> None:
    """The account is linked to that subject, and to no other."""
    drop_identity(connection, account_id)
    connection.execute(IDENTITIES.insert().values(account_id=account_id, issuer=issuer, subject=subject))


def drop_identity(connection: Connection, account_id: str) -> None:
    """The account is linked to nobody."""
    connection.execute(delete(IDENTITIES).where(IDENTITIES.c.account_id == account_id))
