"""What the API gives about the frames of a clip, field by field."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from urllib.parse import quote

from pydantic import Field

from api.http.body import Body
from api.http.models import PREFIX
from api.http.trace_model import BoxPx, PointPx
from api.time_zone import local_text
from api.work.case_frames import CaseFrames
from evidence.records import CaseRecord


class SignalNow(Body):
    """What a signal head showed in that frame."""

    head_id: str
    state: str


class FrameModel(Body):
    """One frame of the clip."""

    number: int = Field(description="From 0, in the order of showing.")
    url: str = Field(description="Of the picture; it never changes.")
    media_s: float
    captured_at: datetime | None = Field(description="UTC; null where nobody knows the wall clock.")
    captured_local: str | None = Field(description="The same moment at the site, with its offset.")
    box_px: BoxPx | None = Field(
        description="The accused vehicle in this very frame; null where it was not analysed."
    )
    leading_px: PointPx | None
    trailing_px: PointPx | None
    signals: list[SignalNow]


class FrameList(Body):
    """The frames of the sealed clip."""

    clip_sha256: str
    frames: list[FrameModel]

    @classmethod
    def of(cls, found: CaseFrames, record: CaseRecord) -> Self:
        """The frames as sent."""
        root = f"{PREFIX}/violations/{quote(record.id, safe='')}/frames"
        return cls(
            clip_sha256=found.clip_sha256,
            frames=[
                FrameModel(
                    number=frame.number,
                    url=f"{root}/{frame.number}?v={found.clip_sha256}-{frame.number}",
                    media_s=frame.media_s,
                    captured_at=frame.captured_at,
                    captured_local=None
                    if frame.captured_at is None
                    else local_text(frame.captured_at, record.time_zone),
                    box_px=frame.box_px,
                    leading_px=frame.leading_px,
                    trailing_px=frame.trailing_px,
                    signals=[SignalNow(head_id=head, state=state) for head, state in frame.signals],
                )
                for frame in found.frames
            ],
        )
