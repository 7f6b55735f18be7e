"""Turns what the rules say into cases: keeps what may be needed, builds, stores and records a package for each finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from evidence.budget import Budget, SpoolFullError, Unkept
from evidence.canonical import to_millisecond
from evidence.databar import DataBar
from evidence.delivery import SPOOL_FOLDER, Delivery, sealed_ref
from evidence.durable import Disk
from evidence.errors import DiskError, DiskFullError
from evidence.holding_disk import HoldingDisk
from evidence.kept import KeptTracks
from evidence.manifest import Origin, Summary
from evidence.moments import captured_at
from evidence.package import Package, Workshop, clip_span_s
from evidence.ports import EventLine, EvidenceRef, Footage
from evidence.profile import WANTED, EvidenceProfile
from evidence.records import CaseRecord
from evidence.reel import Reel
from evidence.shortage import Shortage
from evidence.spool import Spool
from rules.finding import Disarmed, Finding, Keep, Output, Release
from rules.observation import FrameStamp
from rules.site import Site

SEAL_AGAIN_S = 1.0
"""A package that the disk had no room to seal is tried again after so many media seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltCase:
    """A finding with its sealed, stored and recorded package; ``is_new`` is False where an earlier run had made it."""

    finding: Finding
    evidence: EvidenceRef
    event_json: str
    is_new: bool


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A finding whose pictures are taken and whose clip waits for the footage after it, or, ``made``, to be sealed."""

    finding: Finding
    hold: int
    package: Package | None = None
    made: Summary | None = None
    seal_at_s: float = 0.0
    reel: Reel | None = None
    reel_folder: Path | None = None


class CaseBuilder:
    """Builds the cases of one segment of one camera in ``data_dir`` and hands them to ``delivery``; used from one thread.

    Call ``said`` after every frame and ``finish`` once, when the segment has ended, before the footage is
    emptied for another. A finding whose package exists already (an interrupted run, resumed) is not built
    again. Findings about pedestrians get no package and no case. An error of the disk or of the delivery ends
    the run: what was sealed stays, what was being built is removed, and a later run with the same data
    folder ends with the same packages.

    With ``going_on`` (footage that cannot be had again) a full disk or spool ends nothing: files are held in memory
    as far as that budget goes, and a finding that there is no room for becomes no case. Then the rules count as
    disarmed, ``disarmed`` says from when to when, and ``unkept`` names each finding.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        site: Site,
        zone: tzinfo,
        footage: Footage[Any],
        delivery: Delivery,
        sign: Callable[[bytes], bytes],
        event_line: EventLine,
        origin: Origin,
        profile: EvidenceProfile | None = None,
        disk: Disk | None = None,
        going_on: Budget | None = None,
    ) -> None:
        """``zone`` is the time zone that ``site`` names; ``sign`` gives ``manifest.sig`` for a manifest."""
        self._footage = footage
        self._delivery = delivery
        self._event_line = event_line
        self._site = site
        disk = Disk() if disk is None else disk
        if going_on is not None:
            disk = HoldingDisk(disk, going_on.memory_bytes)
        self._disk = disk
        self._goes_on = going_on is not None
        self._workshop = Workshop(
            site=site,
            zone=zone,
            origin=origin,
            profile=EvidenceProfile() if profile is None else profile,
            bar=DataBar(),
            disk=disk,
            sign=sign,
        )
        self._spool = Spool(data_dir / SPOOL_FOLDER, disk)
        self._kept = KeptTracks(self._spool.kept, footage, disk)
        self._pending: dict[str, _Pending] = {}
        self._shortage = Shortage()
        self._is_spool_full = False

    @property
    def unkept(self) -> tuple[Unkept, ...]:
        """The findings that became no case for want of room."""
        return tuple(self._shortage.unkept)

    @property
    def disarmed(self) -> tuple[Disarmed, ...]:
        """When there was no room; a spell that lasts is told when it ends."""
        return tuple(self._shortage.disarmed)

    @property
    def unfinished(self) -> int:
        """How many cases wait for the footage after them, or to be sealed."""
        return len(self._pending)

    def said(self, outputs: Sequence[Output], now: FrameStamp) -> tuple[BuiltCase, ...]:
        """Obeys what was said at the frame ``now`` (often nothing); returns the cases that are done by now."""
        try:
            done: list[BuiltCase] = []
            self._look_for_room(now)
            for output in outputs:
                match output:
                    case Keep():
                        with self._may_lack():
                            self._kept.keep(output)
                    case Release():
                        self._kept.release(output.rule, output.track_id)
                    case Finding() if output.rule in WANTED:
                        done += self._begin(output, now.media_s)
            with self._may_lack():
                self._kept.advance(now.media_s)
            for pending in tuple(self._pending.values()):
                if clip_span_s(pending.finding)[1] <= now.media_s:
                    done += self._complete(pending, None, now.media_s)
            self._delivery.advance(now.camera_id)
            return tuple(done)
        except BaseException:
            self.abandon()
            raise

    def finish(self) -> tuple[BuiltCase, ...]:
        """The remaining cases, with as much footage as there was; nothing is kept any more."""
        kept_s = self._footage.kept_s
        end_s = 0.0 if kept_s is None else kept_s[1]
        done: list[BuiltCase] = []
        try:
            for pending in tuple(self._pending.values()):
                done += self._complete(pending, end_s, end_s)
            for pending in tuple(self._pending.values()):  # built, and no room on the disk to seal it
                self._refuse(pending, "the disk is full", end_s)
            self._shortage.ends(end_s)
            self._kept.clear()
        except BaseException:
            self.abandon()
            raise
        return tuple(done)

    def abandon(self) -> None:
        """The run ends here: nothing unfinished is left, as far as the disk allows; what is sealed stays."""
        with suppress(DiskFullError, DiskError):
            for case_id, pending in self._pending.items():
                self._spool.give_up(case_id)
                self._let_go(pending)
            self._kept.clear()
        self._pending = {}

    def _look_for_room(self, now: FrameStamp) -> None:
        if not self._goes_on:
            return
        why = self._delivery.full()
        if why is not None:
            self._shortage.begins(now.camera_id, why, now.media_s)
            self._is_spool_full = True
        elif self._is_spool_full:
            self._shortage.ends(now.media_s)
            self._is_spool_full = False

    @contextmanager
    def _may_lack(self) -> Iterator[None]:
        """Where the run goes on, a still or a reel that the disk has no room for is a gap that the package will name."""
        try:
            yield
        except DiskFullError:
            if not self._goes_on:
                raise

    def _begin(self, finding: Finding, now_s: float) -> tuple[BuiltCase, ...]:
        """The case, where its package exists already; else its pictures are taken, and it is pending."""
        ref = self._delivery.again(finding.id, partial(self._record, finding))
        if ref is not None:
            return (self._built(finding, ref, is_new=False),)
        why = self._delivery.full() if self._goes_on else self._delivery.wait_for_room()
        if why is not None:
            if not self._goes_on:
                raise SpoolFullError(why)
            self._shortage.refuse(finding, why, now_s)
            return ()
        hold = self._footage.hold_from(clip_span_s(finding)[0])
        pending = self._pending[finding.id] = _Pending(finding=finding, hold=hold)
        try:
            pending.package = Package(finding, self._spool.begin(finding.id), self._workshop)
            pending.package.take_pictures(self._kept)
        except DiskFullError:
            if not self._goes_on:
                raise
            self._refuse(pending, "the disk is full, and what may be held in memory too", now_s)
            return ()
        pending.reel, pending.reel_folder = self._kept.take_reel(finding.rule, finding.track_id) or (
            None,
            None,
        )
        return ()

    def _complete(self, pending: _Pending, end_s: float | None, now_s: float) -> tuple[BuiltCase, ...]:
        """The case; none where it could not be kept, or where it waits to be sealed."""
        finding = pending.finding
        try:
            if pending.made is None:
                assert pending.package is not None
                pending.made = pending.package.complete(self._footage, pending.reel, end_s)
                self._let_go(pending)
            elif now_s < pending.seal_at_s:
                return ()
            ref = sealed_ref(finding.id, pending.made, self._delivery)
            self._spool.seal(finding.id, self._record(finding, ref))
        except DiskFullError:
            if not self._goes_on:
                raise
            if pending.made is None:
                self._refuse(pending, "the disk is full, and what may be held in memory too", now_s)
            pending.seal_at_s = now_s + SEAL_AGAIN_S
            return ()
        del self._pending[finding.id]
        if not self._is_spool_full:
            self._shortage.ends(now_s)
        is_new = self._delivery.take(finding.id)
        return (self._built(finding, ref, is_new=is_new),)

    def _refuse(self, pending: _Pending, why: str, now_s: float) -> None:
        """The finding becomes no case."""
        self._spool.give_up(pending.finding.id)
        self._let_go(pending)
        del self._pending[pending.finding.id]
        self._shortage.refuse(pending.finding, why, now_s)

    def _let_go(self, pending: _Pending) -> None:
        """Nothing is held or kept for it any more."""
        self._footage.release(pending.hold)
        if pending.reel_folder is not None:
            self._disk.remove(pending.reel_folder)

    def _record(self, finding: Finding, ref: EvidenceRef) -> CaseRecord:
        moment = captured_at(finding.stamp, finding.t_s)
        return CaseRecord(
            id=finding.id,
            rule=finding.rule,
            site_id=self._site.site_id,
            camera_id=finding.camera_id,
            place_id=finding.place_id,
            status=finding.status,
            t_s=finding.t_s,
            captured_at=None if moment is None else to_millisecond(moment),
            time_zone=self._site.time_zone,
            vehicle_class=finding.object_class.value,
            plate_text=None if finding.plate is None else finding.plate.text,
            package=ref.package,
            package_reasons=ref.reasons,
            evidence_path=ref.evidence_path,
            manifest_path=ref.manifest_path,
            manifest_sha256=ref.manifest_sha256,
            event_json=self._event_line(finding, ref),
        )

    def _built(self, finding: Finding, ref: EvidenceRef, *, is_new: bool) -> BuiltCase:
        return BuiltCase(
            finding=finding, evidence=ref, event_json=self._event_line(finding, ref), is_new=is_new
        )
