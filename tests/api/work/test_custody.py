"""A replay signs and chains its cases; who signs, and when, changes no result."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.clock import SystemClock
from api.errors import InterruptedRunError
from api.settings import Settings
from api.work.custody import signer_of
from api.work.replay import replay
from api.work.run_folder import EVENTS, OpenMode
from evidence.durable import Disk
from evidence.keys import KeyFolder, PublishedKey
from evidence.verification import Result, State, Trust
from evidence.verify_folder import verify_data_folder
from tests.api.work.test_replay import after, pipeline, request, run
from tests.builders.runs import Silence
from tests.builders.scripted import a_recording
from tests.builders.signing import a_signer

TRUST = Trust([PublishedKey(key=a_signer().public, label="office")])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_recording(tmp_path_factory.mktemp("clip") / "a.mp4", 24.0)


def packages(out: Path) -> dict[str, bytes]:
    """The sealed files; what was derived from them has a signed list of its own."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.glob("evidence/*/*")
        if path.is_file()
    }


def test_a_run_verifies_and_ends_with_a_checkpoint(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    told = run(request(out, clip, signer=a_signer())).summary["custody"]
    found = verify_data_folder(out, TRUST)
    assert found.result is Result.VERIFIED
    chain = next(part for part in found.parts if part.kind == "chain")
    assert [check.subject for check in chain.checks] == ["links", "checkpoint 1", "completeness"]
    assert (told["chain"], told["links"], told["key"]) == (chain.name, 2, a_signer().public.id)
    assert (told["demo_key"], told["note"]) == (False, None)
    assert not list(out.glob("custody/*.pem"))


def test_without_a_key_a_demo_key_signs_and_it_is_said(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    told = run(request(out, clip)).summary["custody"]
    assert told["demo_key"] is True
    assert "its signer is unknown" in told["note"] and told["key"] in told["note"]
    found = verify_data_folder(out, TRUST)
    assert (found.result, found.count(State.FAILED)) == (Result.UNKNOWN_SIGNER, 0)
    assert (out / "custody" / "demo-key.pem").stat().st_mode & 0o777 == 0o600


def test_another_key_at_another_time_gives_the_same_events_and_packages(tmp_path: Path, clip: Path) -> None:
    run(request(tmp_path / "one", clip, signer=a_signer()))
    replay(request(tmp_path / "two", clip), pipeline(), Silence(), SystemClock(), lambda: False)
    assert (tmp_path / "one" / EVENTS).read_bytes() == (tmp_path / "two" / EVENTS).read_bytes()
    one, two = packages(tmp_path / "one"), packages(tmp_path / "two")
    assert len(one) > 10 and set(one) == set(two)
    assert {Path(name).name for name in one if one[name] != two[name]} == {"manifest.sig"}
    run(request(tmp_path / "three", clip, signer=a_signer()))
    assert packages(tmp_path / "three") == one, "the same key signs the same bytes the same way"


def test_a_resumed_run_goes_on_with_its_chain(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InterruptedRunError):
        run(request(out, clip, clip, signer=a_signer()), stop=after(300))
    first = next(out.glob("custody/*/links.jsonl"))
    before = first.read_bytes()
    assert before.count(b"\n") >= 2
    told = run(request(out, clip, clip, signer=a_signer(), mode=OpenMode.RESUME)).summary["custody"]
    assert first.read_bytes().startswith(before)
    assert told["links"] == first.read_bytes().count(b"\n") == 4
    assert verify_data_folder(out, TRUST).result is Result.VERIFIED


def test_starting_over_throws_the_chain_away_with_the_packages(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    was = run(request(out, clip, signer=a_signer())).summary["custody"]["chain"]
    told = run(request(out, clip, signer=a_signer(), mode=OpenMode.OVERWRITE)).summary["custody"]
    assert told["chain"] != was, "a checkpoint of the chain that was thrown away is not one of the new chain"
    assert verify_data_folder(out, TRUST).result is Result.VERIFIED


def test_a_run_without_evidence_has_no_custody(tmp_path: Path, clip: Path) -> None:
    out = tmp_path / "out"
    assert "custody" not in run(request(out, clip, with_evidence=False)).summary
    assert not (out / "custody").exists()


def test_the_installations_key_signs_where_one_is_set(tmp_path: Path) -> None:
    now = SystemClock().now()
    made = KeyFolder(tmp_path / "keys", Disk()).generate("office", now, passphrase="correct horse")
    settings = Settings.of(
        {"STOPLINE_KEYS": str(tmp_path / "keys"), "STOPLINE_SIGNING_PASSPHRASE": "correct horse"}
    )
    signer = signer_of(settings, now)
    assert signer is not None and signer.public == made.key
    assert signer_of(Settings.of({}), now) is None
