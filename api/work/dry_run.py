"""Judges a run's recorded observations by a changed site file, and says what that would change."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from typing import Any

from api.errors import ConfigInvalidError, Problem, UsageError
from api.site_file import SiteFile, load_site_file
from api.versions import stopline_version
from api.work.event_lines import Row
from api.work.fold import fold, read_observations
from api.work.run_folder import EVENTS, OBSERVATIONS, PASSAGES, SUMMARY
from api.work.site_differences import SiteDifference, concerning, site_differences
from rules.errors import StoplineError
from rules.observation import Observation
from rules.site import Site

COMPARED = (
    "status",
    "t_s",
    "place",
    "vehicle_class",
    "time_into_red_s",
    "time_into_red_min_s",
    "dwell_s",
    "unseen_s",
    "plate",
)
"""What an event may change in and still be the same event."""

NAMED = re.compile(r".*-s(?P<segment>\d+)-f\d+-t(?P<track>\d+)")
"""The end of an event's id (see ``rules.finding_id``)."""

SAME_PLACE_PX = 60.0


class RunUnusableError(StoplineError):
    """A folder that holds no finished run; the text says what is missing."""

    code = "input_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An event that would be gained (``before`` is None), lost (``after`` is None) or changed in ``what``.

    ``reasons`` are sentences: those of the rule, and what differs in the site files at its place.
    """

    before: Row | None
    after: Row | None
    what: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "gained" if self.before is None else "lost" if self.after is None else "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What the changed site file would change. ``passages`` are counts before and after."""

    observations: int
    unchanged: int
    changes: tuple[Change, ...]
    passages: tuple[int, int]
    differences: tuple[str, ...]
    notes: tuple[str, ...]


def dry_run(run: Path, changed: SiteFile, was: Path | None) -> DryRun:
    """What ``changed`` would have said of the run's observations, against what the run said.

    ``was`` is the site file that the run was made by; None takes the path that the run noted, if the file there
    is still the same. Nothing is written. Raises RunUnusableError, UsageError (``was`` is another file),
    ConfigInvalidError (camera or picture size do not fit), ObservationsError.
    """
    summary, events, passages = _read(run)
    camera_id = summary["camera"]
    old = _old_site(summary, was)
    _check_fits(changed, camera_id, old)
    sampled: set[str] = set()
    folded = fold(_noting_heads(read_observations(run / OBSERVATIONS), sampled), changed.site)
    differences = () if old is None else site_differences(old.site, changed.site, camera_id)
    pairs = _paired(events, _rows(folded.events))
    changes = [_change(before, after, pairs, differences, changed.site, camera_id) for before, after in pairs]
    found = tuple(change for change in changes if change is not None)
    return DryRun(
        observations=folded.observations,
        unchanged=len(pairs) - len(found),
        changes=found,
        passages=(len(passages), folded.passages.count("\n")),
        differences=tuple(one.says for one in differences),
        notes=tuple(_notes(summary, changed, camera_id, old, sampled, found)),
    )


def _read(run: Path) -> tuple[Mapping[str, Any], list[Row], list[Row]]:
    try:
        summary = json.loads((run / SUMMARY).read_text(encoding="utf-8"))
        for needed in ("camera", "site", "versions", "sources"):
            summary[needed]
        return summary, *(_rows((run / name).read_text(encoding="utf-8")) for name in (EVENTS, PASSAGES))
    except (OSError, KeyError, TypeError, ValueError) as exc:
        raise RunUnusableError(f"{run}: no finished run of 'stopline replay' ({exc})") from exc


def _rows(text: str) -> list[Row]:
    return [json.loads(line) for line in text.splitlines()]


def _old_site(summary: Mapping[str, Any], was: Path | None) -> SiteFile | None:
    wanted = summary["site"]["sha256"]
    if was is not None:
        old = load_site_file(was)
        if old.sha256 != wanted:
            raise UsageError(
                f"--was: {was} is not the site file that the run was made by (its SHA-256 differs)"
            )
        return old
    try:
        old = load_site_file(Path(summary["site"]["file"]))
    except ConfigInvalidError:
        return None
    return old if old.sha256 == wanted else None


def _check_fits(changed: SiteFile, camera_id: str, old: SiteFile | None) -> None:
    cameras = {camera.camera_id: camera for camera in changed.site.cameras}

    def problem(field: str, message: str) -> ConfigInvalidError:
        return ConfigInvalidError([Problem(file=changed.file, line=None, field=field, message=message)])

    if camera_id not in cameras:
        raise problem("cameras", f"the run is of camera {camera_id!r}, and the file has {', '.join(cameras)}")
    if old is not None:
        then, now = (
            (camera.width_px, camera.height_px) for camera in (old.site.camera(camera_id), cameras[camera_id])
        )
        if then != now:
            raise problem(
                f"cameras: {camera_id}: size_px",
                f"the run's picture has {then[0]}x{then[1]} px, not {now[0]}x{now[1]}; its observations are in those pixels",
            )


