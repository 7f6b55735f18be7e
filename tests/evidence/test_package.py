"""Whole packages of a filmed street: what they hold, that it is what was filmed, and that it is the same every time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from evidence import manifest
from evidence.canonical import json_bytes, plain, sha256_hex
from evidence.case_builder import BuiltCase
from evidence.durable import Disk
from evidence.errors import PackageDamagedError, PackageMissingError
from evidence.picture import frame_sha256, from_file
from evidence.profile import EvidenceProfile
from evidence.records import PackageState
from evidence.signing import signature_file
from evidence.store_local import LocalStore
from ingest.file_source import FileSource
from rules.finding import Finding, PhotoRole, Rule, Status
from rules.observation import FrameStamp
from tests.builders.casework import Bench
from tests.builders.filmed import START, Filming, Street, number_in, spoken
from tests.builders.signing import a_signer


def document(case: BuiltCase, bench: Bench, name: str = "manifest.json") -> Any:
    return json.loads(bench.files()[f"{case.evidence.evidence_path}/{name}"])


def folder(case: BuiltCase, bench: Bench) -> dict[str, bytes]:
    start = case.evidence.evidence_path + "/"
    return {name.removeprefix(start): data for name, data in bench.files().items() if name.startswith(start)}


@pytest.fixture
def built(bench: Bench) -> dict[Rule, BuiltCase]:
    return {case.finding.rule: case for case in bench.run()}


def frame_hashes(film: Path, indices: set[int]) -> dict[int, str]:
    source = FileSource(film, camera_id="north")
    found = {
        frame.stamp.index: frame_sha256(frame.bgr())
        for frame in source.frames()
        if frame.stamp.index in indices
    }
    source.close()
    return found


def test_both_cases_are_complete_and_hold_what_their_rules_ask_for(
    built: dict[Rule, BuiltCase], bench: Bench
) -> None:
    for case in built.values():
        assert case.evidence.package is PackageState.COMPLETE, case.evidence.reasons
        assert case.is_new
    scenes = {"scene-1.jpg", "scene-2.jpg", "scene-3.jpg"}
    common = {*scenes, "plate.jpg", "clip.mp4", "trace.json", "manifest.json", "manifest.sig"}
    assert set(folder(built[Rule.RED_LIGHT], bench)) == common | {"lamp.jpg"}
    assert set(folder(built[Rule.NO_PARKING], bench)) == common


def test_scenes_are_the_frames_of_the_photos_with_little_drawn_over(
    built: dict[Rule, BuiltCase], bench: Bench, street: Street, film: Path
) -> None:
    width, height = street.filming.size_px
    for case in built.values():
        files = folder(case, bench)
        hashes = frame_hashes(film, {photo.stamp.index for photo in case.finding.photos})
        entries = document(case, bench)["photos"]
        assert [entry["role"] for entry in entries] == [photo.role.value for photo in case.finding.photos]
        for entry, photo in zip(entries, case.finding.photos, strict=True):
            scene = from_file(files[entry["file"]])
            assert scene.shape[0] > height, "no data bar below the scene"
            assert number_in(scene[:height, :width], street.filming.size_px) == photo.stamp.index
            assert entry["index"] == photo.stamp.index
            assert entry["media_s"] == photo.stamp.media_s
            assert entry["frame_sha256"] == hashes[photo.stamp.index], "not the frame that was analysed"
            drawn = street.draw(photo.stamp.index).astype(int)
            far = np.abs(scene[:height, :width].astype(int) - drawn).max(axis=2) > 60
            assert far.mean() < 0.06, f"{far.mean():.1%} of the scene is covered"


def test_the_trace_shows_photo_1_before_photo_2_past_and_photo_3_beyond(
    built: dict[Rule, BuiltCase], bench: Bench, street: Street
) -> None:
    trace = document(built[Rule.RED_LIGHT], bench, "trace.json")
    points = {point["index"]: point for point in trace["trace"]}
    first, second, third = trace["photos"]
    assert points[first["index"]]["leading_m"] < 0.0
    assert points[second["index"]]["trailing_m"] > 0.0
    assert points[third["index"]]["box_px"][3] < street.further_y_px
    assert trace["crossing_s"] == list(built[Rule.RED_LIGHT].finding.crossing_s or ())
    assert [span["state"] for span in trace["signal"]] == ["green", "red"]
    assert all(head["state"] == "red" for photo in trace["photos"] for head in photo["heads"])
    assert trace["clip"]["first_media_s"] <= first["media_s"]
    assert trace["clip"]["last_media_s"] >= third["media_s"]
    assert trace["finding"]["plate"]["char_confidences"][0] == 0.99


def test_the_clip_reaches_six_seconds_before_and_after(built: dict[Rule, BuiltCase], bench: Bench) -> None:
    case = built[Rule.RED_LIGHT]
    entry = document(case, bench)["clip"]
    t_s = case.finding.t_s
    assert (entry["begins"], entry["ends"]) == ("as_wanted", "as_wanted")
    assert t_s - 8.0 <= entry["first_media_s"] <= t_s - 6.0, "keyframes are 2 s apart"
    assert t_s + 5.9 < entry["last_media_s"] < t_s + 6.5
    assert entry["codec"] == "h264" and entry["plays_in_browser"] is True
    shown = clip_numbers(folder(case, bench)["clip.mp4"], bench.street)
    assert shown == list(range(shown[-1] + 1))


def test_a_parked_car_s_clip_shows_arrival_waiting_and_limit(
    built: dict[Rule, BuiltCase], bench: Bench
) -> None:
    case = built[Rule.NO_PARKING]
    entry = document(case, bench)["clip"]
    arrival, event = entry["parts"][0], entry["parts"][-1]
    assert [part["what"] for part in entry["parts"]] == ["arrival", "interval", "event"]
    assert arrival["first_media_s"] <= 9.5 - 5.0 and arrival["last_media_s"] >= 10.4
    assert entry["parts"][1]["pictures"] == 1, "from 10.5 s to 22 s one keyframe is due"
    assert event["first_media_s"] <= case.finding.t_s - 6.0
    assert event["last_media_s"] >= case.finding.t_s + 5.9
    with av.open(BytesIO(folder(case, bench)["clip.mp4"]), "r") as container:
        times = [float(frame.time or 0.0) for frame in container.decode(video=0)]
    numbers = clip_numbers(folder(case, bench)["clip.mp4"], bench.street)
    first_s = entry["first_media_s"]
    assert times == pytest.approx([number / 25 - first_s for number in numbers], abs=1e-3)


def clip_numbers(data: bytes, street: Street) -> list[int]:
    with av.open(BytesIO(data), "r") as container:
        return [
            number_in(frame.to_ndarray(format="bgr24"), street.filming.size_px)
            for frame in container.decode(video=0)
        ]


def test_the_manifest_lists_every_file_and_says_what_made_it(
    built: dict[Rule, BuiltCase], bench: Bench
) -> None:
    for case in built.values():
        files = folder(case, bench)
        said = document(case, bench)
        assert {entry["name"] for entry in said["files"]} == set(files) - {"manifest.json", "manifest.sig"}
        for entry in said["files"]:
            assert entry["sha256"] == sha256_hex(files[entry["name"]])
            assert entry["size"] == len(files[entry["name"]])
        assert sha256_hex(files["manifest.json"]) == case.evidence.manifest_sha256
        assert said["site"] == {
            "id": "crossroads",
            "name": bench.street.site().name,
            "time_zone": "Asia/Shanghai",
            "sha256": "ab" * 32,
        }
        assert said["weights"] == [{"name": "nano.onnx", "sha256": "cd" * 32}]
        assert said["code_version"] == "0.1.0"
        assert said["plate"]["text"] == "京A12345"
        assert said["plate"]["alternatives"] == [{"text": "京A12346", "confidence": 0.05}]
        assert said["plate"]["closeup_frame"]["index"] == said["plate"]["stamp"]["index"]
        assert (said["package"], said["reasons"]) == ("complete", [])
        assert said["case"]["id"] == case.finding.id
        assert said["case"]["captured_at"] is None


def test_the_same_film_gives_the_same_bytes(bench: Bench, tmp_path: Path) -> None:
    first = bench.run()
    second = Bench(street=bench.street, film=bench.film, data_dir=tmp_path / "again")
    again = second.run()
    second.close()
    assert [(case.evidence, case.event_json) for case in first] == [
        (case.evidence, case.event_json) for case in again
    ]
    assert bench.files() == second.files()
    assert len(bench.files()) == 9 + 8


def test_a_wall_clock_stands_on_the_photos_and_in_the_record(
    street: Street, film: Path, tmp_path: Path
) -> None:
    bench = Bench(street=street, film=film, data_dir=tmp_path, started_at=START)
    (case,) = bench.run([street.red_light(started_at=START)])
    record = bench.listed()[0]
    bench.close()
    at = START + timedelta(seconds=case.finding.t_s)
    assert record.captured_at is not None
    assert abs(record.captured_at - at) < timedelta(milliseconds=1.5)
    assert record.time_zone == "Asia/Shanghai"
    said = document(case, bench)
    assert said["case"]["captured_at"] == record.captured_at.isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )
    assert said["photos"][0]["captured_at"] == "2026-03-02T00:30:06.840Z"
    assert said["photos"][0]["clock_error_s"] == 0.5


Change = Callable[[Finding], Finding]


def unread(finding: Finding) -> Finding:
    assert finding.plate is not None
    return replace(finding, plate=replace(finding.plate, text=None, char_confidences=()))


def without_plate(finding: Finding) -> Finding:
    return replace(finding, plate=None)


def without_last(finding: Finding) -> Finding:
    return replace(
        finding,
        status=Status.HELD,
        photos=finding.photos[:-1],
        missing=((finding.photos[-1].role, "it was not seen beyond the further-on line"),),
    )


def twice_the_same(finding: Finding) -> Finding:
    first, second, third = finding.photos
    return replace(finding, photos=(first, replace(second, stamp=first.stamp), third))


def before_red(finding: Finding) -> Finding:
    green = replace(finding.signal[0], to_s=6.99)
    return replace(finding, signal=(green, replace(finding.signal[1], from_s=7.0, onset_s=(6.96, 7.0))))


def not_past(finding: Finding) -> Finding:
    trace = tuple(replace(point, trailing_m=-0.5) for point in finding.trace)
    return replace(finding, trace=trace)


def not_before(finding: Finding) -> Finding:
    return replace(finding, trace=tuple(replace(point, leading_m=0.1) for point in finding.trace))


def not_beyond(finding: Finding) -> Finding:
    last = finding.photos[-1]
    return replace(finding, photos=(*finding.photos[:-1], replace(last, box_px=finding.photos[1].box_px)))


def never_filmed(finding: Finding) -> Finding:
    first = finding.photos[0]
    gone = replace(first.stamp, index=9_999)
    return replace(finding, photos=(replace(first, stamp=gone), *finding.photos[1:]))


def elsewhere(finding: Finding) -> Finding:
    return replace(finding, signal=())


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (unread, ["the plate is unreadable"]),
        (without_plate, ["the plate is unreadable: none was found"]),
        (without_last, ["photo 'further_on' is missing: it was not seen beyond the further-on line"]),
        (twice_the_same, ["photos 'before_line' and 'past_line' are the same picture",
                          "photo 'past_line' does not show the trailing point past the line"]),
        (before_red, ["photo 'before_line': signal head-1 is green, not red"]),
        (not_past, ["photo 'past_line' does not show the trailing point past the line"]),
        (not_before, ["photo 'before_line' does not show the leading point before the line"]),
        (not_beyond, ["photo 'further_on' does not show the vehicle beyond the further-on line"]),
        (never_filmed, ["photo 'before_line': frame 9999 (6.840 s) cannot be had (frame_gone)",
                        "photo 'before_line' is missing"]),
        (elsewhere, ["no signal was seen"]),
    ],
)  # fmt: skip
def test_a_red_light_package_that_lacks_something_is_incomplete_and_says_what(
    bench: Bench, change: Change, reasons: list[str]
) -> None:
    finding = change(bench.street.red_light())
    (case,) = bench.run([finding])
    assert case.evidence.package is PackageState.INCOMPLETE
    assert list(case.evidence.reasons) == reasons
    assert document(case, bench)["reasons"] == reasons
    record = bench.listed()[0]
    assert (record.package, list(record.package_reasons)) == (PackageState.INCOMPLETE, reasons)
    store = LocalStore(bench.data_dir, Disk())
    manifest.verified(case.finding.id, lambda name: store.read(case.finding.id, name))


def shorter_than_allowed(finding: Finding) -> Finding:
    return replace(finding, allowed_stop_s=30.0)


def too_close(finding: Finding) -> Finding:
    first, second, third = finding.photos
    return replace(
        finding, photos=(first, replace(second, stamp=replace(second.stamp, index=312, media_s=12.48)), third)
    )


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (shorter_than_allowed, ["first and last photo are 20.2 s apart, not longer than the allowed 30 s"]),
        (too_close, ["two photos are 3.0 s apart; 10 s are asked for"]),
    ],
)
def test_a_parking_package_that_proves_too_little_is_incomplete(
    bench: Bench, change: Change, reasons: list[str]
) -> None:
    (case,) = bench.run([change(bench.street.parking(allowed_stop_s=20.0))])
    assert list(case.evidence.reasons) == reasons


def test_a_profile_may_ask_for_more(street: Street, film: Path, tmp_path: Path) -> None:
    strict = EvidenceProfile(name="strict", least_size_px=(1280, 720), wall_clock=True, plate_readable=False)
    bench = Bench(street=street, film=film, data_dir=tmp_path, profile=strict)
    (case,) = bench.run([unread(street.red_light())])
    bench.close()
    size = "has 320 x 180 pixels; 1280 x 720 are asked for"
    assert case.evidence.reasons == tuple(
        f"photo '{role}' {fault}"
        for role in ("before_line", "past_line", "further_on")
        for fault in (size, "has no time of day")
    )
    assert document(case, bench)["profile"]["name"] == "strict"


def test_a_clock_that_may_be_off_by_more_than_a_second_is_said(
    street: Street, film: Path, tmp_path: Path
) -> None:
    exact = EvidenceProfile(max_clock_error_s=0.4)
    bench = Bench(street=street, film=film, data_dir=tmp_path, profile=exact, started_at=START)
    (case,) = bench.run([street.red_light(started_at=START)])
    bench.close()
    assert len(case.evidence.reasons) == 3
    assert case.evidence.reasons[0] == (
        "photo 'before_line': the clock may be off by 0.500 s; 0.4 s are allowed"
    )


def test_a_head_seen_by_another_camera_gives_no_close_up_and_the_package_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = bench.street.site()
    other = replace(site, heads=tuple(replace(head, camera_id="south") for head in site.heads))
    monkeypatch.setattr(Street, "site", lambda self, **_: other)
    (case,) = bench.run([bench.street.red_light()])
    assert case.evidence.reasons == ("there is no close-up of the signal",)
    assert "lamp.jpg" not in folder(case, bench)


def test_a_film_that_begins_late_or_ends_early_gives_a_shorter_clip_and_the_manifest_says_why(
    tmp_path: Path,
) -> None:
    street = Street(filming=Filming(seconds=9.6), crossing_s=6.0, red_s=3.0)
    bench = Bench(street=street, film=street.film(tmp_path / "short.mp4"), data_dir=tmp_path / "data")
    (case,) = bench.run([street.red_light()])
    bench.close()
    assert case.evidence.package is PackageState.COMPLETE, case.evidence.reasons
    assert case.finding.t_s == pytest.approx(4.333, abs=1e-3)
    entry = document(case, bench)["clip"]
    assert (entry["begins"], entry["ends"]) == ("start_of_footage", "end_of_footage")
    assert (entry["first_media_s"], entry["last_media_s"]) == (0.0, 9.56)


def test_footage_that_memory_no_longer_holds_is_a_reason_and_not_a_crash(
    street: Street, film: Path, tmp_path: Path
) -> None:
    """The ring holds 3 s; nobody kept the photos, and the finding comes 20 s late."""
    bench = Bench(street=street, film=film, data_dir=tmp_path, hold_s=3.0)
    (case,) = bench.run(script=spoken([street.red_light()], after_s=20.0))
    bench.close()
    assert case.evidence.package is PackageState.INCOMPLETE
    reasons = case.evidence.reasons
    assert "photo 'past_line': frame 230 (9.200 s) cannot be had (frame_gone)" in reasons
    assert "the clip cannot be made: its footage is gone (packets_gone)" in reasons
    assert "there is no clip" in reasons
    assert set(folder(case, bench)) == {"manifest.json", "manifest.sig", "trace.json"}


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Street, Path]:
    """Ninety seconds, in which a car parks from 8 s on."""
    street = Street(
        filming=Filming(seconds=90.0, options=(("preset", "ultrafast"), ("g", "50"))), arrival_s=8.0
    )
    return street, street.film(tmp_path_factory.mktemp("long") / "long.mp4")


@pytest.fixture
def forgetful(waiting: tuple[Street, Path], tmp_path: Path) -> Iterator[Bench]:
    """A bench whose memory holds 3 s; a minute's stop is allowed."""
    street, film = waiting
    with closing(
        Bench(street=street, film=film, data_dir=tmp_path / "data", allowed_stop_s=60.0, hold_s=3.0)
    ) as bench:
        yield bench


