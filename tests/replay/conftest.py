"""Replays of the real clips, each made once for all tests that look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main

SITES = Path(__file__).parents[1] / "sites"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The folder that ``stopline replay`` filled."""

    folder: Path

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.lines("events.jsonl")

    @property
    def asserted(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["status"] == "asserted"]

    @property
    def passages(self) -> list[dict[str, Any]]:
        return self.lines("passages.jsonl")

    @property
    def summary(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return loaded


Replay = Callable[..., Run]


@pytest.fixture(scope="session")
def replay(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Replay:
    """Runs ``stopline replay`` of a source with a site file into a new folder, with YOLOX-nano unless ``own`` model is wanted."""

    def run(source: str, site: str, *, own: bool = False) -> Run:
        out = tmp_path_factory.mktemp(site)
        arguments = ["replay", source, "--site", str(SITES / f"{site}.yaml"), "--out", str(out)]
        model = [] if own else ["--weights", str(weights)]
        assert main([*arguments, *model, "--progress", "none"]) == 0
        return Run(folder=out)

    return run


@pytest.fixture(scope="session")
def replayed(replay: Replay, shared: Path) -> Callable[..., Run]:
    """The replay of a real clip by its name and the name of its site file (the clip's unless said); made once.

    YOLOX-nano looks, or with ``own`` the model that comes with Stopline.
    """
    done: dict[tuple[str, str, bool], Run] = {}

    def of(clip: str, site: str | None = None, *, own: bool = False) -> Run:
        key = (clip, site or clip, own)
        if key not in done:
            done[key] = replay(str(shared / "footage" / f"{clip}.mp4"), key[1], own=own)
        return done[key]

    return of