def _noting_heads(observations: Iterable[Observation], sampled: set[str]) -> Iterator[Observation]:
    for observation in observations:
        sampled.update(lamp.head_id for lamp in observation.lamps)
        yield observation


Pair = tuple[Row | None, Row | None]


def _paired(before: Sequence[Row], after: Sequence[Row]) -> list[Pair]:
    """Which events are the same: those of one rule and track in their order, then those of one rule, class and place."""
    left = list(after)
    pairs: list[Pair] = []
    alone: list[Row] = []
    by_track: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in after:
        by_track[_track_of(row)].append(row)
    for row in before:
        same = by_track[_track_of(row)]
        if same:
            other = same.pop(0)
            left.remove(other)
            pairs.append((row, other))
        else:
            alone.append(row)
    for row in alone:
        moved = next((one for one in left if _is_same_place(row, one)), None)
        if moved is not None:
            left.remove(moved)
        pairs.append((row, moved))
    return sorted([*pairs, *((None, row) for row in left)], key=lambda pair: _when(pair[0] or pair[1]))


def _when(row: Row | None) -> tuple[float, str]:
    assert row is not None
    return (row["t_s"], row["id"])


def _track_of(row: Row) -> tuple[Any, ...]:
    return (row["rule"], *_segment_and_track(row))


def _segment_and_track(row: Row) -> tuple[str, str]:
    match = NAMED.fullmatch(row["id"])
    return ("", row["id"]) if match is None else (match["segment"], match["track"])


def _is_same_place(one: Row, other: Row) -> bool:
    if any(one[name] != other[name] for name in ("rule", "vehicle_class")):
        return False
    if _segment_and_track(one)[0] != _segment_and_track(other)[0]:
        return False
    (x1, y1), (x2, y2) = one["at_px"], other["at_px"]
    return hypot(x1 - x2, y1 - y2) <= SAME_PLACE_PX and one.get("place") == other.get("place")


def _change(
    before: Row | None,
    after: Row | None,
    pairs: Sequence[Pair],
    differences: Sequence[SiteDifference],
    site: Site,
    camera_id: str,
) -> Change | None:
    """The change of that pair, None where there is none."""
    what: tuple[str, ...] = ()
    if before is not None and after is not None:
        what = tuple(name for name in COMPARED if name in before and before[name] != after[name])
        if not what:
            return None
    row = after or before
    assert row is not None
    reasons = [*row["reasons"]] if after is not None else []
    if after is None:
        others = [
            other["rule"]
            for _, other in pairs
            if other is not None and _segment_and_track(other) == _segment_and_track(row)
        ]
        reasons += [f"The changed site says {rule} of its track." for rule in others]
        if not others:
            reasons.append("The changed site says nothing of its track.")
    reasons += concerning(row.get("place"), differences, site, camera_id)
    return Change(before=before, after=after, what=what, reasons=tuple(reasons))


def _notes(
    summary: Mapping[str, Any],
    changed: SiteFile,
    camera_id: str,
    old: SiteFile | None,
    sampled: set[str],
    changes: Sequence[Change],
) -> Iterator[str]:
    """What a reader must know before believing the result."""
    if changed.sha256 == summary["site"]["sha256"]:
        yield "the site file is the one that the run was made by"
    elif old is None:
        yield (
            "the site file that the run was made by is not where it was, or was changed since; give it with --was to see "
            "what differs in it"
        )
    then, now = summary["versions"].get("stopline"), stopline_version()
    if then != now:
        yield f"the run was made by version {then} and is judged by {now}: not every change need come from the site file"
    for head in changed.site.heads:
        if head.camera_id == camera_id and head.head_id not in sampled:
            yield f"head {head.head_id} was not looked at in the run, so its state is unknown here; replay the recording"
    if old is not None:
        boxes = {head.head_id: head.box_px for head in old.site.heads}
        for head in changed.site.heads:
            if head.head_id in sampled and boxes.get(head.head_id, head.box_px) != head.box_px:
                yield f"head {head.head_id}: its lamps were read in the old box; replay the recording to try the new one"
    failed = [source["source"] for source in summary["sources"] if "error" in source]
    for source in failed:
        yield f"{source} could not be replayed in the run, so nothing is known of it"
    if any(change.kind == "gained" and change.after and change.after["plate"] is None for change in changes):
        yield "plates were read only of vehicles that the run watched; an event that is gained may lack its plate here"
