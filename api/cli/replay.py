"""``stopline replay``: recordings in, findings out."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from api.bootstrap import CameraPipeline, build_pipeline, default_detector
from api.cli.interrupts import interruptible
from api.cli.progress import ProgressKind, progress_option, shown_progress
from api.clock import Clock, SystemClock
from api.errors import UsageError
from api.settings import Settings, load_settings
from api.site_file import SiteFile, load_site_file
from api.suggest import did_you_mean
from api.time_zone import time_zone
from api.work.custody import signer_of
from api.work.recordings import recordings
from api.work.replay import replay as run_replay
from api.work.replay_jobs import JobsSetup
from api.work.replay_source import ReplayRequest
from api.work.run_folder import OpenMode
from api.work.signal_sources import oddities
from ingest.open_source import is_live


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineOf:
    """Makes the pipeline of a process; several of them share the cores."""

    weights: Path
    settings: Settings
    read_plates: bool
    jobs: int

    def __call__(self, site_file: SiteFile, camera_id: str, clock: Clock) -> CameraPipeline:
        threads = max(1, self.settings.threads // self.jobs)
        settings = self.settings.model_copy(update={"threads": threads})
        return build_pipeline(
            site_file, camera_id, self.weights, settings, clock, read_plates=self.read_plates
        )


@click.command()
@click.argument("source", nargs=-1, required=True)
@click.option("--site", required=True, type=click.Path(path_type=Path), help="The site file (YAML).")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="New or empty folder for the results."
)
@click.option("--camera", help="The camera of the site that recorded; may be left out where there is one.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Another detection model than the one that comes with Stopline (ONNX: YOLOX, or an export of Ultralytics).",
)
@click.option(
    "--start-time",
    multiple=True,
    metavar="ISO",
    help="When a SOURCE's first frame was taken, with its offset from UTC (2024-05-01T08:30:00+08:00). Once per "
    "SOURCE. Without it, rules that need the local time accuse nobody.",
)
@click.option(
    "--start-error",
    type=click.FloatRange(min=0.0),
    default=1.0,
    show_default=True,
    metavar="S",
    help="By how many seconds a --start-time may be off. It counts for the driver wherever two clocks meet.",
)
@click.option(
    "--signals",
    multiple=True,
    metavar="FROM",
    help="Who else says what the signal heads show; may be given several times. A controller's log, as CSV (.csv) or "
    "JSON lines; the folder of a run of another camera of the site, which sees them; for a live SOURCE a feed, "
    "mqtt://USER@HOST/TOPIC. docs/signals.md says what messages look like. Where it and the camera contradict each "
    "other, nobody is accused.",
)
@click.option(
    "--duration",
    type=click.FloatRange(min=0.0, min_open=True),
    metavar="S",
    help="End each SOURCE after that many seconds.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the run in --out: finished SOURCEs are not done again."
)
@click.option("--overwrite", is_flag=True, help="Throw away the run in --out and start over.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Replay so many SOURCEs at a time, each in a process of its own; the results are the same.",
)
@click.option("--no-plates", is_flag=True, help="Read no plates, whatever the site file says.")
@click.option("--no-evidence", is_flag=True, help="Build no evidence packages and record no cases.")
@progress_option
@click.option("--quiet", is_flag=True, help="Show no progress and print no result.")
def replay(
    source: tuple[str, ...],
    site: Path,
    out: Path,
    camera: str | None,
    weights: Path | None,
    start_time: tuple[str, ...],
    start_error: float,
    signals: tuple[str, ...],
    duration: float | None,
    resume: bool,
    overwrite: bool,
    jobs: int,
    no_plates: bool,
    no_evidence: bool,
    progress: str,
    quiet: bool,
) -> None:
    """Replay each SOURCE (a recording, a folder of recordings, or an rtsp:// address) of one camera, in their order, into --out.

    The folder then holds events.jsonl (one line per finding), passages.jsonl, observations.jsonl.gz (what the rules
    saw; 'stopline fold' judges it again) and summary.json; and for each finding a package of photos, clip, trace and
    manifest under evidence/, recorded in records.sqlite, for 'stopline serve --data' to show.
    """
    if resume and overwrite:
        raise UsageError("--resume goes on with a run and --overwrite throws it away; give one of them")
    source = recordings(source)
    if jobs > 1 and any(is_live(one) for one in source):
        raise UsageError("--jobs is for recordings; 'stopline watch' watches many cameras at a time")
    settings = load_settings()
    weights = weights or default_detector(settings)
    site_file = load_site_file(site)
    clock = SystemClock()
    request = ReplayRequest(
        sources=source,
        site_file=site_file,
        camera_id=_camera_id(site_file, camera),
        out=out,
        signer=None if no_evidence else signer_of(settings, clock.now()),
        mode=OpenMode.RESUME if resume else OpenMode.OVERWRITE if overwrite else OpenMode.NEW,
        start_times=tuple(_start_time(text, site_file) for text in start_time),
        start_error_s=start_error,
        duration_s=duration,
        with_evidence=not no_evidence,
        signals=signals,
        bucket=None if no_evidence else settings.bucket(),
        budget=settings.budget(),
        mqtt_password=settings.mqtt_password() if signals else None,
    )
    pipelines = PipelineOf(weights=weights, settings=settings, read_plates=not no_plates, jobs=jobs)
    pipeline = pipelines(site_file, request.camera_id, clock)
    setup = JobsSetup(jobs=jobs, settings=settings, pipelines=pipelines)
    kind = ProgressKind.NONE if quiet else ProgressKind(progress)
    with interruptible() as stop, shown_progress(kind, sys.stderr, no_color=settings.no_color) as shown:
        replayed = run_replay(request, pipeline, shown, clock, stop, setup)
    if quiet:
        return
    if replayed.nothing_to_do:
        click.echo(f"{out} is complete already; nothing was done.", err=True)
    for line in _told(replayed.summary):
        click.echo(line, err=True)
    click.echo(_result(replayed.summary, out))


def _camera_id(site_file: SiteFile, given: str | None) -> str:
    known = [camera.camera_id for camera in site_file.site.cameras]
    if given is None:
        if len(known) > 1:
            raise UsageError(
                f"the site file has {len(known)} cameras; say which one recorded: --camera {' or '.join(known)}"
            )
        return known[0]
    if given not in known:
        hint = did_you_mean(given, known) or f"; {site_file.file} has {', '.join(known)}"
        raise UsageError(f"--camera: the site file has no camera {given!r}{hint}")
    return given


def _start_time(text: str, site_file: SiteFile) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(
            f"--start-time: {text!r} is not a time; write it like 2024-05-01T08:30:00+08:00"
        ) from exc
    if moment.tzinfo is None:
        zone = site_file.site.time_zone
        local = moment.replace(tzinfo=time_zone(zone))
        raise UsageError(
            f"--start-time: {text!r} lacks its offset from UTC; in {zone} it was probably {local.isoformat()}"
        )
    return moment


def _told(summary: dict[str, Any]) -> list[str]:
    """What a person should know of a run besides its result."""
    custody = summary.get("custody") or {}
    told = [f"note: {reason}" for reason in (*summary["disarmed"], custody.get("note")) if reason]
    told += [
        f"note: {source['source']}: {source['damage']}"
        for source in summary["sources"]
        if source.get("damage")
    ]
    told += [
        f"note: {feed['source']}: {what}"
        for source in summary["sources"]
        for feed in source.get("signals") or ()
        for what in oddities(feed)
    ]
    return told


def _result(summary: dict[str, Any], out: Path) -> str:
    events = summary["events"]
    return (
        f"{events['asserted']} asserted, {events['held']} held, {events['exempt']} exempt; {summary['passages']} "
        f"passages; {summary['frames']} frames, {summary['video_s']:.1f} s of video in {summary['wall_s']:.1f} s: {out}"
    )
