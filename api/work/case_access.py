"""Lets people at the cases of their sites, each look of theirs standing in the audit before it is granted."""

from __future__ import annotations

from api.clock import Now
from api.records.audit import AuditEntry, Outcome, append
from api.work.access import Principal
from api.work.case_errors import CaseUnknownError
from api.work.plate_key import PlateKey
from evidence.database import Database
from evidence.records_sql import site_of


class CaseAccess:
    """Lets people at the cases of ``database``."""

    def __init__(self, database: Database, plates: PlateKey, now: Now) -> None:
        self._database = database
        self._plates = plates
        self._now = now

    def enter(self, by: Principal, case_id: str, action: str, *, request_id: str, what: str = "") -> None:
        """The look stands in the audit; ``what`` names the part of the case.

        Raises CaseUnknownError for a case of a site that the account is not for, as for one that is not there: that it was
        asked for stands in the audit, too.
        """
        with self._database.write() as tx:
            site_id = site_of(tx, case_id)
            may = site_id is not None and by.sees(site_id)
            append(
                tx,
                AuditEntry(
                    at=self._now(),
                    actor_id=by.account_id,
                    action=action,
                    target=f"case:{case_id}",
                    site_id=site_id,
                    outcome=Outcome.DONE if may else Outcome.REFUSED,
                    request_id=request_id,
                    facts=(("part", what),) if what else (),
                ),
            )
        if not may:
            raise CaseUnknownError(case_id)

    def listed(self, by: Principal, *, request_id: str, count: int, plate: str | None) -> None:
        """That somebody saw so many cases in a list stands in the audit, with a keyed hash of the part of a plate searched."""
        facts: tuple[tuple[str, str], ...] = (("count", str(count)),)
        if plate is not None:
            facts = (*facts, ("plate_hash", self._plates.hash(plate)))
        with self._database.write() as tx:
            append(
                tx,
                AuditEntry(
                    at=self._now(),
                    actor_id=by.account_id,
                    action="cases.listed",
                    target="cases",
                    request_id=request_id,
                    facts=facts,
                ),
            )
