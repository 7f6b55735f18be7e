"""C2PA: content credentials in a copy of a photo or clip, which other programs read; the only door to c2pa-python, an extra."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePath
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from evidence.errors import EvidenceError, ExtraMissingError

MEDIA_TYPES = {".jpg": "image/jpeg", ".mp4": "video/mp4"}
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
CASE = "org.stopline.case"
"""The assertion that names the case and the SHA-256 of the original of the copy."""


class CredentialsError(EvidenceError):
    """Credentials that cannot be made or do not hold; ``why`` says why, ``is_unknown`` where only their signer is unknown."""

    code = "credentials"

    def __init__(self, why: str, *, is_unknown: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_unknown = is_unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSigner:
    """A certificate chain (PEM, the signer's first) and its private key (PEM, PKCS 8): EC P-256 or Ed25519."""

    chain: bytes
    key: bytes = field(repr=False)

    def algorithm(self) -> str:
        """Its name in C2PA. Raises CredentialsError for a key of another kind, or one that is not the certificate's."""
        try:
            key = serialization.load_pem_private_key(self.key, None)
            certificate = x509.load_pem_x509_certificates(self.chain)[0]
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise CredentialsError(
                f"the certificate chain or its key cannot be read ({exc}); give both in PEM"
            ) from exc
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
            raise CredentialsError(
                "the private key is not that of the first certificate; give the chain of that key"
            )
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return "ED25519"
        if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
            return "ES256"
        raise CredentialsError("the key is of another kind; EC P-256 or Ed25519 are wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the credentials of a copy say: of which case, the SHA-256 (hex) of the original, who signed (the certificate's name)."""

    case_id: str
    original_sha256: str
    signer: str


def with_credentials(
    name: str, data: bytes, case_id: str, original_sha256: str, signer: CredentialSigner
) -> bytes:
    """A copy of the JPEG or MP4 with credentials in it; nothing is fetched from anywhere.

    Raises CredentialsError and ExtraMissingError.
    """
    c2pa = _c2pa()
    algorithm = getattr(c2pa.C2paSigningAlg, signer.algorithm())
    said = {
        "claim_generator_info": [{"name": "Stopline"}],
        "title": name,
        "format": _media_type(name),
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": CAPTURED}]},
            },
            {"label": CASE, "data": {"case": case_id, "original_sha256": original_sha256}},
        ],
    }
    target = BytesIO()
    try:
        info = c2pa.C2paSignerInfo(algorithm, signer.chain, signer.key, None)
        with c2pa.Signer.from_info(info) as made, c2pa.Builder(said) as builder:
            builder.sign(made, _media_type(name), BytesIO(data), target)
    except c2pa.C2paError as exc:
        raise CredentialsError(f"{name}: no credentials can be put into it ({exc})") from exc
    return target.getvalue()


def verify_credentials(name: str, data: bytes, roots: bytes) -> Credentials:
    """What the credentials in the JPEG or MP4 say, found whole and signed by a certificate below ``roots`` (PEM); offline.

    Raises CredentialsError where there are none, the file was changed after it was signed, or nobody known signed, and
    ExtraMissingError.
    """
    c2pa = _c2pa()
    settings = c2pa.Settings.from_dict(
        {
            "verify": {"verify_trust": True, "remote_manifest_fetch": False},
            "trust": {"trust_anchors": roots.decode()},
        }
    )
    try:
        with c2pa.Reader(_media_type(name), BytesIO(data), context=c2pa.Context(settings=settings)) as reader:
            document: dict[str, Any] = json.loads(reader.json())
            state = reader.get_validation_state()
    except c2pa.C2paError as exc:
        raise CredentialsError(f"{name}: it has no credentials that can be read ({exc})") from exc
    active = document["manifests"][document["active_manifest"]]
    codes = [entry["code"] for entry in document.get("validation_status", [])]
    if state != "Trusted":
        unknown = codes == ["signingCredential.untrusted"]
        why = (
            "nobody whose certificates were given signed it"
            if unknown
            else f"it does not verify ({', '.join(codes)})"
        )
        raise CredentialsError(f"{name}: {why}", is_unknown=unknown)
    return _said(name, active)


def _said(name: str, manifest: dict[str, Any]) -> Credentials:
    assertions: Sequence[dict[str, Any]] = manifest.get("assertions", [])
    for each in assertions:
        if each["label"] == CASE:
            info = manifest.get("signature_info", {})
            return Credentials(
                case_id=str(each["data"]["case"]),
                original_sha256=str(each["data"]["original_sha256"]),
                signer=str(info.get("common_name") or info.get("issuer") or ""),
            )
    raise CredentialsError(f"{name}: its credentials name no case")


def _media_type(name: str) -> str:
    try:
        return MEDIA_TYPES[PurePath(name).suffix]
    except KeyError as exc:
        raise CredentialsError(f"{name}: credentials go into JPEG and MP4 files") from exc


def _c2pa() -> Any:
    """The module of the extra, loaded by who needs it."""
    try:
        import c2pa
    except ImportError as exc:
        raise ExtraMissingError("content credentials", "c2pa") from exc
    return c2pa
