"""Takes docs/review-page.png: the review page over the folder that ``stopline demo`` filled (needs Debian's chromium)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import click
import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright

from api.http.app import create_app
from api.work.data_folder import open_records
from api.work.service import open_service
from evidence.records import CaseFilter
from rules.finding import Status

PICTURE = Path(__file__).with_name("review-page.png")
CHROMIUM = "/usr/bin/chromium"
WIDTH_PX, HEIGHT_PX = 1360, 930


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("out/demo"), show_default=True)
@click.option("--clip", default="junction-late-amber", show_default=True, help="Its first case is shown.")
def main(data: Path, clip: str) -> None:
    """The picture is taken anew."""
    with closing(open_records(data)) as records:
        wanted = CaseFilter(status=Status.ASSERTED, camera_id=clip)
        case = records.page(wanted, after_number=None, limit=1)[0].record.id
    with served(data) as (address, link), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX}, color_scheme="light")
        page.set_default_timeout(120_000)
        page.goto(f"{address}/sign-in?to=/review/{case}#{link}")
        page.locator(".axis text").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="To the event").click()
        page.wait_for_timeout(3000)
        shot = page.screenshot()
        browser.close()
    Image.open(BytesIO(shot)).convert("RGB").quantize(256).save(PICTURE, optimize=True)
    print(f"{PICTURE.name}: {case}, {PICTURE.stat().st_size} bytes")


@contextmanager
def served(data: Path) -> Iterator[tuple[str, str]]:
    """The address of a server over the data folder, on a free port of this machine, and a link's secret for one sign-in."""
    records = open_records(data)
    service = open_service(data, records, lambda: datetime.now(UTC))
    link = service.accounts.link(service.accounts.named("visitor").id)
    server = uvicorn.Server(uvicorn.Config(create_app(service), log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", link
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            records.close()


if __name__ == "__main__":
    main()
