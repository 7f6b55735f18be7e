"""Signal heads that somebody else tells the state of: a controller's log, and another camera of the site."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.errors import AllInputsFailedError, UsageError
from api.site_file import SiteFile
from api.work.fold import fold_file
from api.work.replay import replay
from api.work.replay_source import ReplayRequest
from api.work.run_folder import EVENTS, OpenMode
from api.work.signal_sources import oddities
from rules.observation import LampState
from tests.api.work.test_replay import Progresses, never
from tests.builders.scene import Actor, Lamp, a_car, a_lamp
from tests.builders.scripted import SITE, HandClock, ScriptedPipeline, a_recording, a_site

START = datetime(2024, 5, 1, 0, 30, tzinfo=UTC)
RUNNER = a_car(1, (40.0, 30.0)).drives((130, 190), (130, 20), 4.0, 9.0)
"""Its front is over the line at 6.2 s."""

UNSEEN = SITE.replace(
    ", camera: cam1, box: [0.9, 0.1, 0.95, 0.4]", ", signal_group: {intersection: 7, group: 2}"
)
SEEN_BY_CAM2 = (
    SITE.replace("camera: cam1, box", "camera: cam2, box") + "  - id: cam2\n    size_px: [320, 192]\n"
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return a_recording(tmp_path / "a.mp4", 12.0)


def replayed(
    out: Path,
    clip: Path,
    site: SiteFile,
    *,
    signals: Sequence[Path | str] = (),
    actors: Sequence[Actor] = (RUNNER,),
    lamps: Sequence[Lamp] = (),
    camera: str = "cam1",
    started_at: datetime | None = START,
    error_s: float = 1.0,
) -> dict[str, Any]:
    request = ReplayRequest(
        sources=(str(clip),),
        site_file=site,
        camera_id=camera,
        out=out,
        mode=OpenMode.NEW,
        start_times=() if started_at is None else (started_at,),
        duration_s=None,
        start_error_s=error_s,
        signals=tuple(str(path) for path in signals),
    )
    parts = ScriptedPipeline(site_file=site, actors=actors, lamps=lamps, camera_id=camera)
    return replay(request, parts, Progresses(), HandClock(), never).summary


def verdicts(out: Path) -> list[tuple[str, str, float]]:
    events = [json.loads(line) for line in (out / EVENTS).read_text(encoding="utf-8").splitlines()]
    return [(event["rule"], event["status"], event["time_into_red_s"]) for event in events]


def at(time_s: float) -> str:
    return (START + timedelta(seconds=time_s)).isoformat()


def a_log(path: Path, *changes: tuple[float, str], until_s: float = 12.0) -> Path:
    """One message a second, and each change."""
    times = sorted({float(second) for second in range(int(until_s))} | {time_s for time_s, _ in changes})
    states = {time_s: next((s for t, s in reversed(changes) if t <= time_s), "green") for time_s in times}
    lines = [
        json.dumps({"head": "lamp", "state": state, "at": at(time_s)}) for time_s, state in states.items()
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_head_that_no_camera_sees_accuses_by_the_controllers_log(tmp_path: Path, clip: Path) -> None:
    site, out = a_site(UNSEEN), tmp_path / "out"
    log = a_log(tmp_path / "log.jsonl", (0.0, "amber"), (3.0, "red"))
    summary = replayed(out, clip, site, signals=[log])
    ((rule, status, into_red_s),) = verdicts(out)
    assert (rule, status) == ("red_light", "asserted")
    assert into_red_s == pytest.approx(3.2, abs=0.1)
    assert summary["disarmed"] == []
    assert summary["unknown_lamp_share"] == {"lamp": None}
    (feed,) = summary["sources"][0]["signals"]
    assert feed == {
        "source": str(log),
        "messages": 12,
        "unknown_states": 0,
        "unmapped": 0,
        "late": 0,
        "duplicates": 0,
    }
    assert oddities(feed) == []
    assert fold_file(out, site.site).events.encode() == (out / EVENTS).read_bytes()


def test_signal_groups_of_spat_messages_speak_of_their_heads(tmp_path: Path, clip: Path) -> None:
    minute = (START - datetime(2024, 1, 1, tzinfo=UTC)) // timedelta(minutes=1)
    lines = [
        json.dumps(
            {
                "id": 7,
                "moy": minute,
                "timeStamp": second * 1000,
                "states": [{"signalGroup": 2, "eventState": "stop-And-Remain" if second >= 3 else "dark"}],
            }
        )
        for second in range(12)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(lines), encoding="utf-8")
    replayed(tmp_path / "out", clip, a_site(UNSEEN), signals=[tmp_path / "log.jsonl"])
    assert [verdict[0] for verdict in verdicts(tmp_path / "out")] == ["red_light"]


def test_camera_and_log_that_contradict_each_other_accuse_nobody_and_it_is_said(
    tmp_path: Path, clip: Path
) -> None:
    lamp = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 3.0)
    log = a_log(tmp_path / "log.jsonl", (0.0, "green"))
    summary = replayed(tmp_path / "out", clip, a_site(), signals=[log], lamps=[lamp])
    assert verdicts(tmp_path / "out") == []
    assert "controller says green for head lamp, the camera sees amber" in " ".join(summary["disarmed"])


def test_what_is_wrong_with_a_log_is_counted_and_told(tmp_path: Path, clip: Path) -> None:
    log = a_log(tmp_path / "log.jsonl", (0.0, "amber"), (3.0, "red"))
    with log.open("a", encoding="utf-8") as more:
        for time_s, state in ((11.0, "red"), (2.0, "green"), (11.1, "mauve")):
            more.write("\n" + json.dumps({"head": "lamp", "state": state, "at": at(time_s)}))
    summary = replayed(tmp_path / "out", clip, a_site(UNSEEN), signals=[log])
    (feed,) = summary["sources"][0]["signals"]
    assert (feed["late"], feed["duplicates"], feed["unknown_states"]) == (1, 1, 1)
    assert oddities(feed) == [
        "1 messages came too late and changed nothing",
        "1 messages said again what was known and changed nothing",
        "1 states were none that anybody knows, and count as unknown",
    ]
    assert [verdict[0] for verdict in verdicts(tmp_path / "out")] == ["red_light"]


def test_a_log_whose_line_makes_no_sense_is_an_error_that_names_line_and_field(
    tmp_path: Path, clip: Path
) -> None:
    log = a_log(tmp_path / "log.jsonl", (0.0, "red"), until_s=2.0)
    with log.open("a", encoding="utf-8") as more:
        more.write('\n{"head": "lamp", "state": "red", "at": "yesterday"}')
    with pytest.raises(AllInputsFailedError, match=r"log\.jsonl:3: at is 'yesterday'"):
        replayed(tmp_path / "out", clip, a_site(UNSEEN), signals=[log])


def seen_by_cam2(
    out: Path, clip: Path, lamp: Lamp, *, started_at: datetime | None = START, error_s: float = 1.0
) -> Path:
    """The run of the other camera."""
    replayed(
        out,
        clip,
        a_site(SEEN_BY_CAM2),
        actors=(),
        lamps=[lamp],
        camera="cam2",
        started_at=started_at,
        error_s=error_s,
    )
    return out


LAMP = a_lamp("lamp").shows(LampState.AMBER, 0.0).shows(LampState.RED, 3.0)


def test_a_head_that_only_another_camera_of_the_site_sees_accuses_within_the_clocks_of_both(
    tmp_path: Path, clip: Path
) -> None:
    site, out = a_site(SEEN_BY_CAM2), tmp_path / "out"
    other = seen_by_cam2(tmp_path / "other", clip, LAMP, error_s=0.1)
    assert verdicts(other) == []
    summary = replayed(out, clip, site, signals=[other], error_s=0.2)
    ((rule, status, into_red_s),) = verdicts(out)
    assert (rule, status) == ("red_light", "asserted")
    assert into_red_s == pytest.approx(3.2, abs=0.15)
    (event,) = [json.loads(line) for line in (out / EVENTS).read_text(encoding="utf-8").splitlines()]
    # Both clocks, and the tenth of a second between two of the other's frames, each way; and the crossing's own bound.
    width_s = event["time_into_red_max_s"] - event["time_into_red_min_s"]
    clocks_s = 2 * (0.1 + 0.2 + 0.1)
    assert clocks_s <= width_s <= clocks_s + 0.25
    assert summary["disarmed"] == []
    assert fold_file(out, site.site).events.encode() == (out / EVENTS).read_bytes()


def test_a_crossing_for_which_the_clocks_of_both_are_too_poor_is_held(tmp_path: Path, clip: Path) -> None:
    other = seen_by_cam2(tmp_path / "other", clip, LAMP)
    replayed(tmp_path / "out", clip, a_site(SEEN_BY_CAM2), signals=[other])
    assert [verdict[:2] for verdict in verdicts(tmp_path / "out")] == [("red_light", "held")]


def test_what_the_other_camera_did_not_see_accuses_nobody(tmp_path: Path, clip: Path) -> None:
    lamp = LAMP.shows(LampState.UNKNOWN, 5.0)
    other = seen_by_cam2(tmp_path / "other", clip, lamp)
    summary = replayed(tmp_path / "out", clip, a_site(SEEN_BY_CAM2), signals=[other])
    assert verdicts(tmp_path / "out") == []
    assert "signal head lamp cannot be read" in " ".join(summary["disarmed"])


def test_a_camera_and_a_controller_that_contradict_each_other_about_a_head_accuse_nobody(
    tmp_path: Path, clip: Path
) -> None:
    other = seen_by_cam2(tmp_path / "other", clip, LAMP)
    log = a_log(tmp_path / "log.jsonl", (0.0, "green"))
    summary = replayed(tmp_path / "out", clip, a_site(SEEN_BY_CAM2), signals=[log, other])
    assert verdicts(tmp_path / "out") == []
    assert "controller says green for head lamp, camera cam2 says amber" in " ".join(summary["disarmed"])


def test_a_run_that_cannot_tell_is_refused_with_its_reason(tmp_path: Path, clip: Path) -> None:
    site = a_site(SEEN_BY_CAM2)
    own = tmp_path / "own"
    replayed(own, clip, site)
    empty = tmp_path / "empty"
    empty.mkdir()
    elsewhere = seen_by_cam2(tmp_path / "elsewhere", clip, LAMP)
    (elsewhere / "summary.json").write_text('{"site": {"id": "moon"}, "camera": "cam2"}', encoding="utf-8")
    for run, said in (
        (own, "is a run of camera 'cam1'; give a run of cam2"),
        (empty, "holds no finished run of 'stopline replay'"),
        (elsewhere, "is a run at site 'moon'"),
    ):
        with pytest.raises(UsageError, match=said):
            replayed(tmp_path / "out", clip, site, signals=[run])
    undated = seen_by_cam2(tmp_path / "undated", clip, LAMP, started_at=None)
    with pytest.raises(AllInputsFailedError, match="nobody knows when its recordings were made"):
        replayed(tmp_path / "out", clip, site, signals=[undated])


def test_signals_that_do_not_fit_the_sources_are_refused(tmp_path: Path, clip: Path) -> None:
    log = a_log(tmp_path / "log.jsonl", (0.0, "red"))
    with pytest.raises(UsageError, match="give --start-time once per SOURCE"):
        replayed(tmp_path / "out", clip, a_site(UNSEEN), signals=[log], started_at=None)
    with pytest.raises(UsageError, match=r"mqtt://\*\*\*@broker/a is live and the SOURCEs are recordings"):
        replayed(tmp_path / "out", clip, a_site(UNSEEN), signals=["mqtt://u@broker/a"])
