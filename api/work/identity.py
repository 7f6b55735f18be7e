"""Asks an identity provider who somebody is: OpenID Connect, the authorization code flow with PKCE, through Authlib."""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from api.clock import Now
from api.identity_settings import IdentityProvider, is_safe_address
from api.work.secrets import new_secret
from evidence.errors import ExtraMissingError
from rules.errors import StoplineError

CONNECT_S, READ_S = 3.0, 5.0
MOST_BYTES = 256 * 1024
"""Discovery documents, key sets and tokens take a few KB."""
AT_ONCE = 4
"""So many requests wait for the provider at once: one that hangs must not hold every thread of the server."""
WAIT_S = 2.0
KNOWN_FOR = timedelta(hours=1)
"""How long a discovery document counts; keys are fetched at each sign-in, so that a changed key counts at once."""
LEEWAY_S = 60
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""With public keys only: neither 'none' nor a secret that the client shares."""
KEY_TYPES = ("RSA", "EC")
"""A provider may list others besides, which sign nothing for us."""
SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")


class IdentityUnavailableError(StoplineError):
    """The identity provider does not answer, or not as one that we may trust; ``why`` says what was asked for."""

    code = "identity_unavailable"
    retryable = True

    def __init__(self, why: str) -> None:
        super().__init__(f"the identity provider gave no usable answer: {why}")
        self.why = why


class IdentityRefusedError(StoplineError):
    """What came back does not prove who somebody is; ``why`` is a word for the audit."""

    code = "identity_refused"

    def __init__(self, why: str) -> None:
        super().__init__(f"the sign-in at the identity provider does not count: {why}")
        self.why = why


class IdentityOffError(StoplineError):
    """No identity provider is set."""

    code = "identity_off"

    def __init__(self) -> None:
        super().__init__("no identity provider is set here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that goes on at ``address``; ``secret`` stays in the browser's cookie until it comes back."""

    address: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What the provider sent back with the browser."""

    state: str | None
    code: str | None
    issuer: str | None = None


class IdentityCheck:
    """Sign-ins at ``provider``; nothing is kept of them here: state, nonce and verifier follow from the browser's secret."""

    def __init__(self, provider: IdentityProvider, now: Now) -> None:
        """Raises ExtraMissingError."""
        try:
            from authlib.oauth2.client import OAuth2Client
        except ImportError as exc:
            raise ExtraMissingError("sign-ins by an identity provider", "oidc") from exc
        self._client_type = OAuth2Client
        self.provider = provider
        self._now = now
        self._exchange = _Exchange()
        self._known: tuple[datetime, Mapping[str, Any]] | None = None

    def begin(self, redirect_uri: str) -> Begun:
        """Where the browser goes on. Raises IdentityUnavailableError."""
        endpoint = self._address("authorization_endpoint")
        secret = new_secret()
        address, _ = self._client(redirect_uri).create_authorization_url(
            endpoint,
            state=_derived(secret, "state"),
            nonce=_derived(secret, "nonce"),
            code_verifier=_derived(secret, "verifier"),
        )
        return Begun(address=address, secret=secret)

    def subject(self, secret: str | None, returned: Returned, redirect_uri: str) -> str:
        """Who came back, by the provider's signed word. Raises IdentityRefusedError, IdentityUnavailableError."""
        if secret is None or not hmac.compare_digest(
            _derived(secret, "state").encode(), (returned.state or "").encode("utf-8", "replace")
        ):
            raise IdentityRefusedError("state")
        if returned.issuer not in (None, self.provider.issuer):
            raise IdentityRefusedError("issuer")
        if not returned.code:
            raise IdentityRefusedError("declined")
        token = self._token(returned.code, secret, redirect_uri)
        claims = self._claims(token, _derived(secret, "nonce"))
        subject = claims.get(self.provider.claim)
        if self.provider.claim == "email" and claims.get("email_verified") is not True:
            raise IdentityRefusedError("email_unverified")
        if not isinstance(subject, str) or not SUBJECT.fullmatch(subject):
            raise IdentityRefusedError("claim")
        return subject

    def _token(self, code: str, secret: str, redirect_uri: str) -> Mapping[str, Any]:
        from authlib.common.errors import AuthlibBaseError

        address = self._address("token_endpoint")
        try:
            token: Mapping[str, Any] = self._client(redirect_uri).fetch_token(
                address,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=_derived(secret, "verifier"),
            )
        except (AuthlibBaseError, ValueError) as exc:
            raise IdentityRefusedError("code") from exc
        return token

    def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        keys = self._exchange.document(self._address("jwks_uri"), "its keys")
        try:
            usable = [
                key for key in keys["keys"] if key["kty"] in KEY_TYPES and key.get("use") in (None, "sig")
            ]
            decoded = jwt.decode(
                token["id_token"],
                KeySet.import_key_set({"keys": usable}),
                algorithms=list(ALGORITHMS),
            )
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.provider.issuer},
                    "aud": {"essential": True, "value": self.provider.client_id},
                },
                params={
                    "nonce": nonce,
                    "client_id": self.provider.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise IdentityRefusedError("token") from exc
        found: Mapping[str, Any] = claims
        return found

    def _client(self, redirect_uri: str) -> Any:
        wanted = self._discovered().get("token_endpoint_auth_methods_supported")
        supported = wanted if isinstance(wanted, list) else ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"
        return self._client_type(
            self._exchange,
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret,
            token_endpoint_auth_method="none" if self.provider.client_secret is None else method,
            scope="openid" if self.provider.claim == "sub" else "openid profile email",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _discovered(self) -> Mapping[str, Any]:
        now, known = self._now(), self._known
        if known is not None and now - known[0] < KNOWN_FOR:
            return known[1]
        address = f"{self.provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = self._exchange.document(address, "its discovery document")
        if found.get("issuer") != self.provider.issuer:
            raise IdentityUnavailableError("its discovery document names another issuer")
        self._known = (now, found)
        return found

    def _address(self, name: str) -> str:
        address = self._discovered().get(name)
        if not isinstance(address, str) or not is_safe_address(address):
            raise IdentityUnavailableError(f"its {name} is no https address")
        return address


class _Exchange:
    """Requests to the provider: bounded in time, bytes and number, never redirected; the session that Authlib's client wants."""

    def __init__(self) -> None:
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S), retries=False, maxsize=AT_ONCE
        )
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def document(self, address: str, what: str) -> dict[str, Any]:
        """The JSON object there. Raises IdentityUnavailableError."""
        answer = self._answer("GET", address, None, {"Accept": "application/json"}, what)
        found = answer.json() if answer.status_code == 200 else None
        if not isinstance(found, dict):
            raise IdentityUnavailableError(what)
        return found

    def post(
        self, address: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: Any
    ) -> _Answer:
        """The answer to that form, as Authlib's client asks for it. Raises IdentityUnavailableError."""
        to, dressed, body = auth.prepare("POST", address, dict(headers), urlencode(data))
        return self._answer("POST", to, body, dressed, "its token")

    def _answer(
        self, method: str, address: str, body: str | None, headers: Mapping[str, str], what: str
    ) -> _Answer:
        with self._place(what):
            try:
                answer = self._http.request(
                    method, address, body=body, headers=dict(headers), preload_content=False, redirect=False
                )
                try:
                    content = answer.read(MOST_BYTES + 1)
                finally:
                    answer.close()
            except (HTTPError, OSError) as exc:
                raise IdentityUnavailableError(what) from exc
        if len(content) > MOST_BYTES or answer.status >= 500:
            raise IdentityUnavailableError(what)
        return _Answer(status_code=answer.status, content=content)

    @contextmanager
    def _place(self, what: str) -> Iterator[None]:
        if not self._free.acquire(timeout=WAIT_S):
            raise IdentityUnavailableError(f"{what}; too many wait for it")
        try:
            yield
        finally:
            self._free.release()


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer as Authlib's client reads it."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        """The content, read as JSON; None where it is none, or no object can be that deep."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    def raise_for_status(self) -> None:
        """For an answer that is no JSON object."""
        raise IdentityUnavailableError("its token")


def _derived(secret: str, what: str) -> str:
    return hmac.new(secret.encode("utf-8", "surrogatepass"), what.encode(), sha256).hexdigest()