def test_a_still_cut_at_once_outlives_the_memory_and_so_does_the_arrival(forgetful: Bench) -> None:
    (case,) = forgetful.run([forgetful.street.parking(allowed_stop_s=60.0)])
    hashes = frame_hashes(forgetful.film, {photo.stamp.index for photo in case.finding.photos})
    said = document(case, forgetful)
    assert case.evidence.package is PackageState.COMPLETE, case.evidence.reasons
    assert [entry["frame_sha256"] for entry in said["photos"]] == [
        hashes[photo.stamp.index] for photo in case.finding.photos
    ]
    assert [part["what"] for part in said["clip"]["parts"]] == ["arrival", "interval", "event"]
    assert said["clip"]["parts"][1]["pictures"] == 5, "one keyframe in ten seconds from 10.5 s to 62 s"
    assert not (forgetful.data_dir / "spool" / "kept").exists()


def test_a_parked_car_s_plate_read_long_ago_is_shown_from_a_photo(forgetful: Bench) -> None:
    street = forgetful.street
    finding = street.parking(allowed_stop_s=60.0, plate=street.plate(street.parked_px(), street.stamp(12.0)))
    (case,) = forgetful.run([finding])
    said = document(case, forgetful)
    assert said["plate"]["stamp"]["index"] == 300
    assert said["plate"]["closeup_frame"]["index"] == finding.photos[0].stamp.index
    assert case.evidence.package is PackageState.COMPLETE


