"""Logs of signal controllers: read as they are, merged by time, and every oddity an error or a count."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import FileUnreadableError, SignalFeedError
from ingest.signal_feed import read_feed
from ingest.signal_merge import SignalJoin, SignalMerge
from ingest.signal_message import FeedCounts
from rules.observation import FrameStamp, LampState, Observation, SignalMode, SignalReport

START = datetime(2024, 5, 1, tzinfo=UTC)


def at(time_s: float) -> datetime:
    return START + timedelta(seconds=time_s)


def a_report(time_s: float, state: LampState = LampState.RED, head_id: str = "main") -> SignalReport:
    return SignalReport(head_id=head_id, state=state, at=at(time_s), error_s=0.1, source="controller")


def a_merge(reports: Iterable[SignalReport]) -> SignalMerge:
    feed = iter(reports)
    return SignalMerge(lambda: next(feed, None))


def read(tmp_path: Path, text: str, name: str = "log.jsonl") -> list[SignalReport]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(read_feed(path, FeedCounts()))


def test_json_lines_and_csv_say_the_same(tmp_path: Path) -> None:
    lines = (
        '{"head": "main", "state": "red", "at": "2024-05-01T08:00:01.5+08:00"}\n\n'
        '{"head": "left", "state": "flashing_green", "at": "2024-05-01T00:00:02Z", "mode": "manual", "error_s": 0.5}\n'
    )
    table = (
        "at,head,state,mode,error_s\n2024-05-01T08:00:01.5+08:00,main,red,,\n"
        "2024-05-01T00:00:02Z,left,flashing_green,manual,0.5\n"
    )
    red, green = read(tmp_path, lines)
    assert [red, green] == read(tmp_path, table, "log.csv")
    assert red == a_report(1.5)
    assert (green.state, green.flashing, green.mode, green.error_s) == (
        LampState.GREEN,
        True,
        SignalMode.MANUAL,
        0.5,
    )


@pytest.mark.parametrize(
    ("state", "lamp", "flashing"),
    [
        ('"stop-And-Remain"', LampState.RED, False),
        ('"pre_movement"', LampState.RED_AMBER, False),
        ("4", LampState.RED_AMBER, False),
        ("2", LampState.RED, True),
        ("8", LampState.AMBER, False),
        ("9", LampState.AMBER, True),
        ('"dark"', LampState.OFF, False),
    ],
)
def test_phase_states_of_spat_messages_are_understood(
    tmp_path: Path, state: str, lamp: LampState, flashing: bool
) -> None:
    (report,) = read(tmp_path, f'{{"head": "h", "state": {state}, "at": "2024-05-01T00:00:00Z"}}')
    assert (report.state, report.flashing) == (lamp, flashing)


def test_a_state_that_nobody_knows_is_unknown_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"head": "h", "state": "purple", "at": "2024-05-01T00:00:00Z"}\n' * 2, encoding="utf-8")
    counts = FeedCounts()
    assert [report.state for report in read_feed(path, counts)] == [LampState.UNKNOWN] * 2
    assert counts.unknown_states == {"purple": 2}
    assert counts.messages == 2


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "is no JSON"),
        ("[1]", "is no JSON object"),
        ('{"state": "red", "at": "2024-05-01T00:00:00Z"}', "has no head"),
        ('{"head": "h", "state": "red", "at": "2024-05-01T00:00:00"}', "with its offset"),
        ('{"head": "h", "state": "red", "at": 5}', "with its offset"),
        (
            '{"head": "h", "state": "red", "at": "2024-05-01T00:00:00Z", "mode": "asleep"}',
            "mode is .asleep.; one of automatic",
        ),
        ('{"head": "h", "state": "red", "at": "2024-05-01T00:00:00Z", "error_s": -1}', "from 0 on"),
        ('{"head": "h", "state": "red", "at": "2024-05-01T00:00:00Z", "error_s": "nan"}', "from 0 on"),
    ],
)
def test_a_message_that_makes_no_sense_is_an_error_that_names_its_line(
    tmp_path: Path, line: str, what: str
) -> None:
    good = '{"head": "h", "state": "red", "at": "2024-05-01T00:00:00Z"}\n'
    with pytest.raises(SignalFeedError, match=what) as caught:
        read(tmp_path, good + line + "\n")
    assert caught.value.line == 2
    assert "log.jsonl:2: " in str(caught.value)


def test_a_table_without_its_columns_and_a_file_that_is_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SignalFeedError, match="has no column at, head"):
        read(tmp_path, "state,time\nred,1\n", "log.csv")
    with pytest.raises(FileUnreadableError):
        list(read_feed(tmp_path / "missing.csv", FeedCounts()))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SignalFeedError, match="UTF-8"):
        list(read_feed(tmp_path / "binary.csv", FeedCounts()))


def test_reports_come_out_by_time_each_with_the_frame_at_which_it_is_due() -> None:
    merge = a_merge([a_report(1.0), a_report(2.5), a_report(2.0), a_report(9.0)])
    assert [report.at for report in merge.due(at(2.2))] == [at(1.0), at(2.0)]
    assert merge.due(at(2.2)) == ()
    assert [report.at for report in merge.due(at(3.0))] == [at(2.5)]
    assert merge.due(None) == ()


def test_a_report_behind_the_watermark_is_counted_and_has_no_effect() -> None:
    merge = a_merge([a_report(5.0), a_report(3.9), a_report(4.1), a_report(7.0)])
    assert [report.at for report in merge.due(at(6.0))] == [at(4.1), at(5.0)]
    assert merge.late == 1


def test_a_repeated_message_is_counted_and_the_first_one_counts() -> None:
    merge = a_merge([a_report(1.0), a_report(1.0, LampState.GREEN), a_report(1.0, head_id="other")])
    assert [(report.head_id, report.state) for report in merge.due(at(1.0))] == [
        ("main", LampState.RED),
        ("other", LampState.RED),
    ]
    assert merge.duplicates == 1


def test_a_log_is_read_no_further_than_its_frames_ask_for(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    text = "".join(f'{{"head": "h", "state": "red", "at": "{at(n).isoformat()}"}}\n' for n in range(1000))
    path.write_text(text, encoding="utf-8")
    counts = FeedCounts()
    assert len(a_merge(read_feed(path, counts)).due(at(10.0))) == 11
    assert counts.messages == 13


def seen_at(time_s: float, *, dated: bool = True) -> Observation:
    stamp = FrameStamp(
        camera_id="c",
        segment=0,
        index=round(time_s * 10),
        media_s=time_s,
        captured_at=at(time_s) if dated else None,
    )
    return Observation(stamp=stamp, tracks=())


def test_beside_a_log_each_observation_goes_on_at_once_with_what_is_due() -> None:
    join = SignalJoin([a_merge([a_report(0.15)]), a_merge([a_report(0.05, head_id="other")])])
    out = [joined for n in range(4) for joined in join.add(seen_at(n / 10))]
    heads = [[report.head_id for report in observation.signals] for observation in out]
    assert heads == [[], ["other"], ["main"], []]
    assert join.reported == {"main", "other"}


def test_behind_a_live_feed_observations_wait_in_order_until_the_reports_of_their_moment_have_come() -> None:
    came: list[SignalReport] = []
    join = SignalJoin([SignalMerge(lambda: came.pop(0) if came else None)], wait_s=1.0)
    out: list[Observation] = []
    for n in range(13):
        if n == 6:  # a report that was 0.5 s on its way
            came.append(a_report(0.25))
        out += join.add(seen_at(n / 8))
    assert [observation.stamp.media_s * 8 for observation in out] == [0, 1, 2, 3, 4]
    assert [len(observation.signals) for observation in out] == [0, 0, 1, 0, 0]
    assert [observation.stamp.media_s * 8 for observation in join.rest()] == list(range(5, 13))
    assert join.rest() == ()


def test_frames_without_a_wall_clock_are_given_nothing() -> None:
    join = SignalJoin([a_merge([a_report(0.0)])])
    assert join.add(seen_at(1.0, dated=False))[0].signals == ()


@given(st.lists(st.integers(0, 60), max_size=40), st.lists(st.integers(0, 60), min_size=1, max_size=20))
def test_whatever_the_order_reports_come_out_sorted_and_never_before_their_time(
    times: list[int], frames: list[int]
) -> None:
    merge = a_merge([a_report(float(time_s)) for time_s in times])
    out: list[datetime] = []
    for frame in sorted(frames):
        due = merge.due(at(float(frame)))
        assert all(report.at <= at(float(frame)) for report in due)
        out.extend(report.at for report in due)
    assert out == sorted(set(out))
    assert len(out) + merge.late + merge.duplicates <= merge.reports
