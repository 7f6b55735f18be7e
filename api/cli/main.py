"""The ``stopline`` command: calls a subcommand and turns what went wrong into one clear text and an exit code."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from api.cli.compare import compare_runs
from api.cli.config import config
from api.cli.dry_run import dry_run
from api.cli.eval import evaluate_runs
from api.cli.exit_codes import ExitCode, exit_code_of
from api.cli.fold import fold
from api.cli.models import models
from api.cli.openapi import openapi
from api.cli.replay import replay
from api.cli.serve import serve
from api.cli.version import print_version, version
from rules.errors import StoplineError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the whole trace of an internal error.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_version,
    help="Print the version.",
)
def cli(debug: bool) -> None:
    """Finds red-light running and illegal parking in traffic video, and proposes cases that a person decides.

    Exit codes: 0 done, 1 internal error, 2 wrong usage, 3 configuration or weights invalid, 4 input unreadable,
    5 some inputs failed, 6 a gate failed, 7 server or account, 130 interrupted (what was finished is kept).
    """


cli.add_command(compare_runs)
cli.add_command(config)
cli.add_command(dry_run)
cli.add_command(evaluate_runs)
cli.add_command(fold)
cli.add_command(models)
cli.add_command(openapi)
cli.add_command(replay)
cli.add_command(serve)
cli.add_command(version)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code is an ``ExitCode``. Results go to stdout, everything else to stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(args=given, prog_name="stopline", standalone_mode=False)
    except click.ClickException as exc:
        exc.show(sys.stderr)
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except StoplineError as exc:
        _say(str(exc))
        return exit_code_of(exc)
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.OK
    except Exception as exc:  # noqa: BLE001 - the last place that can turn a bug into a text
        _say_internal(exc, debug="--debug" in given)
        return ExitCode.INTERNAL
    return code if isinstance(code, int) else ExitCode.OK


def _say(text: str) -> None:
    for line in text.splitlines():
        click.echo(f"{click.style('error:', fg='red', bold=True)} {line}", err=True)


def _say_internal(error: Exception, *, debug: bool) -> None:
    trace = "".join(traceback.format_exception(error))
    if debug:
        click.echo(trace, err=True)
        return
    what = f"internal error: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="stopline-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(trace)
        where = f"details are in {Path(file.name)}"
    except OSError as exc:
        where = f"details could not be written ({exc.strerror}); run 'stopline --debug …' to see them"
    _say(f"{what}; {where}")
