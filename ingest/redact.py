"""Takes passwords out of camera addresses and of whatever quotes them, before anybody sees the text."""

from __future__ import annotations

import re
from urllib.parse import unquote

HIDDEN = "***"

_ACCOUNT = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s'\"]*@", re.IGNORECASE)
"""``scheme://user:password@``: up to the last @ of the word, since cameras allow @ / : ? in a password."""

_PARAMETER = re.compile(
    r"(?P<name>(?:pass(?:word|wd|phrase)?|pwd|token|secret|api_?key|key|auth|sig(?:nature)?)=)"
    r"[^&\s'\"/;]*?(?=_[a-z]+=|[&\s'\"/;]|$)",
    re.IGNORECASE,
)
"""``password=…`` in a query or, as some recorders have it, in the path (``/user=a_password=b_channel=1``)."""


class RedactedCause(Exception):
    """What a vendor's error said, its secrets taken out: the cause of our errors where the vendor's may not be."""

    def __init__(self, error: BaseException, url: str) -> None:
        super().__init__(f"{type(error).__name__}: {redact_text(str(error), url)}")


def redact_url(url: str) -> str:
    """The address without account, password or token; scheme, host, port and path stay readable."""
    return _PARAMETER.sub(rf"\g<name>{HIDDEN}", _ACCOUNT.sub(rf"\g<scheme>{HIDDEN}@", url))


def redact_text(text: str, url: str) -> str:
    """A text that may quote ``url`` or its password in any form, without either's secrets."""
    redacted = redact_url(text)
    for secret in _secrets_of(url):
        redacted = redacted.replace(secret, HIDDEN)
    return redacted


def _secrets_of(url: str) -> list[str]:
    """The account and the password of an address, as written and decoded, longest first; never an empty text."""
    found = _ACCOUNT.match(url)
    if not found:
        return []
    account = found.group()[len(found.group("scheme")) : -1]
    user, _, password = account.partition(":")
    if not password:
        return [part for part in {user, unquote(user)} if part]
    forms = {account, unquote(account), password, unquote(password)}
    return sorted((form for form in forms if form), key=len, reverse=True)
