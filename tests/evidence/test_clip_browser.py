"""Clips in a real browser: they load, play and seek, and each second shows the picture that the camera took then."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from evidence.clip import Part, cut, joined, keyframe_at, mux
from ingest.packet_ring import PacketRing
from tests.builders.filmed import BITS, Street, frames_of

LOAD = """async url => {
  const video = Object.assign(document.createElement('video'), {muted: true, src: url});
  document.body.append(video);
  await new Promise((done, fail) => {
    video.oncanplay = done;
    video.onerror = () => fail(new Error(`${video.error.code}: ${video.error.message}`));
  });
  return [video.duration, video.videoWidth, video.videoHeight];
}"""

SEEK = """async ([at, bits]) => {
  const video = document.querySelector('video');
  const seeked = new Promise(done => { video.onseeked = done; });
  video.currentTime = at;
  await seeked;
  const [width, height] = [video.videoWidth, video.videoHeight];
  const canvas = Object.assign(document.createElement('canvas'), {width, height});
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < bits; bit++) {
    const x = Math.floor((bit + 0.5) * width / bits);
    const [red] = context.getImageData(x, Math.round(height * 0.975), 1, 1).data;
    if (red > 127) number |= 1 << bit;
  }
  return number;
}"""

PLAY = """async () => {
  const video = document.querySelector('video');
  video.currentTime = 0;
  await video.play();
  await new Promise(done => {
    video.ontimeupdate = () => { if (video.currentTime > 0.8) done(); };
  });
  video.pause();
  return video.currentTime;
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def ring(film: Path) -> PacketRing:
    kept = PacketRing(hold_s=1000.0)
    for _ in frames_of(film, kept):
        pass
    return kept


def load(page: Page, data: bytes) -> Any:
    page.goto("about:blank")
    return page.evaluate(LOAD, "data:video/mp4;base64," + base64.b64encode(data).decode())


def shown_at(page: Page, clip_s: float) -> int:
    number: int = page.evaluate(SEEK, [clip_s, BITS])
    return number


@pytest.mark.timeout(300)
def test_an_event_plays_and_every_seek_shows_the_picture_of_that_moment(
    page: Page, ring: PacketRing, street: Street
) -> None:
    event = cut(ring, "event", 7.3, 12.3)
    duration_s, width, height = load(page, mux(ring.parameters, [event]))
    assert (width, height) == street.filming.size_px
    assert duration_s == pytest.approx(len(event.packets) / 25, abs=0.05)
    first = round(event.first_s * 25)
    for step in (0, 1, 2, 3, 49, 50, 51, 100, 99, 7, len(event.packets) - 1):
        assert shown_at(page, (step + 0.5) / 25) == first + step, f"picture {step} of the clip"
    assert page.evaluate(PLAY) > 0.8


@pytest.mark.timeout(300)
def test_a_clip_in_parts_plays_and_holds_each_picture_until_the_next_was_taken(
    page: Page, ring: PacketRing, street: Street
) -> None:
    arrival: Part = cut(ring, "arrival", 4.5, 9.0)
    parts = joined(arrival, [keyframe_at(ring, 18.0)], cut(ring, "event", 30.0, 36.0))
    duration_s, *_ = load(page, mux(ring.parameters, parts))
    first_s = arrival.first_s
    assert duration_s == pytest.approx(parts[-1].last_s - first_s + 0.04, abs=0.1)
    last_of_arrival = round(arrival.last_s * 25)
    for media_s, number in (
        (first_s + 0.02, round(first_s * 25)),
        (arrival.last_s + 0.02, last_of_arrival),
        (15.0, last_of_arrival),
        (18.02, 450),
        (25.0, 450),
        (30.02, 750),
        (33.02, 825),
    ):
        assert shown_at(page, media_s - first_s) == number, f"at {media_s} s"
    assert page.evaluate(PLAY) > 0.8
