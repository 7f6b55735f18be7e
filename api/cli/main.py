"""The ``stopline`` command: calls a subcommand and turns what went wrong into one clear text and an exit code."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click

from api.cli.exit_codes import ExitCode, exit_code_of
from api.cli.lazy_group import LazyGroup
from rules.errors import StoplineError

COMMANDS = {
    "account": ("api.cli.account:account", "Make, list and close people's accounts."),
    "audit": ("api.cli.audit:audit", "Export and verify the audit."),
    "camera": ("api.cli.camera:camera", "Try a camera, and take a picture of what it shows."),
    "compare": ("api.cli.compare:compare_runs", "Compare two runs of the same clips with the truth."),
    "config": ("api.cli.config:config", "Check site files, and show what may stand in one."),
    "demo": ("api.cli.demo:demo", "See it work: sample clips replayed, scored and on the page."),
    "doctor": ("api.cli.doctor:doctor", "Say whether this installation is well."),
    "dry-run": ("api.cli.dry_run:dry_run", "See what another site file would change in a run."),
    "eval": ("api.cli.eval:evaluate_runs", "Compare runs with the truth: precision, recall, time error."),
    "evidence": ("api.cli.evidence:evidence", "Verify evidence: files, signatures, chain, checkpoints."),
    "fold": ("api.cli.fold:fold", "Judge a run's recorded observations again."),
    "keys": ("api.cli.keys:keys", "Make, change and publish the key that signs evidence."),
    "models": ("api.cli.models:models", "List, fetch and check the models."),
    "openapi": ("api.cli.openapi:openapi", "Print the OpenAPI document of the API."),
    "records": ("api.cli.records:records", "Back up and restore records, or move them to PostgreSQL."),
    "replay": ("api.cli.replay:replay", "Look at recordings or a camera: findings with their evidence."),
    "serve": ("api.cli.serve:serve", "Show the cases on a page, for an officer to decide."),
    "watch": ("api.cli.watch:watch", "Watch live cameras until stopped."),
    "version": ("api.cli.version:version", "Print the versions of Stopline and of what it rests on."),
}


def print_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """The callback of ``--version``: prints it and ends the command."""
    if wanted and not context.resilient_parsing:
        click.echo(f"stopline {version('stopline')}")
        context.exit()


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
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
    5 some inputs failed, 6 a gate failed, 7 server or account, 8 evidence does not verify, 9 its signer is
    unknown, 130 interrupted (what was finished is kept).
    """


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
