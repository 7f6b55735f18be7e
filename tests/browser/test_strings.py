"""Every word of the page stands in strings.js, is used, and labels every code that can be stored."""

from __future__ import annotations

import re
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

import pytest

from api.work.case_errors import ConfirmBar
from api.work.packages import FileState
from api.work.review import RejectCode
from evidence.records import Decision, PackageState, Stage
from rules.finding import PhotoRole, Rule, Status
from rules.observation import LampState, ObjectClass

STATIC = Path(str(files("api") / "web" / "static"))
KEYS = set(re.findall(r'^  "([\w.-]+)":', (STATIC / "strings.js").read_text(encoding="utf-8"), re.MULTILINE))
CODE = {
    path.name: path.read_text(encoding="utf-8") for path in STATIC.glob("*.js") if path.name != "strings.js"
}


def test_every_key_that_is_asked_for_exists() -> None:
    asked = {key for text in CODE.values() for key in re.findall(r'\bt\(\s*"([^"]+)"', text)}
    assert len(asked) > 50
    assert asked - KEYS == set()


def test_every_key_is_asked_for() -> None:
    everything = "\n".join(CODE.values())
    stems = set(re.findall(r'[`"]([\w.]+)\.\$\{', everything))
    stems |= set(re.findall(r'label\("([\w.]+)"', everything))
    unused = {
        key
        for key in KEYS
        if f'"{key}"' not in everything and not any(key.startswith(f"{stem}.") for stem in stems)
    }
    assert unused == set()


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("rule", Rule),
        ("status", Status),
        ("decision", Decision),
        ("stage", Stage),
        ("package", PackageState),
        ("vehicle", ObjectClass),
        ("photo", PhotoRole),
        ("signal", LampState),
        ("signal.letter", LampState),
        ("code", RejectCode),
    ],
)
def test_every_stored_code_has_a_label(kind: str, codes: type[StrEnum]) -> None:
    assert {f"{kind}.{code.value}" for code in codes} - KEYS == set()


def test_the_page_offers_exactly_the_codes_that_the_server_takes() -> None:
    assert {key.removeprefix("code.") for key in KEYS if key.startswith("code.")} == {
        code.value for code in RejectCode
    }


def test_every_reason_against_confirming_and_every_lost_file_has_words() -> None:
    bars = {f"decide.bar.{bar.value}" for bar in ConfirmBar if bar is not ConfirmBar.DECIDED}
    states = {f"case.media_{state.value}" for state in FileState if state is not FileState.SEALED}
    assert (bars | states) - KEYS == set()


@pytest.mark.parametrize("name", sorted(CODE))
def test_no_script_reaches_elsewhere_or_parses_text_as_html(name: str) -> None:
    text = CODE[name].replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"https?://|innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
    )
    assert len(text.splitlines()) <= 400
