"""What a verification found: for each thing that was looked at, what was checked and how that ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography.x509 import Certificate

from evidence.keys import PublishedKey
from evidence.signing import PublicKey, Signature


class State(StrEnum):
    """How a check ended; a note says something that was not, or cannot be, checked."""

    OK = "ok"
    FAILED = "failed"
    UNKNOWN_SIGNER = "unknown_signer"
    NOTE = "note"


class Result(StrEnum):
    """How all of it ended."""

    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    UNKNOWN_SIGNER = "unknown_signer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing (``subject``: a file, a link, a checkpoint), what was ``checked`` of it, how that ended and what to say."""

    subject: str
    checked: tuple[str, ...]
    state: State
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The checks of one package, chain or folder."""

    kind: str
    name: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All that was found, part by part."""

    parts: tuple[Part, ...]

    def count(self, state: State) -> int:
        """How many checks ended so."""
        return sum(check.state is state for part in self.parts for check in part.checks)

    @property
    def result(self) -> Result:
        """NOT_VERIFIED where anything failed, else UNKNOWN_SIGNER where anybody signed whom the verifier does not know."""
        if self.count(State.FAILED):
            return Result.NOT_VERIFIED
        return Result.UNKNOWN_SIGNER if self.count(State.UNKNOWN_SIGNER) else Result.VERIFIED


@dataclass(slots=True)
class Findings:
    """Checks while they are collected."""

    checks: list[Check] = field(default_factory=list)

    def add(self, subject: str, checked: Iterable[str], state: State, says: str = "") -> None:
        self.checks.append(Check(subject=subject, checked=tuple(checked), state=state, says=says))

    def fail(self, subject: str, checked: Iterable[str], says: str) -> None:
        self.add(subject, checked, State.FAILED, says)

    def part(self, kind: str, name: str) -> Part:
        return Part(kind=kind, name=name, checks=tuple(self.checks))


class Trust:
    """The public keys that the verifier trusts, and the certificates of authorities that stamp times.

    What comes with the evidence adds nothing to them.
    """

    def __init__(self, keys: Iterable[PublishedKey] = (), authorities: Iterable[Certificate] = ()) -> None:
        self._keys: Mapping[PublicKey, PublishedKey] = {key.key: key for key in keys}
        self.authorities = tuple(authorities)

    def known(self, key: PublicKey) -> PublishedKey | None:
        """The key as published; None where nobody said that it is to be trusted."""
        return self._keys.get(key)

    def judge(self, signature: Signature, message: bytes, at: datetime | None) -> tuple[State, str]:
        """Whether the signature fits and whose it is; ``at``: when it says it was made, None where nobody knows."""
        key = signature.key
        if not signature.fits(message):
            return State.FAILED, f"the signature does not fit (it says that it is of key {key.id})"
        published = self.known(key)
        if published is None:
            return State.UNKNOWN_SIGNER, f"signed by {key.id}, who is not among the trusted keys"
        if at is not None and not published.accepts(at):
            return State.FAILED, f"key {key.id} ({published.label}) was not valid when this was signed"
        return State.OK, f"signed by {key.id} ({published.label})"
