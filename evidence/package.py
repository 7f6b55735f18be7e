"""Builds one package: pictures as soon as its finding is said, the rest when the footage after it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from evidence import clip, closeup, manifest, wording
from evidence.canonical import Json, plain, sha256_hex
from evidence.clip import Part
from evidence.databar import DataBar
from evidence.durable import Disk
from evidence.errors import ClipError, DiskError, DiskFullError
from evidence.kept import KeptTracks
from evidence.manifest import Origin, SealedFile, Summary
from evidence.moments import captured_at
from evidence.picture import PictureError, Pixels, frame_sha256, jpeg, with_marks
from evidence.ports import Footage
from evidence.profile import LINE_RULES, EvidenceProfile, Holdings, shortcomings
from evidence.reel import Reel
from evidence.stills import TakenPhoto, scene_marks
from evidence.trace import CLIP_FILE, clip_entry, photo_entry, trace_bytes
from rules.errors import StoplineError
from rules.finding import Finding, Photo, Rule
from rules.observation import FrameStamp
from rules.site import Head, Site

PHOTO_MARGIN_S = 1.0
"""A clip shows each photo of its case, and this much before the first and after the last."""

PLATE = "plate.jpg"
LAMP = "lamp.jpg"
TRACE = "trace.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every package of a run is made with. ``zone`` is the time zone of the site.

    ``sign`` gives the content of ``manifest.sig`` for the bytes of a manifest.
    """

    site: Site
    zone: tzinfo
    origin: Origin
    profile: EvidenceProfile
    bar: DataBar
    disk: Disk
    sign: Callable[[bytes], bytes]


