"""What is counted of a camera, and how Prometheus reads it."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from api.http.metrics_server import metrics_server
from api.work.camera_figures import CameraFigures, CameraMeter, CameraState
from api.work.live_metrics import FleetFigures, metrics_text, unhealthy
from ingest.decoding import Skipped
from rules.finding import DisarmCause, Disarmed
from rules.observation import FrameStamp, LampSample, LampState, Observation

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LINE = re.compile(r'[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)*\})? (-?[0-9.e+-]+|\+Inf)')
DEPLOY = Path(__file__).resolve().parents[3] / "deploy"


def seen(
    index: int, media_s: float, *, analysed: bool = True, lamp: LampState = LampState.RED
) -> Observation:
    return Observation(
        stamp=FrameStamp(camera_id="n", segment=1, index=index, media_s=media_s),
        tracks=() if analysed else None,
        lamps=(LampSample(head_id="a", state=lamp, confidence=0.9),),
    )


def disarmed(from_s: float, to_s: float | None) -> Disarmed:
    return Disarmed(
        camera_id="n", place_id=None, cause=DisarmCause.CLOCK, reason="x", from_s=from_s, to_s=to_s
    )


def test_a_meter_counts_what_was_seen_and_what_was_not() -> None:
    meter = CameraMeter("n", 0.5)
    meter.connected()
    meter.is_in(CameraState.LIVE, NOW)
    for index in range(10):
        meter.saw(seen(index, index * 0.1, analysed=index < 2 or index > 7), NOW, 0.2)
    meter.disarmed(disarmed(0.9, None))
    meter.saw(seen(10, 1.1, lamp=LampState.UNKNOWN), NOW, 0.3)
    meter.disarmed(disarmed(0.9, 1.1))
    meter.saw(seen(11, 1.2), NOW, 0.3)
    meter.dropped(Skipped(packets_damaged=2), 6, 0)
    meter.offline(3.0)
    meter.connected()
    meter.dropped(Skipped(packets_damaged=1), 0, 4)
    figures = meter.figures()
    assert (figures.frames, figures.analysed, figures.connections) == (12, 6, 2)
    assert figures.gaps == 2
    assert figures.gap_s == pytest.approx(3.7)
    assert figures.armed_s == pytest.approx(1.0)
    assert figures.disarmed_s == pytest.approx(0.2)
    assert figures.off_s == {"": pytest.approx(0.2)}
    assert figures.lamps == {"a": (12, 1)}
    assert figures.drops["packets_damaged"] == 3
    assert figures.drops["frames_not_analysed"] == 6
    assert figures.drops["packets_over_budget"] == 4
    assert (figures.state, figures.since, figures.lag_s) == (CameraState.LIVE, NOW, 0.3)


def test_a_meter_tells_which_place_was_off_and_no_second_twice() -> None:
    meter = CameraMeter("n", 0.5)
    meter.connected()
    meter.saw(seen(0, 0.0), NOW, 0.0)
    meter.disarmed(replace(disarmed(0.0, None), place_id="line"))
    meter.saw(seen(1, 0.1), NOW, 0.0)
    meter.disarmed(replace(disarmed(0.1, None), place_id=None))
    meter.saw(seen(2, 0.3), NOW, 0.0)
    assert meter.figures().off_s == {"line": pytest.approx(0.1), "": pytest.approx(0.2)}


def figures(**changes: object) -> FleetFigures:
    camera = CameraFigures(
        camera_id="n",
        state=CameraState.LIVE,
        last_frame_at=NOW,
        drops={"packets_damaged": 3},
        lamps={"a": (10, 2)},
        findings={"asserted": 4},
        delays=(1, 2, 0, 0, 0, 1),
        delay_s=7.25,
    )
    known: dict[str, object] = {
        "cameras": (camera,),
        "workers": 2,
        "worker_restarts": 1,
        "undelivered": 0,
        "is_spool_full": False,
        "delivery_trouble": False,
        "configuration_problems": 0,
        "at": NOW + timedelta(seconds=2),
    }
    return FleetFigures(**{**known, **changes})  # type: ignore[arg-type]


def test_every_line_is_one_that_prometheus_reads() -> None:
    text = metrics_text(figures())
    for line in text.splitlines():
        assert line.startswith(("# HELP stopline_", "# TYPE stopline_")) or LINE.fullmatch(line), line
    assert 'stopline_last_frame_age_seconds{camera="n"} 2\n' in text
    assert 'stopline_drops_total{camera="n",cause="packets_damaged"} 3\n' in text
    assert 'stopline_finding_delay_seconds_bucket{camera="n",le="0.5"} 3\n' in text
    assert 'stopline_finding_delay_seconds_bucket{camera="n",le="+Inf"} 4\n' in text
    assert 'stopline_finding_delay_seconds_sum{camera="n"} 7.25\n' in text


def test_alerts_and_dashboard_use_metrics_that_exist() -> None:
    """And every metric about something that goes wrong has an alert or a place on the dashboard."""
    known = set(re.findall(r"# TYPE (\S+)", metrics_text(figures())))
    known |= {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    rules = yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alerts) >= 10
    for rule in alerts:
        assert rule["annotations"]["summary"], rule
        assert rule["annotations"]["action"], "an alert says what to do"
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(queries) >= 10
    used = set(re.findall(r"stopline_[a-z_]+", " ".join([*queries, *(rule["expr"] for rule in alerts)])))
    assert used <= known, f"nobody tells {used - known}"
    assert {"stopline_drops_total", "stopline_camera_state", "stopline_lag_seconds"} <= used


def test_health_says_what_is_wrong() -> None:
    assert unhealthy(figures()) == []
    told = unhealthy(
        figures(
            cameras=(CameraFigures(camera_id="n", state=CameraState.UNUSABLE, code="stream_silent"),),
            is_spool_full=True,
            configuration_problems=2,
        )
    )
    assert told[0] == "camera n: unusable (stream_silent)"
    assert "spool is full" in told[1]
    assert "2 problems" in told[2]


def test_the_endpoint_serves_figures_and_health() -> None:
    def get(url: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    with metrics_server("127.0.0.1", 0) as (address, show):
        assert get(f"{address}/metrics")[0] == 503
        show(figures())
        assert get(f"{address}/metrics") == (200, metrics_text(figures()))
        assert get(f"{address}/healthz") == (200, '{"ok": true, "troubles": []}\n')
        show(figures(is_spool_full=True))
        assert get(f"{address}/healthz")[0] == 503
        assert get(f"{address}/other")[0] == 404
