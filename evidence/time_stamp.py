"""RFC 3161: an authority outside says that a manifest was there at a time; the only door to rfc3161-client, an extra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import urllib3
from cryptography import x509
from urllib3.exceptions import HTTPError

from evidence.canonical import sha256_hex
from evidence.errors import EvidenceError, ExtraMissingError

TOKEN = "manifest.tsr"
"""In ``derived/``: the authority's response (DER), as ``openssl ts -verify -in`` reads it."""

ASKS, ANSWERS = "application/timestamp-query", "application/timestamp-reply"
MOST_BYTES = 64 * 1024
"""No honest response is longer: a token with a chain of certificates has some 6 kB."""


class TimeStampError(EvidenceError):
    """A time stamp that cannot be had or does not hold; ``why`` says why, ``is_unknown`` where only its authority is unknown."""

    code = "time_stamp"

    def __init__(self, why: str, *, is_unknown: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.is_unknown = is_unknown


class AuthorityUnavailableError(TimeStampError):
    """The authority does not answer now; asking later may help."""

    code = "time_stamp_unavailable"
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamp:
    """What a token says: when (UTC, by the authority's clock), and under which serial number of its."""

    at: datetime
    serial: int


def request_time_stamp(manifest: bytes, url: str, http: urllib3.PoolManager) -> bytes:
    """The response of the authority at ``url`` for these bytes; only their SHA-256 is sent. Whom to trust is not asked here.

    Raises ExtraMissingError, AuthorityUnavailableError, and TimeStampError where it refuses or answers something else.
    """
    client = _client()
    asked = (
        client.TimestampRequestBuilder().data(manifest).hash_algorithm(client.HashAlgorithm.SHA256).build()
    )
    try:
        answer = http.request(
            "POST",
            url,
            body=asked.as_bytes(),
            headers={"Content-Type": ASKS, "Accept": ANSWERS},
            preload_content=False,
        )
        try:
            data = answer.read(MOST_BYTES + 1)
        finally:
            answer.release_conn()
    except HTTPError as exc:
        raise AuthorityUnavailableError(
            f"{url}: the time stamp authority does not answer ({type(exc).__name__})"
        ) from exc
    if answer.status >= 500 or answer.status == 429:
        raise AuthorityUnavailableError(
            f"{url}: the time stamp authority is not there (HTTP {answer.status})"
        )
    if answer.status != 200:
        raise TimeStampError(
            f"{url}: the time stamp authority refuses (HTTP {answer.status}); check the address"
        )
    response = _response(data[: MOST_BYTES + 1], f"{url}: ")
    info = response.tst_info
    if info.message_imprint.message.hex() != sha256_hex(manifest) or info.nonce != asked.nonce:
        raise TimeStampError(f"{url}: the answer is to another question; it was not kept")
    return data


def verify_time_stamp(
    token: bytes, manifest_sha256: str, authorities: Sequence[x509.Certificate]
) -> TimeStamp:
    """What the token says of the manifest with that SHA-256 (hex), offline: signature, certificate chain, purpose, hash.

    The certificates count as of the token's own time. Raises TimeStampError and ExtraMissingError.
    """
    client = _client()
    response = _response(token, "")
    said = TimeStamp(at=response.tst_info.gen_time, serial=response.tst_info.serial_number)
    if response.tst_info.message_imprint.message.hex() != manifest_sha256:
        raise TimeStampError("it is of another manifest")
    builder = client.VerifierBuilder(roots=list(authorities))
    try:
        builder.build().verify(response, bytes.fromhex(manifest_sha256))
    except (client.VerificationError, ValueError) as exc:
        text = str(exc)
        unknown = "issuer certificate" in text or "self-signed certificate" in text or "self signed" in text
        if unknown:
            why = "signed by an authority whose certificates were not given"
        elif "pkcs7" in text:
            why = "its signature or the certificates do not fit"
        else:
            why = f"it does not hold: {text}"
        raise TimeStampError(why, is_unknown=unknown) from exc
    return said


def read_authorities(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. Raises TimeStampError where it holds none."""
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as exc:
        raise TimeStampError(
            f"{path}: cannot be read: {exc.strerror or exc}; give the authority's certificates"
        ) from exc
    except ValueError as exc:
        raise TimeStampError(
            f"{path}: holds no certificates in PEM ({exc}); give the authority's root certificate, and those between"
        ) from exc


def _response(data: bytes, where: str) -> Any:
    client = _client()
    if len(data) > MOST_BYTES:
        raise TimeStampError(f"{where}it is longer than any time stamp ({MOST_BYTES} bytes)")
    try:
        response = client.decode_timestamp_response(data)
        status = client.PKIStatus(response.status)
        if status is not client.PKIStatus.GRANTED:
            said = f": {', '.join(response.status_string)}" if response.status_string else ""
            raise TimeStampError(f"{where}the authority did not grant it ({status.name.lower()}{said})")
        _ = response.tst_info.gen_time
    except ValueError as exc:
        raise TimeStampError(f"{where}it is no time stamp ({exc})") from exc
    return response


def _client() -> Any:
    """The module of the extra, loaded by who needs it."""
    try:
        import rfc3161_client
    except ImportError as exc:
        raise ExtraMissingError("time stamps", "timestamp") from exc
    return rfc3161_client
