"""The settings that say where evidence packages go: a folder, or a bucket of an S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from api.errors import ConfigInvalidError, Problem
from evidence.budget import Budget

if TYPE_CHECKING:  # only who uses a bucket loads what speaks to one
    from evidence.bucket import Bucket

PREFIX = "STOPLINE_"
SCHEME = "s3://"


class StoreSettings(BaseModel):
    """Where packages go. Nothing set: below ``evidence/`` in the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store: str | None = Field(
        default=None,
        description="s3://BUCKET or s3://BUCKET/PREFIX: where packages go. Default none: into the data folder, below "
        "evidence/, which needs nothing else.",
    )
    store_endpoint: str | None = Field(
        default=None,
        description="Address of the S3 server, http(s)://HOST[:PORT]. Default none: there is no server that everybody has.",
    )
    store_public_endpoint: str | None = Field(
        default=None,
        description="Address at which people's browsers reach that server: links are signed for it. Default none: the "
        "one that Stopline itself uses.",
    )
    store_region: str = Field(
        default="us-east-1",
        description="Region that requests are signed for. Default us-east-1: what servers of one's own take.",
    )
    store_access_key: SecretStr | None = Field(
        default=None,
        description="Access key of the account at the S3 server. Default none: it comes with the account.",
    )
    store_secret_key: SecretStr | None = Field(
        default=None, description="Secret key of that account. Default none: see store_secret_key_file."
    )
    store_secret_key_file: Path | None = Field(
        default=None,
        description="File that holds the secret key and nothing else. Default none: see store_secret_key; a file is better "
        "than an environment, which other programs may read.",
    )
    store_encrypted: bool = Field(
        default=False,
        description="Whether the server is to encrypt each object with its own key (SSE-S3; true or false). Default "
        "false: not every server has a key for it.",
    )
    store_lock: str | None = Field(
        default=None,
        pattern="^(governance|compliance)$",
        description="Object Lock that the bucket must have and every object gets: governance (whoever has the right "
        "may delete) or compliance (nobody may). Default none: most buckets have no lock.",
    )
    store_lock_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="Days for which a new package is locked, where store_lock is set. Default 90: a review and its "
        "appeal should be over by then.",
    )
    store_lock_confirmed_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="Days from its confirmation for which a confirmed case is locked, never less than before; at most the "
        "site's retention.confirmed.at_most_days, or nobody can delete it in time. Default none: as many as store_lock_days.",
    )

    spool_mb: int = Field(
        default=2000,
        ge=1,
        description="Megabytes of sealed packages that may wait in the spool for a store or records that are away. "
        "Default 2000: a busy camera's night, and a disk has that much.",
    )
    memory_mb: int = Field(
        default=256,
        ge=1,
        description="Megabytes of evidence of a live camera that memory holds while the disk is full. Default 256: as "
        "much as its footage may take.",
    )

    def budget(self) -> Budget:
        """What may wait while the store, the records or the disk are away."""
        return Budget(spool_bytes=self.spool_mb * 1_000_000, memory_bytes=self.memory_mb * 1_000_000)

    def bucket(self) -> Bucket | None:
        """The bucket that these settings name; None where packages go into the data folder.

        Raises ConfigInvalidError that names every setting that is missing or cannot be used; no secret is in its text.
        """
        problems = list(self._problems())
        secret = None if problems or self.store is None else self._secret(problems)
        if problems:
            raise ConfigInvalidError(problems)
        if self.store is None:
            return None
        from evidence.bucket import Bucket, LockMode

        name, _, prefix = self.store.removeprefix(SCHEME).partition("/")
        prefix = prefix.strip("/")
        assert self.store_endpoint is not None and self.store_access_key is not None and secret is not None
        return Bucket(
            endpoint=self.store_endpoint.rstrip("/"),
            name=name,
            access_key=self.store_access_key.get_secret_value(),
            secret_key=secret,
            region=self.store_region,
            prefix=f"{prefix}/" if prefix else "",
            public_endpoint=None
            if self.store_public_endpoint is None
            else self.store_public_endpoint.rstrip("/"),
            encrypted=self.store_encrypted,
            lock=None if self.store_lock is None else LockMode(self.store_lock.upper()),
            keep=timedelta(days=self.store_lock_days),
            keep_confirmed=timedelta(
                days=self.store_lock_days
                if self.store_lock_confirmed_days is None
                else self.store_lock_confirmed_days
            ),
        )

    def _problems(self) -> Iterator[Problem]:
        if self.store is None:
            for name in ("store_endpoint", "store_access_key", "store_secret_key", "store_secret_key_file"):
                if getattr(self, name) is not None:
                    yield _problem(
                        name, "is set and STOPLINE_STORE is not; set that to s3://BUCKET, or unset this"
                    )
            return
        if not self.store.startswith(SCHEME) or not self.store.removeprefix(SCHEME).strip("/"):
            yield _problem("store", f"{self.store!r}: write it like s3://BUCKET or s3://BUCKET/PREFIX")
        if self.store_endpoint is None:
            yield _problem(
                "store_endpoint", "is missing; set it to the S3 server's address, like https://HOST:PORT"
            )
        for name in ("store_endpoint", "store_public_endpoint"):
            address = getattr(self, name)
            parts = urlsplit(address or "")
            if parts.username is not None or parts.password is not None:
                yield _problem(
                    name,
                    "holds an account; keys belong into STOPLINE_STORE_ACCESS_KEY and STOPLINE_STORE_SECRET_KEY_FILE",
                )
            elif address and (
                parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/")
            ):
                yield _problem(name, f"{address!r}: write it like https://HOST:PORT, without a path")
        if self.store_access_key is None:
            yield _problem("store_access_key", "is missing; set it to the account's access key")
        if self.store_secret_key is None and self.store_secret_key_file is None:
            yield _problem(
                "store_secret_key_file", "is missing; name the file that holds the account's secret key"
            )
        if self.store_secret_key is not None and self.store_secret_key_file is not None:
            yield _problem("store_secret_key_file", "STOPLINE_STORE_SECRET_KEY is set too; set one of them")

    def _secret(self, problems: list[Problem]) -> str | None:
        if self.store_secret_key is not None:
            return self.store_secret_key.get_secret_value()
        path = self.store_secret_key_file
        assert path is not None
        try:
            text = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
            problems.append(_problem("store_secret_key_file", f"{path}: {reason}"))
            return None
        if not text:
            problems.append(
                _problem("store_secret_key_file", f"{path}: is empty; it should hold the secret key")
            )
        return text


def _problem(field: str, message: str) -> Problem:
    return Problem(file="environment", line=None, field=PREFIX + field.upper(), message=message)
