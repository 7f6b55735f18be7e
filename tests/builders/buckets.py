"""Buckets of the S3 server of the tests, and the environment by which the command finds one."""

from __future__ import annotations

import uuid
from typing import Protocol

from minio import Minio

from evidence.bucket import Bucket
from tests.s3_server import ACCESS_KEY, SECRET_KEY


class HasEndpoint(Protocol):
    """An S3 server, or what stands in front of one."""

    @property
    def endpoint(self) -> str: ...


def a_bucket(server: HasEndpoint, *, has_lock: bool = False) -> Bucket:
    """A new bucket of that server, which every test has for itself by a prefix (buckets are dear in SeaweedFS)."""
    name = "locked" if has_lock else "evidence"
    bucket = Bucket(
        endpoint=server.endpoint,
        name=name,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        prefix=f"{uuid.uuid4().hex}/",
    )
    client = sdk(bucket)
    if not client.bucket_exists(name):
        client.make_bucket(name, object_lock=has_lock)
    return bucket


def sdk(bucket: Bucket) -> Minio:
    """The SDK on that bucket's server, to look at what the store did."""
    return Minio(
        bucket.endpoint.removeprefix("http://"),
        access_key=bucket.access_key,
        secret_key=bucket.secret_key,
        secure=False,
        region=bucket.region,
    )


def objects(bucket: Bucket) -> dict[str, bytes]:
    """Every object below the bucket's prefix, by its name there."""
    client, found = sdk(bucket), {}
    for each in client.list_objects(bucket.name, bucket.prefix, recursive=True):
        name = str(each.object_name)
        with client.get_object(bucket.name, name) as answer:
            found[name.removeprefix(bucket.prefix)] = answer.read()
    return found


def settings_of(bucket: Bucket) -> dict[str, str]:
    """The environment that names the bucket."""
    return {
        "STOPLINE_STORE": f"s3://{bucket.name}/{bucket.prefix}",
        "STOPLINE_STORE_ENDPOINT": bucket.endpoint,
        "STOPLINE_STORE_ACCESS_KEY": bucket.access_key,
        "STOPLINE_STORE_SECRET_KEY": bucket.secret_key,
    }
