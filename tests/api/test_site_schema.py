"""Every field of a site file is documented, and the published JSON Schema is that of the models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic.fields import FieldInfo

import api
from api import site_parking, site_retention, site_schema, site_signals
from api.site_fields import SitePart
from api.site_file import site_schema_text
from api.site_signals import StopLinePart
from rules.site import Camera, NoParkingZone, StopLine

ROOM = Path(api.__file__).parent


def parts() -> list[type[SitePart]]:
    return [
        value
        for value in (
            vars(site_signals) | vars(site_parking) | vars(site_retention) | vars(site_schema)
        ).values()
        if isinstance(value, type) and issubclass(value, SitePart) and value is not SitePart
    ]


FIELDS: dict[str, FieldInfo] = {
    f"{part.__name__}.{field.alias or name}": field
    for part in parts()
    for name, field in part.model_fields.items()
}


@pytest.mark.parametrize(("name", "field"), FIELDS.items(), ids=FIELDS)
def test_each_field_says_what_it_means_its_unit_and_why_that_default(name: str, field: FieldInfo) -> None:
    text = field.description or ""
    assert len(text) > 20, f"{name} has no description"
    if not field.is_required():
        assert "Default" in text, f"{name} has a default and doesn't say why that one"
        assert text.partition("Default")[2].count(":"), f"{name}: 'Default …: why' is wanted"
    for ending, unit in {"_s": "econds", "_px": "pixels", "_m": "metres", "_share": "0 to 1"}.items():
        if name.endswith(ending):
            assert unit in text, f"{name} doesn't say its unit"


def test_each_part_is_frozen_and_closed() -> None:
    assert len(parts()) == 20
    for part in parts():
        assert part.model_config.get("frozen") is True
        assert part.model_config.get("extra") == "forbid"


def test_the_defaults_are_those_of_the_rules() -> None:
    same: list[tuple[type[SitePart], type[StopLine | NoParkingZone | Camera], list[str]]] = [
        (StopLinePart, StopLine, ["grace_s", "standing_s", "min_amber_s"]),
        (site_parking.NoParkingPart, NoParkingZone, ["max_unseen_share", "reenforce_s"]),
        (site_schema.CameraPart, Camera, ["max_gap_s", "plates"]),
    ]
    for part, rule, names in same:
        for name in names:
            declared = rule.__dataclass_fields__[name].default
            assert part.model_fields[name].default == declared, name


def test_the_published_schema_is_that_of_the_models() -> None:
    published = (ROOM / "site.schema.json").read_text(encoding="utf-8")
    assert published == site_schema_text(), "stale: stopline config schema > api/site.schema.json"


def test_the_schema_accepts_the_example_and_refuses_what_the_loader_refuses() -> None:
    schema = json.loads(site_schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    example = yaml.safe_load((ROOM / "example.site.yaml").read_text(encoding="utf-8"))
    assert not list(validator.iter_errors(example))
    changes: list[Callable[[Any], None]] = [
        lambda site: site["cameras"][0].update(size_px=[1920]),
        lambda site: site["cameras"][0].update(stoplines=[]),
        lambda site: site["cameras"][0]["stop_lines"][0].update(heads=[]),
        lambda site: site["cameras"][0]["stop_lines"][0].update(line=[[0.1, 0.1], [0.2, 1.2]]),
        lambda site: site["cameras"][0]["no_parking"][0]["windows"][0].update({"from": "7:00"}),
        lambda site: site.update(cameras=[]),
        lambda site: site["site"].update(id="a b"),
    ]
    for change in changes:
        broken = json.loads(json.dumps(example))
        change(broken)
        assert list(validator.iter_errors(broken))
