"""The rules of one camera folded together: each one's say, plates attached, the same bytes every time."""

from __future__ import annotations

from dataclasses import replace

from rules import engine
from rules.finding import Finding, Output, Rule, Status
from rules.observation import (
    FrameStamp,
    LampSample,
    LampState,
    ObjectClass,
    Observation,
    PlateReading,
    TrackPoint,
)
from rules.site import Camera, Head, NoParkingZone, Site, StopLine, View

PLATE = "浙B12345"
"""An invented plate that fits GA 36."""

SITE = Site(
    site_id="s",
    name="Somewhere",
    time_zone="Asia/Shanghai",
    plate_profile="ga36",
    heads=(Head(head_id="main", camera_id="cam", box_px=(600.0, 10.0, 620.0, 70.0)),),
    cameras=(
        Camera(
            camera_id="cam",
            width_px=640,
            height_px=640,
            stop_lines=(
                StopLine(
                    line_id="north",
                    movement="straight",
                    line_px=((100.0, 300.0), (300.0, 300.0)),
                    further_on_px=((100.0, 400.0), (300.0, 400.0)),
                    direction=(0.0, 1.0),
                    view=View.APPROACHING,
                    scale_px_per_m=20.0,
                    head_ids=("main",),
                ),
            ),
            no_parking=(
                NoParkingZone(
                    zone_id="kerb",
                    polygon_px=((400.0, 100.0), (560.0, 100.0), (560.0, 600.0), (400.0, 600.0)),
                    allowed_stop_s=20.0,
                ),
            ),
        ),
    ),
)


def observations() -> list[Observation]:
    """A car that runs the red light at 5 s, and one that stands at the kerb for all 40 s."""
    seen = []
    for index in range(400):
        media_s = index / 10.0
        bottom = 300.0 + (media_s - 5.0) * 100.0
        tracks = [
            TrackPoint(
                track_id=2, object_class=ObjectClass.CAR, box_px=(440.0, 240.0, 520.0, 310.0), score=0.9
            )
        ]
        if 60.0 < bottom < 600.0:
            tracks.append(
                TrackPoint(
                    track_id=1,
                    object_class=ObjectClass.CAR,
                    box_px=(170.0, bottom - 60.0, 230.0, bottom),
                    score=0.9,
                )
            )
        seen.append(
            Observation(
                stamp=FrameStamp(camera_id="cam", segment=0, index=index, media_s=media_s),
                tracks=tuple(tracks),
                lamps=(LampSample(head_id="main", state=LampState.RED, confidence=0.9),),
                plates=(a_reading(2),) if index % 10 == 0 else (),
            )
        )
    return seen


def a_reading(track_id: int) -> PlateReading:
    return PlateReading(
        track_id=track_id,
        text=PLATE,
        char_confidences=(0.99,) * 7,
        char_alternatives=((),) * 7,
        detection_score=0.9,
        sharpness=300.0,
        corners_px=((460.0, 290.0), (500.0, 290.0), (500.0, 300.0), (460.0, 300.0)),
    )


def fold(seen: list[Observation]) -> list[Output]:
    state = engine.initial(SITE, "cam")
    said: list[Output] = []
    for observation in seen:
        state, outputs = engine.step(state, observation, SITE, "cam", None)
        said.extend(outputs)
    said.extend(engine.finish(state, SITE, "cam"))
    return said


def test_each_rule_has_its_say_and_the_plate_belongs_to_who_it_was_read_of() -> None:
    findings = {output.rule: output for output in fold(observations()) if isinstance(output, Finding)}
    assert set(findings) == {Rule.RED_LIGHT, Rule.NO_PARKING}
    assert all(finding.status is Status.ASSERTED for finding in findings.values())
    assert findings[Rule.RED_LIGHT].plate is None
    parked = findings[Rule.NO_PARKING].plate
    assert parked is not None
    assert parked.text == PLATE


def test_the_same_observations_give_the_same_outputs() -> None:
    assert fold(observations()) == fold(observations())


def test_a_lamp_of_another_camera_or_of_no_head_changes_nothing() -> None:
    stray = LampSample(head_id="elsewhere", state=LampState.GREEN, confidence=1.0)
    seen = [replace(observation, lamps=(*observation.lamps, stray)) for observation in observations()]
    assert fold(seen) == fold(observations())


def test_readings_of_vehicles_long_gone_are_forgotten() -> None:
    state = engine.initial(SITE, "cam")
    for track_id in range(1, 200):
        stamp = FrameStamp(camera_id="cam", segment=0, index=track_id, media_s=track_id * 10.0)
        seen = Observation(stamp=stamp, tracks=(), plates=(a_reading(track_id),))
        state, _ = engine.step(state, seen, SITE, "cam", None)
    assert len(state.plates) == len(state.plate_read_s) <= engine.FORGET_PLATE_S / 10.0 + 1
