"""Events for those who may see what they are about."""

from __future__ import annotations

from collections.abc import Sequence

from api.records import outbox
from api.records.outbox import Told
from api.work.access import Permission, Principal
from evidence.database import Database
from rules.errors import StoplineError

AT_ONCE = 100

NEEDED = {
    "case": Permission.READ_CASES,
    "appeal": Permission.READ_CASES,
    "suspension": Permission.READ_CASES,
    "site": Permission.READ_SITES,
    "camera": Permission.READ_SITES,
    "job": Permission.RUN,
}
"""What one must be permitted to hear of a kind's first word; other kinds are told to nobody."""


class EventIdError(StoplineError):
    """A Last-Event-ID that is none of ours."""

    code = "cursor_malformed"

    def __init__(self) -> None:
        super().__init__("Last-Event-ID is the number of an event")


class EventGoneError(StoplineError):
    """Events after that one were forgotten: ask for everything anew."""

    code = "events_gone"


class EventFeed:
    """Reads the outbox of ``database``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, last_id: str | None) -> int:
        """The number after which to go on: that of ``last_id``, else the newest. Raises EventIdError."""
        if last_id is None:
            with self._database.read() as tx:
                return outbox.ends(tx)[1]
        if not (last_id.isascii() and last_id.isdecimal() and len(last_id) <= 18):
            raise EventIdError
        return int(last_id)

    def after(self, by: Principal, number: int) -> tuple[Sequence[Told], int]:
        """Events with a higher number that may be told, ascending, and the number to go on after.

        Raises EventGoneError where some were forgotten in between.
        """
        with self._database.read() as tx:
            oldest, _ = outbox.ends(tx)
            page = outbox.told_after(tx, number, AT_ONCE)
        if oldest > number + 1 > 1:
            raise EventGoneError("events were forgotten meanwhile")
        return [event for event in page if _may(by, event)], page[-1].number if page else number


def _may(by: Principal, event: Told) -> bool:
    needed = NEEDED.get(event.kind.partition(".")[0])
    return needed is not None and by.may(needed) and (event.site_id is None or by.sees(event.site_id))
