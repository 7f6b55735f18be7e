"""Keys on disk: private ones that only their owner can read, and the published list of public ones that a verifier trusts."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from evidence.canonical import Json, json_bytes, moment
from evidence.durable import Disk
from evidence.errors import EvidenceError
from evidence.signing import KEY_HEX, PublicKey, Signer

PUBLISHED_FORMAT = "stopline-keys/1"
REGISTER = "keys.json"
PRIVATE_END = ".pem"
PRIVATE_MODE, FOLDER_MODE = 0o600, 0o700
PEM_PUBLIC, PEM_END = b"-----BEGIN PUBLIC KEY-----", b"-----END PUBLIC KEY-----"


class KeysError(EvidenceError):
    """A key that cannot be used; ``path`` is its file or folder, ``reason`` says why and what to do."""

    code = "key_unusable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class KeyExposedError(KeysError):
    """Others than its owner may read the private key."""

    code = "key_exposed"


class PassphraseError(KeysError):
    """The private key's passphrase is missing or wrong."""

    code = "key_passphrase"


class KeyForeignError(KeysError):
    """A key, but not of the kind that is wanted here."""

    code = "key_foreign"


class KeyExistsError(KeysError):
    """There is a key already."""

    code = "key_exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """A public key, whose it is, and from when to when what it signs is accepted (None: no bound)."""

    key: PublicKey
    label: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    def accepts(self, at: datetime) -> bool:
        """Whether a signature of that moment is accepted."""
        return (self.valid_from is None or self.valid_from <= at) and (
            self.valid_until is None or at <= self.valid_until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A key of a key folder; ``signs``: its private half is there, and is the one that signs."""

    published: PublishedKey
    signs: bool


def published_file(keys: Iterable[PublishedKey]) -> bytes:
    """The file of public keys that a verifier is given; equal keys give equal bytes."""
    entries: list[Json] = [
        {
            "algorithm": "Ed25519",
            "id": key.key.id,
            "label": key.label,
            "public_key": key.key.hex,
            "valid_from": None if key.valid_from is None else moment(key.valid_from),
            "valid_until": None if key.valid_until is None else moment(key.valid_until),
        }
        for key in keys
    ]
    return json_bytes({"format": PUBLISHED_FORMAT, "keys": entries})


def read_published(path: Path) -> tuple[PublishedKey, ...]:
    """The public keys of a published file, or of a file of PEM public keys (their label is the file's name, without bounds).

    Raises KeysError for a file that cannot be read or holds none, KeyForeignError for keys of another kind.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise KeysError(path, f"cannot be read: {exc.strerror or exc}; give the file of public keys") from exc
    if b"PRIVATE KEY-----" in data:
        raise KeyForeignError(
            path,
            "holds a private key, which nobody but the signer should have; give the file that "
            "'stopline keys publish' writes",
        )
    if PEM_PUBLIC in data:
        return tuple(_pem_public(path, part + PEM_END) for part in data.split(PEM_END)[:-1])
    if b"-----BEGIN" in data:
        raise KeyForeignError(
            path, "holds something else in PEM than public keys; give '-----BEGIN PUBLIC KEY-----' of Ed25519"
        )
    try:
        document: Any = json.loads(data)
        if document["format"] != PUBLISHED_FORMAT:
            raise KeysError(
                path,
                f"its format is {document['format']!r:.60}, and this version reads {PUBLISHED_FORMAT!r}; "
                "a newer Stopline may have written it",
            )
        keys = tuple(_published(path, entry) for entry in document["keys"])
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise KeysError(
            path,
            f"is no list of public keys ({type(exc).__name__}: {exc}); give what 'stopline keys publish' "
            "writes, or PEM",
        ) from exc
    if not keys:
        raise KeysError(path, "lists no key; give what 'stopline keys publish' writes, or PEM")
    return keys


def write_published(path: Path, keys: Iterable[PublishedKey], disk: Disk) -> None:
    """The published file stands at ``path``, at once. Raises DiskFullError, DiskError and KeysError."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        disk.write(part, published_file(keys))
        part.replace(path)
    except OSError as exc:
        raise KeysError(path, f"cannot be written: {exc.strerror or exc}") from exc
    disk.settle(path.parent)


