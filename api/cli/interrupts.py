"""Turns Ctrl-C and SIGTERM into a question that a use case asks between two frames."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Whether the user wants it to stop. The first signal is remembered, a second one raises KeyboardInterrupt.

    For the main thread only; the handlers from before are put back at the end.
    """
    wanted = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal wanted
        if wanted:
            raise KeyboardInterrupt
        wanted = True

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: wanted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
