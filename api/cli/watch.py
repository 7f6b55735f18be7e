"""``stopline watch``: all live cameras of a server, until it is stopped."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import click

from api.bootstrap import default_detector
from api.cli.interrupts import interruptible
from api.clock import Clock, SystemClock
from api.errors import UsageError
from api.http.metrics_server import metrics_server
from api.live_pipeline import LivePipelines
from api.settings import Settings, load_settings
from api.work.live_metrics import FleetFigures
from api.work.watch import WatchRequest, cores
from api.work.watch import watch as run_watch


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelinesOf:
    """Makes the pipelines of a worker process, with these weights."""

    weights: Path
    read_plates: bool

    def __call__(self, settings: Settings, clock: Clock) -> LivePipelines:
        return LivePipelines(settings, self.weights, clock, read_plates=self.read_plates)


@click.command()
@click.argument("site", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for cases, records and journals; made where there is none, gone on with where there is.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Another detection model than the one that comes with Stopline.",
)
@click.option("--no-plates", is_flag=True, help="Read no plates, whatever the site files say.")
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Worker processes to share the cameras among. Default: one for each core.",
)
@click.option(
    "--metrics",
    default="127.0.0.1:9464",
    show_default=True,
    metavar="HOST:PORT",
    help="Where Prometheus finds /metrics, and others /healthz; 'off' for nowhere. They tell camera ids and figures, no plates.",
)
def watch(
    site: tuple[Path, ...],
    data: Path,
    weights: Path | None,
    no_plates: bool,
    workers: int | None,
    metrics: str,
) -> None:
    """Watch all cameras that have a stream: in the site files at SITE... (files, or folders of .yaml files), until Ctrl-C.

    A changed, new or removed site file takes effect within seconds, without touching other cameras; one that is wrong
    leaves in force what it said before. Accounts at cameras come from the file that STOPLINE_CAMERA_ACCOUNTS_FILE names.
    What happens is told on stderr, one JSON object a line.
    """
    settings, clock = load_settings(), SystemClock()
    settings.networks()
    settings.camera_accounts()
    request = WatchRequest(
        sites=site,
        data=data,
        settings=settings,
        pipelines=PipelinesOf(weights=weights or default_detector(settings), read_plates=not no_plates),
        workers=workers or cores(),
    )

    def log(event: str, **facts: object) -> None:
        line = {"at": clock.now().isoformat(timespec="milliseconds"), "event": event, **facts}
        print_line(json.dumps(line, ensure_ascii=False))

    with _metrics(metrics) as (address, show), interruptible() as stop:
        log("metrics", address=address)
        run_watch(request, clock, log, stop, show)


def print_line(text: str) -> None:
    """The line stands on stderr, at once."""
    click.echo(text, err=True)
    sys.stderr.flush()


def _metrics(where: str) -> AbstractContextManager[tuple[str | None, Callable[[FleetFigures], None]]]:
    if where == "off":
        return nullcontext((None, lambda _: None))
    host, _, port = where.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--metrics: {where!r} is no HOST:PORT, such as 127.0.0.1:9464")
    return metrics_server(host.strip("[]"), int(port))
