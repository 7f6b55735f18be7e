"""What an officer looks at: a case as the queue shows it, and one whole with the state of each of its files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from api.clock import Now
from api.work.case_errors import CaseUnknownError, ConfirmBar
from api.work.case_sight import CaseSight
from api.work.explain import PlateCell, plate_cells, why
from api.work.packages import EvidenceFile, FileState, FileUnknownError, Packages
from api.work.trial import Trial
from evidence.errors import (
    PackageDamagedError,
    PackageMissingError,
    StoreRefusedError,
    StoreUnavailableError,
)
from evidence.manifest import SIGNATURE
from evidence.records import (
    Case,
    CaseRecord,
    CaseRemovedError,
    Decision,
    Records,
)
from rules.finding import Status

Trials = Callable[[Sequence[CaseRecord]], Mapping[str, Trial | None]]
"""Says why each finding is on trial, by its id; None where it is not."""

TRACE = "trace.json"


def no_trials(records: Sequence[CaseRecord]) -> Mapping[str, Trial | None]:
    """Where no register is kept."""
    return {record.id: None for record in records}


class RejectCode(StrEnum):
    """Why a case is rejected; ``other`` needs a note."""

    ROLLING_RIGHT = "rolling-right"
    STOPPED = "stopped"
    TOO_CLOSE = "too-close"
    SIGNAL_UNCLEAR = "signal-unclear"
    PLATE_UNREADABLE = "plate-unreadable"
    OBSTRUCTED = "obstructed"
    WRONG_VEHICLE = "wrong-vehicle"
    EMERGENCY = "emergency-or-directed-by-police"
    EXEMPT = "loading-or-exempt"
    OUTSIDE_SCHEDULE = "outside-schedule"
    EVIDENCE_MISSING = "evidence-missing"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """A case in the queue; ``thumbnail`` is a listed picture of it, None where the manifest cannot be had.

    ``trial``: why it accuses nobody, None where it does.
    """

    sight: CaseSight
    thumbnail: str | None
    trial: Trial | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the package.

    ``role`` is the photo's role, else 'plate', 'lamp' or 'other'; its moment is None where the trace has none.
    """

    name: str
    role: str
    sha256: str
    state: FileState
    media_s: float | None
    captured_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedClip:
    """The clip of the package; its first and last frame in media seconds, None where the trace does not say.

    ``copy_sha256`` is that of a copy that browsers play, None where there is none.
    """

    name: str
    sha256: str
    state: FileState
    first_media_s: float | None
    last_media_s: float | None
    copy_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """All that the officer sees of a case; ``missing`` names each file that is not there as sealed.

    ``signed_by`` is the id of the key whose signature of the manifest was found to fit, None where none was.
    """

    case: Case
    trial: Trial | None
    facts: Mapping[str, Any]
    why: str
    plate_cells: tuple[PlateCell, ...]
    pictures: tuple[Picture, ...]
    clip: ListedClip | None
    signed_by: str | None
    missing: tuple[str, ...]
    confirm_bar: ConfirmBar | None