class KeyFolder:
    """A folder with ``keys.json`` (the public keys, oldest first) and the private key that signs as ``<id>.pem``.

    Methods raise KeysError where the folder or a file of it cannot be used, and DiskFullError and DiskError.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk

    def held(self) -> tuple[HeldKey, ...]:
        """All keys that ever signed here, oldest first."""
        published = self.published()
        here = [key.key for key in published if self._private(key.key).exists()]
        return tuple(HeldKey(published=key, signs=here[-1:] == [key.key]) for key in published)

    def published(self) -> tuple[PublishedKey, ...]:
        """The public keys, oldest first; none where the folder holds none yet."""
        path = self._folder / REGISTER
        return read_published(path) if path.exists() else ()

    def generate(
        self, label: str, now: datetime, *, valid_for: timedelta | None = None, passphrase: str | None = None
    ) -> PublishedKey:
        """The first key. Raises KeyExistsError where there is one."""
        if self.published():
            raise KeyExistsError(
                self._folder,
                "holds a key already; 'stopline keys rotate' makes the next one, which the old ones' "
                "evidence survives",
            )
        return self._next(label, now, valid_for, passphrase, ())

    def rotate(
        self,
        label: str | None,
        now: datetime,
        *,
        overlap: timedelta,
        valid_for: timedelta | None = None,
        passphrase: str | None = None,
    ) -> PublishedKey:
        """A new key signs from now on; the old one's private half is gone.

        What still runs with the old one may go on for ``overlap``; afterwards nothing it signs is accepted.
        ``label`` None keeps the old one's. Raises KeysError where there is none yet.
        """
        held = self.held()
        if not held:
            raise KeysError(
                self._folder, "holds no key to be followed; make one with 'stopline keys generate'"
            )
        until = _second(now) + overlap
        ended = tuple(
            replace(key.published, valid_until=until)
            if key.published.valid_until is None or key.published.valid_until > until
            else key.published
            for key in held
        )
        new = self._next(
            held[-1].published.label if label is None else label, now, valid_for, passphrase, ended
        )
        for key in ended:
            self._private(key.key).unlink(missing_ok=True)
        return new

    def signer(self, now: datetime, passphrase: str | None = None) -> Signer:
        """What signs at that moment. Raises KeyExposedError, PassphraseError, KeyForeignError."""
        signing = [held.published for held in self.held() if held.signs]
        if not signing:
            raise KeysError(
                self._folder, "holds no private key to sign with; make one with 'stopline keys generate'"
            )
        if not signing[0].accepts(now):
            raise KeysError(
                self._private(signing[0].key),
                f"the key {signing[0].key.id} is not valid now; make the next one with 'stopline keys rotate'",
            )
        signer = read_private(self._private(signing[0].key), passphrase)
        if signer.public != signing[0].key:
            raise KeyForeignError(
                self._private(signing[0].key),
                f"is the private half of {signer.public.id} and not of {signing[0].key.id}; put the right file back",
            )
        return signer

    def _next(
        self,
        label: str,
        now: datetime,
        valid_for: timedelta | None,
        passphrase: str | None,
        before: Sequence[PublishedKey],
    ) -> PublishedKey:
        private = Ed25519PrivateKey.generate()
        since = _second(now)
        new = PublishedKey(
            key=Signer(private).public,
            label=label,
            valid_from=since,
            valid_until=None if valid_for is None else since + valid_for,
        )
        _make_folder(self._folder, FOLDER_MODE)
        write_private(self._private(new.key), private, passphrase)
        write_published(self._folder / REGISTER, (*before, new), self._disk)
        return new

    def _private(self, key: PublicKey) -> Path:
        return self._folder / f"{key.id}{PRIVATE_END}"


def demo_signer(path: Path) -> Signer:
    """Signs with the key in that file, which is made where there is none: without a label, for trying things out."""
    if not path.exists():
        _make_folder(path.parent)
        write_private(path, Ed25519PrivateKey.generate(), None)
    return read_private(path, None)


def write_private(path: Path, key: Ed25519PrivateKey, passphrase: str | None) -> None:
    """The new file holds the private key (PEM, PKCS 8), on the disk; nobody but its owner can read it. Raises KeysError."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        protection = serialization.BestAvailableEncryption(passphrase.encode())
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as exc:
        raise KeysError(path, f"cannot be written: {exc.strerror or exc}") from exc


