"""Runs a filmed street through the case builder into a data folder, as a replay would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.time_zone import time_zone
from api.work.event_lines import event_line
from evidence.budget import Budget
from evidence.case_builder import BuiltCase, CaseBuilder
from evidence.chain import NO_LINK, read_link
from evidence.chain_file import whole_lines
from evidence.custody import Custody
from evidence.delivery import Delivery, InlineDelivery, SweepReport, sweep
from evidence.durable import Disk
from evidence.manifest import Origin, Weights
from evidence.profile import EvidenceProfile
from evidence.records import CaseFilter, CaseRecord, Records
from evidence.records_sql import SqlRecords
from evidence.store import PackageStore
from evidence.store_local import LocalStore
from ingest.packet_ring import PacketRing
from rules.finding import Finding
from tests.builders.filmed import Script, Street, frames_of, spoken
from tests.builders.signing import a_custody

ORIGIN = Origin(
    site_sha256="ab" * 32, code_version="0.1.0", weights=(Weights(name="nano.onnx", sha256="cd" * 32),)
)


@dataclass(kw_only=True)
class Bench:
    """A data folder and all that fills it. Records stay open until ``close``."""

    street: Street
    film: Path
    data_dir: Path
    allowed_stop_s: float = 20.0
    started_at: datetime | None = None
    profile: EvidenceProfile | None = None
    hold_s: float = 30.0
    disk: Disk | None = None
    delivery: Delivery | None = None
    going_on: Budget | None = None

    def __post_init__(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.records = SqlRecords(self.data_dir / "records.sqlite")

    def close(self) -> None:
        self.records.close()

    def findings(self) -> tuple[Finding, ...]:
        """The street's red-light case and, where a car parks, its parking case."""
        found = [self.street.red_light(started_at=self.started_at)]
        if self.street.arrival_s is not None:
            found.append(self.street.parking(allowed_stop_s=self.allowed_stop_s))
        return tuple(found)

    def builder(self, ring: PacketRing, records: Records | None = None) -> CaseBuilder:
        custody = self.custody(records)
        return CaseBuilder(
            data_dir=self.data_dir,
            site=self.street.site(allowed_stop_s=self.allowed_stop_s),
            zone=time_zone("Asia/Shanghai"),
            footage=ring,
            delivery=self.delivery or InlineDelivery(self.data_dir, self.store(), custody, self.disk),
            sign=custody.signature,
            event_line=event_line,
            origin=ORIGIN,
            profile=self.profile,
            disk=self.disk,
            going_on=self.going_on,
        )

    def custody(self, records: Records | None = None) -> Custody:
        """Custody of the folder, its chains as they stand there."""
        return a_custody(self.data_dir, self.records if records is None else records, self.disk)

    def run(
        self,
        findings: Sequence[Finding] | None = None,
        *,
        script: Script | None = None,
        until_s: float | None = None,
        records: Records | None = None,
    ) -> list[BuiltCase]:
        """The film through the builder, the findings said as by the rules; ends at ``until_s`` or with the film."""
        ring = PacketRing(hold_s=self.hold_s)
        builder = self.builder(ring, records)
        say = spoken(self.findings() if findings is None else findings) if script is None else script
        built: list[BuiltCase] = []
        for stamp in frames_of(self.film, ring, started_at=self.started_at):
            if until_s is not None and stamp.media_s > until_s:
                break
            built += builder.said(say(stamp), stamp)
        return [*built, *builder.finish()]

    def store(self) -> PackageStore:
        """Where packages go."""
        return LocalStore(self.data_dir, Disk() if self.disk is None else self.disk)

    def sweep(self) -> SweepReport:
        return sweep(self.data_dir, LocalStore(self.data_dir, Disk()), self.custody())

    def listed(self) -> list[CaseRecord]:
        """All records, in the order of recording."""
        return [case.record for case in self.records.page(CaseFilter(), after_number=None, limit=1000)]

    def links(self) -> set[str]:
        """The manifests that the one chain's file has a link for; each link follows the one before, and is genuine."""
        (path,) = (self.data_dir / "custody").glob("*/links.jsonl")
        lines, rest = whole_lines(path.read_bytes())
        links = [read_link(line) for line in lines]
        before = [NO_LINK, *(link.sha256 for link in links)]
        assert rest == b"" and [link.number for link in links] == list(range(1, len(links) + 1))
        assert [link.previous_sha256 for link in links] == before[:-1]
        assert all(link.signed.is_genuine for link in links)
        assert len({link.manifest_sha256 for link in links}) == len(links)
        return {link.manifest_sha256 for link in links}

    def files(self) -> dict[str, bytes]:
        """Every file of the store by its path in the data folder."""
        root = self.data_dir / "evidence"
        return {
            path.relative_to(self.data_dir).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
