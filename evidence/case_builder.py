"""Turns what the rules say into cases: keeps what may be needed, builds, stores and records a package for each finding."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from evidence import manifest
from evidence.canonical import to_millisecond
from evidence.custody import Custody
from evidence.databar import DataBar
from evidence.delivery import SPOOL_FOLDER, deliver, sealed_ref
from evidence.durable import Disk
from evidence.errors import DiskError, DiskFullError
from evidence.kept import KeptTracks
from evidence.manifest import Origin
from evidence.moments import captured_at
from evidence.package import Package, Workshop, clip_span_s
from evidence.ports import EventLine, EvidenceRef, Footage
from evidence.profile import WANTED, EvidenceProfile
from evidence.records import CaseRecord
from evidence.reel import Reel
from evidence.spool import Spool
from evidence.store import PackageStore
from rules.finding import Finding, Keep, Output, Release
from rules.observation import FrameStamp
from rules.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltCase:
    """A finding with its sealed, stored and recorded package; ``is_new`` is False where an earlier run had made it."""

    finding: Finding
    evidence: EvidenceRef
    event_json: str
    is_new: bool


@dataclass(slots=True, kw_only=True)
class _Pending:
    """A finding whose pictures are taken and whose clip waits for the footage after it."""

    finding: Finding
    package: Package
    hold: int
    reel: Reel | None = None
    reel_folder: Path | None = None


class CaseBuilder:
    """Builds the cases of one segment of one camera in ``data_dir`` and brings them to ``store``; used from one thread.

    Call ``said`` after every frame and ``finish`` once, when the segment has ended, before the footage is
    emptied for another. A finding whose package exists already (an interrupted run, resumed) is not built
    again. Findings about pedestrians get no package and no case. An error of the disk or the records ends
    the run: what was sealed stays, what was being built is removed, and a later run with the same data
    folder, after ``delivery.sweep``, ends with the same packages.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        site: Site,
        zone: tzinfo,
        footage: Footage[Any],
        store: PackageStore,
        custody: Custody,
        event_line: EventLine,
        origin: Origin,
        profile: EvidenceProfile | None = None,
        disk: Disk | None = None,
    ) -> None:
        """``zone`` is the time zone that ``site`` names."""
        self._footage = footage
        self._custody = custody
        self._event_line = event_line
        self._site = site
        disk = Disk() if disk is None else disk
        self._disk = disk
        self._workshop = Workshop(
            site=site,
            zone=zone,
            origin=origin,
            profile=EvidenceProfile() if profile is None else profile,
            bar=DataBar(),
            disk=disk,
            sign=custody.signature,
        )
        self._spool = Spool(data_dir / SPOOL_FOLDER, disk)
        self._store = store
        self._kept = KeptTracks(self._spool.kept, footage, disk)
        self._pending: dict[str, _Pending] = {}

    def said(self, outputs: Sequence[Output], now: FrameStamp) -> tuple[BuiltCase, ...]:
        """Obeys what was said at the frame ``now`` (often nothing); returns the cases that are done by now."""
        try:
            done: list[BuiltCase] = []
            for output in outputs:
                match output:
                    case Keep():
                        self._kept.keep(output)
                    case Release():
                        self._kept.release(output.rule, output.track_id)
                    case Finding() if output.rule in WANTED:
                        done += self._begin(output)
            self._kept.advance(now.media_s)
            for pending in tuple(self._pending.values()):
                if clip_span_s(pending.finding)[1] <= now.media_s:
                    done.append(self._complete(pending, None))
            self._custody.advance(now.camera_id)
            return tuple(done)
        except BaseException:
            self.abandon()
            raise

    def finish(self) -> tuple[BuiltCase, ...]:
        """The remaining cases, with as much footage as there was; nothing is kept any more."""
        kept_s = self._footage.kept_s
        end_s = 0.0 if kept_s is None else kept_s[1]
        try:
            done = tuple(self._complete(pending, end_s) for pending in tuple(self._pending.values()))
            self._kept.clear()
        except BaseException:
            self.abandon()
            raise
        return done

    def abandon(self) -> None:
        """The run ends here: nothing unfinished is left, as far as the disk allows; what is sealed stays."""
        with suppress(DiskFullError, DiskError):
            for case_id, pending in self._pending.items():
                self._spool.give_up(case_id)
                self._let_go(pending)
            self._kept.clear()
        self._pending = {}

    def _begin(self, finding: Finding) -> tuple[BuiltCase, ...]:
        """The case, where its package exists already; else its pictures are taken, and it is pending."""
        if self._spool.is_sealed(finding.id) or self._store.has(finding.id):
            return (self._again(finding),)
        package = Package(finding, self._spool.begin(finding.id), self._workshop)
        hold = self._footage.hold_from(clip_span_s(finding)[0])
        pending = self._pending[finding.id] = _Pending(finding=finding, package=package, hold=hold)
        package.take_pictures(self._kept)
        pending.reel, pending.reel_folder = self._kept.take_reel(finding.rule, finding.track_id) or (
            None,
            None,
        )
        return ()

    def _complete(self, pending: _Pending, end_s: float | None) -> BuiltCase:
        finding = pending.finding
        made = pending.package.complete(self._footage, pending.reel, end_s)
        ref = sealed_ref(finding.id, made, self._store)
        self._spool.seal(finding.id, self._record(finding, ref))
        self._let_go(pending)
        del self._pending[finding.id]
        is_new = deliver(finding.id, self._spool, self._store, self._custody)
        return self._built(finding, ref, is_new=is_new)

    def _let_go(self, pending: _Pending) -> None:
        """Nothing is held or kept for it any more."""
        self._footage.release(pending.hold)
        if pending.reel_folder is not None:
            self._disk.remove(pending.reel_folder)

    def _again(self, finding: Finding) -> BuiltCase:
        """The case of a package that exists: it is verified, and stored and recorded where a crash prevented that."""
        case_id = finding.id
        if self._spool.is_sealed(case_id):
            deliver(case_id, self._spool, self._store, self._custody)
        found = manifest.verified(case_id, partial(self._store.read, case_id))
        ref = sealed_ref(case_id, found, self._store)
        self._custody.add_case(self._record(finding, ref))
        return self._built(finding, ref, is_new=False)

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
