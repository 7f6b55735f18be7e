"""The one module that reads the time; everybody else is handed a Clock or a stamp."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

Now = Callable[[], datetime]
"""Says what time it is, as aware UTC."""


class Clock(Protocol):
    """Says what time it is, and how much of it has passed; tests hand in one that they move themselves."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...

    def elapsed_s(self) -> float:
        """Seconds since an arbitrary moment, never running backwards."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        return time.monotonic()
