"""The command's own manners: help, versions, suggestions, exit codes, and one line for what nobody foresaw."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from api.cli import main as main_module
from api.cli.exit_codes import ExitCode, exit_code_of
from api.errors import (
    AllInputsFailedError,
    ConfigInvalidError,
    InterruptedRunError,
    SomeInputsFailedError,
    SourceFailure,
    UsageError,
)
from api.model_manifest import ManifestError, ModelFileError
from api.work.fold import ObservationsError, UnknownCameraError
from api.work.models import WheelError, WheelUnavailable
from api.work.observation_writer import OutputError
from detector.errors import WeightsMissing
from ingest.errors import FileEmptyError
from rules.errors import SiteError, StoplineError
from tests.api.cli.conftest import Stopline

CHECKOUT = Path(__file__).resolve().parents[3]


def test_help_goes_to_stdout_and_names_every_exit_code(stopline: Stopline) -> None:
    ran = stopline("--help")
    assert (ran.code, ran.err) == (0, "")
    for command in ("config", "fold", "models", "replay", "serve", "version"):
        assert command in ran.out
    for code in ExitCode:
        assert str(code.value) in ran.out


def test_every_option_of_every_command_is_explained() -> None:
    def explained(command: click.Command, name: str) -> int:
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"
        assert command.help, name
        if not isinstance(command, click.Group):
            return 1
        context = click.Context(command)
        children = [(inner, command.get_command(context, inner)) for inner in command.list_commands(context)]
        return sum(explained(child, f"{name} {inner}") for inner, child in children if child is not None)

    assert explained(main_module.cli, "stopline") >= 14


@pytest.mark.parametrize("name", main_module.COMMANDS)
def test_a_command_is_where_the_list_says_and_its_line_fits(name: str) -> None:
    command = main_module.cli.get_command(click.Context(main_module.cli), name)
    assert command is not None
    assert command.name == name
    assert len(main_module.COMMANDS[name][1]) <= 62, "more would be wrapped on a terminal of 80 columns"


@pytest.mark.parametrize(
    ("arguments", "left_alone"),
    [
        (["--version"], {"av", "cv2", "fastapi", "numpy", "onnxruntime", "pydantic", "rich", "scipy", "sqlalchemy"}),
        (["--help"], {"av", "cv2", "fastapi", "numpy", "onnxruntime", "pydantic", "rich", "scipy", "sqlalchemy"}),
        (["version"], {"cv2", "fastapi", "numpy", "onnxruntime", "scipy", "sqlalchemy"}),
        (["serve", "--help"], {"av", "cv2", "numpy", "onnxruntime", "scipy"}),
        (["config", "example"], {"av", "cv2", "fastapi", "numpy", "onnxruntime", "scipy", "sqlalchemy"}),
        (["fold", "--help"], {"av", "cv2", "fastapi", "numpy", "onnxruntime", "scipy", "sqlalchemy"}),
        (["models", "--help"], {"av", "cv2", "fastapi", "numpy", "onnxruntime", "scipy", "sqlalchemy"}),
    ],
)  # fmt: skip
def test_a_command_loads_only_what_it_needs(arguments: list[str], left_alone: set[str]) -> None:
    script = f"import sys; from api.cli.main import main; main({arguments!r}); print('loaded', *sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=CHECKOUT
    )
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert "api.cli.main" in loaded
    assert loaded & left_alone == set()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replayy"], "Did you mean 'replay'?"),
        (["config", "validat"], "Did you mean 'validate'?"),
        (["replay", "--sites", "x"], "--site"),
        (["replay", "x.mp4"], "Missing option '--site'"),
        (["replay", "x.mp4", "--site", "s", "--out", "o", "--progress", "much"], "'much' is not one of"),
        (["replay", "x.mp4", "--site", "s", "--out", "o", "--duration", "-1"], "-1"),
        (["replay", "--site", "s", "--out", "o"], "Missing argument 'SOURCE...'"),
    ],
)
def test_wrong_usage_is_said_with_what_was_meant(stopline: Stopline, arguments: list[str], said: str) -> None:
    ran = stopline(*arguments)
    assert ran.code == ExitCode.USAGE
    assert said in ran.err
    assert ran.out == ""


def test_the_version_is_the_installed_one(stopline: Stopline) -> None:
    assert re.fullmatch(r"stopline \d+\.\d+\.\d+\n", stopline("--version").out)
    found = json.loads(stopline("version", "--format", "json").out)
    assert set(found) == {
        "stopline",
        "python",
        "av",
        "numpy",
        "onnxruntime",
        "opencv-python-headless",
        "scipy",
        "libavcodec",
    }
    table = stopline("version").out
    assert all(f"{name} " in table and number in table for name, number in found.items())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (ConfigInvalidError([]), 3),
        (SiteError("f", "x"), 3),
        (UnknownCameraError("x"), 3),
        (WeightsMissing(Path("w"), "x"), 3),
        (ManifestError(Path("m"), "f", "x"), 3),
        (ModelFileError("m", Path("p"), "x"), 3),
        (WheelError("w", Path("p"), "x"), 3),
        (WheelUnavailable("w", Path("p"), "x"), 7),
        (FileEmptyError("a"), 4),
        (ObservationsError("x"), 4),
        (AllInputsFailedError([SourceFailure(source="a", code="c", message="m")]), 4),
        (SomeInputsFailedError([SourceFailure(source="a", code="c", message="m")]), 5),
        (InterruptedRunError("x"), 130),
        (OutputError(Path("o"), "x"), 1),
        (StoplineError("x"), 1),
    ],
)
def test_every_error_has_its_exit_code(error: StoplineError, code: int) -> None:
    assert exit_code_of(error) == code


def test_a_bug_is_one_line_and_its_trace_a_file(stopline: Stopline, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, str]:
        raise ZeroDivisionError("in the\nmiddle of nowhere")

    monkeypatch.setattr("api.cli.version.versions", broken)
    ran = stopline("version")
    assert ran.code == ExitCode.INTERNAL
    (line,) = ran.err.splitlines()
    assert "internal error: ZeroDivisionError: in the middle of nowhere; details are in " in line
    details = Path(line.rpartition(" ")[2])
    assert "Traceback" in details.read_text(encoding="utf-8")
    details.unlink()
    debugged = stopline("--debug", "version")
    assert debugged.code == ExitCode.INTERNAL
    assert "Traceback" in debugged.err


def test_an_interrupt_where_nothing_asks_for_it_is_130(
    stopline: Stopline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> dict[str, str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("api.cli.version.versions", interrupted)
    ran = stopline("version")
    assert (ran.code, ran.err.strip()) == (ExitCode.INTERRUPTED, "Interrupted.")
