"""Ed25519 signatures over exact bytes: detached beside a file, or at the end of a line of canonical JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from evidence.canonical import Json, json_bytes, json_line, sha256_hex
from rules.errors import StoplineError

SIGNATURE_FORMAT = "stopline-signature/1"
KEY_HEX = re.compile(r"[0-9a-f]{64}")
SIGNATURE_HEX = re.compile(r"[0-9a-f]{128}")


class SignedFormError(StoplineError):
    """Bytes that are not the signature or the signed line that they should be; ``why`` says what is wrong."""

    code = "signed_form"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: 32 bytes as 64 hex digits. Equal keys are equal."""

    hex: str

    @property
    def id(self) -> str:
        """The first 16 hex digits of the SHA-256 of its 32 bytes: short enough to be told on the telephone."""
        return sha256_hex(bytes.fromhex(self.hex))[:16]

    def fits(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature of these bytes was made with this key's private half (RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.hex)).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with a private key that it never shows."""

    _key: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self._key.public_key().public_bytes_raw().hex())

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same message always gives the same ones (RFC 8032)."""
        return self._key.sign(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A detached signature, and the key that it says it was made with."""

    key: PublicKey
    value: bytes

    def fits(self, message: bytes) -> bool:
        """Whether it was made over these bytes with that key; who holds the key is another question."""
        return self.key.fits(self.value, message)


def signature_file(signer: Signer, message: bytes) -> bytes:
    """The content of a ``.sig`` file beside a file that holds ``message``."""
    return _signature_bytes(Signature(key=signer.public, value=signer.sign(message)))


def read_signature(data: bytes) -> Signature:
    """The signature in a ``.sig`` file. Raises SignedFormError where it is none, to the byte."""
    document = _document(data, SIGNATURE_FORMAT)
    signature = _signature_in(document)
    if _signature_bytes(signature) != data:
        raise SignedFormError("it is not written as it was signed")
    return signature


def signed_line(signer: Signer, form: str, fields: Mapping[str, Json]) -> str:
    """One line of JSON without a line end: the fields, the form, the key and, over all of that, the signature."""
    body: dict[str, Json] = {**fields, "format": form, "public_key": signer.public.hex}
    return json_line({**body, "signature": signer.sign(json_line(body).encode()).hex()})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLine:
    """A line as it was signed; ``fields`` is what it says besides form, key and signature."""

    fields: Mapping[str, Any]
    signature: Signature
    message: bytes

    @property
    def is_genuine(self) -> bool:
        """Whether the signature fits the rest of the line."""
        return self.signature.fits(self.message)


def read_signed_line(line: bytes, form: str, names: frozenset[str]) -> SignedLine:
    """What such a line holds. Raises SignedFormError where it is not written exactly so, or has other fields than ``names``."""
    document = _document(line, form)
    signature = _signature_in(document)
    body = {name: value for name, value in document.items() if name != "signature"}
    fields = {name: value for name, value in body.items() if name not in ("format", "public_key")}
    if set(fields) != names:
        raise SignedFormError("its fields are not those of its format")
    try:
        is_exact = json_line(document).encode() == line
    except (ValueError, UnicodeError):
        is_exact = False
    if not is_exact:
        raise SignedFormError("it is not written as it was signed")
    return SignedLine(fields=fields, signature=signature, message=json_line(body).encode())


def _document(data: bytes, form: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise SignedFormError(f"it is no JSON ({exc})") from exc
    if not isinstance(document, dict) or "format" not in document:
        raise SignedFormError(f"it does not say that it is of the format {form!r}")
    if document["format"] != form:
        raise SignedFormError(
            f"its format is {document['format']!r:.60}, and this version reads {form!r}; "
            "if a newer Stopline wrote it, verify it with that one"
        )
    return document


def _signature_in(document: Mapping[str, Any]) -> Signature:
    key, value = document.get("public_key"), document.get("signature")
    if not (isinstance(key, str) and KEY_HEX.fullmatch(key)):
        raise SignedFormError("its public key is not 64 hex digits")
    if not (isinstance(value, str) and SIGNATURE_HEX.fullmatch(value)):
        raise SignedFormError("its signature is not 128 hex digits")
    return Signature(key=PublicKey(key), value=bytes.fromhex(value))


def _signature_bytes(signature: Signature) -> bytes:
    return json_bytes(
        {"format": SIGNATURE_FORMAT, "public_key": signature.key.hex, "signature": signature.value.hex()}
    )