class ReviewDesk:
    """One officer's desk over ``records`` and their ``packages``; ``now`` dates what is kept, ``trials`` says what is on trial.

    Methods raise CaseUnknownError for an id that is not there, CaseRemovedError for a case whose time was over, and what
    Records and Packages raise.
    """

    def __init__(self, records: Records, packages: Packages, now: Now, trials: Trials = no_trials) -> None:
        self._records = records
        self._packages = packages
        self._now = now
        self._trials = trials

    def items(self, sights: Sequence[CaseSight]) -> list[QueueItem]:
        """The cases as the queue shows them."""
        trials = self._trials([sight.case.record for sight in sights])
        return [
            QueueItem(
                sight=sight,
                thumbnail=self._thumbnail(sight.case.record),
                trial=trials[sight.case.record.id],
            )
            for sight in sights
        ]

    def look_at(self, case_id: str) -> CaseView:
        """The case with the state of each of its files, all of them hashed."""
        case = self._case(case_id)
        record = case.record
        facts: dict[str, Any] = json.loads(record.event_json)
        try:
            listed = self._packages.listed(record)
            signature = self._packages.signature(record)
        except (PackageMissingError, PackageDamagedError) as exc:
            return self._view(case, facts, (), None, None, (exc.name,))
        states = {file.name: self._packages.state(record, file) for file in listed}
        trace = self._trace(record) if states.get(TRACE) is FileState.SEALED else {}
        facts = _joined({"allowed_stop_s": trace.get("allowed_stop_s"), **trace.get("finding", {})}, facts)
        moments = {photo["file"]: photo for photo in trace.get("photos", ())}
        pictures = []
        clip = None
        for file in listed:
            if file.name.endswith(".jpg"):
                moment = moments.get(file.name, {})
                pictures.append(
                    Picture(
                        name=file.name,
                        role=str(moment.get("role") or _role_by_name(file.name)),
                        sha256=file.sha256,
                        state=states[file.name],
                        media_s=moment.get("media_s"),
                        captured_at=moment.get("captured_at"),
                    )
                )
            elif file.name.endswith(".mp4") and clip is None:
                timing = trace.get("clip") or {}
                copy = self._packages.review_copy(record)
                clip = ListedClip(
                    name=file.name,
                    sha256=file.sha256,
                    state=states[file.name],
                    first_media_s=timing.get("first_media_s"),
                    last_media_s=timing.get("last_media_s"),
                    copy_sha256=None if copy is None else copy.sha256,
                )
        states[SIGNATURE] = signature.state
        missing = tuple(name for name, state in states.items() if state is not FileState.SEALED)
        return self._view(case, facts, pictures, clip, signature.key_id, missing)

    def picture(self, case_id: str, name: str) -> EvidenceFile:
        """The picture of that name in the case's package. Raises FileUnknownError where it is no picture."""
        record = self._case(case_id).record
        if not name.endswith(".jpg"):
            raise FileUnknownError(case_id, name)
        return self._packages.read(record, name)

    def trace(self, case_id: str) -> EvidenceFile:
        """The trace of the case's package."""
        return self._packages.read(self._case(case_id).record, TRACE)

    def clip(self, case_id: str, *, original: bool = True) -> EvidenceFile:
        """The clip of the case's package, else where there is one its copy for browsers. Raises FileUnknownError without any."""
        record = self._case(case_id).record
        copy = None if original else self._packages.review_copy(record)
        if copy is not None:
            return copy
        for file in self._packages.listed(record):
            if file.name.endswith(".mp4"):
                return self._packages.read(record, file.name)
        raise FileUnknownError(case_id, "clip.mp4")

    def manifest(self, case_id: str) -> EvidenceFile:
        """The manifest of the case's package, as sealed."""
        return self._packages.manifest(self._case(case_id).record)

    def confirm_bar(self, case_id: str) -> ConfirmBar | None:
        """What stands against confirming the case, all of its files hashed."""
        return self.look_at(case_id).confirm_bar

    def keep(self, case_id: str) -> None:
        """A store that locks keeps the case's package from now on as long as it keeps confirmed ones."""
        self._packages.confirmed(self._case(case_id).record, self._now())

    def _case(self, case_id: str) -> Case:
        case = self._records.case(case_id)
        if case is None:
            raise CaseUnknownError(case_id)
        if case.removal is not None:
            raise CaseRemovedError(case_id, case.removal.begun_at)
        return case

    def _thumbnail(self, record: CaseRecord) -> str | None:
        try:
            names = [file.name for file in self._packages.listed(record) if file.name.endswith(".jpg")]
        except (PackageMissingError, PackageDamagedError, StoreUnavailableError, StoreRefusedError):
            return None
        scenes = sorted(name for name in names if name.startswith("scene"))
        return scenes[len(scenes) // 2] if scenes else next(iter(names), None)

    def _trace(self, record: CaseRecord) -> Mapping[str, Any]:
        trace: dict[str, Any] = json.loads(self._packages.read(record, TRACE).content)
        return trace

    def _view(
        self,
        case: Case,
        facts: Mapping[str, Any],
        pictures: Sequence[Picture],
        clip: ListedClip | None,
        signed_by: str | None,
        missing: tuple[str, ...],
    ) -> CaseView:
        trial = self._trials([case.record])[case.record.id]
        return CaseView(
            case=case,
            trial=trial,
            facts=facts,
            why=why(case.record, facts),
            plate_cells=plate_cells(facts.get("plate")),
            pictures=tuple(pictures),
            clip=clip,
            signed_by=signed_by,
            missing=missing,
            confirm_bar=_confirm_bar(case, missing, trial),
        )


def _confirm_bar(case: Case, missing: Sequence[str], trial: Trial | None) -> ConfirmBar | None:
    if case.decision is not Decision.OPEN:
        return ConfirmBar.DECIDED
    if case.record.status is Status.EXEMPT:
        return ConfirmBar.EXEMPT
    if trial is not None:
        return ConfirmBar.TRIAL
    return ConfirmBar.MEDIA if missing else None


def _joined(sealed: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """The event's fields, and what only the sealed finding knows."""
    joined = {**sealed, **{name: value for name, value in event.items() if value is not None}}
    if sealed.get("plate") and event.get("plate"):
        joined["plate"] = {**sealed["plate"], **event["plate"]}
    return joined


def _role_by_name(name: str) -> str:
    return next((role for role in ("plate", "lamp") if name.startswith(role)), "other")
