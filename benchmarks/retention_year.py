"""A data folder that fills and empties day by day under a handed-in clock, with crashes, holds and days on which nobody comes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.site_file import SiteFile, parse_site_file
from api.work.event_lines import Row, lines_text
from api.work.retain import RetainRequest, lift_hold, place_hold, retain
from api.work.run_folder import EVENTS, PASSAGES, write_file
from evidence.canonical import moment, sha256_hex
from evidence.chain import Checkpoint
from evidence.custody import Custody
from evidence.manifest import NAME
from evidence.records import Decision, LegalHoldError, Review
from evidence.records_sql import SqlRecords
from evidence.verification import State, Trust, Verification
from evidence.verify_folder import verify_data_folder
from rules.finding import Status
from tests.builders.case_folder import reseal
from tests.builders.dying import Deadline, DyingDisk, KilledError
from tests.builders.signing import a_signer
from tests.evidence.test_delivery import a_record

BEGIN = datetime(2026, 1, 1, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PASSAGE_DAYS = 10
CASES_A_DAY, PASSAGES_A_DAY = 3, 4

PERIODS = {
    "centre": {
        "open": (40, 47),
        "held": (14, 19),
        "exempt": (5, 9),
        "rejected": (7, 12),
        "confirmed": (60, 75),
    },
    "kerb": {
        "open": (25, 30),
        "held": (10, 16),
        "exempt": (0, 4),
        "rejected": (3, 8),
        "confirmed": (90, 100),
    },
}
"""Days at least and at most, by site and standing."""

SITE = """
site: {{id: {site}, name: {site}, time_zone: Asia/Shanghai, passage_days: {days}}}
retention: {{{periods}}}
cameras:
  - {{id: {site}-1, size_px: [640, 360]}}
