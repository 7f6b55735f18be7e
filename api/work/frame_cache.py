"""Pictures of clips by number, decoded a few at a time beside the requests, and remembered: who steps asks for the next one."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

AT_ONCE = 2
"""Groups that are decoded at once: more would only take each other's time, and everybody else's."""

NICENESS = 5
"""Lists and cases come first, runs over footage last."""

AHEAD = 4
"""Following pictures that are made along: the way to them was decoded anyway."""

MOST_BYTES = 64 * 1024 * 1024
"""Some 200 pictures of 1080p: those of the cases that are open just now."""


class FrameCache:
    """JPEGs of frames, by the clip's hash and the number."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(AT_ONCE, "frames", initializer=_behind)

    def picture(self, sha256: str, clip: bytes, number: int) -> bytes:
        """The frame of that number of the clip, whose hash that is, as JPEG. Raises IndexError, ClipError."""
        found = self._known(sha256, number)
        return self._workers.submit(self._make, sha256, clip, number).result() if found is None else found

    def close(self) -> None:
        """What is being decoded is finished."""
        self._workers.shutdown()

    def _make(self, sha256: str, clip: bytes, number: int) -> bytes:
        from evidence.clip_frames import frames_from  # loads the decoder; the service starts without it
        from evidence.picture import jpeg

        found = self._known(sha256, number)
        if found is None:
            for at, pixels in frames_from(clip, number, 1 + AHEAD):
                made = jpeg(pixels)
                self._keep(sha256, at, made)
                found = made if at == number else found
        assert found is not None
        return found

    def _known(self, sha256: str, number: int) -> bytes | None:
        with self._lock:
            found = self._made.get((sha256, number))
            if found is not None:
                self._made.move_to_end((sha256, number))
            return found

    def _keep(self, sha256: str, number: int, made: bytes) -> None:
        with self._lock:
            before = self._made.pop((sha256, number), b"")
            self._made[sha256, number] = made
            self._bytes += len(made) - len(before)
            while self._bytes > MOST_BYTES:
                self._bytes -= len(self._made.popitem(last=False)[1])


def _behind() -> None:
    """The calling thread gives way to the others of the process, where the system has priorities of threads."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