def test_a_plate_whose_frame_is_gone_is_a_reason(bench: Bench) -> None:
    finding = bench.street.red_light()
    assert finding.plate is not None and finding.plate.stamp is not None
    gone: FrameStamp = replace(finding.plate.stamp, index=9_999)
    (case,) = bench.run([replace(finding, plate=replace(finding.plate, stamp=gone))])
    assert case.evidence.reasons == (
        "there is no close-up of the plate: frame 9999 cannot be had (frame_gone)",
    )


def test_pedestrians_get_no_package_and_no_picture(bench: Bench) -> None:
    finding = replace(bench.street.red_light(), rule=Rule.CROSSWALK_RED)
    assert bench.run([finding]) == []
    assert bench.files() == {} and bench.listed() == []


def test_a_stopped_vehicle_needs_its_last_photo_and_not_the_further_on_one(bench: Bench) -> None:
    red = bench.street.red_light()
    first, second, third = red.photos
    stopped = replace(
        red,
        id="north-stopped_past_line-s0-f000200-t7",
        rule=Rule.STOPPED_PAST_LINE,
        photos=(first, second, replace(third, role=PhotoRole.LAST)),
    )
    (case,) = bench.run([stopped])
    assert case.evidence.package is PackageState.COMPLETE, case.evidence.reasons


