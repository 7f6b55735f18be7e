"""Officers at work, for locust: each lists the queue, claims a case, looks at its pictures and frames, decides, and goes on.

Started by ``benchmarks.proof_fifty_reviewers``, which hands over one-time links and a place for the figures.
"""

from __future__ import annotations

import csv
import json
import os
import random
import uuid
from pathlib import Path
from typing import Any

from locust import HttpUser, between, events, task

LINKS = json.loads(Path(os.environ["STOPLINE_LINKS"]).read_text("utf-8"))
FIGURES = Path(os.environ["STOPLINE_FIGURES"])
API = "/api/v1"
WHEN_MEANWHILE = {409, 412}
"""Somebody else was quicker: a documented answer, and no error."""

_file = FIGURES.open("w", newline="", encoding="utf-8")
_rows = csv.writer(_file)


def note(name: str, response_time: float, exception: BaseException | None, **more: Any) -> None:
    """Every answer is a row: its kind, milliseconds, what went wrong, and the status."""
    response = more.get("response")
    wrong = "" if exception is None else " ".join(str(exception).split())[:200]
    _rows.writerow([name, f"{response_time:.1f}", wrong, getattr(response, "status_code", 0)])


def close(**_: Any) -> None:
    """The figures stand in the file."""
    _file.close()


events.request.add_listener(note)  # type: ignore[no-untyped-call]
events.quit.add_listener(close)  # type: ignore[no-untyped-call]


class Officer(HttpUser):
    """Somebody with a session, who thinks between two steps."""

    wait_time = between(*(float(part) for part in os.environ["STOPLINE_THINK_S"].split("-")))

    def on_start(self) -> None:
        """He signs in by his link."""
        answer = self.client.post(f"{API}/sessions", json={"link": LINKS.pop()}, name="sign-in")
        self.client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        self.case: dict[str, Any] = {}
        self.etag = ""
        self.claim = 0
        self.frames: list[Any] = []
        self.step = self.list_queue

    @task
    def go_on(self) -> None:
        """The next step of his work."""
        self.step()

    def list_queue(self) -> None:
        """He looks at what is open and takes something that nobody holds."""
        query = {"decision": "open", "limit": "100"}
        page = self.client.get(f"{API}/violations", params=query, name="read queue").json()
        free = [item for item in page["items"] if item["claim"] is None]
        if not free:
            return
        url = random.choice(free)["url"]
        with self.client.put(f"{url}/claim", name="write claim", catch_response=True) as answer:
            if answer.status_code in WHEN_MEANWHILE:
                answer.success()
                return
        if answer.status_code == 200:
            self.claim = answer.json()["number"]
            self.case = {"url": url}
            self.step = self.open_case

    def open_case(self) -> None:
        """He opens it: its facts, its trace, its pictures, and which frames there are."""
        url = self.case["url"]
        answer = self.client.get(url, name="read case")
        self.case, self.etag = answer.json() | {"url": url}, answer.headers["ETag"]
        self.client.get(f"{url}/trace", name="read trace")
        for picture in self.case["pictures"]:
            self.client.get(picture["url"], name="media picture")
        self.frames = self.client.get(f"{url}/frames", name="read frames").json()["frames"]
        self.step = self.look

    def look(self) -> None:
        """He steps through a few frames around the event."""
        middle = random.randrange(max(1, len(self.frames) - 3))
        for frame in self.frames[middle : middle + 3]:
            self.client.get(frame["url"], name="media frame")
        self.step = self.decide

    def decide(self) -> None:
        """He confirms it or says why not."""
        verdict: dict[str, Any] = {"decision": "confirm", "claim": self.claim}
        if self.case["confirm_bar"] is not None or random.random() < 0.3:
            verdict |= {"decision": "reject", "code": "stopped", "note": "it stands"}
        headers = {"If-Match": self.etag, "Idempotency-Key": uuid.uuid4().hex}
        address = f"{self.case['url']}/reviews"
        with self.client.post(
            address, json=verdict, headers=headers, name="write review", catch_response=True
        ) as answer:
            if answer.status_code in WHEN_MEANWHILE:
                answer.success()
        self.step = self.list_queue
