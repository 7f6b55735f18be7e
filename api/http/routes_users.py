"""The routes of accounts, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.http.access import ServiceOf, permitted
from api.http.answers import problems
from api.http.cursor import decode_name, encode_name
from api.http.models import PREFIX
from api.http.people_models import (
    AccountIdentity,
    AccountModel,
    AccountPage,
    AccountPatch,
    NewAccount,
    NewAccountMade,
)
from api.http.preconditions import LookedAt, etag
from api.work.access import Permission, Principal
from api.work.identity import IdentityOffError

router = APIRouter(prefix=f"{PREFIX}/users", tags=["accounts"])
Administrator = Annotated[Principal, permitted(Permission.MANAGE_ACCOUNTS)]
AccountId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.get(
    "",
    summary="List accounts",
    responses=problems(400, 422),
)
def accounts(
    service: ServiceOf,
    _: Administrator,
    cursor: Annotated[
        str | None, Query(max_length=200, description="As given in 'next_cursor'; opaque.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AccountPage:
    """The accounts by name, closed ones too."""
    after = "" if cursor is None else decode_name(cursor)
    page = service.accounts.page(after_name=after, limit=limit + 1)
    more = len(page) > limit
    return AccountPage(
        items=[AccountModel.of(account) for account in page[:limit]],
        next_cursor=encode_name(page[limit - 1].name) if more else None,
    )


@router.post(
    "",
    status_code=201,
    summary="Make an account",
    responses=problems(409, 422),
)
def make(service: ServiceOf, by: Administrator, wanted: NewAccount) -> NewAccountMade:
    """The account with its one-time password, which is shown this once."""
    account, password = service.accounts.add(
        by,
        name=wanted.name,
        display_name=wanted.display_name,
        role=wanted.role,
        site_ids=None if wanted.site_ids is None else tuple(wanted.site_ids),
    )
    return NewAccountMade(**AccountModel.of(account).model_dump(), one_time_password=password)


@router.get("/{account_id}", summary="One account", responses=problems(404, 422))
def one(service: ServiceOf, _: Administrator, account_id: AccountId, response: Response) -> AccountModel:
    """The account; its ETag is wanted for a change."""
    account = service.accounts.account(account_id)
    response.headers["ETag"] = etag(account.version)
    return AccountModel.of(account)


@router.patch(
    "/{account_id}",
    summary="Change an account",
    responses=problems(404, 409, 412, 422, 428),
)
def change(
    service: ServiceOf,
    by: Administrator,
    account_id: AccountId,
    patch: AccountPatch,
    looked_at: LookedAt,
    response: Response,
) -> AccountModel:
    """The account as changed; its sessions are over where its role, sites or state changed."""
    account = service.accounts.change(by, account_id, patch.change(), version=looked_at)
    response.headers["ETag"] = etag(account.version)
    return AccountModel.of(account)


@router.put(
    "/{account_id}/identity",
    status_code=204,
    summary="Link an account to the identity provider",
    responses=problems(404, 409, 422),
)
def identify(service: ServiceOf, by: Administrator, account_id: AccountId, wanted: AccountIdentity) -> None:
    """Who the account is at the identity provider; all its sessions are over, and a one-time password counts no more."""
    if service.identity is None:
        raise IdentityOffError
    service.accounts.identify(by, account_id, service.identity.provider.issuer, wanted.subject)


@router.post(
    "/{account_id}/password-reset",
    status_code=201,
    summary="Give a one-time password",
    responses=problems(404, 422),
)
def reset(service: ServiceOf, by: Administrator, account_id: AccountId) -> NewAccountMade:
    """A one-time password; all sessions of the account are over."""
    password = service.accounts.reset_password(by, account_id)
    account = AccountModel.of(service.accounts.account(account_id))
    return NewAccountMade(**account.model_dump(), one_time_password=password)
