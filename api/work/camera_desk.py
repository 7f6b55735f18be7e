"""Looks at cameras of sites for who configures them: a picture, and whether the camera can be used; few at a time, and briefly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from api.clock import Clock
from api.errors import ConfigInvalidError, UsageError
from api.records import audit
from api.site_file import parse_site_file
from api.work.case_sight import Actor
from api.work.configuration import Configuration
from api.work.site_errors import CameraBusyError, CameraUnknownError, CameraUnreachableError
from evidence.database import Database
from ingest.errors import IngestError
from ingest.networks import Account, CameraNetworks

if TYPE_CHECKING:
    from api.work.camera_check import CameraLook

AT_ONCE = 2
"""Each decodes video, which the cameras that are watched need the cores for."""

OPEN_WITHIN_S = 5.0
SNAPSHOT_S, TEST_S = 0.5, 5.0
"""A first picture; and so long that RTCP has told the camera's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReach:
    """Where cameras may stand, and the accounts at them."""

    networks: CameraNetworks
    accounts: Mapping[str, Account]


def no_reach() -> CameraReach:
    """Nowhere: cameras stand in no network."""
    return CameraReach(networks=CameraNetworks(()), accounts={})


class CameraDesk:
    """Cameras of published site files, or of drafts. ``reach`` is asked each time: it raises ConfigInvalidError."""

    def __init__(
        self,
        database: Database,
        configuration: Configuration,
        reach: Callable[[], CameraReach],
        clock: Clock,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._reach = reach
        self._clock = clock
        self._now = now
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def snapshot(self, actor: Actor, camera_id: str, *, draft_of: str | None) -> bytes:
        """What the camera shows just now, as JPEG; that it is looked at is audited first.

        ``draft_of``: at the address that the draft of that site gives, None: at the published one. Raises CameraUnknownError,
        CameraBusyError, CameraUnreachableError, ConfigInvalidError (a draft that is not in order).
        """
        return self._look(actor, camera_id, "camera.snapshot_taken", SNAPSHOT_S, draft_of=draft_of).picture

    def test(self, actor: Actor, camera_id: str, *, draft_of: str | None) -> CameraLook:
        """What the camera sends. Raises as ``snapshot``."""
        return self._look(actor, camera_id, "camera.tested", TEST_S, draft_of=draft_of)

    def _look(
        self, actor: Actor, camera_id: str, action: str, seconds: float, *, draft_of: str | None
    ) -> CameraLook:
        from api.work.camera_check import address_of, look_at_camera  # loads what decodes

        if draft_of is None:
            site_id = self._configuration.site_of_camera(actor, camera_id)
            found = self._configuration.newest(actor, site_id)
            assert found is not None, "a published camera is of a published site"
        else:
            site_id = draft_of
            found = parse_site_file(self._configuration.draft(actor, site_id)[1].encode(), site_id)
        part = next((one for one in found.document.cameras if one.id == camera_id), None)
        if part is None:
            raise CameraUnknownError(camera_id)
        with self._slot():
            entry = audit.AuditEntry(
                at=self._now(),
                actor_id=actor.principal.account_id,
                action=action,
                target=f"camera:{camera_id}",
                site_id=site_id,
                request_id=actor.request_id,
            )
            with self._database.write() as tx:
                audit.append(tx, entry)
            try:
                reach = self._reach()
                address = address_of(part.stream, camera_id, reach.accounts, small=False)
                return look_at_camera(address, reach.networks, self._clock, seconds, OPEN_WITHIN_S)
            except (ConfigInvalidError, UsageError, IngestError) as exc:
                raise CameraUnreachableError(str(exc)) from exc

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._free.acquire(blocking=False):
            raise CameraBusyError
        try:
            yield
        finally:
            self._free.release()
