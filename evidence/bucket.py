"""One bucket of an S3 server: objects by key, written on condition that nothing is there; the only door to the minio SDK."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.error import InvalidResponseError, S3Error, ServerError
from minio.retention import Retention
from minio.signer import sign_v4_s3
from minio.sse import SseS3
from urllib3.exceptions import HTTPError

from evidence.errors import ObjectMissingError, StoreRefusedError, StoreUnavailableError

CONNECT_S, READ_S = 3.0, 30.0
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".sig": "application/octet-stream",
}
GONE = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchObject"})
BUSY = frozenset({"InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "OperationAborted"})
NO_CONDITION = 501
"""What a server answers that does not know the condition of a request; S3 calls it NotImplemented."""

SAID = {
    "AccessDenied": "the account may not do that, or its key or this machine's clock is wrong",
    "InvalidAccessKeyId": "the server does not know the access key",
    "SignatureDoesNotMatch": "the secret key is wrong",
    "NoSuchBucket": "there is no such bucket; make it, or name another",
    "RequestTimeTooSkewed": "this machine's clock and the server's differ by more than 15 minutes; set the clock",
}
"""What an operator can do about the codes that setting up a store runs into."""


class LockMode(StrEnum):
    """Who may delete before the time: in governance whoever has the right to, in compliance nobody."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where the bucket is and how it is to be used.

    ``endpoint`` and ``public_endpoint`` are ``http(s)://host[:port]``; links are signed for the latter, which
    browsers reach. Files of more than ``parts_from_bytes`` are sent in parts, which S3 cannot do on condition: the
    lease's only writer looks first. ``lock`` asks for Object Lock for ``keep`` from the moment of writing, and for
    ``keep_confirmed`` from the moment at which a case is confirmed.
    """

    endpoint: str
    name: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    prefix: str = ""
    public_endpoint: str | None = None
    encrypted: bool = False
    lock: LockMode | None = None
    keep: timedelta = timedelta(days=0)
    keep_confirmed: timedelta = timedelta(days=0)
    parts_from_bytes: int = 64 * 1024 * 1024


class BucketObjects:
    """The objects of a bucket. ``now`` is the clock that requests are signed by.

    Methods raise StoreUnavailableError, StoreRefusedError, and ObjectMissingError where the object that they need is
    not there.
    """

    def __init__(
        self, bucket: Bucket, now: Callable[[], datetime], http: urllib3.PoolManager | None = None
    ) -> None:
        self.bucket, self._now = bucket, now
        self._http = http or urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S), retries=False, maxsize=4
        )
        self._client = _client(bucket, bucket.endpoint, self._http)
        self._public = _client(bucket, bucket.public_endpoint or bucket.endpoint, self._http)
        self._knows_condition = True

    def check(self) -> None:
        """The bucket is there, may be used, and locks where that is asked for."""
        with self._translated("the bucket"):  # a list, since the answer to a HEAD cannot say why it refuses
            next(iter(self._client.list_objects(self.bucket.name, self.bucket.prefix)), None)
        if self.bucket.lock is not None:
            try:
                with self._translated("the bucket's Object Lock"):
                    self._client.get_object_lock_config(self.bucket.name)
            except StoreRefusedError as exc:
                if exc.reason != "ObjectLockConfigurationNotFoundError":
                    raise
                why = "Object Lock is asked for and the bucket was made without it; make one with Object Lock"
                raise StoreRefusedError(self.where("the bucket"), exc.reason, why) from exc

    def where(self, what: str) -> str:
        """The bucket's address and what of it is meant, for errors."""
        return f"{self.bucket.endpoint}/{self.bucket.name}: {what}"

    def read(self, key: str) -> bytes:
        with self._translated(key):
            response = self._client.get_object(self.bucket.name, key)
            try:
                return response.read()
            finally:
                response.close()
                response.release_conn()

    def said_sha256(self, key: str) -> str | None:
        """What the object's writer said its SHA-256 is ("" where nothing was said); None where there is no object."""
        try:
            with self._translated(key):
                found = self._client.stat_object(self.bucket.name, key)
        except ObjectMissingError:
            return None
        return "" if found.metadata is None else str(found.metadata.get("x-amz-meta-sha256", ""))

    def keys(self, start: str) -> tuple[str, ...]:
        """The keys that begin so, sorted."""
        with self._translated("the list of objects"):
            found = self._client.list_objects(self.bucket.name, start, recursive=True)
            return tuple(sorted(str(each.object_name) for each in found))

    def put_once(self, key: str, data: bytes) -> bool:
        """The object holds the data; False where something else, or the same, was there before, which stays.

        One signed PUT on the condition that nothing is there: the SDK's own cannot carry the condition. A server that does
        not know it is asked first, by the camera's only writer, and what stands there afterwards is compared.
        """
        protection = self._protection(self._now() + self.bucket.keep)
        if self._knows_condition:
            status = self._put(key, data, {"If-None-Match": "*", **protection})
            if status != NO_CONDITION:
                return status != 412
            self._knows_condition = False
        if self.said_sha256(key) is not None:
            return False
        if self._put(key, data, protection) == NO_CONDITION:
            raise StoreRefusedError(self.where(key), "NotImplemented", "the server cannot store objects so")
        return self.read(key) == data

    def put_once_in_parts(self, key: str, path: Path) -> bool:
        """As ``put_once``, for a long file; looks first, since parts cannot be sent on condition."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if self.said_sha256(key) is not None:
            return False
        lock = self.bucket.lock
        until = self._now() + self.bucket.keep
        with self._translated(key):
            self._client.fput_object(
                self.bucket.name,
                key,
                str(path),
                content_type=_media_type(key),
                metadata={"sha256": sha256},
                sse=SseS3() if self.bucket.encrypted else None,
                retention=None if lock is None else Retention(lock.value, until),
            )
        return True

    def put(self, key: str, data: bytes, until: datetime | None = None) -> None:
        """The object holds the data, whatever it held before; where the bucket locks, nobody may delete it before ``until``."""
        if self._put(key, data, self._protection(until)) == NO_CONDITION:
            raise StoreRefusedError(self.where(key), "NotImplemented", "the server cannot store objects so")

    def remove(self, key: str) -> None:
        """Nobody finds the object any more; a versioned bucket keeps what it was."""
        with self._translated(key):
            self._client.remove_object(self.bucket.name, key)

    def remove_wholly(self, start: str, first: str) -> None:
        """All objects whose keys begin so are gone with all their versions, the one with the key ``first`` before the others."""
        with self._translated("the package"):
            versions = self._client.get_bucket_versioning(self.bucket.name).status == "Enabled"
            found = list(
                self._client.list_objects(self.bucket.name, start, recursive=True, include_version=versions)
            )
            for each in sorted(found, key=lambda item: str(item.object_name) != first):
                self._client.remove_object(self.bucket.name, str(each.object_name), each.version_id)

    def locked_until(self, key: str) -> datetime | None:
        """Until when nobody may delete the object; None where it has no lock."""
        with self._translated(key):
            found = self._client.get_object_retention(self.bucket.name, key)
        return None if found is None else found.retain_until_date

    def lock_until(self, key: str, until: datetime) -> None:
        """Nobody may delete the object before that time; a later time that it already has stays."""
        mode = self._lock_mode()
        present = self.locked_until(key)
        if present is None or present < until:
            with self._translated(key):
                self._client.set_object_retention(self.bucket.name, key, Retention(mode.value, until))

    def hold(self, key: str, *, is_held: bool) -> None:
        """The object's legal hold is set or lifted."""
        self._lock_mode()
        change = self._client.enable_object_legal_hold if is_held else self._client.disable_object_legal_hold
        with self._translated(key):
            change(self.bucket.name, key)

    def link(self, key: str, valid: timedelta) -> str:
        """A link to the object at the public endpoint that expires; nothing is asked of the server for it."""
        return self._public.presigned_get_object(
            self.bucket.name, key, expires=valid, request_date=self._now()
        )

    def _put(self, key: str, data: bytes, more: Mapping[str, str]) -> int:
        """One signed PUT; the status of the answer: below 300, 412 or ``NO_CONDITION``."""
        bucket, now = self.bucket, self._now()
        sha256 = hashlib.sha256(data).hexdigest()
        url = urlsplit(f"{bucket.endpoint}/{bucket.name}/{quote(key)}")
        headers: dict[str, str | list[str] | tuple[str]] = {
            "Host": url.netloc,
            "Content-Type": _media_type(key),
            "Content-MD5": b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode("ascii"),
            "x-amz-content-sha256": sha256,
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-meta-sha256": sha256,
            **more,
        }
        signed = sign_v4_s3(
            method="PUT",
            url=url,
            region=bucket.region,
            headers=headers,
            credentials=Credentials(bucket.access_key, bucket.secret_key),
            content_sha256=sha256,
            date=now,
        )
        sent = {field: str(value) for field, value in signed.items()}
        with self._translated(key):
            answer = self._http.request("PUT", url.geturl(), body=data, headers=sent)
        if answer.status < 300 or answer.status in (412, NO_CONDITION):
            return answer.status
        raise self._refused(key, answer.status, answer.data)

    def _protection(self, until: datetime | None) -> Mapping[str, str]:
        """The headers for encryption and lock of a new object."""
        headers = {}
        if self.bucket.encrypted:
            headers["x-amz-server-side-encryption"] = "AES256"
        if self.bucket.lock is not None and until is not None and until > self._now():
            headers["x-amz-object-lock-mode"] = self.bucket.lock.value
            headers["x-amz-object-lock-retain-until-date"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return headers

    def _lock_mode(self) -> LockMode:
        if self.bucket.lock is None:
            why = "the store is set up without Object Lock; ask for it in the settings"
            raise StoreRefusedError(self.where("the bucket"), "ObjectLockNotAsked", why)
        return self.bucket.lock

    def _refused(self, what: str, status: int, body: bytes) -> StoreRefusedError | StoreUnavailableError:
        text = body.decode("utf-8", "replace")
        code = text.partition("<Code>")[2].partition("</Code>")[0] or f"HTTP {status}"
        if code in BUSY or status >= 500 or status == 429:
            return StoreUnavailableError(self.where(what), code)
        return StoreRefusedError(self.where(what), code, SAID.get(code, "see the server's log"))

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Turns the SDK's errors into ours."""
        try:
            yield
        except S3Error as exc:
            code = exc.code or "unknown"
            if code in GONE:
                raise ObjectMissingError(self.where(what)) from exc
            if code in BUSY:
                raise StoreUnavailableError(self.where(what), code) from exc
            raise StoreRefusedError(self.where(what), code, SAID.get(code, "see the server's log")) from exc
        except (ServerError, InvalidResponseError, HTTPError) as exc:
            raise StoreUnavailableError(self.where(what), type(exc).__name__) from exc


def _media_type(key: str) -> str:
    return MEDIA_TYPES.get(PurePosixPath(key).suffix, "application/octet-stream")


def _client(bucket: Bucket, endpoint: str, http: urllib3.PoolManager) -> Minio:
    parts = urlsplit(endpoint)
    return Minio(
        parts.netloc,
        access_key=bucket.access_key,
        secret_key=bucket.secret_key,
        secure=parts.scheme == "https",
        region=bucket.region,
        http_client=http,
    )
