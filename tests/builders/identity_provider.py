"""An identity provider that speaks OpenID Connect on loopback; it approves whoever comes, and can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

CLIENT, SECRET = "stopline", "a secret of the client"


@dataclass
class Provider:
    """The provider at ``issuer``; what the tests set here it says in its next tokens."""

    issuer: str
    now: Callable[[], datetime]
    subject: str = "officer-7"
    claims: dict[str, Any] = field(default_factory=dict)
    """Instead of what would be true; None leaves a claim out."""
    alg: str = "ES256"
    other_key: bool = False
    discovery: dict[str, Any] = field(default_factory=dict)
    fault: int | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}))

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        } | self.discovery

    def code_for(self, query: dict[str, str]) -> str:
        """A code for that request, which is good once."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return code

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer to that form; None where it is refused."""
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form["code"], None)
        if asked is None or authorization != f"Basic {expected}":
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        return {"access_token": "a", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce: str) -> str:
        at = int(self.now().timestamp())
        true = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": at,
            "exp": at + 300,
            "nonce": nonce,
        }
        claims = {name: value for name, value in (true | self.claims).items() if value is not None}
        header = {"alg": self.alg, "kid": "one"}
        if self.alg == "none":
            parts = [json.dumps(part).encode() for part in (header, claims)]
            return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
        if self.alg == "HS256":  # with the secret that the client shares
            return jwt.encode(header, claims, OctKey.import_key(SECRET), ["HS256"])
        key = ECKey.generate_key("P-256", {"kid": "one"}) if self.other_key else self.key
        return jwt.encode(header, claims, key)


@contextmanager
def a_provider(now: Callable[[], datetime], host: str = "127.0.0.1") -> Iterator[Provider]:
    """A provider that is listening; browsers take ``localhost`` for another site than 127.0.0.1."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = Provider(f"http://{host}:{server.server_port}", now)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.provider  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    @property
    def provider(self) -> Provider:
        found = self.server.provider  # type: ignore[attr-defined]
        assert isinstance(found, Provider)
        return found

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        if self.provider.fault is not None:
            self._send(self.provider.fault, {})
        elif parts.path == "/.well-known/openid-configuration":
            self._send(200, self.provider.document())
        elif parts.path == "/keys":
            ours = self.provider.key.as_dict(private=False)
            others: list[Any] = [{"kty": "AKP", "kid": "new"}, ours | {"kid": "two", "use": "enc"}]
            self._send(200, {"keys": [*others, ours]})
        elif parts.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            back = {
                "code": self.provider.code_for(query),
                "state": query["state"],
                "iss": self.provider.issuer,
            }
            self.send_response(303)
            self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(404, {})

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        answer = self.provider.token(form, self.headers.get("Authorization", ""))
        self._send(400 if answer is None else 200, {"error": "invalid_grant"} if answer is None else answer)

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing is printed."""
