"""The floors that the sample clips must reach: per clip for each that is there, together once all are."""

from __future__ import annotations

from collections.abc import Callable

import av
import pytest

from tests.sample_videos.clip_files import ALL_CLIPS, SAMPLES, frame_rows, present, truth

Figure = Callable[[str, object], None]
BIG = {"junction_red_departing", "junction_red_approaching", "parking_all_day", "junction_quiet"}
FULL_HD = BIG - {"junction_quiet"}
FEWEST_VEHICLES = 12
TOTALS = {
    "crossings_on_green": 60,
    "crossings_on_red": 25,
    "crossings_near_change": 8,
    "legal_lookalikes": 6,
    "parked_hidden_5s": 3,
}


def test_clips_and_truth_belong_together() -> None:
    assert set(present()) == set(truth())
    assert set(present()) <= set(ALL_CLIPS)


@pytest.mark.parametrize("clip", present())
def test_clip_is_as_promised(clip: str, figure: Figure) -> None:
    size = (SAMPLES / f"{clip}.mp4").stat().st_size
    figure(f"{clip}_mb", round(size / 1e6, 2))
    assert size <= (8_000_000 if clip in BIG else 4_000_000)
    with av.open(str(SAMPLES / f"{clip}.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate is not None
        fps, wanted = float(stream.average_rate), (1920, 25.0) if clip in FULL_HD else (1280, 12.5)
        assert (stream.width, fps) >= wanted
        assert stream.frames == truth()[clip]["counts"]["frames"] == len(frame_rows(clip))
        assert [stream.width, stream.height] == truth()[clip]["size"]
    if clip == "junction_quiet":
        assert truth()[clip]["seconds"] >= 300.0 and truth()[clip]["events"] == []


@pytest.mark.parametrize("clip", present())
def test_clip_has_traffic(clip: str, figure: Figure) -> None:
    counts = truth()[clip]["counts"]
    for name, value in counts.items():
        figure(f"{clip}_{name}", value)
    assert counts["vehicles"] >= FEWEST_VEHICLES


def test_clips_together_are_small() -> None:
    assert sum((SAMPLES / f"{clip}.mp4").stat().st_size for clip in present()) <= 48_000_000


def test_floors_together(figure: Figure) -> None:
    counts = [entry["counts"] for entry in truth().values()]
    totals = {name: sum(count[name] for count in counts) for name in TOTALS}
    hidden = sum(count["vehicle_frames_partly_hidden"] for count in counts)
    share = hidden / max(sum(count["vehicle_frames"] for count in counts), 1)
    widths = [width for count in counts for width in count["plate_px"] or ()]
    for name, value in totals.items():
        figure(name, value)
    figure("vehicle_frames_partly_hidden_share", round(share, 3))
    figure("plate_px", (min(widths, default=0), max(widths, default=0)))
    to_come = [clip for clip in ALL_CLIPS if clip not in present()]
    if to_come:
        pytest.skip(
            f"clips still to come ('make samples' renders them): {', '.join(to_come)}; so far {totals}, {share:.2f} hidden"
        )
    assert all(totals[name] >= least for name, least in TOTALS.items()), totals
    assert share >= 0.2
    assert min(widths) <= 45.0 and max(widths) >= 200.0
