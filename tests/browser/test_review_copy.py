"""A case filmed in H.265: the page plays its H.264 copy, says so, and offers the original, which stays as it was."""

from __future__ import annotations

import hashlib
from contextlib import closing
from io import BytesIO
from pathlib import Path

import av
import pytest
from playwright.sync_api import Browser, expect

from api.work.review_copy import Copied, copy_clips
from evidence.derived import FOLDER, LIST
from evidence.durable import Disk
from evidence.playback import shown_frames
from evidence.records_sql import SqlRecords
from evidence.review_copy import NAME
from evidence.store_local import LocalStore
from evidence.verification import State, Trust
from evidence.verify_folder import verify_data_folder
from tests.browser.conftest import DROVE, STOOD, build, serving
from tests.browser.test_review_page import until
from tests.builders.filmed import Filming, Street, number_in
from tests.builders.signing import Ticking, a_signer

SIZE_PX = (320, 180)
H265 = Filming(
    seconds=30.0,
    size_px=SIZE_PX,
    codec="libx265",
    options=(("preset", "ultrafast"), ("x265-params", "keyint=50:bframes=3:log-level=none")),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two cases filmed in H.265, copies made."""
    folder = build(tmp_path_factory.mktemp("h265"), Street(filming=H265, arrival_s=2.0))
    with closing(SqlRecords(folder / "records.sqlite")) as records:
        before = clips(folder)
        store = LocalStore(folder, Disk())
        made = list(copy_clips(folder, store, records, a_signer(), Ticking()))
        assert made == [Copied(case_id=case_id, why=None) for case_id in (DROVE, STOOD)]
        assert list(copy_clips(folder, store, records, a_signer(), Ticking())) == [], "once"
        assert clips(folder) == before, "the evidence stays as it was"
    return folder


def clips(folder: Path) -> dict[str, str]:
    return {
        case_id: hashlib.sha256((folder / "evidence" / case_id / "clip.mp4").read_bytes()).hexdigest()
        for case_id in (DROVE, STOOD)
    }


def shown(data: bytes) -> list[tuple[int, float]]:
    with av.open(BytesIO(data), "r") as film:
        frames = [(frame.to_ndarray(format="bgr24"), frame.time) for frame in shown_frames(film)]
    return [(number_in(picture, SIZE_PX), round(time or 0.0, 3)) for picture, time in frames]


@pytest.mark.parametrize("case_id", [DROVE, STOOD])
def test_the_copy_shows_each_picture_when_the_clip_does(data: Path, case_id: str) -> None:
    package = data / "evidence" / case_id
    copy = (package / FOLDER / NAME).read_bytes()
    original = shown((package / "clip.mp4").read_bytes())
    assert shown(copy) == original
    assert original == sorted(original), "in order also where parts are joined"
    with av.open(BytesIO(copy), "r") as film:
        assert film.streams.video[0].codec_context.name == "h264"
    assert copy.find(b"moov") < copy.find(b"mdat")
    found = verify_data_folder(data, Trust())
    assert found.count(State.FAILED) == 0
    assert any(check.subject == f"{FOLDER}/{NAME}" for part in found.parts for check in part.checks)


def test_the_page_plays_the_copy_and_offers_the_original(data: Path, browser: Browser) -> None:
    with serving(data) as desk:
        page = browser.new_page()
        try:
            page.goto(desk.link())
            page.wait_for_url(f"{desk.address}review")
            page.goto(f"{desk.address}review/{DROVE}")
            video = page.locator("video")
            expect(video).to_have_attribute(
                "src", f"/api/v1/violations/{DROVE}/clip/copy?v={copy_of(data, DROVE)}"
            )
            until(page, "document.querySelector('video').readyState >= 2")
            expect(page.get_by_text("The evidence is the original.")).to_be_visible()
            original = page.get_by_role("link", name="Open the original").get_attribute("href")
            assert original is not None
            answer = page.request.get(desk.address.rstrip("/") + original)
            assert hashlib.sha256(answer.body()).hexdigest() == clips(data)[DROVE]
            listing = data / "evidence" / DROVE / FOLDER / LIST
            was = listing.read_bytes()
            listing.write_bytes(was.replace(b'"size":', b'"size" :', 1))
            detail = page.request.get(f"{desk.address}api/v1/violations/{DROVE}").json()
            assert detail["clip"]["copy_url"] is None, "a copy whose list is not as signed is not shown"
            listing.write_bytes(was)
        finally:
            page.close()


def copy_of(data: Path, case_id: str) -> str:
    return hashlib.sha256((data / "evidence" / case_id / FOLDER / NAME).read_bytes()).hexdigest()
