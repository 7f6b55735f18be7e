"""The register: an entry for each site, photos of signs, and findings that accuse nobody where it is lacking."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from api.records import audit
from api.register_document import RegisterDocument
from api.work.case_errors import ConfirmBar, ConfirmRefusedError
from api.work.configuration import Configuration
from api.work.register import Register
from api.work.sign_photo import MOST_BYTES, sign_photo
from api.work.site_errors import (
    PhotoRefusedError,
    RegisterChangedError,
    SignUnknownError,
    SiteUnknownError,
)
from api.work.trial import Trial, is_trial, trials
from evidence.database import Database
from evidence.picture import from_file
from evidence.records import CaseRecord, Decision
from rules.finding import Rule
from tests.api.work.test_casework import LI, REJECT, Office
from tests.builders.sites import NOON, a_configuration, engineer
from tests.evidence.test_records_sql import RECORD

WU = engineer("Wu")
KERB = replace(RECORD, id="p1", rule=Rule.NO_PARKING, place_id="kerb", manifest_sha256="cd" * 32)
DOCUMENT: dict[str, Any] = {
    "kind": "junction",
    "name": "A crossing",
    "area": "Old town",
    "published_on": "2026-01-10",
    "sections": [
        {
            "id": "north",
            "kind": "approach",
            "name": "From the north",
            "direction": "s",
            "place_ids": ["line"],
        },
        {"id": "kerb", "kind": "no_parking", "name": "Before the school", "place_ids": ["kerb"]},
    ],
    "signs": [
        {"id": "s1", "kind": "no_parking_sign", "section_id": "kerb", "set_on": "2026-01-05", "hours": "7-19"}
    ],
}


def document(**changes: object) -> RegisterDocument:
    return RegisterDocument.model_validate({**DOCUMENT, **changes})


@pytest.fixture
def configuration(database: Database, tmp_path: Path) -> Configuration:
    made = a_configuration(database, tmp_path / "sites")
    made.add(WU, RECORD.site_id, "A crossing")
    return made


@pytest.fixture
def register(database: Database, configuration: Configuration, tmp_path: Path) -> Register:
    return Register(database, lambda: NOON, tmp_path / "register")


def why(database: Database, record: CaseRecord, now: datetime = NOON) -> Trial | None:
    with database.read() as tx:
        found = trials(tx, (record,), now)[record.id]
        assert is_trial(tx, record, now) == (found is not None)
    return found


def at(record: CaseRecord, text: str) -> CaseRecord:
    return replace(
        record, captured_at=datetime.fromisoformat(text).astimezone(UTC), time_zone="Asia/Shanghai"
    )


def test_an_entry_is_written_from_the_version_that_was_read(register: Register, database: Database) -> None:
    assert register.look(WU, RECORD.site_id).document is None
    made = register.put(WU, RECORD.site_id, document(), looked_at=0)
    assert (made.version, made.document) == (1, document())
    for stale in (0, 2):
        with pytest.raises(RegisterChangedError) as caught:
            register.put(WU, RECORD.site_id, document(name="Mine"), looked_at=stale)
        assert caught.value.headers == {"ETag": '"v1"'}
    assert register.put(WU, RECORD.site_id, document(name="Ours"), looked_at=1).version == 2
    with pytest.raises(SiteUnknownError):
        register.put(WU, "elsewhere", document(), looked_at=0)
    with database.read() as tx:
        told = [line.line for line in audit.lines(tx)]
    assert ['"register.changed"' in line for line in told] == [False, True, True]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sections": [*DOCUMENT["sections"], DOCUMENT["sections"][0]]}, "given twice"),
        ({"sections": []}, "no section 'kerb'"),
        ({"signs": [{**DOCUMENT["signs"][0], "removed_on": "2026-01-05"}]}, "must lie after"),
        ({"published_on": "yesterday"}, "published_on"),
        ({"latitude": 91}, "latitude"),
        ({"latitude": float("nan")}, "latitude"),
        ({"name": "a\x00b"}, "name"),
        ({"more": 1}, "more"),
    ],
)
def test_entries_that_say_nothing_sound(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        document(**changes)


def test_the_public_reads_what_is_announced_by_today(
    register: Register, configuration: Configuration
) -> None:
    for site_id, published_on in (("a", "2026-03-02"), ("b", "2026-03-03"), ("c", None), ("d", "2020-01-01")):
        configuration.add(WU, site_id, site_id)
        register.put(WU, site_id, document(published_on=published_on), looked_at=0)
    assert [one.site_id for one in register.public(after_id="", limit=9)] == ["a", "d"]
    assert [one.site_id for one in register.public(after_id="a", limit=1)] == ["d"]


def test_without_a_register_nothing_is_on_trial(database: Database) -> None:
    assert why(database, RECORD) is None


def test_what_was_not_announced_then_is_on_trial(register: Register, database: Database) -> None:
    assert why(database, RECORD) is Trial.UNPUBLISHED, "the site has no entry"
    assert why(database, replace(RECORD, site_id="stray")) is Trial.UNPUBLISHED
    register.put(WU, RECORD.site_id, document(published_on=None), looked_at=0)
    assert why(database, RECORD) is Trial.UNPUBLISHED
    register.put(WU, RECORD.site_id, document(), looked_at=1)
    assert why(database, at(RECORD, "2026-01-09T23:59:59+08:00")) is Trial.UNPUBLISHED
    assert why(database, at(RECORD, "2026-01-10T00:00:00+08:00")) is None
    undated = replace(RECORD, captured_at=None)
    assert why(database, undated, datetime(2026, 1, 9, 15, 59, tzinfo=UTC)) is Trial.UNPUBLISHED
    assert why(database, undated, datetime(2026, 1, 9, 16, 0, tzinfo=UTC)) is None


def test_a_zone_without_a_sign_is_on_trial_and_a_stop_line_needs_none(
    register: Register, database: Database
) -> None:
    sign = DOCUMENT["signs"][0]
    then = at(KERB, "2026-02-01T12:00:00+08:00")
    register.put(WU, RECORD.site_id, document(signs=[]), looked_at=0)
    assert why(database, then) is Trial.NO_SIGN
    assert why(database, at(RECORD, "2026-02-01T12:00:00+08:00")) is None
    register.put(WU, RECORD.site_id, document(), looked_at=1)
    assert why(database, then) is None
    assert why(database, replace(then, place_id="other")) is Trial.NO_SIGN
    for version, changed in enumerate(
        (
            {**sign, "kind": "camera_notice"},
            {**sign, "section_id": "north"},
            {**sign, "set_on": "2026-02-02"},
            {**sign, "removed_on": "2026-02-01"},
        ),
        start=2,
    ):
        register.put(WU, RECORD.site_id, document(signs=[changed]), looked_at=version)
        assert why(database, then) is Trial.NO_SIGN, changed


def test_a_finding_on_trial_can_be_rejected_and_not_confirmed(register: Register, database: Database) -> None:
    office = Office(database, [RECORD])
    with pytest.raises(ConfirmRefusedError) as caught:
        office.decide(LI)
    assert caught.value.bar is ConfirmBar.TRIAL
    assert office.case().decision is Decision.OPEN
    assert office.decide(LI, REJECT).decision is Decision.REJECTED


def test_once_it_is_announced_it_can_be_confirmed(register: Register, database: Database) -> None:
    published_on = date(2020, 1, 1).isoformat()
    register.put(WU, RECORD.site_id, document(published_on=published_on), looked_at=0)
    assert Office(database, [RECORD]).decide(LI).decision is Decision.CONFIRMED


def picture(width: int, height: int, suffix: str = ".jpg") -> bytes:
    pixels = np.full((height, width, 3), (0, 0, 200), np.uint8)
    return bytes(cv2.imencode(suffix, pixels)[1].tobytes())


def png_that_says(width: int, height: int) -> bytes:
    """A few bytes that a decoder is to make so many pixels of."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\x00" * 1000)
    chunks = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (head, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_a_photo_is_kept_without_what_else_its_file_tells(register: Register, tmp_path: Path) -> None:
    register.put(WU, RECORD.site_id, document(), looked_at=0)
    plain = picture(3000, 1500)
    exif = b"Exif\x00\x00GPS 30.25 N, taken by Wu"
    told = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    sha256 = register.put_photo(WU, RECORD.site_id, "s1", told)
    kept = register.photo(WU, RECORD.site_id, "s1")
    assert b"GPS" not in kept
    assert from_file(kept).shape == (1024, 2048, 3)
    assert [path.name for path in (tmp_path / "register").iterdir()] == [f"{sha256}.jpg"]
    assert register.look(WU, RECORD.site_id).photographed == {"s1"}
    register.put_photo(WU, RECORD.site_id, "s1", picture(40, 30, ".png"))
    assert from_file(register.photo(WU, RECORD.site_id, "s1")).shape == (30, 40, 3)
    for unknown in ("s2", "../../etc/passwd"):
        with pytest.raises(SignUnknownError):
            register.put_photo(WU, RECORD.site_id, unknown, plain)
        with pytest.raises(SignUnknownError):
            register.photo(WU, RECORD.site_id, unknown)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(100),
        picture(40, 30)[:100],
        b"\xff\xd8\xff" + bytes(200),
        b"\xff\xd8\xff\xff" * 100,
        png_that_says(60_000, 60_000),
        png_that_says(0, 10),
        png_that_says(100, 100),
        bytes(MOST_BYTES + 1),
    ],
    ids=[
        "nothing",
        "svg",
        "gif",
        "cut off",
        "no jpeg",
        "fill bytes",
        "a bomb",
        "no width",
        "cut png",
        "too long",
    ],
)
def test_photos_that_are_not_kept(data: bytes) -> None:
    with pytest.raises(PhotoRefusedError):
        sign_photo(data)
