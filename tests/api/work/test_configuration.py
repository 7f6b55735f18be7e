"""Site files: a draft may be wrong and a version may not; one of two who publish wins; who watches gets the newest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.errors import ConfigInvalidError
from api.records import audit, outbox
from api.work.configuration import Configuration
from api.work.site_drafts import MOST_BYTES
from api.work.site_errors import (
    CameraUnknownError,
    DraftRefusedError,
    NothingToPublishError,
    SiteChangedError,
    SiteExistsError,
    SiteUnknownError,
    SiteVersionUnknownError,
)
from api.work.site_folder import SiteFolder
from evidence.database import Database
from tests.builders.sites import SITE_FILE, a_configuration, engineer, publish, race_for_site, site_file

WU, HE = engineer("Wu"), engineer("He")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sites"


@pytest.fixture
def configuration(database: Database, folder: Path) -> Configuration:
    return a_configuration(database, folder)


def audited(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as tx:
        lines = [json.loads(line.line) for line in audit.lines(tx)]
    return [(line["action"], line["target"], line["outcome"]) for line in lines]


def test_from_a_draft_to_a_version_that_is_watched(
    configuration: Configuration, database: Database, folder: Path
) -> None:
    made = configuration.add(WU, "crossing", "To be drawn")
    assert (made.version, made.draft, made.published) == (1, None, None)
    drafted = configuration.put_draft(WU, "crossing", SITE_FILE, looked_at=1)
    assert (drafted.version, drafted.draft) == (2, SITE_FILE)
    assert not folder.exists(), "a draft is watched by nobody"
    version = configuration.publish(WU, "crossing", reason="first", looked_at=2)
    assert (version.number, version.text, version.reason, version.published_by) == (
        1,
        SITE_FILE,
        "first",
        "a-Wu",
    )
    assert (folder / "crossing.yaml").read_text() == SITE_FILE
    row, places = configuration.site(WU, "crossing")
    assert (row.name, row.version, row.draft, row.published) == ("A crossing", 3, None, 1)
    assert [(place.camera_id, place.place_id, place.kind) for place in places] == [
        ("north", "kerb", "no_parking"),
        ("north", "line", "stop_line"),
        ("north", "north", "camera"),
    ]
    assert configuration.cameras(WU, after_id="", limit=9) == [("north", "crossing")]
    assert configuration.site_of_camera(WU, "north") == "crossing"
    assert [line[:2] for line in audited(database)] == [
        ("site.made", "site:crossing"),
        ("site.drafted", "site:crossing"),
        ("site.published", "site:crossing"),
    ]
    with database.read() as tx:
        assert {event.subject for event in outbox.told_after(tx, 0, 9)} == {"site:crossing"}


def test_a_wrong_draft_is_kept_and_not_published(configuration: Configuration, folder: Path) -> None:
    configuration.add(WU, "crossing", "x")
    wrong = SITE_FILE.replace("[0.8, 0.8]]", "[1.8, 0.8]]").replace("heads: [ahead]", "heads: [nobody]")
    configuration.put_draft(WU, "crossing", wrong, looked_at=1)
    row, found = configuration.problems(WU, "crossing")
    assert row.draft == wrong
    assert [problem.place for problem in found] == [("cameras", 0, "stop_lines", 0, "line", 1)]
    with pytest.raises(ConfigInvalidError) as caught:
        configuration.publish(WU, "crossing", reason="r", looked_at=2)
    assert caught.value.problems == found
    with pytest.raises(SiteVersionUnknownError):
        configuration.version(WU, "crossing", 1)
    assert not folder.exists()
    configuration.put_draft(WU, "crossing", SITE_FILE, looked_at=2)
    assert configuration.problems(WU, "crossing")[1] == ()


def test_the_file_is_of_that_site_and_its_cameras_of_no_other(configuration: Configuration) -> None:
    publish(configuration)
    configuration.add(WU, "kerb", "x")
    configuration.put_draft(WU, "kerb", SITE_FILE, looked_at=1)
    assert [problem.place for problem in configuration.problems(WU, "kerb")[1]] == [("site", "id")]
    configuration.put_draft(WU, "kerb", site_file("kerb"), looked_at=2)
    assert [problem.place for problem in configuration.problems(WU, "kerb")[1]] == [("cameras", 0, "id")]
    with pytest.raises(ConfigInvalidError, match="another site has a camera 'north'"):
        configuration.publish(WU, "kerb", reason="r", looked_at=3)
    configuration.put_draft(WU, "kerb", site_file("kerb", "south"), looked_at=3)
    assert configuration.publish(WU, "kerb", reason="r", looked_at=4).number == 1


def test_back_to_an_earlier_version_is_a_new_one(configuration: Configuration, folder: Path) -> None:
    publish(configuration)
    changed = site_file(grace_s=0.5)
    assert publish(configuration, changed) == 2
    row = configuration.put_draft(
        WU, "crossing", "half done", looked_at=configuration.draft(WU, "crossing")[0].version
    )
    with pytest.raises(NothingToPublishError):
        configuration.roll_back(WU, "crossing", 2, reason="r", looked_at=row.version)
    made = configuration.roll_back(HE, "crossing", 1, reason="too lenient", looked_at=row.version)
    assert (made.number, made.text, made.from_number, made.published_by) == (3, SITE_FILE, 1, "a-He")
    assert (folder / "crossing.yaml").read_text() == SITE_FILE
    assert configuration.draft(WU, "crossing")[1] == "half done", "nobody's work is lost by it"
    page = configuration.versions(WU, "crossing", before_number=None, limit=2)
    assert [version.number for version in page] == [3, 2]
    rest = configuration.versions(WU, "crossing", before_number=2, limit=2)
    assert [(version.number, version.text) for version in rest] == [(1, SITE_FILE)]


def test_what_differs_as_text_and_as_the_rules_see_it(configuration: Configuration) -> None:
    publish(configuration)
    publish(configuration, site_file(grace_s=0.5))
    found = configuration.differences(WU, "crossing", 1, 2)
    assert "+        grace_s: 0.5\n" in found.text
    assert found.text.startswith("--- version 1\n+++ version 2\n")
    assert found.cameras is not None
    assert [(camera, one.place, one.says) for camera, one in found.cameras] == [
        ("north", "line", "stop line line: grace_s 0.3 → 0.5")
    ]
    row, _ = configuration.draft(WU, "crossing")
    configuration.put_draft(WU, "crossing", "site: {}", looked_at=row.version)
    to_draft = configuration.differences(WU, "crossing", 2, None)
    assert to_draft.cameras is None
    assert "+site: {}\n" in to_draft.text


def test_what_was_changed_meanwhile_is_not_overwritten(configuration: Configuration) -> None:
    configuration.add(WU, "crossing", "x")
    configuration.put_draft(WU, "crossing", SITE_FILE, looked_at=1)
    for late in (
        lambda: configuration.put_draft(HE, "crossing", "mine", looked_at=1),
        lambda: configuration.drop_draft(HE, "crossing", looked_at=1),
        lambda: configuration.publish(HE, "crossing", reason="r", looked_at=1),
    ):
        with pytest.raises(SiteChangedError) as caught:
            late()
        assert (caught.value.version, caught.value.headers) == (2, {"ETag": '"v2"'})
    assert configuration.drop_draft(WU, "crossing", looked_at=2).draft is None
    with pytest.raises(NothingToPublishError):
        configuration.publish(WU, "crossing", reason="r", looked_at=3)


def test_one_of_two_draft_writers_and_of_two_publishers_wins(configuration: Configuration) -> None:
    assert race_for_site(configuration, 10) == {
        ("draft", "done", "site_changed"): 10,
        ("publish", "done", "site_changed"): 10,
    }
    found = configuration.versions(WU, "crossing", before_number=None, limit=99)
    assert [version.number for version in found] == [*range(10, 0, -1)]


def test_another_site_is_as_if_it_were_not_there_and_the_look_is_audited(
    configuration: Configuration, database: Database
) -> None:
    publish(configuration)
    stranger = engineer("Stranger", ("kerb",))
    for ask in (
        lambda: configuration.site(stranger, "crossing"),
        lambda: configuration.draft(stranger, "crossing"),
        lambda: configuration.put_draft(stranger, "crossing", "x", looked_at=3),
        lambda: configuration.publish(stranger, "crossing", reason="r", looked_at=3),
        lambda: configuration.version(stranger, "crossing", 1),
        lambda: configuration.add(stranger, "crossing", "mine"),
    ):
        before = len(audited(database))
        with pytest.raises(SiteUnknownError):
            ask()
        assert [line[1:] for line in audited(database)[before:]] == [("site:crossing", "refused")]
    with pytest.raises(CameraUnknownError):
        configuration.site_of_camera(stranger, "north")
    assert configuration.page(stranger, after_id="", limit=9) == []
    assert configuration.cameras(stranger, after_id="", limit=9) == []
    with pytest.raises(SiteExistsError):
        configuration.add(WU, "crossing", "again")


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
HOSTILE = {
    "aliases that grow": (BOMB, "anchors and aliases"),
    "a Python object": ("site: !!python/object/apply:os.system ['true']", "tags"),
    "a tag of its own": ("site: !include /etc/passwd", "tags"),
    "nested without end": ("[" * 5000, "nested more than"),
    "two documents": ("a: 1\n---\nb: 2\n", "not valid YAML"),
    "a key twice": ("site: 1\nsite: 2\n", "given twice"),
    "a merge key": ("a: {<<: {b: 1}}", ""),
    "a long number": ("site: " + "9" * 10_000, ""),
    "not a mapping": ("- 1", ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_told_as_a_mistake(configuration: Configuration, name: str) -> None:
    text, words = HOSTILE[name]
    configuration.add(WU, "crossing", "x")
    configuration.put_draft(WU, "crossing", text, looked_at=1)
    _, found = configuration.problems(WU, "crossing")
    assert found
    assert words in " ".join(problem.message for problem in found)
    with pytest.raises(ConfigInvalidError):
        configuration.publish(WU, "crossing", reason="r", looked_at=2)


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MOST_BYTES + 1),
        "浙" * (MOST_BYTES // 3 + 1),
        "site: \x00",
        SITE_FILE + "    stream: {address: 'rtsp://admin:secret@10.0.0.7/1'}\n",
    ],
    ids=["too long", "too long in bytes", "a NUL", "a password"],
)
def test_what_is_not_even_kept(configuration: Configuration, text: str) -> None:
    configuration.add(WU, "crossing", "x")
    with pytest.raises(DraftRefusedError) as caught:
        configuration.put_draft(WU, "crossing", text, looked_at=1)
    assert "secret" not in str(caught.value)
    assert configuration.draft(WU, "crossing")[0].draft is None


def test_who_watches_the_folder_takes_what_is_published_and_keeps_the_rest(
    configuration: Configuration, folder: Path
) -> None:
    stream = "    stream: {address: 'rtsp://10.0.0.7/1'}\n"
    publish(configuration, SITE_FILE + stream)
    publish(configuration, site_file("kerb", "south") + stream, "kerb")
    watched = SiteFolder([folder])
    first = watched.read()
    assert first is not None
    assert first.problems == ()
    publish(configuration, site_file(grace_s=0.5) + stream)
    second = watched.read()
    assert second is not None
    assert set(second.cameras) == {"north", "south"}
    assert second.cameras["north"].key != first.cameras["north"].key
    assert second.cameras["south"].key == first.cameras["south"].key
    assert watched.read() is None


def test_what_the_disk_refused_is_delivered_by_the_next_start(
    configuration: Configuration, database: Database, folder: Path
) -> None:
    folder.write_text("in the way")
    publish(configuration)
    assert not configuration.is_delivered(configuration.version(WU, "crossing", 1))
    folder.unlink()
    a_configuration(database, folder).deliver_all()
    assert configuration.is_delivered(configuration.version(WU, "crossing", 1))
