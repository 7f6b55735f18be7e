"""What a run says about itself in ``summary.json``: how much was seen, with what, and what could not be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from api.bootstrap import Models
from api.errors import SourceFailure
from api.site_file import SiteFile
from api.versions import versions
from api.work.event_lines import Row, ordered_events
from api.work.run_folder import SourceRecord
from rules.finding import Status
from rules.schedule import disarmed_reason
from rules.site import Camera


def summary_of(
    site_file: SiteFile,
    camera: Camera,
    models: Models,
    records: Sequence[SourceRecord],
    failures: Sequence[SourceFailure],
) -> dict[str, Any]:
    """The fields of ``summary.json``. Shares are 0..1; ``*_s`` are seconds."""
    video_s = sum(record.video_s for record in records)
    wall_s = sum(record.wall_s for record in records)
    status = Counter(row["status"] for record in records for row in record.events)
    return {
        "site": {"id": site_file.site.site_id, "file": site_file.file, "sha256": site_file.sha256},
        "camera": camera.camera_id,
        "frames": sum(record.frames for record in records),
        "analysed": sum(record.analysed for record in records),
        "video_s": round(video_s, 3),
        "wall_s": round(wall_s, 3),
        "times_real_time": round(video_s / wall_s, 2) if wall_s > 0 else None,
        "events": {name.value: status[name.value] for name in Status},
        "passages": sum(len(record.passages) for record in records),
        "passage_pictures_missing": sum(record.pictures_missing for record in records),
        "weights": {"name": models.weights_name, "sha256": models.weights_sha256},
        "plate_models": dict(models.plates),
        "versions": versions(),
        "gaps": {
            "count": sum(record.gap_count for record in records),
            "seconds": round(sum(record.gap_s for record in records), 3),
            "listed": [
                {"segment": record.segment, "from_s": round(from_s, 3), "to_s": round(to_s, 3)}
                for record in records
                for from_s, to_s in record.gaps_s
            ],
        },
        "unknown_lamp_share": _unknown_lamp_share(camera, records),
        "disarmed": list(_disarmed(site_file, camera, records)),
        "disarmed_s": _disarmed_s(camera, records),
        "disarmed_listed": [
            {"segment": record.segment, **row} for record in records for row in record.disarmed
        ],
        "lost_in_gaps": [{"segment": record.segment, **row} for record in records for row in record.lost],
        "unkept": [{"segment": record.segment, **row} for record in records for row in record.unkept],
        "observations_lost": sum(record.observations_lost for record in records),
        "sources": [_source(record) for record in records]
        + [
            {"source": failure.source, "error": failure.code, "message": failure.message}
            for failure in failures
        ],
    }


def _source(record: SourceRecord) -> dict[str, Any]:
    return {
        "source": record.source,
        "segment": record.segment,
        "frames": record.frames,
        "analysed": record.analysed,
        "video_s": record.video_s,
        "wall_s": record.wall_s,
        "damage": record.damage,
        "interrupted": record.interrupted,
        "signals": record.signals,
        "events": [row["id"] for row in ordered_events(record.events)],
    }


def _unknown_lamp_share(camera: Camera, records: Sequence[SourceRecord]) -> dict[str, float | None]:
    """Per head, the share of its samples that read unknown.

    1.0 for a head that a stop line needs and nobody sees; None where others told its state.
    """
    samples: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    for record in records:
        samples.update(record.lamp_samples)
        unknown.update(record.lamps_unknown)
    needed = {head_id for line in camera.stop_lines for head_id in line.head_ids}
    reported = {head_id for record in records for head_id in record.heads_reported}
    return {
        head_id: round(unknown[head_id] / samples[head_id], 4)
        if samples[head_id]
        else None
        if head_id in reported
        else 1.0
        for head_id in sorted(needed | set(samples))
    }


def _disarmed_s(camera: Camera, records: Sequence[SourceRecord]) -> dict[str, float]:
    """Per place, for how many seconds its rule did not trust itself, for whatever reasons."""
    places = [
        *(line.line_id for line in camera.stop_lines),
        *(zone.zone_id for zone in camera.no_parking),
        *(gate.gate_id for gate in camera.gates),
        *(crossing.crosswalk_id for crossing in camera.crosswalks),
    ]
    return {
        place: round(
            sum(
                covered_s(
                    (row["from_s"], row["to_s"]) for row in record.disarmed if row["place"] in (None, place)
                )
                for record in records
            ),
            3,
        )
        for place in places
    }


def covered_s(intervals: Iterable[tuple[float, float]]) -> float:
    """How many seconds the intervals cover together, what lies in several counted once."""
    total_s, reached_s = 0.0, float("-inf")
    for from_s, to_s in sorted(intervals):
        total_s += max(0.0, to_s - max(from_s, reached_s))
        reached_s = max(reached_s, to_s)
    return total_s


def _disarmed(site_file: SiteFile, camera: Camera, records: Sequence[SourceRecord]) -> Iterator[str]:
    """Sentences that say which rule accused nobody in this run, and why."""
    seen = {head.head_id for head in site_file.site.heads if head.camera_id == camera.camera_id}
    seen |= {head_id for record in records for head_id in record.heads_reported}
    for line in camera.stop_lines:
        unseen = [head_id for head_id in line.head_ids if head_id not in seen]
        if unseen:
            yield (
                f"stop line {line.line_id}: this camera does not see its signal head {', '.join(unseen)}, and nobody "
                "reported what it shows, so the state is unknown and nobody is accused"
            )
    if records and not all(record.has_wall_clock for record in records):
        for zone in camera.no_parking:
            reason = disarmed_reason(zone, None)
            if reason is not None:
                yield f"{reason}; give --start-time"
    yield from _lost(camera, records)
    yield from _unkept(records)
    rows: dict[tuple[str | None, str], list[Row]] = {}
    for record in records:
        for row in record.disarmed:
            rows.setdefault((row["place"], row["cause"]), []).append(row)
    for (place, _), spells in rows.items():
        where = "all rules" if place is None else f"stop line {place}"
        seconds = sum(row["to_s"] - row["from_s"] for row in spells)
        yield f"{where}: nobody was accused for {seconds:.1f} s, because {spells[0]['reason']}"


def _unkept(records: Sequence[SourceRecord]) -> Iterator[str]:
    """One sentence about the findings that became no case."""
    rows = [row for record in records for row in record.unkept]
    if rows:
        yield f"{_counted(len(rows), 'finding')} became no case, since there was no room for evidence (unkept)"


def _lost(camera: Camera, records: Sequence[SourceRecord]) -> Iterator[str]:
    """Per stop line, one sentence about the gaps in which its red light was not watched."""
    for line in camera.stop_lines:
        gaps = [row for record in records for row in record.lost if row["place"] == line.line_id]
        if gaps:
            seconds = sum(row["to_s"] - row["from_s"] for row in gaps)
            tracks = sum(len(row["tracks"]) for row in gaps)
            yield (
                f"stop line {line.line_id}: no picture came for {seconds:.1f} s in {_counted(len(gaps), 'gap')} while a "
                f"light was or may have been red; who crossed then is lost, perhaps {_counted(tracks, 'vehicle')} "
                "(lost_in_gaps)"
            )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