class Package:
    """The package of one finding while it is built in ``folder``, which exists and is empty.

    What cannot be had is a reason in the manifest, never an error; only the disk raises (DiskFullError, DiskError).
    """

    def __init__(self, finding: Finding, folder: Path, workshop: Workshop) -> None:
        self._finding = finding
        self._folder = folder
        self._shop = workshop
        self._files: list[SealedFile] = []
        self._photos: list[TakenPhoto] = []
        self._clip: tuple[Part, ...] = ()
        self._plate_frame: FrameStamp | None = None
        self._reasons: list[str] = []

    def take_pictures(self, kept: KeptTracks) -> None:
        """Scene photos, lamp and plate close-up are in the folder, as far as their frames can be had."""
        finding, shop = self._finding, self._shop
        heads = self._heads()
        columns: list[Pixels] = []
        shown: list[Photo] = []
        for number, photo in enumerate(finding.photos, start=1):
            frame = self._frame(kept, photo.stamp, f"photo '{photo.role.value}'")
            if frame is None:
                continue
            self._scene(photo, number, frame)
            if heads:
                try:
                    columns.append(closeup.lamp_column(frame, heads))
                    shown.append(photo)
                except PictureError as exc:
                    self._reasons.append(f"photo '{photo.role.value}' shows no signal: {exc}")
        if columns:
            fields = wording.lamp_fields(finding, shown, shop.zone)
            self._write(LAMP, jpeg(shop.bar.below(closeup.lamp_strip(columns), fields)))
        self._plate(kept)

    def complete(self, footage: Footage[Any], reel: Reel | None, end_s: float | None) -> Summary:
        """Everything is in the folder, the manifest and its signature last.

        ``end_s`` is the last media second where the footage has ended.
        """
        self._cut_clip(footage, reel)
        if self._clip:
            self._reasons += () if reel is None else reel.lost
        self._write(TRACE, trace_bytes(self._finding, self._photos, self._clip))
        held = Holdings(
            photos=tuple(self._photos),
            clip=self._clip,
            footage_s=(0.0, float("inf") if end_s is None else end_s),
            names=frozenset(file.name for file in self._files),
        )
        reasons = (*self._reasons, *shortcomings(self._finding, self._shop.site, held, self._shop.profile))
        data = manifest.manifest_bytes(self._content(footage, end_s), tuple(self._files), reasons)
        self._shop.disk.write(self._folder / manifest.NAME, data)
        self._shop.disk.write(self._folder / manifest.SIGNATURE, self._shop.sign(data))
        self._shop.disk.settle(self._folder)
        return manifest.summary(self._finding.id, data)

    def _heads(self) -> tuple[Head, ...]:
        if self._finding.rule not in LINE_RULES:
            return ()
        return closeup.heads_in_view(self._finding, self._shop.site)

    def _scene(self, photo: Photo, number: int, frame: Pixels) -> None:
        finding, shop = self._finding, self._shop
        fields = wording.scene_fields(finding, photo, number, len(finding.photos), shop.site, shop.zone)
        picture = shop.bar.below(with_marks(frame, scene_marks(finding, photo)), fields)
        name = f"scene-{number}.jpg"
        self._write(name, jpeg(picture))
        height_px, width_px = frame.shape[:2]
        self._photos.append(
            TakenPhoto(
                name=name, photo=photo, frame_sha256=frame_sha256(frame), size_px=(width_px, height_px)
            )
        )

    def _plate(self, kept: KeptTracks) -> None:
        """The plate close-up. Where the frame of a parked vehicle's best reading is gone, its plate is in the nearest photo."""
        finding, shop, plate = self._finding, self._shop, self._finding.plate
        if plate is None or plate.stamp is None or plate.corners_px is None:
            return
        stamps = [plate.stamp]
        photos = finding.photos
        if finding.rule is Rule.NO_PARKING and photos and plate.stamp.media_s >= photos[0].stamp.media_s:
            read_s = plate.stamp.media_s
            stamps.append(min(photos, key=lambda photo: abs(photo.stamp.media_s - read_s)).stamp)
        why = ""
        for stamp in stamps:
            try:
                frame = kept.frame(finding.rule, finding.track_id, stamp)
                picture = closeup.plate_closeup(frame, plate.corners_px)
            except (DiskFullError, DiskError):
                raise
            except StoplineError as exc:
                why = exc.code
                continue
            self._write(PLATE, jpeg(shop.bar.below(picture, wording.plate_fields(finding, stamp, shop.zone))))
            self._plate_frame = stamp
            return
        self._reasons.append(
            f"there is no close-up of the plate: frame {plate.stamp.index} cannot be had ({why})"
        )

    def _cut_clip(self, footage: Footage[Any], reel: Reel | None) -> None:
        from_s, to_s = clip_span_s(self._finding)
        try:
            event = clip.cut(footage, "event", from_s, to_s)
            parts = (event,) if reel is None else reel.parts_with(event)
            data = clip.mux(footage.parameters, parts)
        except ClipError as exc:
            self._reasons.append(f"the clip cannot be made: {exc.reason}")
        except StoplineError as exc:
            self._reasons.append(f"the clip cannot be made: its footage is gone ({exc.code})")
        else:
            self._write(CLIP_FILE, data)
            self._clip = parts

    def _frame(self, kept: KeptTracks, stamp: FrameStamp, what: str) -> Pixels | None:
        try:
            return kept.frame(self._finding.rule, self._finding.track_id, stamp)
        except (DiskFullError, DiskError):
            raise
        except StoplineError as exc:
            self._reasons.append(
                f"{what}: frame {stamp.index} ({stamp.media_s:.3f} s) cannot be had ({exc.code})"
            )
            return None

    def _write(self, name: str, data: bytes) -> None:
        self._shop.disk.write(self._folder / name, data)
        self._files.append(SealedFile(name=name, sha256=sha256_hex(data), size=len(data)))

    def _content(self, footage: Footage[Any], end_s: float | None) -> dict[str, Json]:
        finding, shop = self._finding, self._shop
        plate = plain(finding.plate)
        if isinstance(plate, dict):
            plate["closeup_frame"] = plain(self._plate_frame)
        return {
            "case": {
                "id": finding.id,
                "rule": finding.rule.value,
                "status": finding.status.value,
                "reasons": plain(finding.reasons),
                "camera_id": finding.camera_id,
                "place_id": finding.place_id,
                "track_id": finding.track_id,
                "object_class": finding.object_class.value,
                "segment": finding.stamp.segment,
                "t_s": finding.t_s,
                "t_error_s": finding.t_error_s,
                "captured_at": plain(captured_at(finding.stamp, finding.t_s)),
                "crossing_s": plain(finding.crossing_s),
                "time_into_red_s": finding.time_into_red_s,
                "time_into_red_min_s": finding.time_into_red_min_s,
                "time_into_red_max_s": finding.time_into_red_max_s,
                "dwell_s": finding.dwell_s,
                "unseen_s": finding.unseen_s,
                "allowed_stop_s": finding.allowed_stop_s,
            },
            "plate": plate,
            "photos": [photo_entry(finding, taken) for taken in self._photos],
            "lamps": [{"head_id": head.head_id, "box_px": plain(head.box_px)} for head in self._heads()],
            "clip": self._clip_content(footage, end_s),
            "site": {
                "id": shop.site.site_id,
                "name": shop.site.name,
                "time_zone": shop.site.time_zone,
                "sha256": shop.origin.site_sha256,
            },
            "code_version": shop.origin.code_version,
            "weights": plain(shop.origin.weights),
            "profile": plain(shop.profile),
        }

    def _clip_content(self, footage: Footage[Any], end_s: float | None) -> Json:
        entry = clip_entry(self._clip)
        if not isinstance(entry, dict):
            return None
        from_s, to_s = clip_span_s(self._finding)
        first_s = self._clip[-1].first_s
        begins = (
            "as_wanted" if first_s <= from_s else "start_of_footage" if first_s <= 0.0 else "footage_gone"
        )
        ends = "end_of_footage" if end_s is not None and end_s < to_s else "as_wanted"
        return {
            **entry,
            "codec": footage.parameters.codec_name,
            "plays_in_browser": clip.plays_in_browser(footage.parameters),
            "event_wanted_s": [from_s, to_s],
            "begins": begins,
            "ends": ends,
        }


def clip_span_s(finding: Finding) -> tuple[float, float]:
    """Media seconds from 6 s before to 6 s after the event, and every photo; of a parked vehicle only those near the limit."""
    from_s, to_s = finding.t_s - clip.BEFORE_S, finding.t_s + clip.AFTER_S
    if finding.photos:
        to_s = max(to_s, finding.photos[-1].stamp.media_s + PHOTO_MARGIN_S)
        if finding.rule in LINE_RULES:
            from_s = min(from_s, finding.photos[0].stamp.media_s - PHOTO_MARGIN_S)
    return (from_s, to_s)
