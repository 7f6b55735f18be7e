"""Site files of the scenes, whether rendered or not, against the product's own reader."""

from __future__ import annotations

import pytest

from api.site_file import parse_site_file
from sample_videos.clips import CLIPS
from sample_videos.site_yaml import site_text
from tests.sample_videos.clip_files import SAMPLES


@pytest.mark.parametrize("clip", ["junction_left_arrow", "junction_waiting_area", "parking_all_day"])
def test_the_script_films_the_clip_from_where_it_was_filmed(clip: str) -> None:
    assert site_text(CLIPS[clip]()) == (SAMPLES / f"{clip}.yaml").read_text("utf-8")


@pytest.mark.parametrize("clip", ["junction_red_approaching", "junction_crosswalk", "parking_limited_hours"])
def test_site_of_a_script_is_in_order(clip: str) -> None:
    site = parse_site_file(site_text(CLIPS[clip]()).encode(), clip).site
    heads = {head.head_id for head in site.heads}
    for line in site.cameras[0].stop_lines:
        assert set(line.head_ids) <= heads
