"""Passwords: what is asked of one, and its argon2id hash."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rules.errors import StoplineError

SHORTEST, LONGEST = 12, 200
"""Characters. Length is what counts: NIST SP 800-63B asks for no kinds of characters and no regular change."""


class PasswordRefusedError(StoplineError):
    """A password that must not be used."""

    code = "password_refused"


class Passwords:
    """Hashes and checks passwords with argon2id; ``hasher`` says at what cost (None: the library's, RFC 9106's second)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = PasswordHasher() if hasher is None else hasher
        self._nobodys = self._hasher.hash("nobody has this password")

    def hashed(self, password: str, *, name: str) -> str:
        """The hash of a new password. Raises PasswordRefusedError where it is too short, too long or the sign-in name."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise PasswordRefusedError(f"a password has {SHORTEST} to {LONGEST} characters")
        if password.casefold() == name.casefold() or len(set(password)) < 5:
            raise PasswordRefusedError("this password is guessed at once; take several words")
        return self._hasher.hash(password)

    def fits(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the hashed one. Without a hash it takes as long, and does not fit."""
        try:
            self._hasher.verify(self._nobodys if hashed is None else hashed, password)
        except (VerificationError, InvalidHashError):
            return False
        return hashed is not None
