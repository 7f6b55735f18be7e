"""Observations survive their lines exactly; events and passages have fixed fields and digits."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.work.event_lines import (
    event_fields,
    event_line,
    lines_text,
    ordered_events,
    ordered_passages,
    passage_fields,
)
from api.work.observation_lines import ObservationLineError, observation_line, parse_observation
from evidence.canonical import moment as rfc3339
from evidence.ports import EvidenceRef
from evidence.records import PackageState
from rules.finding import Finding, Passage, PlateAlternative, PlateResult, Rule, Status
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

number = st.floats(allow_nan=False, allow_infinity=False)
point = st.tuples(number, number)
moment = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis wants it naive, the zone comes beside it
    timezones=st.just(UTC),
)
stamps = st.builds(
    FrameStamp,
    camera_id=st.text(),
    segment=st.integers(0),
    index=st.integers(0),
    media_s=number,
    captured_at=st.none() | moment,
    clock_source=st.sampled_from(ClockSource),
    error_s=number,
)
readings = st.builds(
    PlateReading,
    track_id=st.integers(0),
    text=st.text(),
    char_confidences=st.lists(number).map(tuple),
    char_alternatives=st.lists(st.lists(st.tuples(st.text(), number)).map(tuple)).map(tuple),
    detection_score=number,
    sharpness=number,
    corners_px=st.tuples(point, point, point, point),
)
observations = st.builds(
    Observation,
    stamp=stamps,
    tracks=st.none()
    | st.lists(
        st.builds(
            TrackPoint,
            track_id=st.integers(0),
            object_class=st.sampled_from(ObjectClass),
            box_px=st.tuples(number, number, number, number),
            score=number,
        )
    ).map(tuple),
    lamps=st.lists(
        st.builds(LampSample, head_id=st.text(), state=st.sampled_from(LampState), confidence=number)
    ).map(tuple),
    plates=st.lists(readings).map(tuple),
    scene=st.none()
    | st.builds(SceneState, faults=st.frozensets(st.sampled_from(SceneFault)), shift=number, turn_deg=number),
)


@given(observations)
def test_an_observation_read_back_is_the_same_to_the_last_bit(observation: Observation) -> None:
    line = observation_line(observation)
    assert "\n" not in line
    assert parse_observation(line) == observation
    assert observation_line(parse_observation(line)) == line


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", "nonsense", '{"camera": "a"}', "\x00"])
def test_another_line_is_no_observation(line: str) -> None:
    with pytest.raises(ObservationLineError, match="not an observation"):
        parse_observation(line)


def test_an_unseen_picture_is_not_an_empty_one() -> None:
    stamp = FrameStamp(camera_id="n", segment=0, index=1, media_s=0.04)
    for tracks in (None, ()):
        observation = Observation(stamp=stamp, tracks=tracks)
        assert parse_observation(observation_line(observation)).tracks == tracks


def test_what_a_controller_reported_is_read_back_as_it_was() -> None:
    report = SignalReport(
        head_id="main",
        state=LampState.GREEN,
        at=datetime(2024, 5, 1, 12, 0, 10, 123_456, tzinfo=UTC),
        error_s=0.1,
        source="controller",
        flashing=True,
        mode=SignalMode.MANUAL,
    )
    stamp = FrameStamp(camera_id="n", segment=0, index=1, media_s=0.04)
    observation = Observation(stamp=stamp, tracks=(), signals=(report,))
    assert parse_observation(observation_line(observation)) == observation


def finding(**changes: Any) -> Finding:
    captured_at = datetime(2024, 5, 1, 12, 0, 10, 40_000, tzinfo=UTC)
    values: dict[str, Any] = {
        "id": "north-red_light-s0-f000251-t7",
        "rule": Rule.RED_LIGHT,
        "camera_id": "north",
        "place_id": "ahead",
        "track_id": 7,
        "stamp": FrameStamp(
            camera_id="north",
            segment=0,
            index=251,
            media_s=10.04,
            captured_at=captured_at,
            clock_source=ClockSource.DECLARED,
            error_s=1.0,
        ),
        "t_s": 10.0123456,
        "t_error_s": 0.0300001,
        "at_px": (503.26, 398.0),
        "object_class": ObjectClass.MOTORCYCLE,
        "status": Status.ASSERTED,
        "reasons": ("crossed 3.2 s into red",),
        "time_into_red_s": 3.25,
        "time_into_red_min_s": 3.2049,
    }
    return Finding(**(values | changes))


def test_an_event_has_these_fields_in_this_order() -> None:
    plate = PlateResult(
        text="浙A12345",
        confidence=0.912345,
        char_confidences=(0.9,) * 7,
        alternatives=(PlateAlternative(text="浙A12346", confidence=0.05),),
        readings=4,
        stamp=None,
        corners_px=None,
    )
    evidence = EvidenceRef(
        evidence_path="evidence/x",
        manifest_path="evidence/x/manifest.json",
        manifest_sha256="0" * 64,
        package=PackageState.COMPLETE,
        reasons=(),
    )
    assert event_line(finding(plate=plate), evidence) == (
        '{"id": "north-red_light-s0-f000251-t7", "rule": "red_light", "camera": "north", '
        '"place": "ahead", "track": 7, "t_s": 10.012, '
        '"t_error_s": 0.03, "captured_at": "2024-05-01T12:00:10.012Z", "at_px": [503.3, 398.0], '
        '"vehicle_class": "motorcycle", "plate": {"text": "浙A12345", "confidence": 0.9123, '
        '"alternatives": [{"text": "浙A12346", "confidence": 0.05}]}, "time_into_red_s": 3.25, '
        '"time_into_red_min_s": 3.205, "time_into_red_max_s": null, "dwell_s": null, "unseen_s": null, "status": "asserted", '
        '"reasons": ["crossed 3.2 s into red"], "evidence": "evidence/x", '
        '"manifest": "evidence/x/manifest.json", "manifest_sha256": "' + "0" * 64 + '"}'
    )


def test_what_is_not_known_is_null() -> None:
    stamp = FrameStamp(camera_id="north", segment=0, index=3, media_s=1.0)
    fields = event_fields(finding(stamp=stamp), None)
    for name in ("captured_at", "plate", "dwell_s", "unseen_s", "evidence", "manifest"):
        assert fields[name] is None


def test_no_time_reads_minus_zero() -> None:
    assert '"t_s": 0.0' in event_line(finding(t_s=-0.0001), None)


def test_events_stand_by_time_as_written_and_then_by_id() -> None:
    rows = [
        event_fields(finding(id=name, t_s=t_s), None)
        for name, t_s in [("c", 2.0), ("b", 1.0004), ("a", 1.00049), ("d", 0.5)]
    ]
    assert [row["id"] for row in ordered_events(rows)] == ["d", "a", "b", "c"]
    assert [json.loads(line)["id"] for line in lines_text(ordered_events(rows)).splitlines()] == [*"dabc"]
    assert lines_text([]) == ""


def test_passages_stand_by_segment_time_gate_and_track() -> None:
    def passage(segment: int, t_s: float, gate: str | None, track: int) -> Passage:
        return Passage(
            camera_id="north",
            gate_id=gate,
            direction=gate and "forward",
            track_id=track,
            stamp=FrameStamp(camera_id="north", segment=segment, index=0, media_s=t_s),
            t_s=t_s,
            at_px=(1.0, 2.0),
            object_class=ObjectClass.CAR,
            plate=None,
        )

    rows = [
        passage_fields(passage(*values), 30, None)
        for values in [(1, 0.0, "g", 1), (0, 2.0, None, 3), (0, 2.0, "g", 2), (0, 1.0, "g", 9)]
    ]
    assert [(row["segment"], row["track"]) for row in ordered_passages(rows)] == [
        (0, 9),
        (0, 3),
        (0, 2),
        (1, 1),
    ]
    assert list(rows[0]) == [
        "camera",
        "segment",
        "gate",
        "direction",
        "lane",
        "track",
        "t_s",
        "captured_at",
        "at_px",
        "vehicle_class",
        "plate",
        "picture",
        "picture_sha256",
        "expires_at",
    ]


def test_moments_are_utc_to_the_nearest_millisecond() -> None:
    local = datetime(2024, 12, 31, 23, 59, 59, 999_500, tzinfo=timezone(timedelta(hours=-8)))
    assert rfc3339(local) == "2025-01-01T08:00:00.000Z"
    assert rfc3339(datetime(2024, 1, 1, 0, 0, 0, 1499, tzinfo=UTC)) == "2024-01-01T00:00:00.001Z"
