"""A replay gives the same results however it came about: at once, resumed, again, or folded from its record."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from api.errors import (
    AllInputsFailedError,
    InterruptedRunError,
    SomeInputsFailedError,
    UsageError,
)
from api.work.fold import ObservationsError, UnknownCameraError, fold_file, write_folded
from api.work.observation_writer import OutputError
from api.work.progress import Advance
from api.work.records_place import RECORDS_FILE
from api.work.replay import Replayed, replay
from api.work.replay_source import ReplayRequest
from api.work.run_folder import EVENTS, OBSERVATIONS, PASSAGES, SUMMARY, OpenMode, is_complete
from api.work.summary import covered_s
from evidence.errors import PackageDamagedError
from evidence.records import CaseFilter
from evidence.records_sql import SqlRecords
from rules.observation import LampState
from tests.builders.scene import a_car, a_lamp
from tests.builders.scripted import SITE, HandClock, ScriptedPipeline, a_recording, a_site

RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 2.0, 7.0)
PARKED = a_car(2, (60.0, 40.0)).stands_at((270, 150), 0.0, 24.0)
LAMP = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 1.0)


class Progresses:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int]] = []
        self.outcomes: list[str] = []
        self.notes: list[str] = []

    def begun(self, at: Advance) -> None:
        self.told.append(("begun", at.number, at.frames))

    def advanced(self, at: Advance) -> None:
        self.told.append(("advanced", at.number, at.frames))

    def ended(self, at: Advance, outcome: str) -> None:
        self.told.append(("ended", at.number, at.frames))
        self.outcomes.append(outcome)

    def noted(self, text: str) -> None:
        self.notes.append(text)


def never() -> bool:
    return False


def after(frames: int) -> Callable[[], bool]:
    """Asks for a stop once it was asked that often."""
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > frames

    return stop


def pipeline(**changes: Any) -> ScriptedPipeline:
    values: dict[str, Any] = {"site_file": a_site(), "actors": (RUNNER, PARKED), "lamps": (LAMP,)}
    return ScriptedPipeline(**(values | changes))


def request(out: Path, *sources: Path, **changes: Any) -> ReplayRequest:
    values: dict[str, Any] = {
        "sources": tuple(str(source) for source in sources),
        "site_file": a_site(),
        "camera_id": "cam1",
        "out": out,
        "mode": OpenMode.NEW,
        "start_times": (),
        "duration_s": None,
    }
    return ReplayRequest(**(values | changes))


def run(
    wanted: ReplayRequest,
    parts: ScriptedPipeline | None = None,
    stop: Callable[[], bool] = never,
    progress: Progresses | None = None,
) -> Replayed:
    return replay(wanted, parts or pipeline(), progress or Progresses(), HandClock(), stop)


def results(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in (EVENTS, PASSAGES, OBSERVATIONS)}


def events(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / EVENTS).read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return a_recording(tmp_path / "a.mp4", 24.0)


@pytest.fixture
def clips(tmp_path: Path, clip: Path) -> tuple[Path, Path, Path]:
    return clip, a_recording(tmp_path / "b.mp4", 23.0), a_recording(tmp_path / "c.mp4", 24.0)


def test_a_hole_in_a_recording_on_red_is_told_as_lost_with_who_may_have_used_it(tmp_path: Path) -> None:
    """The runner crosses at 4.2 s; the picture is away from 4.0 s to 5.0 s."""
    clip = a_recording(tmp_path / "a.mp4", 8.0, hole_s=(4.0, 5.0))
    summary = run(request(tmp_path / "out", clip), pipeline(actors=(RUNNER,))).summary
    assert events(tmp_path / "out") == []
    (lost,) = summary["lost_in_gaps"]
    assert lost == {
        "segment": 0,
        "place": "ahead",
        "movements": ["straight"],
        "from_s": 3.9,
        "to_s": 5.0,
        "tracks": [1],
    }
    assert summary["gaps"]["listed"] == [{"segment": 0, "from_s": 3.9, "to_s": 5.0}]
    (told,) = summary["disarmed"]
    assert told.startswith("stop line ahead: no picture came for 1.1 s in 1 gap while")


def test_a_recording_becomes_events_passages_observations_and_a_summary(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    summary = run(request(out, clip)).summary
    assert [(event["rule"], event["status"]) for event in events(out)] == [
        ("no_parking", "asserted"),
        ("red_light", "asserted"),
    ]
    assert [event["t_s"] for event in events(out)] == sorted(event["t_s"] for event in events(out))
    assert summary == json.loads((out / SUMMARY).read_text(encoding="utf-8"))
    assert summary["frames"] == 240
    assert summary["video_s"] == pytest.approx(24.0)
    assert summary["events"] == {"asserted": 2, "held": 0, "exempt": 0}
    assert summary["weights"] == {"name": "script", "sha256": "0" * 64}
    assert summary["unknown_lamp_share"] == {"lamp": 0.0}
    assert summary["gaps"] == {"count": 0, "seconds": 0.0, "listed": []}
    assert summary["disarmed"] == []
    assert summary["lost_in_gaps"] == []
    assert set(summary["disarmed_s"].values()) == {0.0}
    assert summary["times_real_time"] == pytest.approx(summary["video_s"] / summary["wall_s"], abs=0.01)
    assert {"stopline", "python", "av", "onnxruntime"} <= set(summary["versions"])
    (source,) = summary["sources"]
    assert source["events"] == [event["id"] for event in events(out)]
    (passage,) = [json.loads(line) for line in (out / PASSAGES).read_text().splitlines()]
    assert (passage["gate"], passage["direction"]) == ("gate", "forward")


def test_passages_have_a_picture_where_the_gate_takes_one_and_a_date_on_which_they_go(
    tmp_path: Path, clip: Path
) -> None:
    text = SITE.replace("id: gate,", "id: gate, pictures: forward,").replace(
        "site: {id", "site: {passage_days: 7, id"
    )
    site, out = a_site(text), tmp_path / "out"
    started_at = datetime(2024, 5, 1, 0, 30, tzinfo=UTC)
    wanted = request(out, clip, site_file=site, start_times=(started_at,))
    summary = run(wanted, pipeline(site_file=site)).summary
    (passage,) = [json.loads(line) for line in (out / PASSAGES).read_text().splitlines()]
    picture = (out / passage["picture"]).read_bytes()
    assert sha256(picture).hexdigest() == passage["picture_sha256"]
    assert passage["captured_at"][:17] == "2024-05-01T00:30:"
    assert passage["expires_at"] == passage["captured_at"].replace("-05-01T", "-05-08T")
    assert summary["passage_pictures_missing"] == 0
    assert fold_file(out, site.site).passages.encode() == (out / PASSAGES).read_bytes()
    run(request(tmp_path / "bare", clip, site_file=site, with_evidence=False), pipeline(site_file=site))
    (bare,) = [json.loads(line) for line in (tmp_path / "bare" / PASSAGES).read_text().splitlines()]
    assert (bare["picture"], bare["picture_sha256"], bare["expires_at"]) == (None, None, None)
    assert not (tmp_path / "bare" / "passages").exists()


def test_folding_a_folder_with_evidence_gives_the_same_bytes(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    run(request(out, clip))
    assert all(event["manifest_sha256"] for event in events(out))
    assert fold_file(out, a_site().site).events.encode() == (out / EVENTS).read_bytes()


def test_folding_a_folder_whose_evidence_was_changed_is_refused(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    run(request(out, clip))
    trace = out / events(out)[0]["evidence"] / "trace.json"
    trace.write_bytes(trace.read_bytes() + b" ")
    with pytest.raises(PackageDamagedError, match=r"trace\.json"):
        fold_file(out, a_site().site)


def test_each_finding_becomes_a_recorded_case_with_its_package(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    run(request(out, clip))
    with closing(SqlRecords(out / RECORDS_FILE, create=False)) as records:
        for event in events(out):
            case = records.case(event["id"])
            assert case is not None
            assert json.loads(case.record.event_json) == event
            manifest = (out / event["manifest"]).read_bytes()
            assert sha256(manifest).hexdigest() == event["manifest_sha256"]
    assert not list((out / "spool").glob("*-*")), "nothing waits in the spool"


def test_resuming_an_interrupted_run_makes_the_same_cases_once(
    tmp_path: Path, clips: tuple[Path, ...]
) -> None:
    run(request(tmp_path / "whole", *clips))
    out = tmp_path / "out"
    with pytest.raises(InterruptedRunError):
        run(request(out, *clips), stop=after(400))
    assert not list((out / "spool").glob("*.building")), "what was not sealed is gone at once"
    run(request(out, *clips, mode=OpenMode.RESUME))
    assert results(out) == results(tmp_path / "whole")
    ids = [event["id"] for event in events(out)]
    assert len(set(ids)) == len(ids)
    with closing(SqlRecords(out / RECORDS_FILE, create=False)) as records:
        listed = records.page(CaseFilter(), after_number=None, limit=100)
    assert sorted(case.record.id for case in listed) == sorted(ids)


def test_replaying_twice_gives_the_same_bytes(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    for name in ("first", "second"):
        run(request(tmp_path / name, *clips))
    assert results(tmp_path / "first") == results(tmp_path / "second")


def test_folding_the_record_gives_the_same_bytes(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    out = tmp_path / "out"
    run(request(out, *clips, with_evidence=False))
    for source in (out, out / OBSERVATIONS):
        folded = fold_file(source, a_site().site)
        assert folded.events.encode() == (out / EVENTS).read_bytes()
        assert folded.passages.encode() == (out / PASSAGES).read_bytes()
        assert folded.observations == 240 + 230 + 240
    write_folded(folded, tmp_path / "folded")
    assert (tmp_path / "folded" / EVENTS).read_bytes() == (out / EVENTS).read_bytes()
    with pytest.raises(UsageError, match="not an empty folder"):
        write_folded(folded, out)


def test_each_source_is_a_segment_of_its_own_with_fresh_rules(
    tmp_path: Path, clips: tuple[Path, ...]
) -> None:
    out = tmp_path / "out"
    run(request(out, *clips))
    ids = [event["id"] for event in events(out)]
    assert len(ids) == len(set(ids)) == 6
    for segment in range(3):
        assert sum(f"-s{segment}-" in name for name in ids) == 2
    keys = [(event["t_s"], event["id"]) for event in events(out)]
    assert keys == sorted(keys)


@pytest.mark.parametrize("stopped_after", [10, 250, 500])
def test_an_interrupted_run_resumed_gives_the_bytes_of_an_uninterrupted_one(
    tmp_path: Path, clips: tuple[Path, ...], stopped_after: int
) -> None:
    run(request(tmp_path / "whole", *clips))
    out = tmp_path / "resumed"
    with pytest.raises(InterruptedRunError, match="--resume"):
        run(request(out, *clips), stop=after(stopped_after))
    assert not is_complete(out)
    assert not (out / EVENTS).exists()
    rest = pipeline()
    run(request(out, *clips, mode=OpenMode.RESUME), rest)
    assert rest.opened == ["a.mp4", "b.mp4", "c.mp4"][stopped_after // 242 :]
    assert results(out) == results(tmp_path / "whole")


def test_resuming_a_complete_run_does_nothing(tmp_path: Path, clip: Path) -> None:
    first = run(request(tmp_path / "out", clip))
    again = pipeline()
    second = run(request(tmp_path / "out", clip, mode=OpenMode.RESUME), again)
    assert second.nothing_to_do
    assert again.opened == []
    assert second.summary == first.summary


def test_overwriting_starts_over(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    out = tmp_path / "out"
    run(request(out, *clips))
    run(request(out, clips[0], mode=OpenMode.OVERWRITE))
    assert len(events(out)) == 2


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path, clip: Path) -> None:
    parts = pipeline()
    with pytest.raises(UsageError, match="not empty"):
        run(request(tmp_path, clip), parts)
    assert parts.opened == []


def test_a_source_that_cannot_be_read_stops_no_other_and_is_tried_again(
    tmp_path: Path, clips: tuple[Path, ...]
) -> None:
    run(request(tmp_path / "whole", *clips))
    out = tmp_path / "out"
    content = clips[1].read_bytes()
    clips[1].write_bytes(b"")
    with pytest.raises(SomeInputsFailedError) as caught:
        run(request(out, *clips))
    assert [failure.code for failure in caught.value.failures] == ["input_empty"]
    assert "b.mp4" in str(caught.value)
    assert {name for name in events(out) for name in [name["id"].split("-")[2]]} == {"s0", "s2"}
    failed = json.loads((out / SUMMARY).read_text())["sources"][-1]
    assert failed["error"] == "input_empty"

    clips[1].write_bytes(content)
    rest = pipeline()
    run(request(out, *clips, mode=OpenMode.RESUME), rest)
    assert rest.opened == ["b.mp4"]
    assert results(out) == results(tmp_path / "whole")


def test_when_no_source_can_be_read_the_folder_stays_free(tmp_path: Path) -> None:
    with pytest.raises(AllInputsFailedError, match="no such file"):
        run(request(tmp_path / "out", tmp_path / "missing.mp4"))
    assert not list((tmp_path / "out").iterdir())


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    clip = a_recording(tmp_path / "small.mp4", 1.0, size_px=(160, 96))
    with pytest.raises(AllInputsFailedError, match="160x96 px, and the site file's camera cam1 has 320x192"):
        run(request(tmp_path / "out", clip))


def test_a_live_source_that_is_interrupted_keeps_what_was_seen(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InterruptedRunError, match="what was seen until then stands"):
        run(request(out, clip), pipeline(is_live=True), stop=after(235))
    summary = json.loads((out / SUMMARY).read_text())
    assert summary["sources"][0]["interrupted"] is True
    assert [event["rule"] for event in events(out)] == ["no_parking", "red_light"]


def test_a_duration_limits_each_source(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    summary = run(request(tmp_path / "out", *clips, duration_s=2.0)).summary
    assert [source["frames"] for source in summary["sources"]] == [20, 20, 20]


def test_start_times_date_each_source(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    out = tmp_path / "out"
    starts = tuple(datetime(2024, 5, 1, hour, tzinfo=UTC) for hour in (6, 7, 9))
    run(request(out, *clips, start_times=starts))
    for event in events(out):
        captured = datetime.fromisoformat(event["captured_at"])
        segment = int(event["id"].split("-s")[1][0])
        assert (captured - starts[segment]).total_seconds() == pytest.approx(event["t_s"], abs=0.002)
    with pytest.raises(UsageError, match="once per SOURCE"):
        run(request(tmp_path / "other", *clips, start_times=starts[:1]))


def test_without_a_wall_clock_hours_accuse_nobody_and_it_is_said(tmp_path: Path, clip: Path) -> None:
    text = SITE.replace(
        "allowed_stop_s: 3", 'allowed_stop_s: 3\n        windows: [{from: "08:00", to: "20:00"}]'
    )
    site_file = a_site(text)
    rules = {}
    for name, starts in [
        ("none", ()),
        ("inside", (datetime(2024, 5, 1, 2, tzinfo=UTC),)),
        ("outside", (datetime(2024, 5, 1, 14, tzinfo=UTC),)),
    ]:
        summary = run(
            request(tmp_path / name, clip, site_file=site_file, start_times=starts),
            pipeline(site_file=site_file),
        ).summary
        rules[name] = [event["rule"] for event in events(tmp_path / name)]
        assert any("no wall clock" in reason for reason in summary["disarmed"]) is (name == "none")
        folded = fold_file(tmp_path / name, site_file.site)
        assert folded.events.encode() == (tmp_path / name / EVENTS).read_bytes()
    assert rules == {
        "none": ["red_light"],
        "inside": ["no_parking", "red_light"],
        "outside": ["red_light"],
    }


def test_a_head_that_no_camera_sees_accuses_nobody_and_it_is_said(tmp_path: Path, clip: Path) -> None:
    text = SITE.replace(", camera: cam1, box: [0.9, 0.1, 0.95, 0.4]", "")
    site_file = a_site(text)
    parts = pipeline(site_file=site_file, lamps=())
    summary = run(request(tmp_path / "out", clip, site_file=site_file), parts).summary
    assert [event["rule"] for event in events(tmp_path / "out")] == ["no_parking"]
    assert summary["unknown_lamp_share"] == {"lamp": 1.0}
    assert "does not see its signal head lamp" in summary["disarmed"][0]


def test_progress_is_told_after_every_frame(tmp_path: Path, clips: tuple[Path, ...]) -> None:
    progress = Progresses()
    run(request(tmp_path / "out", *clips), progress=progress)
    assert progress.told[0] == ("begun", 1, 0)
    assert [told for told in progress.told if told[1] == 2][1:-1] == [
        ("advanced", 2, frames) for frames in range(1, 231)
    ]
    assert progress.told[-1] == ("ended", 3, 240)
    assert progress.outcomes == ["done"] * 3


def test_a_disk_that_refuses_ends_the_run_with_its_name(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        run(request(tmp_path / "file" / "out", clip))


def test_observations_that_are_missing_damaged_or_of_another_camera(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    run(request(out, clip))
    data = (out / OBSERVATIONS).read_bytes()
    broken = tmp_path / "broken.gz"
    for content, said in [
        (data[: len(data) // 2], "damaged or cut off after line"),
        (b"not gzip", "damaged or cut off after line 0"),
        (data[:200] + b"\x00" * 50 + data[250:], "damaged"),
    ]:
        broken.write_bytes(content)
        with pytest.raises(ObservationsError, match=said):
            fold_file(broken, a_site().site)
    with pytest.raises(ObservationsError, match="cannot be read: No such file"):
        fold_file(tmp_path / "nothing.gz", a_site().site)
    with pytest.raises(UnknownCameraError, match="of camera 'cam1', and the site file has cam2"):
        fold_file(out, a_site(SITE.replace("cam1", "cam2")).site)


def test_the_summary_counts_the_time_in_which_a_rule_did_not_trust_itself(tmp_path: Path, clip: Path) -> None:
    lamp = LAMP.shows(LampState.UNKNOWN, 10.0).shows(LampState.RED, 20.0)
    summary = run(request(tmp_path / "out", clip), pipeline(lamps=(lamp,))).summary
    (spell,) = summary["disarmed_listed"]
    assert (spell["cause"], spell["segment"]) == ("lamp", 0)
    assert spell["from_s"] == pytest.approx(10.5, abs=0.2)
    line = spell["place"]
    assert summary["disarmed_s"][line] == pytest.approx(spell["to_s"] - spell["from_s"], abs=0.002)
    assert sum(summary["disarmed_s"].values()) == summary["disarmed_s"][line]
    assert any(f"stop line {line}: nobody was accused for" in told for told in summary["disarmed"])


def test_what_lies_in_two_doubts_at_once_is_counted_once() -> None:
    assert covered_s([]) == 0.0
    assert covered_s([(5.0, 8.0), (1.0, 3.0), (2.0, 4.0), (6.0, 7.0)]) == 6.0
