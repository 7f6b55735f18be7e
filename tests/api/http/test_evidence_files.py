"""Pictures, clip, trace and manifest: sealed bytes, ranges, caching, and a store that lost or changed a file."""

from __future__ import annotations

import hashlib
import sqlite3
from urllib.parse import quote

import pytest

from evidence.manifest import SealedFile, manifest_bytes
from tests.api.http.conftest import HELD, PARKED, RED, Served, assert_problem

PICTURE = f"violations/{RED}/pictures/scene-1.jpg"
CLIP = f"violations/{RED}/clip"


def sealed(served: Served, name: str) -> bytes:
    return (served.folder / "evidence" / RED / name).read_bytes()


@pytest.mark.parametrize(
    ("path", "name", "media_type"),
    [
        ("pictures/scene-1.jpg", "scene-1.jpg", "image/jpeg"),
        ("pictures/plate.jpg", "plate.jpg", "image/jpeg"),
        ("clip", "clip.mp4", "video/mp4"),
        ("trace", "trace.json", "application/json"),
        ("manifest", "manifest.json", "application/json"),
    ],
)
def test_a_file_is_sent_byte_for_byte_with_its_hash_as_etag(
    served: Served, path: str, name: str, media_type: str
) -> None:
    response = served.get(f"violations/{RED}/{path}")
    content = sealed(served, name)
    assert response.status_code == 200
    assert response.content == content
    assert response.headers["content-type"] == media_type
    assert response.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert response.headers["accept-ranges"] == "bytes"


def test_an_address_with_the_hash_may_be_kept_for_ever_and_any_other_is_asked_for_again(
    served: Served,
) -> None:
    picture = served.get(f"violations/{RED}").json()["pictures"][0]
    kept = served.client.get(picture["url"])
    assert kept.headers["cache-control"] == "private, max-age=31536000, immutable"
    for address in (PICTURE, f"{PICTURE}?v={'0' * 64}"):
        assert served.get(address).headers["cache-control"] == "private, no-cache"


def test_who_has_it_already_gets_304(served: Served) -> None:
    etag = served.get(PICTURE).headers["etag"]
    for known in (etag, f'"other", W/{etag}', "*"):
        response = served.get(PICTURE, **{"if-none-match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == etag
    assert served.get(PICTURE, **{"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, None),
        ("bytes=100-199", 100, 199),
        ("bytes=100-99999999", 100, None),
        ("bytes=-50", -50, None),
    ],
)
def test_a_range_gets_its_part(served: Served, asked: str, first: int, last: int | None) -> None:
    content = sealed(served, "clip.mp4")
    response = served.get(CLIP, range=asked)
    part = content[first:] if last is None else content[first : last + 1]
    assert response.status_code == 206
    assert response.content == part
    start = first % len(content)
    assert response.headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{len(content)}"
    assert response.headers["content-length"] == str(len(part))


@pytest.mark.parametrize("beyond", [0, 1, 10**25])
@pytest.mark.parametrize("path", [CLIP, PICTURE])
def test_a_range_beyond_the_end_is_refused_with_the_size(served: Served, path: str, beyond: int) -> None:
    size = len(served.get(path).content)
    response = served.get(path, range=f"bytes={size + beyond}-")
    assert_problem(response, 416, "range_unsatisfiable", f"has {size} bytes")
    assert response.headers["content-range"] == f"bytes */{size}"


def test_the_last_no_bytes_are_no_range(served: Served) -> None:
    assert_problem(served.get(CLIP, range="bytes=-0"), 416, "range_unsatisfiable")


@pytest.mark.parametrize(
    "asked",
    ["bytes=9-5", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=", "bytes=٣-", "bytes=-" + "9" * 5000],
)
def test_a_range_that_makes_no_sense_is_ignored(served: Served, asked: str) -> None:
    response = served.client.get(f"/api/v1/{CLIP}", headers={b"range": asked.encode()})
    assert response.status_code == 200
    assert response.content == sealed(served, "clip.mp4")


def test_if_range_of_another_version_gets_all(served: Served) -> None:
    etag = served.get(CLIP).headers["etag"]
    assert served.get(CLIP, range="bytes=0-9", **{"if-range": etag}).status_code == 206
    assert served.get(CLIP, range="bytes=0-9", **{"if-range": '"old"'}).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "nothing.jpg",
        "trace.json",
        "manifest.json",
        "clip.mp4",
        "%2e%2e%2f",
        "..%2f..%2frecords.sqlite",
        "..%2F" + PARKED + "%2Fscene-1.jpg",
        "%2Fetc%2Fpasswd",
        "%2e%2e%5c..%5crecords.sqlite",
        "scene-1.jpg%00",
        "scene-1.jpg%2f",
        ".%2Fscene-1.jpg",
        "SCENE-1.JPG",
    ],
)
def test_only_pictures_that_the_manifest_lists_are_sent(served: Served, name: str) -> None:
    response = served.get(f"violations/{RED}/pictures/{name}")
    problem = response.json()
    assert response.status_code == 404
    assert problem["code"] in ("file_unknown", "not_found")


def test_a_picture_beside_the_listed_ones_is_not_sent(served: Served) -> None:
    (served.folder / "evidence" / RED / "extra.jpg").write_bytes(b"not sealed")
    assert_problem(served.get(f"violations/{RED}/pictures/extra.jpg"), 404, "file_unknown")


def reseal(served: Served, manifest: bytes) -> None:
    """The case has another manifest, and the record agrees: as somebody with both in hand would leave them."""
    (served.folder / "evidence" / RED / "manifest.json").write_bytes(manifest)
    connection = sqlite3.connect(served.folder / "records.sqlite")
    sha256 = hashlib.sha256(manifest).hexdigest()
    connection.execute("UPDATE cases SET manifest_sha256 = ? WHERE id = ?", (sha256, RED))
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "name", ["../../secret.jpg", "/secret.jpg", "a/b.jpg", "../" + PARKED + "/scene-1.jpg"]
)
def test_a_manifest_that_names_a_file_outside_leads_nowhere(served: Served, name: str) -> None:
    (served.folder / "secret.jpg").write_bytes(b"secret")
    listed = SealedFile(name=name, sha256=hashlib.sha256(b"secret").hexdigest(), size=6)
    reseal(served, manifest_bytes({}, (listed,), ()))
    assert served.get(f"violations/{RED}/pictures/{quote(name, safe='')}").status_code == 404
    assert served.get(f"violations/{RED}").json()["missing"] == [name, "manifest.sig"]


