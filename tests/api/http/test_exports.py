"""Exports through a real server: ordered, built, fetched, whole; nobody else's, and not for ever."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import bagit
import pytest

from api.records import exports
from api.records.audit import AuditQuery
from api.work.access import Role
from api.work.data_folder import open_records
from api.work.export_desk import FOLDER
from evidence.records import Decision, Review
from tests.api.http.conftest import NOW, PARKED, RED, Served, assert_problem
from tests.builders.case_folder import fill_with_chain, parking, red_light
from tests.builders.plate_models import plate_files
from tests.builders.service import a_service, token

CONFIRMED = Review(decision=Decision.CONFIRMED, code=None, note="", reviewer="Li", decided_at=NOW)
EXPORTS = "/api/v1/exports"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a case and its chain, to be copied."""
    data = tmp_path_factory.mktemp("filled") / "data"
    fill_with_chain(
        data,
        [
            red_light(RED, clip_s=(20.0, 20.6), accused_px=(360.0, 150.0, 430.0, 230.0)),
            parking(PARKED, camera_id="north", clip_s=(24.0, 25.0)),
        ],
    )
    return data


@pytest.fixture
def decided(served: Served, filled: Path, tmp_path: Path) -> Iterator[Served]:
    """The application over a folder of its own, one of whose cases is decided."""
    folder = Path(shutil.copytree(filled, tmp_path / "filled"))
    with closing(open_records(folder)) as records:
        records.decide(RED, CONFIRMED)
        service = a_service(folder, records, lambda: NOW)
        served.app.state.service = service
        served.client.headers["Authorization"] = token(service, Role.OFFICER, "qian")
        yield Served(folder, records, served.app, served.client, service)
        service.exports.close()


def ordered(served: Served, *case_ids: str, **more: Any) -> Any:
    answer = served.client.post(EXPORTS, json={"case_ids": list(case_ids), **more})
    assert answer.status_code == 202, answer.text
    return until_built(served, answer.json()["id"])


def until_built(served: Served, export_id: str) -> Any:
    for _ in range(1200):  # a redacted copy takes a while
        found = served.client.get(f"{EXPORTS}/{export_id}").json()
        if found["state"] in ("done", "failed"):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_a_decided_case_is_exported_whole(decided: Served, tmp_path: Path) -> None:
    made = ordered(decided, RED)
    assert made["state"] == "done", made["why"]
    answer = decided.client.get(made["file_url"])
    assert answer.headers["content-type"] == "application/zip"
    assert hashlib.sha256(answer.content).hexdigest() == made["sha256"]
    assert len(answer.content) == made["size"]
    with zipfile.ZipFile(BytesIO(answer.content)) as file:
        file.extractall(tmp_path / "out")
    (bag,) = (
        (tmp_path / "out").iterdir() if not (tmp_path / "out" / "bagit.txt").exists() else [tmp_path / "out"]
    )
    assert bagit.Bag(str(bag)).is_valid()
    assert decided.client.delete(f"{EXPORTS}/{made['id']}").status_code == 204
    assert_problem(decided.client.get(made["file_url"]), 410, "export_gone")
    assert not (decided.folder / FOLDER / made["id"]).exists()


def test_who_appeals_is_given_the_redacted_copy_which_is_made_where_it_is_missing(
    decided: Served, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate_files(cache_dir)
    monkeypatch.setenv("STOPLINE_CACHE", str(cache_dir))
    made = ordered(decided, RED, contents="redacted")
    assert made["state"] == "done", made["why"]
    assert made["contents"] == "redacted"
    with zipfile.ZipFile(BytesIO(decided.client.get(made["file_url"]).content)) as file:
        names = {name.rsplit("/", 1)[-1] for name in file.namelist()}
    assert {"redacted-scene-1.jpg", "redacted-clip.mp4", "redaction.json", "list.json"} <= names
    assert not names & {"scene-1.jpg", "clip.mp4", "trace.json", "manifest.json", "redact.log"}
    again = ordered(decided, RED, contents="with_redacted")
    assert again["state"] == "done", "the copy that is there is taken"


def test_a_redacted_copy_that_cannot_be_made_fails_its_export(
    decided: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOPLINE_MODELS", str(decided.folder / "no-models"))
    made = ordered(decided, RED, contents="redacted")
    assert made["state"] == "failed"
    assert "no redacted copy of it could be made" in made["why"]
    assert str(decided.folder) not in made["why"]


def test_a_case_whose_file_is_missing_is_not_exported(decided: Served) -> None:
    decided.lose(RED, "scene-2.jpg")
    made = ordered(decided, RED)
    assert made["state"] == "failed"
    assert "scene-2.jpg" in made["why"]
    assert str(decided.folder) not in made["why"]
    assert_problem(decided.client.get(f"{EXPORTS}/{made['id']}/file"), 409, "export_not_ready")


def test_what_nobody_decided_is_not_exported(decided: Served) -> None:
    answer = decided.client.post(EXPORTS, json={"case_ids": [RED, PARKED]})
    assert_problem(answer, 409, "case_open", PARKED)


def test_a_case_of_another_site_is_not_exported(decided: Served) -> None:
    elsewhere = {"Authorization": token(decided.service, Role.OFFICER, "elsewhere", ("elsewhere",))}
    answer = decided.client.post(EXPORTS, json={"case_ids": [RED]}, headers=elsewhere)
    assert_problem(answer, 404, "case_unknown")
    last = decided.service.audit.found(AuditQuery(target=f"case:{RED}"), before_number=None, limit=1)[0]
    assert json.loads(last.line)["outcome"] == "refused"


def test_nobody_fetches_what_another_ordered(decided: Served) -> None:
    made = ordered(decided, RED)
    other = {"Authorization": token(decided.service, Role.SUPERVISOR, "other")}
    for method, url in (
        ("GET", f"{EXPORTS}/{made['id']}"),
        ("GET", made["file_url"]),
        ("DELETE", f"{EXPORTS}/{made['id']}"),
    ):
        assert_problem(decided.client.request(method, url, headers=other), 404, "export_unknown")
    assert decided.client.get(made["file_url"]).status_code == 200


def test_an_export_goes_when_its_time_is_over(decided: Served) -> None:
    at = [NOW]
    service = a_service(decided.folder, decided.records, lambda: at[0])
    decided.app.state.service = service
    decided.client.headers["Authorization"] = token(service, Role.OFFICER, "zhou")
    made = ordered(decided, RED)
    at[0] += timedelta(days=7)
    assert_problem(decided.client.get(made["file_url"]), 410, "export_gone")
    service.exports.build_waiting()
    assert not (decided.folder / FOLDER / made["id"]).exists()
    assert decided.client.get(f"{EXPORTS}/{made['id']}").json()["state"] == "gone"


def test_what_a_crash_left_half_built_is_built_anew(decided: Served) -> None:
    made = ordered(decided, RED)
    with decided.records.database.write() as tx:
        assert exports.move_export(tx, made["id"], exports.ExportState.DONE, exports.ExportState.RUNNING)
    again = a_service(decided.folder, decided.records, lambda: NOW)
    again.exports.build_waiting()
    assert until_built(decided, made["id"])["state"] == "done"
    assert decided.client.get(made["file_url"]).status_code == 200


@pytest.mark.parametrize("wanted", [[], ["a"] * 51, ["../../etc"], ["a\x00"], ["x" * 201]])
def test_what_is_no_list_of_cases_is_refused(served: Served, wanted: list[str]) -> None:
    assert_problem(served.client.post(EXPORTS, json={"case_ids": wanted}), 422, "request_invalid")
