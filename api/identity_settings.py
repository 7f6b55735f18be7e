"""The settings of sign-in by an identity provider (OpenID Connect)."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from api.camera_settings import CameraSettings
from api.errors import ConfigInvalidError, Problem
from api.store_settings import PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """Whom we ask who somebody is, and as which of its clients; ``claim`` of its token names the person."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    claim: str = "sub"


class IdentitySettings(CameraSettings):
    """Where people may sign in besides with a password."""

    oidc_issuer: str | None = Field(
        default=None,
        description="Issuer of an identity provider that speaks OpenID Connect, https://HOST[/PATH] as its discovery document "
        "has it (http on this machine only); wants the extra [oidc]. Default none: people sign in with a password.",
    )
    oidc_client_id: str | None = Field(
        default=None,
        description="Client id that the provider gave to this server. Default none: only the provider can give it; "
        "oidc_issuer wants it.",
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None,
        description="Secret of that client. Default none: a public client, which PKCE alone protects.",
    )
    oidc_client_secret_file: Path | None = Field(
        default=None,
        description="File that holds that secret and nothing else. Default none: see oidc_client_secret; a file is better "
        "than an environment, which other programs may read.",
    )
    oidc_claim: str = Field(
        default="sub",
        pattern=r"^[A-Za-z0-9_.:/-]{1,200}$",
        description="Claim of the ID token that names the person, as accounts are linked to it. Default sub: the one that a "
        "provider never gives to somebody else; names and mail addresses may pass on.",
    )

    def identity_provider(self) -> IdentityProvider | None:
        """The provider, None where none is set. Raises ConfigInvalidError where it cannot be used."""
        if self.oidc_issuer is None:
            return None
        if not is_safe_address(self.oidc_issuer) or "?" in self.oidc_issuer or "#" in self.oidc_issuer:
            raise _wrong("OIDC_ISSUER", "write it like https://HOST/PATH (http on this machine only)")
        if self.oidc_client_id is None:
            raise _wrong("OIDC_CLIENT_ID", "is missing; the provider gives it")
        return IdentityProvider(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self._client_secret(),
            claim=self.oidc_claim,
        )

    def _client_secret(self) -> str | None:
        path = self.oidc_client_secret_file
        if path is None:
            return None if self.oidc_client_secret is None else self.oidc_client_secret.get_secret_value()
        name = "OIDC_CLIENT_SECRET_FILE"
        if self.oidc_client_secret is not None:
            raise _wrong(name, f"{PREFIX}OIDC_CLIENT_SECRET is set too; set one of them")
        try:
            text = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
            raise _wrong(name, f"{path}: {reason}") from exc
        if not text:
            raise _wrong(name, f"{path}: is empty; it should hold the secret")
        return text


def is_safe_address(address: str) -> bool:
    """Whether nobody on the way reads what goes there: https, or http within this machine; and it holds no account."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(name: str, message: str) -> ConfigInvalidError:
    return ConfigInvalidError([Problem(file="environment", line=None, field=PREFIX + name, message=message)])
