"""What the tests of evidence share: a filmed street, and a bench that builds its cases into a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.builders.casework import Bench
from tests.builders.filmed import Filming, Street


@pytest.fixture(scope="session")
def street() -> Street:
    """Forty seconds: a car drives through on red at 9 s, another parks from 8 s on."""
    return Street(filming=Filming(seconds=40.0), crossing_s=9.0, red_s=6.0, arrival_s=8.0)


@pytest.fixture(scope="session")
def film(street: Street, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The street as H.264 with B-frames and a keyframe every two seconds."""
    return street.film(tmp_path_factory.mktemp("film") / "street.mp4")


@pytest.fixture
def bench(street: Street, film: Path, tmp_path: Path) -> Iterator[Bench]:
    """Builds the street's cases into an empty data folder."""
    with closing(Bench(street=street, film=film, data_dir=tmp_path / "data")) as made:
        yield made