@pytest.mark.parametrize("manifest", [b"{", b"[]", b'{"files": 3}', b'{"files": [{"name": "x"}]}'])
def test_a_sealed_manifest_that_is_none_is_said(served: Served, manifest: bytes) -> None:
    reseal(served, manifest)
    assert_problem(served.get(PICTURE), 409, "evidence_damaged", "no manifest")


def test_a_lost_file_is_named(served: Served) -> None:
    for path, name in (
        (PICTURE, "scene-1.jpg"),
        (CLIP, "clip.mp4"),
        (f"violations/{RED}/trace", "trace.json"),
    ):
        served.lose(RED, name)
        assert_problem(served.get(path), 404, "evidence_missing", name, RED)
    served.lose(RED, "manifest.json")
    assert_problem(served.get(f"violations/{RED}/manifest"), 404, "evidence_missing", "manifest.json")


def test_an_altered_file_is_not_shown(served: Served) -> None:
    for path, name in ((PICTURE, "scene-1.jpg"), (CLIP, "clip.mp4")):
        whole = served.folder / "evidence" / RED / name
        content = bytearray(whole.read_bytes())
        content[len(content) // 2] ^= 1
        whole.write_bytes(content)
        assert_problem(served.get(path), 409, "evidence_damaged", name)
    (served.folder / "evidence" / RED / "manifest.json").write_bytes(b"{}")
    assert_problem(served.get(f"violations/{RED}/manifest"), 409, "evidence_damaged")


@pytest.mark.parametrize("path", ["", "/pictures/scene-1.jpg", "/clip", "/trace", "/manifest"])
def test_an_unknown_case_is_said(served: Served, path: str) -> None:
    assert_problem(served.get(f"violations/nobody{path}"), 404, "case_unknown", "nobody")


def test_files_of_another_case_are_its_own(served: Served) -> None:
    assert served.get(f"violations/{HELD}/pictures/scene-1.jpg").status_code == 200
    assert_problem(served.get(f"violations/{PARKED}/pictures/lamp.jpg"), 404, "file_unknown")
