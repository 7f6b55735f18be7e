"""Writes what the rules saw as lines of JSON, exactly, and reads it back as the same values."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from rules.errors import StoplineError
from rules.observation import (
    ClockSource,
    FrameStamp,
    LampSample,
    LampState,
    ObjectClass,
    Observation,
    PlateReading,
    SceneFault,
    SceneState,
    SignalMode,
    SignalReport,
    TrackPoint,
)


class ObservationLineError(StoplineError):
    """A line that is no observation of ours."""

    code = "observations_damaged"


def observation_line(observation: Observation) -> str:
    """One line of JSON without a line end. Numbers are written so that reading gives the very same floats."""
    stamp = observation.stamp
    fields: dict[str, Any] = {
        "camera": stamp.camera_id,
        "segment": stamp.segment,
        "index": stamp.index,
        "media_s": stamp.media_s,
        "captured_at": None if stamp.captured_at is None else stamp.captured_at.isoformat(),
        "clock": stamp.clock_source.value,
        "error_s": stamp.error_s,
        "tracks": None
        if observation.tracks is None
        else [
            [point.track_id, point.object_class.value, point.box_px, point.score]
            for point in observation.tracks
        ],
        "lamps": [[lamp.head_id, lamp.state.value, lamp.confidence] for lamp in observation.lamps],
        "plates": [_plate_fields(reading) for reading in observation.plates],
    }
    if observation.signals:
        fields["signals"] = [_report_fields(report) for report in observation.signals]
    if observation.scene is not None:
        scene = observation.scene
        faults = sorted(fault.value for fault in scene.faults)
        fields["scene"] = {"faults": faults, "shift": scene.shift, "turn_deg": scene.turn_deg}
    return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def parse_observation(line: str) -> Observation:
    """The observation that ``observation_line`` wrote. Raises ObservationLineError."""
    try:
        fields = json.loads(line)
        captured_at = fields["captured_at"]
        return Observation(
            stamp=FrameStamp(
                camera_id=fields["camera"],
                segment=fields["segment"],
                index=fields["index"],
                media_s=fields["media_s"],
                captured_at=None if captured_at is None else datetime.fromisoformat(captured_at),
                clock_source=ClockSource(fields["clock"]),
                error_s=fields["error_s"],
            ),
            tracks=None
            if fields["tracks"] is None
            else tuple(
                TrackPoint(track_id=track_id, object_class=ObjectClass(name), box_px=_box(box), score=score)
                for track_id, name, box, score in fields["tracks"]
            ),
            lamps=tuple(
                LampSample(head_id=head_id, state=LampState(state), confidence=confidence)
                for head_id, state, confidence in fields["lamps"]
            ),
            plates=tuple(_plate(reading) for reading in fields["plates"]),
            scene=_scene(fields.get("scene")),
            signals=tuple(_report(report) for report in fields.get("signals", ())),
        )
    except (ValueError, KeyError, TypeError) as exc:
        raise ObservationLineError(f"not an observation ({type(exc).__name__}: {exc})") from exc


def _scene(fields: dict[str, Any] | None) -> SceneState | None:
    """None where the scene was not looked at."""
    if fields is None:
        return None
    faults = frozenset(SceneFault(name) for name in fields["faults"])
    return SceneState(faults=faults, shift=fields["shift"], turn_deg=fields["turn_deg"])


def _box(values: list[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = values
    return (x1, y1, x2, y2)


def _report_fields(report: SignalReport) -> dict[str, Any]:
    return {
        "head": report.head_id,
        "state": report.state.value,
        "at": report.at.isoformat(),
        "error_s": report.error_s,
        "source": report.source,
        "flashing": report.flashing,
        "mode": report.mode.value,
    }


def _report(fields: dict[str, Any]) -> SignalReport:
    return SignalReport(
        head_id=fields["head"],
        state=LampState(fields["state"]),
        at=datetime.fromisoformat(fields["at"]),
        error_s=fields["error_s"],
        source=fields["source"],
        flashing=fields["flashing"],
        mode=SignalMode(fields["mode"]),
    )


def _plate_fields(reading: PlateReading) -> dict[str, Any]:
    return {
        "track": reading.track_id,
        "text": reading.text,
        "char_confidences": reading.char_confidences,
        "char_alternatives": reading.char_alternatives,
        "detection_score": reading.detection_score,
        "sharpness": reading.sharpness,
        "corners_px": reading.corners_px,
    }


def _plate(fields: dict[str, Any]) -> PlateReading:
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = fields["corners_px"]
    return PlateReading(
        track_id=fields["track"],
        text=fields["text"],
        char_confidences=tuple(fields["char_confidences"]),
        char_alternatives=tuple(
            tuple((character, confidence) for character, confidence in alternatives)
            for alternatives in fields["char_alternatives"]
        ),
        detection_score=fields["detection_score"],
        sharpness=fields["sharpness"],
        corners_px=((x1, y1), (x2, y2), (x3, y3), (x4, y4)),
    )
