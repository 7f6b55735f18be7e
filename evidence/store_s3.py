"""The store that is a bucket of an S3 server: ``<prefix>evidence/<id>/<file>``, each object written once."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, urlsplit

import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.error import InvalidResponseError, S3Error, ServerError
from minio.retention import Retention
from minio.signer import sign_v4_s3
from minio.sse import SseS3
from urllib3.exceptions import HTTPError

from evidence import manifest
from evidence.durable import Disk
from evidence.errors import (
    PackageMissingError,
    StoreConflictError,
    StoreRefusedError,
    StoreUnavailableError,
)
from evidence.spool import CaseIdError, checked

FOLDER = "evidence"
CONNECT_S, READ_S = 3.0, 30.0
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".sig": "application/octet-stream",
}
GONE = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchObject"})
BUSY = frozenset({"InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "OperationAborted"})
SAID = {
    "AccessDenied": "the account may not do that, or its key is wrong",
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
    lease's only writer looks first. ``lock`` asks for Object Lock for ``keep`` from the moment of writing.
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
    parts_from_bytes: int = 64 * 1024 * 1024


class S3Store:
    """A PackageStore in a bucket. ``now`` is the clock that requests are signed by."""

    def __init__(
        self, bucket: Bucket, now: Callable[[], datetime], disk: Disk, http: urllib3.PoolManager | None = None
    ) -> None:
        self._bucket, self._now, self._disk = bucket, now, disk
        self._http = http or urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S), retries=False, maxsize=4
        )
        self._client = _client(bucket, bucket.endpoint, self._http)
        self._public = _client(bucket, bucket.public_endpoint or bucket.endpoint, self._http)

    def check(self) -> None:
        """The bucket is there, may be used, and locks where that is asked for.

        Raises StoreRefusedError and StoreUnavailableError.
        """
        with self._translated("the bucket"):
            if not self._client.bucket_exists(self._bucket.name):
                raise StoreRefusedError(self._where("the bucket"), "NoSuchBucket", SAID["NoSuchBucket"])
        if self._bucket.lock is not None:
            try:
                with self._translated("the bucket's Object Lock"):
                    self._client.get_object_lock_config(self._bucket.name)
            except StoreRefusedError as exc:
                if exc.reason != "ObjectLockConfigurationNotFoundError":
                    raise
                why = "Object Lock is asked for and the bucket was made without it; make one with Object Lock"
                raise StoreRefusedError(self._where("the bucket"), exc.reason, why) from exc

    def has(self, case_id: str) -> bool:
        return self._sha256_of(self._key(case_id, manifest.NAME)) is not None

    def put(self, case_id: str, folder: Path) -> None:
        """As PackageStore promises; the manifest is sent last.

        Raises StoreConflictError where an object of the same name has other content, StoreUnavailableError and
        StoreRefusedError.
        """
        ours = hashlib.sha256(self._disk.read(folder / manifest.NAME)).hexdigest()
        if self._sha256_of(self._key(case_id, manifest.NAME)) == ours:
            return
        present = self.names(case_id)
        names = sorted(path.name for path in folder.iterdir() if path.name != manifest.NAME)
        for name in (*names, manifest.NAME):
            path = folder / name
            if name in present:  # a server that ignores the condition would write over it
                with path.open("rb") as file:
                    self._require_same(case_id, name, hashlib.file_digest(file, "sha256").hexdigest())
            elif path.stat().st_size > self._bucket.parts_from_bytes:
                self._send_in_parts(case_id, path)
            else:
                self._send(case_id, name, self._disk.read(path))

    def read(self, case_id: str, name: str) -> bytes:
        if name != Path(name).name:
            raise PackageMissingError(case_id, name)
        try:
            with self._translated(name):
                response = self._client.get_object(self._bucket.name, self._key(case_id, name))
                try:
                    return response.read()
                finally:
                    response.close()
                    response.release_conn()
        except KeyError as exc:
            raise PackageMissingError(case_id, name) from exc

    def names(self, case_id: str) -> tuple[str, ...]:
        return tuple(sorted(self._listed(checked(case_id))[case_id]))

    def path_of(self, case_id: str) -> str:
        return f"{FOLDER}/{checked(case_id)}"

    def ids(self) -> tuple[str, ...]:
        return tuple(sorted(case_id for case_id, names in self._listed().items() if manifest.NAME in names))

    def unfinished(self) -> tuple[str, ...]:
        """The packages whose manifest never arrived; a sealed spool entry sends them again."""
        return tuple(
            sorted(case_id for case_id, names in self._listed().items() if manifest.NAME not in names)
        )

    def clear_scratch(self) -> tuple[str, ...]:
        removed = []
        for case_id in self.unfinished():
            try:
                self.remove(case_id)
            except CaseIdError:
                continue  # somebody else's
            except StoreRefusedError:
                continue  # its lock runs out one day, and nobody lists it until then
            removed.append(case_id)
        return tuple(removed)

    def remove(self, case_id: str) -> None:
        """The package is gone with all versions of its objects, the manifest first: without it the rest does not exist.

        Raises StoreRefusedError where a lock or a hold protects it.
        """
        start = self._key(case_id, "")
        with self._translated("the package"):
            found = list(
                self._client.list_objects(
                    self._bucket.name, start, recursive=True, include_version=self._is_versioned()
                )
            )
            for each in sorted(
                found, key=lambda item: not str(item.object_name).endswith(f"/{manifest.NAME}")
            ):
                self._client.remove_object(self._bucket.name, str(each.object_name), each.version_id)

    def keep_until(self, case_id: str, until: datetime) -> None:
        """Nobody may delete the package before that time; a later time that it already has stays. Needs ``lock``."""
        mode = self._lock_mode()
        for name in sorted(self._listed(case_id)[case_id]):
            key = self._key(case_id, name)
            with self._translated(name):
                present = self._client.get_object_retention(self._bucket.name, key)
                if present is None or present.retain_until_date < until:
                    self._client.set_object_retention(self._bucket.name, key, Retention(mode.value, until))

    def hold(self, case_id: str, *, is_held: bool) -> None:
        """The legal hold of every file of the package is set or lifted. Needs ``lock``."""
        self._lock_mode()
        change = self._client.enable_object_legal_hold if is_held else self._client.disable_object_legal_hold
        for name in sorted(self._listed(case_id)[case_id]):
            with self._translated(name):
                change(self._bucket.name, self._key(case_id, name))

    def link(self, case_id: str, name: str, valid: timedelta) -> str:
        """A link to the file at the public endpoint that expires; nothing is asked of the server for it."""
        return self._public.presigned_get_object(
            self._bucket.name, self._key(case_id, name), expires=valid, request_date=self._now()
        )

    def _send(self, case_id: str, name: str, data: bytes) -> None:
        """One signed PUT, on the condition that nothing is there: the SDK's own cannot carry the condition."""
        sha256 = hashlib.sha256(data).hexdigest()
        now = self._now()
        key = self._key(case_id, name)
        url = urlsplit(f"{self._bucket.endpoint}/{self._bucket.name}/{quote(key)}")
        headers: dict[str, str | list[str] | tuple[str]] = {
            "Host": url.netloc,
            "Content-Type": MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream"),
            "Content-MD5": b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode("ascii"),
            "If-None-Match": "*",
            "x-amz-content-sha256": sha256,
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-meta-sha256": sha256,
            **self._protection(now),
        }
        account = Credentials(self._bucket.access_key, self._bucket.secret_key)
        signed = sign_v4_s3(
            method="PUT",
            url=url,
            region=self._bucket.region,
            headers=headers,
            credentials=account,
            content_sha256=sha256,
            date=now,
        )
        sent = {field: str(value) for field, value in signed.items()}
        with self._translated(name):
            answer = self._http.request("PUT", url.geturl(), body=data, headers=sent)
        if answer.status == 412:
            self._require_same(case_id, name, sha256)
        elif answer.status >= 300:
            raise self._refused(name, answer.status, answer.data)

    def _send_in_parts(self, case_id: str, path: Path) -> None:
        key = self._key(case_id, path.name)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if self._sha256_of(key) is not None:
            self._require_same(case_id, path.name, sha256)
            return
        retention = None
        if self._bucket.lock is not None:
            retention = Retention(self._bucket.lock.value, self._now() + self._bucket.keep)
        with self._translated(path.name):
            self._client.fput_object(
                self._bucket.name,
                key,
                str(path),
                content_type=MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
                metadata={"sha256": sha256},
                sse=SseS3() if self._bucket.encrypted else None,
                retention=retention,
            )

    def _require_same(self, case_id: str, name: str, ours: str) -> None:
        """What stands there was read and has our content. Raises StoreConflictError."""
        theirs = hashlib.sha256(self.read(case_id, name)).hexdigest()
        if theirs != ours:
            raise StoreConflictError(case_id, name, ours, theirs)

    def _sha256_of(self, key: str) -> str | None:
        """What the object's writer said its SHA-256 is ("" where nothing was said); None where there is no object."""
        try:
            with self._translated(key):
                found = self._client.stat_object(self._bucket.name, key)
        except KeyError:
            return None
        return "" if found.metadata is None else str(found.metadata.get("x-amz-meta-sha256", ""))

    def _listed(self, case_id: str | None = None) -> dict[str, set[str]]:
        """The names of the objects by case."""
        start = f"{self._bucket.prefix}{FOLDER}/" if case_id is None else self._key(case_id, "")
        found: dict[str, set[str]] = {} if case_id is None else {case_id: set()}
        with self._translated("the list of objects"):
            for each in self._client.list_objects(self._bucket.name, start, recursive=True):
                case, _, name = (
                    str(each.object_name).removeprefix(f"{self._bucket.prefix}{FOLDER}/").partition("/")
                )
                found.setdefault(case, set()).add(name)
        return found

    def _is_versioned(self) -> bool:
        return self._client.get_bucket_versioning(self._bucket.name).status == "Enabled"

    def _protection(self, now: datetime) -> Mapping[str, str]:
        """The headers for encryption and lock of a new object."""
        headers = {}
        if self._bucket.encrypted:
            headers["x-amz-server-side-encryption"] = "AES256"
        if self._bucket.lock is not None:
            headers["x-amz-object-lock-mode"] = self._bucket.lock.value
            until = now + self._bucket.keep
            headers["x-amz-object-lock-retain-until-date"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        return headers

    def _lock_mode(self) -> LockMode:
        if self._bucket.lock is None:
            why = "the store is set up without Object Lock; ask for it in the settings"
            raise StoreRefusedError(self._where("the bucket"), "ObjectLockNotAsked", why)
        return self._bucket.lock

    def _key(self, case_id: str, name: str) -> str:
        return f"{self._bucket.prefix}{FOLDER}/{checked(case_id)}/{name}"

    def _where(self, what: str) -> str:
        return f"{self._bucket.endpoint}/{self._bucket.name}: {what}"

    def _refused(self, what: str, status: int, body: bytes) -> StoreRefusedError | StoreUnavailableError:
        text = body.decode("utf-8", "replace")
        code = text.partition("<Code>")[2].partition("</Code>")[0] or f"HTTP {status}"
        if code in BUSY or status >= 500 or status == 429:
            return StoreUnavailableError(self._where(what), code)
        return StoreRefusedError(self._where(what), code, SAID.get(code, "see the server's log"))

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Turns the SDK's errors into ours; KeyError stands for an object that is not there."""
        try:
            yield
        except S3Error as exc:
            code = exc.code or "unknown"
            if code in GONE:
                raise KeyError(what) from exc
            if code in BUSY:
                raise StoreUnavailableError(self._where(what), code) from exc
            raise StoreRefusedError(self._where(what), code, SAID.get(code, "see the server's log")) from exc
        except (ServerError, InvalidResponseError, HTTPError) as exc:
            raise StoreUnavailableError(self._where(what), type(exc).__name__) from exc


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