"""


COUNTED = (
    "removed", "holds", "runs", "killed", "too_early", "under_hold", "too_late", "back", "named_after",
    "forgotten_early", "scraps", "passages_removed", "passages_wrong",
)  # fmt: skip


@dataclass(slots=True)
class Life:
    """What the simulation knows of one case, by itself: nothing of it is asked of the code under test."""

    site: str
    camera: str
    standing: str
    since: datetime
    plate: str
    held: bool = False
    released_at: datetime | None = None
    gone_at: datetime | None = None

    def may_go(self) -> datetime:
        return self.since + PERIODS[self.site][self.standing][0] * DAY

    def must_go(self) -> datetime:
        """By when it must be gone; the hold that was lifted last gives three days."""
        latest = self.since + PERIODS[self.site][self.standing][1] * DAY
        return latest if self.released_at is None else max(latest, self.released_at + 3 * DAY)


@dataclass(slots=True)
class Year:
    """The data folder in ``data``, and what was counted. ``chance`` decides everything that is left to chance."""

    data: Path
    chance: random.Random
    now: datetime = BEGIN
    lives: dict[str, Life] = field(default_factory=dict)
    passages: list[Row] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=7)
        return self.now

    def days(self, count: int) -> Iterator[int]:
        """Day after day; each begins at six."""
        for day in range(count):
            self.now = BEGIN + day * DAY
            yield day

    def fill(self, day: int) -> None:
        """New cases with packages and links, decisions about older ones, holds, passages with their pictures."""
        with closing(SqlRecords(self.data / "records.sqlite")) as records:
            custody = Custody(self.data, records, a_signer(), self.clock)
            for number in range(CASES_A_DAY):
                self._add(custody, f"case-{day:03d}-{number}")
            for case_id, life in self.lives.items():
                if life.standing in ("open", "held") and life.gone_at is None and self.chance.random() < 0.06:
                    self._decide(records, case_id, life)
        for case_id, life in self.lives.items():
            if life.gone_at is None:
                self._hold(case_id, life)
        self._pass(day)

    def retain(self, deadline: int | None = None) -> None:
        """The day's run; with a deadline it is killed on the way, where it comes so far."""
        limit = Deadline(deadline)

        def clock() -> datetime:
            limit.step()
            return self.clock()

        with suppress(KilledError):
            retain(RetainRequest(data=self.data, sites=SITES), a_signer(), clock, disk=DyingDisk(limit))
            self.counts["runs"] += 1
            return
        self.counts["killed"] += 1

    def look(self, *, after_a_whole_run: bool) -> None:
        """What is on the disk is compared with what should be; every case that went is dated."""
        present = {path.name for path in (self.data / "evidence").iterdir()}
        left = (self.data / EVENTS).read_text(encoding="utf-8")
        with closing(SqlRecords(self.data / "records.sqlite")) as records:
            for case_id, life in self.lives.items():
                if life.gone_at is not None:
                    self.counts["back"] += case_id in present
                    continue
                gone = case_id not in present
                if gone:
                    self.counts["removed"] += 1
                    self.counts["too_early"] += self.now < life.may_go()
                    self.counts["under_hold"] += life.held
                    life.gone_at = self.now
                elif not life.held and self.now > life.must_go():
                    self.counts["too_late"] += 1
                if after_a_whole_run:
                    case = records.case(case_id)
                    assert case is not None
                    named = life.plate in left or case.record.plate_text is not None
                    self.counts["named_after"] += gone and named
                    self.counts["forgotten_early"] += not gone and not named
        if after_a_whole_run:
            self._look_at_passages()
            self.counts["scraps"] += sum(name.endswith(".removing") for name in present)

    def verify(self) -> Verification:
        """All of it, offline, with the checkpoints that were kept elsewhere."""
        given = self.data.with_name("given.jsonl")
        given.write_text("".join(f"{each.line}\n" for each in self.checkpoints), encoding="utf-8")
        return verify_data_folder(self.data, Trust(), given)

    def keep_checkpoints(self) -> None:
        """A checkpoint of each chain is kept elsewhere."""
        with closing(SqlRecords(self.data / "records.sqlite")) as records:
            custody = Custody(self.data, records, a_signer(), self.clock)
            self.checkpoints += [custody.checkpoint(f"{site}-1") for site in PERIODS]

    def _add(self, custody: Custody, case_id: str) -> None:
        site = self.chance.choice(list(PERIODS))
        status = self.chance.choice((Status.ASSERTED, Status.ASSERTED, Status.HELD, Status.EXEMPT))
        plate = f"京A{self.chance.randrange(10**5):05d}-{case_id}"
        package = self.data / "evidence" / case_id
        package.mkdir(parents=True)
        (package / "scene-1.jpg").write_bytes(self.chance.randbytes(200))
        (package / "clip.mp4").write_bytes(self.chance.randbytes(300))
        reseal(package)
        record = a_record(
            case_id,
            site_id=site,
            camera_id=f"{site}-1",
            status=status,
            plate_text=plate,
            manifest_sha256=sha256_hex((package / NAME).read_bytes()),
            captured_at=self.now - 400 * DAY,  # an old recording: its cases are new all the same
        )
        custody.add_case(record)
        standing = "open" if status is Status.ASSERTED else status.value
        self.lives[case_id] = Life(
            site=site, camera=f"{site}-1", standing=standing, since=self.now, plate=plate
        )
        line = {
            "id": case_id,
            "camera": f"{site}-1",
            "t_s": 1.0,
            "plate": {"text": plate},
            "reasons": ["red"],
        }
        with (self.data / EVENTS).open("a", encoding="utf-8") as events:
            events.write(
                json.dumps({**line, "evidence": "there", "manifest": "there"}, ensure_ascii=False) + "\n"
            )

    def _decide(self, records: SqlRecords, case_id: str, life: Life) -> None:
        decision = self.chance.choice((Decision.CONFIRMED, Decision.REJECTED))
        code = None if decision is Decision.CONFIRMED else "other"
        at = self.clock()
        records.decide(
            case_id, Review(decision=decision, code=code, note=life.plate, reviewer="o", decided_at=at)
        )
        life.standing, life.since = decision.value, at

    def _hold(self, case_id: str, life: Life) -> None:
        if life.held and self.chance.random() < 0.04:
            lift_hold(self.data, case_id, by="court", now=self.clock)
            life.held, life.released_at = False, self.now
        elif not life.held and self.chance.random() < 0.004:
            with suppress(LegalHoldError):
                place_hold(self.data, case_id, reason=f"appeal {life.plate}", by="court", now=self.clock)
                life.held = True
                self.counts["holds"] += 1

    def _pass(self, day: int) -> None:
        (self.data / "passages").mkdir(exist_ok=True)
        for number in range(PASSAGES_A_DAY):
            name = f"passages/{day:03d}-{number}.jpg"
            has_picture = self.chance.random() < 0.7
            if has_picture:
                (self.data / name).write_bytes(self.chance.randbytes(100))
            row: Row = {
                "camera": "centre-1", "segment": day, "gate": "g", "direction": "forward", "track": number,
                "t_s": float(number), "plate": {"text": f"沪{day}-{number}"},
                "picture": name if has_picture else None,
                "expires_at": moment(BEGIN + (day + PASSAGE_DAYS) * DAY - timedelta(hours=1)),
            }  # fmt: skip
            self.passages.append(row)
            with (self.data / PASSAGES).open("a", encoding="utf-8") as lines:
                lines.write(lines_text([row]))

    def _look_at_passages(self) -> None:
        """Exactly those whose date has not come are there, each with its picture."""
        due = [row for row in self.passages if datetime.fromisoformat(row["expires_at"]) > self.now]
        self.counts["passages_removed"] += len(self.passages) - len(due)
        self.passages = due
        left = [json.loads(line) for line in (self.data / PASSAGES).read_text(encoding="utf-8").splitlines()]
        pictures = {f"passages/{path.name}" for path in (self.data / "passages").iterdir()}
        wanted = {row["picture"] for row in due} - {None}
        self.counts["passages_wrong"] += (left != due) + len(wanted ^ pictures)


def begin(folder: Path, seed: int) -> Year:
    """An empty data folder."""
    data = folder / "data"
    (data / "evidence").mkdir(parents=True)
    for name in (EVENTS, PASSAGES):
        write_file(data / name, b"")
    return Year(data=data, chance=random.Random(seed))


def wrong_in(found: Verification) -> int:
    """How many checks failed."""
    return found.count(State.FAILED)


def _sites() -> Iterator[SiteFile]:
    for site, periods in PERIODS.items():
        text = ", ".join(
            f"{standing}: {{at_least_days: {least}, at_most_days: {most}}}"
            for standing, (least, most) in periods.items()
        )
        yield parse_site_file(
            SITE.format(site=site, days=PASSAGE_DAYS, periods=text).encode(), f"{site}.yaml"
        )


SITES = tuple(_sites())
