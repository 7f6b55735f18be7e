"""Runs the command as a shell would: arguments in, exit code and both outputs back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from api.cli.main import main


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Stopline = Callable[..., Ran]


@pytest.fixture
def stopline(capsys: pytest.CaptureFixture[str]) -> Stopline:
    """Calls ``stopline`` with these arguments, each turned into text."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(int(code), captured.out, captured.err)

    return run
