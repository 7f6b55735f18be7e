"""What runs and dry runs ask of a command, and what of its output is told: counts and moments, no plate."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.work.job_process import Ended
from rules.errors import StoplineError

SITE, RUN, PRINTED, TRUTH_PRINTED = "site.yaml", "run", "printed.json", "evaluation.json"
OF_SUMMARY = (
    "camera",
    "frames",
    "analysed",
    "video_s",
    "wall_s",
    "times_real_time",
    "events",
    "passages",
    "gaps",
    "disarmed",
    "disarmed_s",
    "versions",
    "weights",
)
"""What of a run's summary is told: no path of the server."""

OF_EVENT = ("id", "rule", "status", "t_s", "place", "vehicle_class", "time_into_red_s", "dwell_s")
"""What of an event: no plate."""

MOST_CHANGES = 200


class JobFailedError(StoplineError):
    """The job failed; the text says why, in the words of the command."""

    code = "job_failed"


Run = Callable[[list[str], Path], Ended]
"""Runs a command, its output into that file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """A recording of a camera to be replayed; paths are those of the server."""

    camera_id: str
    source: Path
    truth: Path | None
    started_at: str | None


def run(folder: Path, order: RunOrder, command: Run) -> dict[str, Any]:
    """The result of replaying the recording by the site file in ``folder``. Raises JobFailedError.

    Isolated: no record, no evidence, no message, and no plate is read.
    """
    out = folder / RUN
    arguments = ["replay", str(order.source), "--site", str(folder / SITE), "--camera", order.camera_id]
    arguments += ["--out", str(out), "--progress", "json", "--no-evidence", "--no-plates"]
    if order.started_at is not None:
        arguments += ["--start-time", order.started_at]
    _must_succeed(command(arguments, folder / PRINTED))
    summary = _read(out / "summary.json")
    result: dict[str, Any] = {
        "summary": {name: summary[name] for name in OF_SUMMARY if name in summary},
        "evaluation": None,
    }
    if order.truth is not None:
        ended = command(
            ["eval", "--pred", str(out), "--truth", str(order.truth), "--format", "json"],
            folder / TRUTH_PRINTED,
        )
        _must_succeed(ended)
        told = _parsed(ended.output)
        result["evaluation"] = {
            "rules": told["rules"],
            "confusion": told["confusion"],
            "false_per_camera_hour": told["false_per_camera_hour"],
        }
    return result


def dry_run(folder: Path, of_run: Path, command: Run) -> dict[str, Any]:
    """What the site file in ``folder`` would change of the run whose job's folder is ``of_run``. Raises JobFailedError."""
    ended = command(
        [
            "dry-run",
            str(of_run / RUN),
            "--site",
            str(folder / SITE),
            "--was",
            str(of_run / SITE),
            "--format",
            "json",
        ],
        folder / PRINTED,
    )
    _must_succeed(ended)
    told = _parsed(ended.output)
    changes = told["changes"]
    return {
        "observations": told["observations"],
        "unchanged": told["unchanged"],
        "counts": {
            kind: sum(change["kind"] == kind for change in changes) for kind in ("gained", "lost", "changed")
        },
        "changes": [
            {
                "kind": change["kind"],
                "what": change["what"],
                "before": _event(change["before"]),
                "after": _event(change["after"]),
                "reasons": change["reasons"],
            }
            for change in changes[:MOST_CHANGES]
        ],
        "passages": told["passages"],
        "site_differences": told["site_differences"],
        "notes": told["notes"],
    }


def _event(row: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: row[name] for name in OF_EVENT if name in row}


def _must_succeed(ended: Ended) -> None:
    if ended.exit_code == 0:
        return
    if ended.exit_code < 0:
        raise JobFailedError(ended.words or f"its process was killed (signal {-ended.exit_code})")
    raise JobFailedError(ended.words or f"its process ended with code {ended.exit_code}")


def _read(path: Path) -> Any:
    try:
        return _parsed(path.read_bytes())
    except OSError as exc:
        raise JobFailedError(f"its result cannot be read: {exc.strerror}") from exc


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as exc:
        raise JobFailedError("its result cannot be read") from exc
