"""What deploy/ offers names commands, options and files that are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from api.cli import main as main_module

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())


def options_of(name: str) -> set[str]:
    command = main_module.cli.get_command(click.Context(main_module.cli), name)
    assert command is not None, name
    if isinstance(command, click.Group):
        return {option for inner in command.commands.values() for p in inner.params for option in p.opts}
    return {option for parameter in command.params for option in parameter.opts}


def assert_known(words: list[str]) -> None:
    assert words[0] in main_module.COMMANDS
    known = options_of(words[0])
    assert {word for word in words if word.startswith("--")} <= known


def test_each_service_of_the_compose_file_runs_a_command_that_there_is() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert {"db", "watch", "serve", "tls"} == set(services)
    for name in ("watch", "serve"):
        assert_known(services[name]["command"])
        assert services[name]["build"]["dockerfile"] == "deploy/Containerfile"
    for mount in services["tls"]["volumes"] + services["serve"]["volumes"]:
        source = mount.partition(":")[0]
        if source == "./Caddyfile":
            assert (DEPLOY / source).is_file()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_unit_runs_a_command_that_there_is(unit: Path) -> None:
    text = unit.read_text()
    for line in re.findall(r"^ExecStart=.*?stopline (.*)$", text, re.M):
        if "/bin/stopline" in text:
            assert_known(line.rstrip("'").split())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd's own check")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_each_unit(unit: Path) -> None:
    said = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    wrong = [
        line for line in said.stderr.splitlines() if unit.name in line and "is not executable" not in line
    ]
    assert wrong == []


def test_the_image_holds_what_the_package_does_not() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes -r requirements.lock" in text
    assert "USER stopline" in text
    assert_known(re.findall(r'"([^"]+)"', text.splitlines()[-1]))
