"""The figures of all live cameras as Prometheus reads them, and as a sentence for health checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.work.camera_figures import DELAY_BOUNDS_S, CameraFigures, CameraState

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetFigures:
    """The figures of a watch as of ``at``."""

    cameras: tuple[CameraFigures, ...]
    workers: int
    worker_restarts: int
    undelivered: int
    is_spool_full: bool
    delivery_trouble: bool
    configuration_problems: int
    at: datetime


def metrics_text(figures: FleetFigures) -> str:
    """Prometheus text format 0.0.4. Names begin with ``stopline_``; counters begin anew with a camera's worker."""
    return "".join(line + "\n" for line in _lines(figures))


def unhealthy(figures: FleetFigures) -> list[str]:
    """Why somebody should look, one sentence each; none while all is well."""
    found = [
        f"camera {one.camera_id}: {one.state.value}{f' ({one.code})' if one.code else ''}"
        for one in figures.cameras
        if one.state is not CameraState.LIVE
    ]
    found += [f"camera {one.camera_id}: {why}" for one in figures.cameras for why in one.feeds_away]
    if figures.is_spool_full:
        found.append("the spool is full: findings cannot be kept")
    elif figures.delivery_trouble:
        found.append("the store or the records are away")
    if figures.configuration_problems:
        found.append(
            f"{figures.configuration_problems} problems in site files: what they said before is in force"
        )
    return found


def _lines(figures: FleetFigures) -> Iterator[str]:
    cameras = figures.cameras
    yield from _gauge("camera_state", "What the camera is doing: 1 for its state.", _states(cameras))
    yield from _counter("frames", "Pictures decoded and judged.", _each(cameras, lambda one: one.frames))
    yield from _counter("frames_analysed", "Pictures looked at.", _each(cameras, lambda one: one.analysed))
    yield from _gauge(
        "lag_seconds",
        "How far the newest judged picture is behind the camera.",
        _each(cameras, lambda one: one.lag_s),
    )
    yield from _gauge(
        "last_frame_age_seconds",
        "Since the last picture was judged.",
        [
            ({"camera": one.camera_id}, max(0.0, (figures.at - one.last_frame_at).total_seconds()))
            for one in cameras
            if one.last_frame_at is not None
        ],
    )
    yield from _gauge(
        "clock_error_seconds",
        "Bound of the picture's time.",
        [({"camera": one.camera_id, "clock": one.clock_source}, one.clock_error_s) for one in cameras],
    )
    yield from _counter("connections", "Connections made.", _each(cameras, lambda one: one.connections))
    yield from _counter("gaps", "Gaps between looked-at pictures.", _each(cameras, lambda one: one.gaps))
    yield from _counter("gap_seconds", "Seconds in them.", _each(cameras, lambda one: one.gap_s))
    yield from _counter(
        "drops",
        "What was left out, by cause.",
        _by("cause", cameras, lambda one: one.drops),
    )
    yield from _counter(
        "lamp_samples",
        "Samples of signal heads.",
        _by("head", cameras, lambda one: {head: counts[0] for head, counts in one.lamps.items()}),
    )
    yield from _counter(
        "lamp_samples_unknown",
        "Those of them that could not be read.",
        _by("head", cameras, lambda one: {head: counts[1] for head, counts in one.lamps.items()}),
    )
    yield from _counter(
        "armed_seconds",
        "Seconds of pictures in which all rules trusted themselves.",
        _each(cameras, lambda one: one.armed_s),
    )
    yield from _counter(
        "disarmed_seconds", "Those in which some rule did not.", _each(cameras, lambda one: one.disarmed_s)
    )
    yield from _counter(
        "findings",
        "What rules said, by status.",
        _by("status", cameras, lambda one: one.findings),
    )
    yield from _counter("cases", "Cases sealed.", _each(cameras, lambda one: one.cases))
    yield from _counter("passages", "Passages recorded.", _each(cameras, lambda one: one.passages))
    yield from _counter(
        "unkept", "Findings that became no case for want of room.", _each(cameras, lambda one: one.unkept)
    )
    yield from _counter(
        "lost_in_gaps", "Gaps in which a red light was not watched.", _each(cameras, lambda one: one.lost)
    )
    yield from _counter(
        "unwritten",
        "Lines of events, passages and losses that found no room on the disk.",
        _each(cameras, lambda one: one.unwritten),
    )
    yield from _gauge(
        "signal_feeds_away",
        "Signal feeds that give nothing now.",
        _each(cameras, lambda one: len(one.feeds_away)),
    )
    yield from _gauge("lease_fence", "Number of the camera's lease.", _each(cameras, lambda one: one.fence))
    yield from _delays(cameras)
    for name, text, value in (
        ("workers", "Worker processes.", figures.workers),
        (
            "undelivered_packages",
            "Sealed packages that wait for the store or the records.",
            figures.undelivered,
        ),
        ("spool_full", "Whether findings cannot be kept.", int(figures.is_spool_full)),
        ("configuration_problems", "Problems in site files.", figures.configuration_problems),
    ):
        yield from _gauge(name, text, [({}, value)])
    yield from _counter("worker_restarts", "Worker processes that died.", [({}, figures.worker_restarts)])


def _states(cameras: Iterable[CameraFigures]) -> Iterator[tuple[Labels, float]]:
    for one in cameras:
        for state in CameraState:
            yield {"camera": one.camera_id, "state": state.value}, float(one.state is state)


def _each(
    cameras: Iterable[CameraFigures], value: Callable[[CameraFigures], float]
) -> list[tuple[Labels, float]]:
    return [({"camera": one.camera_id}, value(one)) for one in cameras]


def _by(
    label: str, cameras: Iterable[CameraFigures], counts: Callable[[CameraFigures], Mapping[str, int]]
) -> list[tuple[Labels, float]]:
    return [
        ({"camera": one.camera_id, label: name}, count)
        for one in cameras
        for name, count in sorted(counts(one).items())
    ]


def _delays(cameras: Iterable[CameraFigures]) -> Iterator[str]:
    name = "stopline_finding_delay_seconds"
    yield f"# HELP {name} From a finding's last photo to the finding."
    yield f"# TYPE {name} histogram"
    for one in cameras:
        total = 0
        for bound, count in zip((*map(str, DELAY_BOUNDS_S), "+Inf"), one.delays, strict=True):
            total += count
            yield f'{name}_bucket{{camera="{one.camera_id}",le="{bound}"}} {total}'
        yield f'{name}_sum{{camera="{one.camera_id}"}} {one.delay_s:.6g}'
        yield f'{name}_count{{camera="{one.camera_id}"}} {total}'


def _gauge(name: str, text: str, values: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    yield from _family(f"stopline_{name}", "gauge", text, values)


def _counter(name: str, text: str, values: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    yield from _family(f"stopline_{name}_total", "counter", text, values)


def _family(name: str, kind: str, text: str, values: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in values:
        told = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
        yield f"{name}{{{told}}} {value:.10g}" if told else f"{name} {value:.10g}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
