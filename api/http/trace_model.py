"""The shape of ``trace.json``, for the API's description; the file itself is sent byte for byte as sealed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

PointPx = tuple[float, float]
BoxPx = tuple[float, float, float, float]


class TracePointModel(BaseModel):
    """The accused vehicle in one analysed frame; metres are signed along the approach, negative before the stop line."""

    index: int
    media_s: float
    box_px: BoxPx
    leading_px: PointPx | None
    trailing_px: PointPx | None
    leading_m: float | None
    trailing_m: float | None


class SignalSpanModel(BaseModel):
    """One state of one signal head; 'onset_s' bounds when it began, null where that was not seen."""

    head_id: str
    state: str
    from_s: float
    to_s: float
    onset_s: tuple[float, float] | None


class DwellSpanModel(BaseModel):
    """A stretch of a parking dwell, seen or not."""

    from_s: float
    to_s: float
    seen: bool


class TracePhotoModel(BaseModel):
    """Which frame a picture shows."""

    role: str
    file: str
    index: int
    media_s: float
    captured_at: str | None


class TraceClipModel(BaseModel):
    """The media seconds of the clip's first and last frame."""

    file: str
    first_media_s: float
    last_media_s: float


class Trace(BaseModel):
    """The vehicle, the signal and what was tested, over media seconds."""

    finding: dict[str, Any] = Field(description="The finding, as in events.jsonl.")
    trace: list[TracePointModel]
    signal: list[SignalSpanModel]
    dwell: list[DwellSpanModel]
    crossing_s: tuple[float, float] | None = Field(
        description="The leading point reached the line between these."
    )
    photos: list[TracePhotoModel]
    line_px: tuple[PointPx, PointPx] | None
    further_line_px: tuple[PointPx, PointPx] | None
    zone_px: list[PointPx]
    allowed_stop_s: float | None
    clip: TraceClipModel | None
