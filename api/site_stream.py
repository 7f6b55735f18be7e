"""The part of the site file that says where a camera's live pictures come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from api.site_fields import Id, SitePart
from ingest.networks import PASSWORD, USER, has_account
from ingest.redact import HIDDEN, redact_url

LONGEST = 500


def _camera_address(address: str) -> str:
    """Its texts never quote the address, which may hold a password."""
    if not address.lower().startswith(("rtsp://", "rtsps://")):
        raise PydanticCustomError("stream_scheme", "an address of a camera begins with rtsp:// or rtsps://")
    if len(address) > LONGEST:
        raise PydanticCustomError("stream_long", f"an address has at most {LONGEST} characters")
    told = address.replace(PASSWORD, HIDDEN)
    if has_account(address) or redact_url(told) != told:
        raise PydanticCustomError(
            "stream_account",
            "the address holds an account or a password; name the account with account:, put it into the file of camera "
            f"accounts, and where the camera wants it in the path write {USER} and {PASSWORD} there",
        )
    return address


Address = Annotated[str, AfterValidator(_camera_address)]


class StreamPart(SitePart):
    """Where a camera's live pictures come from."""

    address: Address = Field(
        description="Address of the camera's main stream, rtsp://HOST[:PORT]/PATH or rtsps://, without an account. Its picture "
        "has the camera's size_px."
    )
    small_address: Address | None = Field(
        default=None,
        description="Address of a smaller stream of the same view: road users and lamps are looked for in it, and photos, clip and "
        "plates are taken from the main stream. Default none: everything is done on the main stream.",
    )
    account: Id | None = Field(
        default=None,
        description="Name of the account at the camera, in the file of camera accounts (STOPLINE_CAMERA_ACCOUNTS_FILE). Default "
        "none: the camera wants none.",
    )
    transport: Literal["tcp", "udp"] = Field(
        default="tcp",
        description="How the camera sends: tcp or udp. Default tcp: nothing is lost on the way, and one port is enough.",
    )
