"""What a replay needs of the parts that one camera's frames pass through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from api.bootstrap import Models, OpenedSource
from api.work.result_sink import Cases
from evidence.budget import Budget
from evidence.delivery import Delivery
from evidence.ports import EventLine
from ingest.packet_ring import PacketRing
from ingest.ports import Analyst, Judge


class Pipeline(Protocol):
    """All parts that one camera's frames pass through; what keeps state is made anew for each source."""

    @property
    def models(self) -> Models: ...

    def open_source(
        self,
        name: str,
        segment: int,
        started_at: datetime | None,
        duration_s: float | None,
        error_s: float = 1.0,
    ) -> OpenedSource:
        """The source, its first picture decoded; its wall clock may be off by ``error_s``. Raises IngestError."""
        ...

    def new_analyst(self) -> Analyst: ...

    def new_cases(
        self,
        data_dir: Path,
        footage: PacketRing,
        delivery: Delivery,
        sign: Callable[[bytes], bytes],
        event_line: EventLine,
        going_on: Budget | None = None,
    ) -> Cases: ...

    def new_judge(self) -> Judge: ...
