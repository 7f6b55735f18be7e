"""One run of the case builder over a drawn street, as a process that can be killed: python -m benchmarks.street_run FOLDER FILM."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from evidence.durable import Disk
from rules.finding import Finding, Output
from rules.finding_id import finding_id
from rules.observation import FrameStamp
from tests.builders.casework import Bench
from tests.builders.filmed import Filming, Street, spoken

ALLOWED_STOP_S = 5.0
CARS_EVERY_S = 2.0
EVENTS = "events.jsonl"


def the_street(seconds: float) -> Street:
    """A street of that length with a car parked from 1 s on."""
    return Street(filming=Filming(seconds=seconds), crossing_s=6.0, red_s=3.0, arrival_s=1.0)


def its_findings(street: Street) -> tuple[Finding, ...]:
    """One parking case, and every two seconds a red-light case (the same car, seen as another track each time)."""
    findings = [street.parking(allowed_stop_s=ALLOWED_STOP_S)]
    first = street.red_light()
    count = int((street.filming.seconds - 14.0) / CARS_EVERY_S)
    for number in range(count):
        findings.append(later(first, street, number * CARS_EVERY_S, track_id=10 + number))
    return tuple(findings)


def later(finding: Finding, street: Street, by_s: float, *, track_id: int) -> Finding:
    """The same finding of another track ``by_s`` later; its pictures show the street as it then was."""
    photos = tuple(replace(photo, stamp=street.stamp(photo.stamp.media_s + by_s)) for photo in finding.photos)
    trace = tuple(
        replace(point, index=stamp.index, media_s=stamp.media_s)
        for point in finding.trace
        for stamp in (street.stamp(point.media_s + by_s),)
    )
    green, red = finding.signal
    stamp = street.stamp(finding.stamp.media_s + by_s)
    plate = finding.plate
    assert plate is not None and plate.stamp is not None
    return replace(
        finding,
        id=finding_id("north", finding.rule, stamp, track_id),
        track_id=track_id,
        stamp=stamp,
        t_s=finding.t_s + by_s,
        photos=photos,
        trace=trace,
        signal=(green, replace(red, to_s=red.to_s + by_s)),
        plate=replace(plate, stamp=street.stamp(plate.stamp.media_s + by_s)),
    )


def run(
    folder: Path,
    film: Path,
    seconds: float,
    *,
    disk: Disk | None = None,
    at: Callable[[float], None] = lambda media_s: None,
) -> None:
    """What ``--resume`` does: finishes what an earlier run left, then all again; ends with the events, in order.

    ``at`` is told the media second of each frame before anything is made of it.
    """
    street = the_street(seconds)
    rules = spoken(its_findings(street))

    def say(now: FrameStamp) -> Sequence[Output]:
        at(now.media_s)
        return rules(now)

    with closing(
        Bench(street=street, film=film, data_dir=folder, allowed_stop_s=ALLOWED_STOP_S, disk=disk)
    ) as bench:
        bench.sweep()
        built = bench.run(script=say)
    lines = [case.event_json for case in sorted(built, key=lambda case: (case.finding.t_s, case.finding.id))]
    part = folder / f"{EVENTS}.part"
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(folder / EVENTS)


if __name__ == "__main__":
    run(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        float(sys.argv[3]),
        at=lambda media_s: print(media_s, flush=True),
    )
