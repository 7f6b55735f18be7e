"""Remembers what of one segment could not be kept for want of room, and from when to when there was none."""

from __future__ import annotations

from evidence.budget import Unkept
from evidence.moments import captured_at
from rules.finding import DisarmCause, Disarmed, Finding


class Shortage:
    """While there is no room no finding becomes a case: the rules are disarmed. Media seconds of one segment."""

    def __init__(self) -> None:
        self.unkept: list[Unkept] = []
        self.disarmed: list[Disarmed] = []
        self._since: Disarmed | None = None

    def begins(self, camera_id: str, why: str, now_s: float) -> None:
        """From now on there is no room, unless that was so already."""
        if self._since is None:
            self._since = Disarmed(
                camera_id=camera_id,
                place_id=None,
                cause=DisarmCause.STORAGE,
                reason=f"there was no room to keep evidence: {why}",
                from_s=now_s,
                to_s=None,
            )

    def ends(self, now_s: float) -> None:
        """There is room, or the segment has ended."""
        since, self._since = self._since, None
        if since is not None:
            self.disarmed.append(
                Disarmed(
                    camera_id=since.camera_id,
                    place_id=since.place_id,
                    cause=since.cause,
                    reason=since.reason,
                    from_s=since.from_s,
                    to_s=now_s,
                )
            )

    def refuse(self, finding: Finding, why: str, now_s: float) -> None:
        """The finding becomes no case."""
        self.begins(finding.camera_id, why, now_s)
        self.unkept.append(
            Unkept(
                finding_id=finding.id,
                rule=finding.rule,
                camera_id=finding.camera_id,
                place_id=finding.place_id,
                track_id=finding.track_id,
                t_s=finding.t_s,
                captured_at=captured_at(finding.stamp, finding.t_s),
                why=why,
            )
        )
