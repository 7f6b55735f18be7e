"""``stopline config``: site files are checked, and what may stand in one is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

from api.cli.main import COMMANDS
from tests.api.cli.conftest import Stopline

CHECKOUT = Path(__file__).resolve().parents[3]

ROOM = Path(__file__).parents[3] / "api"
SITES = Path(__file__).parents[2] / "sites"


def test_a_site_file_in_order_is_summed_up(stopline: Stopline) -> None:
    ran = stopline("config", "validate", SITES / "twoway_road.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("in order: site twoway-road, 1 camera, 1 signal head, 2 stop lines, 1 gate\n")


def test_several_site_files_are_checked_at_once(stopline: Stopline, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text((SITES / "hanoi_redlight.yaml").read_text().replace("Asia/Ho_Chi_Minh", "Hanoi"))
    ran = stopline("config", "validate", SITES / "uk_signal_cycle.yaml", bad, tmp_path / "none.yaml")
    assert ran.code == 3
    assert "uk_signal_cycle.yaml: in order" in ran.out
    assert f"{bad}:5: site.time_zone: 'Hanoi' is not a time zone" in ran.err
    assert f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory" in ran.err


def test_the_schema_and_the_example_are_printed(stopline: Stopline) -> None:
    assert stopline("config", "schema").out == (ROOM / "site.schema.json").read_text(encoding="utf-8")
    assert json.loads(stopline("config", "schema").out)["title"] == "SiteDocument"
    example = stopline("config", "example")
    assert example.out == (ROOM / "example.site.yaml").read_text(encoding="utf-8")


def test_the_readme_s_site_file_is_in_order_and_its_commands_exist(
    stopline: Stopline, tmp_path: Path
) -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    file = tmp_path / "readme.yaml"
    file.write_text(example, encoding="utf-8")
    ran = stopline("config", "validate", file)
    assert (ran.code, ran.err) == (0, "")
    named = set(re.findall(r"stopline ([a-z][a-z-]+)", readme))
    assert {"replay", "serve", "fold", "config"} <= named
    assert named - {"command"} <= set(COMMANDS)