def test_verification_finds_a_changed_a_short_and_a_lost_file(bench: Bench) -> None:
    (case,) = bench.run([bench.street.red_light()])
    files = folder(case, bench)

    def read(name: str) -> bytes:
        if name not in files:
            raise PackageMissingError(case.finding.id, name)
        return files[name]

    assert manifest.verified(case.finding.id, read).sha256 == case.evidence.manifest_sha256
    whole = files["clip.mp4"]
    files["clip.mp4"] = whole[:-1] + bytes([whole[-1] ^ 1])
    with pytest.raises(PackageDamagedError, match=r"clip\.mp4 .* SHA-256 is another"):
        manifest.verified(case.finding.id, read)
    files["clip.mp4"] = whole[:-1]
    with pytest.raises(PackageDamagedError, match=rf"has {len(whole) - 1} bytes instead of {len(whole)}"):
        manifest.verified(case.finding.id, read)
    del files["clip.mp4"]
    with pytest.raises(PackageMissingError, match=r"clip\.mp4"):
        manifest.verified(case.finding.id, read)
    for text in (b"", files["manifest.sig"] + b" ", signature_file(a_signer(), b"another manifest")):
        files["manifest.sig"] = text
        with pytest.raises(PackageDamagedError, match=r"manifest\.sig"):
            manifest.verified(case.finding.id, read)
    for text in (b"{}", b"not json", b'{"format": "other"}', b"[]"):
        files["manifest.json"] = text
        with pytest.raises(PackageDamagedError, match="no manifest"):
            manifest.verified(case.finding.id, read)


def test_json_is_canonical() -> None:
    assert json_bytes({"b": 1.0, "a": [True, None, "汉"]}) == (
        '{\n "a": [\n  true,\n  null,\n  "汉"\n ],\n "b": 1.0\n}\n'.encode()
    )
    assert json_bytes(plain(Street().red_light())) == json_bytes(plain(Street().red_light()))
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes(float("nan"))
    with pytest.raises(TypeError, match="no JSON for set"):
        plain({1})
