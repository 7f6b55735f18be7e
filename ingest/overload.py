"""What is left out of a live source when the machine is too slow for it: analysis first, then decoding; never packets."""

from __future__ import annotations

from collections.abc import Callable

from ingest.frame import Frame
from ingest.ports import LaggingSource
from rules.observation import Observation

ANALYSE_WITHIN_S = 0.5
"""A frame further behind is not analysed: the least gap, so that lag ends before anything is inferred wrongly."""

DECODE_WITHIN_S = 2.0
"""Further behind than this, nothing is decoded up to the next keyframe."""


class Overload:
    """Watches the lag of one source. Which frames are left out depends on load, so each of them is counted: it is a drop."""

    def __init__(
        self,
        source: LaggingSource,
        glance: Callable[[Frame], Observation],
        *,
        analyse_within_s: float = ANALYSE_WITHIN_S,
        decode_within_s: float = DECODE_WITHIN_S,
    ) -> None:
        """``glance`` sees what costs next to nothing: the lamps."""
        self._source, self._glance = source, glance
        self._analyse_within_s, self._decode_within_s = analyse_within_s, decode_within_s
        self.not_analysed = 0

    def spared(self, frame: Frame) -> Observation | None:
        """What a glance at the frame shows, where there is no time for more; None where there is."""
        lag_s = self._source.lag_s
        if lag_s <= self._analyse_within_s:
            return None
        if lag_s > self._decode_within_s:
            self._source.skip_to_keyframe()
        self.not_analysed += 1
        return self._glance(frame)
