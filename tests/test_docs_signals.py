"""The messages and the site file of docs/signals.md are what the code reads."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from api.site_signals import HeadPart, feed_heads
from api.work.signal_sources import ODDITIES
from api.yaml_text import parse_yaml
from ingest.signal_message import FeedCounts, read_message
from rules.observation import LampState

TEXT = (Path(__file__).parents[1] / "docs" / "signals.md").read_text(encoding="utf-8")
NEAR = datetime(2026, 5, 1, 0, 30, tzinfo=UTC)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_both_messages_speak_of_the_head_at_the_same_moment() -> None:
    (site,) = blocks("yaml")
    parsed = parse_yaml(site.encode(), "docs/signals.md").value
    assert isinstance(parsed, dict)
    heads = feed_heads([HeadPart.model_validate(head) for head in parsed["heads"]])
    plain, spat = (read_message(json.loads(block), heads, FeedCounts(), NEAR) for block in blocks("json"))
    assert [(report.head_id, report.state) for report in (*plain, *spat)] == [
        ("north-straight", LampState.RED)
    ] * 2
    assert (spat[0].at - plain[0].at).total_seconds() == 12.2


def test_every_oddity_is_explained() -> None:
    assert [name for name in ODDITIES if f"`{name}`" not in TEXT] == []
