"""Deletes what has been kept long enough: cases by their site's periods, passages by their date, observations with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from api.clock import Now
from api.errors import UsageError
from api.records import outbox
from api.site_file import SiteFile
from api.work.custody import DEMO_KEY, open_custody
from api.work.data_folder import open_records
from api.work.expiry import (
    Expired,
    expired_passages,
    forget_events,
    observations_over,
    remove_passages,
)
from api.work.run_folder import OBSERVATIONS, RUN, locked
from evidence.canonical import moment
from evidence.chain_file import FOLDER
from evidence.durable import Disk
from evidence.records import Case, LegalHold, Records
from evidence.removal import DueReport, Removals, due_cases, remove_cases
from evidence.retention import Periods
from evidence.signing import Signer
from evidence.store import PackageStore
from evidence.store_local import LocalStore

EVENTS_LAST = timedelta(days=30)
"""How long who was away may go on after the last event that was heard; then everything is asked for anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainRequest:
    """The data folder, and the site files whose periods hold in it; with ``dry_run`` nothing is changed."""

    data: Path
    sites: tuple[SiteFile, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What went (in a dry run: would go), and what stays for which reason.

    ``observations`` says whether the run's observations went; ``removals`` is None in a dry run.
    """

    at: datetime
    due: DueReport
    removals: Removals | None
    passages: Expired
    observations: bool

    @property
    def is_done(self) -> bool:
        """Whether all that had to go went."""
        return self.removals is None or not self.removals.refused


def retain(
    request: RetainRequest,
    signer: Signer | None,
    now: Now,
    store: PackageStore | None = None,
    disk: Disk | None = None,
) -> Retained:
    """What may go at ``now`` is gone from ``store`` (None: the folder itself). Repeating it is harmless, and finishes
    what a crash interrupted.

    Without a ``signer`` the folder's demo key signs tombstones, where it has one. Raises UsageError (contradicting site
    files, a folder in use or without its key), DataFolderError, LineDamagedError, and what store, disk and chain raise;
    a store that cannot be used stops it before anything has gone.
    """
    disk = Disk() if disk is None else disk
    periods = _periods(request.sites)
    with closing(open_records(request.data)) as records:
        if request.dry_run:
            return Retained(
                at=now(),
                due=due_cases(records, periods, now()),
                removals=None,
                passages=expired_passages(request.data, now()),
                observations=_observations_go(request, records, now()),
            )
        with locked(request.data):
            at = now()
            expired_passages(request.data, at)  # a damaged line stops it before anything has gone
            due = due_cases(records, periods, at)
            removals = Removals(removed=(), finished=(), refused=())
            if due.due or due.begun:
                store = LocalStore(request.data, disk) if store is None else store
                store.check()
                removals = _remove(request.data, due, records, store, signer, now, disk)
            passages = remove_passages(request.data, at, disk)
            observations = _observations_go(request, records, at)
            if observations:
                disk.unlink(request.data / OBSERVATIONS)
            with records.database.write() as tx:
                outbox.forget_before(tx, at - EVENTS_LAST)
            records.forget()
            return Retained(at=at, due=due, removals=removals, passages=passages, observations=observations)


def place_hold(
    data: Path, case_id: str, *, reason: str, by: str, now: Now, store: PackageStore | None = None
) -> Case:
    """The case stays until somebody lifts the hold, also in a ``store`` that locks.

    Raises UsageError for an unknown one, LegalHoldError, CaseRemovedError, and what the store raises: the records hold the
    case then, and 'release' and 'hold' tell the store once more.
    """
    with closing(open_records(data)) as records:
        try:
            held = records.place_hold(case_id, LegalHold(reason=reason, placed_by=by, placed_at=now()))
        except KeyError as exc:
            raise _unknown(data, case_id) from exc
    if store is not None:
        store.hold(case_id, is_held=True)
    return held


def lift_hold(data: Path, case_id: str, *, by: str, now: Now, store: PackageStore | None = None) -> Case:
    """The case's period counts again. Raises UsageError for an unknown one, LegalHoldError, CaseRemovedError, and what the
    store raises: the records hold the case then as before.
    """
    with closing(open_records(data)) as records:
        case = records.case(case_id)
        if case is not None and case.hold is not None and store is not None:
            store.hold(case_id, is_held=False)
        try:
            return records.lift_hold(case_id, by, now())
        except KeyError as exc:
            raise _unknown(data, case_id) from exc


def as_lines(found: Retained) -> Iterator[str]:
    """For people: what went, what stays and why, and when the next case may go."""
    due, done = found.due, found.removals
    gone = dict.fromkeys(done.removed, "removed") if done is not None else {}
    for each in due.due:
        case_id = each.case.record.id
        what = gone.get(case_id, "would go" if done is None else "stays")
        late = f", late: it was to be gone by {moment(each.must_go)}" if each.is_late else ""
        yield f"{what:<8} {case_id} ({each.standing.value}{late})"
    for case_id in due.begun if done is None else done.finished:
        yield f"{'would go' if done is None else 'removed':<8} {case_id} (its removal was interrupted)"
    for case_id, why in () if done is None else done.refused:
        yield f"REFUSED  {case_id}: {why}"
    for case_id in due.held:
        yield f"held     {case_id}: its time is over, its legal hold keeps it"
    for case_id in due.unlinked:
        yield f"stays    {case_id}: no chain has it, so when it was recorded is unknown; it can have no tombstone"
    for site_id, standing, count in due.without_period:
        yield f"stays    {count} {standing.value} of site {site_id}: its site file gives no period (retention: {standing.value})"
    for site_id, count in due.unknown_sites:
        yield f"stays    {count} of site {site_id}: give its site file with --site"
    verb = "would go" if done is None else "went"
    number = found.passages
    if number.passages:
        yield f"{number.passages} passages {verb}, {number.pictures} of them with a picture"
    if number.undated:
        yield f"{number.undated} passages have no date (no wall clock): they stay"
    if found.observations:
        yield f"{OBSERVATIONS} {verb}"
    after = f"; the next may go on {moment(due.next_at)}" if due.next_at is not None else ""
    yield f"{due.waiting} cases wait for their time{after}"


def as_fields(found: Retained) -> dict[str, Any]:
    """The same for programs."""
    due, done = found.due, found.removals
    return {
        "format": "stopline-retention/1",
        "at": moment(found.at),
        "dry_run": done is None,
        "due": [
            {
                "case": each.case.record.id,
                "standing": each.standing.value,
                "must_go": moment(each.must_go),
                "late": each.is_late,
            }
            for each in due.due
        ],
        "begun": list(due.begun),
        "removed": [] if done is None else list(done.removed),
        "finished": [] if done is None else list(done.finished),
        "refused": [] if done is None else [{"case": case, "why": why} for case, why in done.refused],
        "held": list(due.held),
        "unlinked": list(due.unlinked),
        "waiting": due.waiting,
        "next_at": None if due.next_at is None else moment(due.next_at),
        "without_period": [
            {"site": site, "standing": standing.value, "cases": count}
            for site, standing, count in due.without_period
        ],
        "unknown_sites": [{"site": site, "cases": count} for site, count in due.unknown_sites],
        "passages": found.passages.passages,
        "pictures": found.passages.pictures,
        "undated_passages": found.passages.undated,
        "observations": found.observations,
    }


def _remove(
    data: Path,
    due: DueReport,
    records: Records,
    store: PackageStore,
    signer: Signer | None,
    now: Now,
    disk: Disk,
) -> Removals:
    if signer is None and not (data / FOLDER / DEMO_KEY).is_file():
        raise UsageError(
            f"{data}: its chain is signed with a key that is not here, and each deletion needs a signed tombstone; set "
            "STOPLINE_KEYS to the key folder"
        )
    custody = open_custody(data, records, signer, now, disk)
    removals = remove_cases(due.due, custody, store, now, lambda gone: forget_events(data, gone))
    gone = {*removals.removed, *removals.finished}
    cameras = {each.case.record.camera_id for each in due.due if each.case.record.id in gone}
    cameras |= {case.record.camera_id for case_id in due.begun if (case := records.case(case_id)) is not None}
    for camera_id in sorted(cameras):
        custody.checkpoint(camera_id)
    return removals


def _periods(sites: Sequence[SiteFile]) -> dict[str, Periods]:
    found: dict[str, Periods] = {}
    for site_file in sites:
        site_id, periods = site_file.site.site_id, site_file.document.retention.periods()
        if found.setdefault(site_id, periods) != periods:
            raise UsageError(
                f"{site_file.file}: site {site_id} has other periods here than in another --site; give one"
            )
    return found


def _observations_go(request: RetainRequest, records: Records, now: datetime) -> bool:
    """Whether the observations are older than passages may be, and no case of the folder is under hold."""
    try:
        camera_id = json.loads((request.data / RUN).read_text(encoding="utf-8"))["camera"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    days = [
        each.site.passage_days
        for each in request.sites
        if any(camera.camera_id == camera_id for camera in each.site.cameras)
    ]
    if not days or not observations_over(request.data, max(days), now):
        return False
    return not records.any_hold()


def _unknown(data: Path, case_id: str) -> UsageError:
    return UsageError(f"{data} has no case {case_id}; 'stopline serve' lists them")