def read_private(path: Path, passphrase: str | None) -> Signer:
    """The signer of a private key file. Raises KeysError, KeyExposedError, PassphraseError, KeyForeignError."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyExposedError(
                path,
                f"others may read or change this private key (mode {mode:o}); if nobody has, 'chmod 600' it, "
                "else make a new one with 'stopline keys rotate'",
            )
        data = path.read_bytes()
    except OSError as exc:
        raise KeysError(path, f"cannot be read: {exc.strerror or exc}") from exc
    try:
        key = serialization.load_pem_private_key(data, None if passphrase is None else passphrase.encode())
    except TypeError as exc:
        if passphrase is not None:  # given for a key that has none
            return read_private(path, None)
        raise PassphraseError(
            path,
            "is protected by a passphrase; put it into a file that only you can read and name that in "
            "STOPLINE_SIGNING_PASSPHRASE_FILE",
        ) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        if b"ENCRYPTED PRIVATE KEY" in data and passphrase is not None:
            raise PassphraseError(
                path,
                "the passphrase is wrong, or the file is damaged; check STOPLINE_SIGNING_PASSPHRASE(_FILE)",
            ) from exc
        raise KeysError(
            path, "is no private key in PEM; restore the file, or make a new key with 'stopline keys rotate'"
        ) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyForeignError(
            path,
            f"is a key of another kind ({type(key).__name__}); Ed25519 is wanted, see 'stopline keys generate'",
        )
    return Signer(key)


def _make_folder(folder: Path, mode: int = 0o777) -> None:
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as exc:
        raise KeysError(folder, f"cannot be made: {exc.strerror or exc}") from exc


def _pem_public(path: Path, pem: bytes) -> PublishedKey:
    try:
        key = serialization.load_pem_public_key(pem.strip())
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise KeysError(path, f"holds a public key that cannot be read ({exc})") from exc
    if not isinstance(key, Ed25519PublicKey):
        raise KeyForeignError(
            path, f"holds a key of another kind ({type(key).__name__}); Ed25519 public keys are wanted"
        )
    return PublishedKey(key=PublicKey(key.public_bytes_raw().hex()), label=path.name)


def _published(path: Path, entry: Any) -> PublishedKey:
    if entry["algorithm"] != "Ed25519":
        raise KeyForeignError(
            path, f"holds a key of another kind ({entry['algorithm']!r:.40}); Ed25519 is wanted"
        )
    if not KEY_HEX.fullmatch(entry["public_key"]):
        raise ValueError("public_key is not 64 hex digits")
    key = PublicKey(entry["public_key"])
    if key.id != entry["id"]:
        raise ValueError(f"the id {entry['id']!r:.40} is not that of its public key, which is {key.id}")
    bounds = [
        None if entry[name] is None else datetime.fromisoformat(entry[name])
        for name in ("valid_from", "valid_until")
    ]
    if any(bound is not None and bound.tzinfo is None for bound in bounds):
        raise ValueError("valid_from and valid_until need their offset from UTC")
    return PublishedKey(key=key, label=str(entry["label"]), valid_from=bounds[0], valid_until=bounds[1])


def _second(at: datetime) -> datetime:
    """The second that has begun: what is signed right afterwards is not before it."""
    return at.replace(microsecond=0)
