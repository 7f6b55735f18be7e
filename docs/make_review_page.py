"""Draws docs/review-page.png: the review page over cases of a drawn street (needs Debian's chromium)."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright

from api.http.app import create_app
from api.work.data_folder import open_records, review_desk
from tests.builders.case_folder import fill, held, parking, red_light, unreadable

PICTURE = Path(__file__).with_name("review-page.png")
CHROMIUM = "/usr/bin/chromium"
CASE = "north-red_light-s0-f000500-t7"
WIDTH_PX, HEIGHT_PX = 1360, 930


def main() -> None:
    """The picture is written anew."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        fill(data, [red_light(CASE), parking(), unreadable(), held()])
        with served(data) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light")
            page.goto(f"{address}/review/{CASE}")
            page.locator(".axis text").first.wait_for()
            page.wait_for_load_state("networkidle")
            page.get_by_role("button", name="To the event").click()
            page.wait_for_timeout(1500)
            shot = page.screenshot()
            browser.close()
    Image.open(BytesIO(shot)).convert("RGB").quantize(256).save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {PICTURE.stat().st_size} bytes")


@contextmanager
def served(data: Path) -> Iterator[str]:
    """The address of a server over the data folder, on a free port of this machine."""
    records = open_records(data)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(review_desk(data, records, lambda: datetime.now(UTC))), log_config=None, lifespan="off"
        )
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            records.close()


if __name__ == "__main__":
    main()
