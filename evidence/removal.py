"""Removes the cases whose time is over: tombstone, package, record, in this order, and each step can be repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evidence.custody import Custody, TombstoneError
from evidence.errors import EvidenceError
from evidence.records import Case, KeptCase, Records
from evidence.retention import Periods, Standing, standing_of, term_of
from evidence.store import PackageStore

PAGE = 500
"""Cases that are looked at between two questions to the records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCase:
    """A case that may go; ``is_late`` where it should have been gone before now."""

    case: Case
    standing: Standing
    must_go: datetime
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueReport:
    """What a look at all kept cases found: which may go, and which stay for what reason.

    ``begun`` are the ids of cases whose removal an interrupted run had begun, ``held`` of those that would go without their
    legal hold, ``unlinked`` of those that no chain has: nobody knows when they were recorded. ``waiting`` counts those whose
    time is not over, ``next_at`` is when the first of them may go. ``without_period`` counts by site and standing, of which
    the site file says nothing; ``unknown_sites`` counts by sites of which nobody gave periods.
    """

    due: tuple[DueCase, ...]
    begun: tuple[str, ...]
    held: tuple[str, ...]
    unlinked: tuple[str, ...]
    waiting: int
    next_at: datetime | None
    without_period: tuple[tuple[str, Standing, int], ...]
    unknown_sites: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """What was done: ids of cases that are gone, of those whose removal was ``finished``, and what was refused and why."""

    removed: tuple[str, ...]
    finished: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def due_cases(records: Records, periods: Mapping[str, Periods], now: datetime) -> DueReport:
    """Which cases may go at ``now`` by the ``periods`` of each site; nothing is changed."""
    due: list[DueCase] = []
    held: list[str] = []
    unlinked: list[str] = []
    waiting: list[datetime] = []
    without: Counter[tuple[str, Standing]] = Counter()
    unknown: Counter[str] = Counter()
    for kept in _all(records):
        case, record = kept.case, kept.case.record
        standing = standing_of(case)
        if record.site_id not in periods:
            unknown[record.site_id] += 1
            continue
        period = periods[record.site_id].of(standing)
        if period is None:
            without[record.site_id, standing] += 1
            continue
        term = term_of(kept, period)
        if term is None:
            unlinked.append(record.id)
        elif now < term.may_go:
            waiting.append(term.may_go)
        elif case.hold is not None:
            held.append(record.id)
        else:
            late = now > term.must_go
            due.append(DueCase(case=case, standing=standing, must_go=term.must_go, is_late=late))
    return DueReport(
        due=tuple(due),
        begun=tuple(case.record.id for case in records.half_removed()),
        held=tuple(held),
        unlinked=tuple(unlinked),
        waiting=len(waiting),
        next_at=min(waiting, default=None),
        without_period=tuple((site, standing, count) for (site, standing), count in sorted(without.items())),
        unknown_sites=tuple(sorted(unknown.items())),
    )


def remove_cases(
    due: Sequence[DueCase],
    custody: Custody,
    store: PackageStore,
    now: Callable[[], datetime],
    forget: Callable[[Sequence[str]], None],
) -> Removals:
    """These cases are gone, and those whose removal an interrupted run had begun.

    ``forget`` is called with the ids of those whose packages are gone, before their records forget them: what else
    names them is to be gone then too. A crash at any moment leaves them to the next call, which does all of it again.
    Who holds or decides a case meanwhile wins: it stays. What the store refuses is told, and is tried again by the
    next call. Raises what the records and the custody raise.
    """
    records = custody.records
    refused: list[tuple[str, str]] = []

    def is_deleted(case_id: str) -> bool:
        try:
            store.remove(case_id)
        except EvidenceError as exc:
            refused.append((case_id, str(exc)))
            return False
        return True

    def is_buried(case: Case) -> bool:
        try:
            return custody.bury(case) is not None
        except TombstoneError as exc:
            refused.append((case.record.id, str(exc)))
            return False

    begun = records.half_removed()
    for case in begun:
        custody.open(case.record.camera_id)
    finished = tuple(case.record.id for case in begun if is_deleted(case.record.id))
    buried = (each.case for each in due if is_buried(each.case))
    removed = tuple(case.record.id for case in buried if is_deleted(case.record.id))
    forget((*finished, *removed))
    for case_id in (*finished, *removed):
        records.end_removal(case_id, now())
    return Removals(removed=removed, finished=finished, refused=tuple(refused))


def _all(records: Records) -> Iterator[KeptCase]:
    after: int | None = None
    while page := records.kept(after_number=after, limit=PAGE):
        yield from page
        after = page[-1].case.number
