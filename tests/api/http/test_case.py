"""One case as its page shows it, whole and with lost or altered files."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.api.http.conftest import HELD, PARKED, RED, UNREADABLE, Served
from tests.builders.signing import a_signer


def detail(served: Served, case_id: str) -> Any:
    response = served.get(f"violations/{case_id}")
    assert response.status_code == 200, response.text
    return response.json()


def test_the_pictures_have_role_moment_and_state(served: Served) -> None:
    case = detail(served, RED)
    assert [(picture["name"], picture["role"], picture["media_s"]) for picture in case["pictures"]] == [
        ("lamp.jpg", "lamp", None),
        ("plate.jpg", "plate", None),
        ("scene-1.jpg", "before_line", 18.8),
        ("scene-2.jpg", "past_line", 20.88),
        ("scene-3.jpg", "further_on", 22.0),
    ]
    assert {picture["state"] for picture in case["pictures"]} == {"sealed"}
    assert case["pictures"][2]["captured_at"] == "2026-03-02T00:30:18.800Z"
    assert case["pictures"][2]["captured_local"] == "2026-03-02T08:30:18.800+08:00"
    assert case["pictures"][0]["captured_local"] is None
    content = (served.folder / "evidence" / RED / "scene-1.jpg").read_bytes()
    assert case["pictures"][2]["sha256"] == hashlib.sha256(content).hexdigest()
    for picture in case["pictures"]:
        assert served.client.get(picture["url"]).status_code == 200


def test_the_clip_says_which_media_seconds_it_holds(served: Served) -> None:
    clip = detail(served, RED)["clip"]
    assert (clip["name"], clip["state"]) == ("clip.mp4", "sealed")
    assert (clip["first_media_s"], clip["last_media_s"]) == (19.6, 20.36)
    assert served.client.get(clip["url"]).headers["content-type"] == "video/mp4"


def test_why_is_one_sentence_with_what_is_asserted(served: Served) -> None:
    assert detail(served, RED)["why"] == (
        "The car reached stop line 'line-1' at 20.00 s (± 0.08 s), at least 1.32 s after red began, "
        "and drove on beyond the further-on line."
    )
    assert detail(served, PARKED)["why"] == (
        "The truck stood in zone 'kerb-east' for 48.0 s, unseen for 5.5 s of it; 20 s are allowed."
    )
    assert detail(served, HELD)["why"] == "Not asserted: 0.21 s into red, ± 0.30 s; grace 0.30 s."


def test_the_plate_has_what_each_character_may_be_instead(served: Served) -> None:
    plate = detail(served, RED)["plate"]
    assert "".join(cell["read"]["text"] for cell in plate["cells"]) == plate["text"] == "浙C8364S"
    assert plate["cells"][2]["read"]["confidence"] == 0.71
    assert [[choice["text"] for choice in cell["instead"]] for cell in plate["cells"]] == [
        *([], [], ["B"], [], [], [], ["5"])
    ]
    assert [other["text"] for other in plate["alternatives"]] == ["浙CB364S", "浙C83645", "浙C364S"]


def test_an_unreadable_plate_has_no_cells_and_the_package_says_so(served: Served) -> None:
    case = detail(served, UNREADABLE)
    assert case["plate"] == {"text": None, "confidence": 0.0, "cells": [], "alternatives": []}
    assert case["package_reasons"] == ["plate: no reading fits the grammar"]


def test_a_whole_case_can_be_confirmed_and_has_no_history(served: Served) -> None:
    case = detail(served, RED)
    assert (case["confirm_bar"], case["missing"], case["reviews"]) == (None, [], [])


def test_a_lost_file_is_named_and_bars_confirming(served: Served) -> None:
    served.lose(RED, "scene-2.jpg")
    served.lose(RED, "clip.mp4")
    case = detail(served, RED)
    assert sorted(case["missing"]) == ["clip.mp4", "scene-2.jpg"]
    assert {picture["name"]: picture["state"] for picture in case["pictures"]}["scene-2.jpg"] == "missing"
    assert case["clip"]["state"] == "missing"
    assert case["confirm_bar"]["code"] == "evidence_missing"


def test_an_altered_trace_is_named_and_its_words_are_not_used(served: Served) -> None:
    path = served.folder / "evidence" / RED / "trace.json"
    path.write_text(path.read_text().replace("before_line", "further_on"))
    case = detail(served, RED)
    assert case["missing"] == ["trace.json"]
    assert [picture["role"] for picture in case["pictures"]] == ["lamp", "plate", "other", "other", "other"]


def test_a_lost_manifest_leaves_a_case_that_can_only_be_rejected(served: Served) -> None:
    served.lose(RED, "manifest.json")
    case = detail(served, RED)
    assert (case["pictures"], case["clip"], case["missing"]) == ([], None, ["manifest.json"])
    assert case["confirm_bar"]["code"] == "evidence_missing"
    assert case["plate"]["text"] == "浙C8364S"


def test_nothing_bars_confirming_a_held_case_which_then_needs_a_second_review(served: Served) -> None:
    assert detail(served, HELD)["confirm_bar"] is None


def test_it_says_with_which_key_the_manifest_is_signed(served: Served) -> None:
    assert detail(served, RED)["signed_by"] == a_signer().public.id


def test_a_case_whose_signature_is_gone_or_altered_cannot_be_confirmed(served: Served) -> None:
    path = served.folder / "evidence" / RED / "manifest.sig"
    whole = path.read_bytes()
    other = (served.folder / "evidence" / PARKED / "manifest.sig").read_bytes()
    for left in (None, other, whole.replace(b"1", b"2", 1), whole + b"\n", b""):
        path.unlink()
        if left is not None:
            path.write_bytes(left)
        case = detail(served, RED)
        assert (case["signed_by"], case["missing"]) == (None, ["manifest.sig"])
        assert case["confirm_bar"]["code"] == "evidence_missing"
        path.write_bytes(whole)
    assert detail(served, RED)["confirm_bar"] is None
