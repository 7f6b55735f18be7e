"""What the API takes and gives, field by field."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, StringConstraints

from api.http.body import Body
from api.http.workflow_models import ClaimModel, PlateReadingModel, StepModel
from api.records.queue import QueueFilter
from api.time_zone import local_text
from api.work.access import Principal
from api.work.case_errors import BAR_TEXT, ConfirmBar
from api.work.case_sight import CaseSight
from api.work.explain import CharacterChoice, PlateCell
from api.work.packages import FileState
from api.work.review import CaseView, QueueItem
from api.work.trial import Trial
from evidence.records import Case, Decision, PackageState, Stage
from rules.finding import Rule, Status

PREFIX = "/api/v1"

PRINTED = r"^[^\x00-\x1f]*$"
Id = Annotated[str, StringConstraints(max_length=200, pattern=PRINTED)]
Part = Annotated[str, StringConstraints(strip_whitespace=True, max_length=32, pattern=PRINTED)]
AHEAD = {"overdue": timedelta(0), "day": timedelta(days=1), "week": timedelta(days=7)}
Share = Annotated[float, Field(ge=0, le=1)]


class QueueQuery(Body):
    """Which cases to list. Only asserted findings are listed unless ``status`` says otherwise."""

    rule: Rule | None = Field(None, description="Only findings of this rule.")
    status: Status | Literal["any"] = Field(
        Status.ASSERTED,
        description="'held' and 'exempt' findings accuse nobody and are listed on demand only.",
    )
    stage: Stage | None = Field(
        None, description="Only cases in this queue. Withdrawn ones are listed on demand only."
    )
    decision: Decision | None = Field(
        None, description="Only cases that are open, confirmed, rejected or void."
    )
    site: Id | None = Field(None, description="Only cases of this site.")
    camera: Id | None = Field(None, description="Only cases of this camera.")
    plate: Part | None = Field(None, description="Only plates that contain this text.")
    package: PackageState | None = Field(None, description="Only complete or only incomplete packages.")
    due: Literal["overdue", "day", "week"] | None = Field(
        None,
        description="Only undecided cases whose time is over, or will be within a day or a week; those first due come first.",
    )
    mine: bool = Field(False, description="Only cases that you hold.")
    cursor: str | None = Field(
        None, max_length=96, description="As given in 'next_cursor' or 'last_cursor'; opaque."
    )
    limit: int = Field(50, ge=1, le=200, description="At most so many cases.")

    def wanted(self, by: Principal, now: datetime, due: timedelta) -> QueueFilter:
        """The filter that the records understand, for the sites of whoever asks; ``due`` is the time that a review has."""
        return QueueFilter(
            site_ids=by.site_ids,
            site_id=self.site or None,
            rule=self.rule,
            status=None if self.status == "any" else self.status,
            stage=self.stage,
            decision=self.decision,
            camera_id=self.camera or None,
            plate_part=(self.plate or "").upper() or None,
            package=self.package,
            held_by=by.account_id if self.mine else None,
            now=now,
            due_before=None if self.due is None else now - due + AHEAD[self.due],
        )


class ViolationSummary(Body):
    """A case as the queue shows it."""

    id: str
    url: str = Field(description="Address of the case in this API.")
    rule: Rule
    site_id: str
    camera_id: str
    place_id: str = Field(description="The stop line, zone or crosswalk, as in the site file.")
    status: Status
    t_s: float = Field(description="The event, in media seconds of its source.")
    captured_at: datetime | None = Field(description="UTC; null where nobody knows the wall clock.")
    captured_local: str | None = Field(
        description="The same moment at the site: RFC 3339 with the site's offset, to the millisecond."
    )
    time_zone: str = Field(description="IANA name of the site's time zone.")
    vehicle_class: str
    plate_text: str | None = Field(description="Null where the plate is unreadable.")
    package: PackageState
    package_reasons: list[str] = Field(description="What the package lacks.")
    decision: Decision
    stage: Stage = Field(description="In whose queue it is.")
    due_at: datetime | None = Field(
        description="UTC; until when it is to be decided. Null where nothing is due."
    )
    claim: ClaimModel | None = Field(description="Null where nobody holds it.")
    trial: Trial | None = Field(
        description="Why it accuses nobody and cannot be confirmed: its site was not announced then, or no sign was on record. "
        "Null where it is no trial."
    )
    thumbnail: str | None = Field(description="Address of a picture; null where the manifest cannot be had.")

    @classmethod
    def of(cls, item: QueueItem) -> ViolationSummary:
        """The item as the queue shows it."""
        picture = item.thumbnail
        return cls(
            **_summary(item.sight, item.trial),
            thumbnail=None if picture is None else _url(item.sight.case, "pictures", picture),
        )


class ViolationPage(Body):
    """Cases in the order of recording."""

    items: list[ViolationSummary]
    next_cursor: str | None = Field(description="Goes on after this page; null where nothing follows.")
    last_cursor: str | None = Field(
        description="Goes on after the last case listed so far, also when nothing follows yet: "
        "asks for what is new. Null only where nothing was ever listed."
    )


class PlateChoice(Body):
    """A character or a whole plate with its confidence; null where the reading gave none."""

    text: str
    confidence: Share | None

    @classmethod
    def of(cls, choice: CharacterChoice) -> PlateChoice:
        """The choice as sent."""
        return cls(text=choice.text, confidence=choice.confidence)


class PlateCellModel(Body):
    """One character of the plate, and what else it may be, best first."""

    read: PlateChoice
    instead: list[PlateChoice]

    @classmethod
    def of(cls, cell: PlateCell) -> PlateCellModel:
        """The cell as sent."""
        return cls(
            read=PlateChoice.of(cell.read), instead=[PlateChoice.of(choice) for choice in cell.instead]
        )


class PlateModel(Body):
    """The vote over the readings of the plate."""

    text: str | None = Field(description="Null where it is unreadable.")
    confidence: Share
    cells: list[PlateCellModel] = Field(description="One a character of 'text'; empty where it is null.")
    alternatives: list[PlateChoice] = Field(
        description="Other readings of the whole plate, with their share of the vote."
    )


class PictureModel(Body):
    """A picture of the sealed package."""

    name: str
    role: str = Field(
        description="before_line, past_line, further_on, first, middle, last; plate or lamp for a close-up; else other."
    )
    url: str
    sha256: str
    state: FileState = Field(description="Whether the file is there, byte for byte as sealed.")
    media_s: float | None
    captured_at: str | None = Field(description="UTC; null where nobody knows the wall clock.")
    captured_local: str | None = Field(description="The same moment at the site, with its offset.")


class ClipModel(Body):
    """The clip of the sealed package."""

    name: str
    url: str
    sha256: str
    copy_url: str | None = Field(
        description="Of an H.264 copy that was made for viewing where no browser plays the clip (H.265); else null. The clip "
        "is the evidence."
    )
    state: FileState
    first_media_s: float | None = Field(description="Media seconds of its first frame.")
    last_media_s: float | None = Field(description="Media seconds of its last frame.")


class ReviewModel(Body):
    """A decision that was made."""

    decision: Decision
    code: str | None
    note: str
    reviewer: str
    decided_at: datetime = Field(description="UTC.")
    decided_local: str = Field(description="The same moment at the site, with its offset.")


class ConfirmBarModel(Body):
    """Why the case cannot be confirmed."""

    code: ConfirmBar
    detail: str


class ViolationDetail(ViolationSummary):
    """A case with all that its page shows."""

    why: str = Field(description="Why it was asserted, or what is missing, in one sentence.")
    reasons: list[str] = Field(description="The rule's own words.")
    t_error_s: float | None = Field(description="Bound of 't_s'.")
    plate: PlateModel | None = Field(description="Null where no plate was ever found.")
    time_into_red_s: float | None
    time_into_red_min_s: float | None = Field(description="What is asserted.")
    time_into_red_max_s: float | None = Field(description="Null where the beginning of red was not seen.")
    dwell_s: float | None
    unseen_s: float | None
    allowed_stop_s: float | None
    pictures: list[PictureModel]
    clip: ClipModel | None
    trace_url: str
    manifest_url: str
    manifest_sha256: str
    signed_by: str | None = Field(
        description="Id of the key whose signature fits the manifest; null where none does. Whether that key is to be "
        "trusted, 'stopline evidence verify --trust' says."
    )
    missing: list[str] = Field(description="Files that are not there as sealed.")
    confirm_bar: ConfirmBarModel | None = Field(description="Null where the case can be confirmed.")
    reviews: list[ReviewModel] = Field(description="The decisions, once one of them stands.")
    plate_ocr_text: str | None = Field(description="What the machine read, whatever people corrected.")
    plate_readings: list[PlateReadingModel] = Field(description="The plate as people read it, oldest first.")
    steps: list[StepModel] = Field(
        description="What was done with it, oldest first. Who may give a second review sees nothing of the first."
    )
    is_blind: bool = Field(description="A second review is awaited that you may have to give.")

    @classmethod
    def of_view(cls, view: CaseView, sight: CaseSight) -> ViolationDetail:
        """The case as its page shows it."""
        case, facts = sight.case, view.facts
        record = case.record
        first = next((picture for picture in view.pictures if picture.state is FileState.SEALED), None)
        return cls(
            **_summary(sight, view.trial),
            plate_ocr_text=plate_ocr_text(case),
            plate_readings=[PlateReadingModel.of(reading) for reading in sight.readings],
            steps=[StepModel.of(step) for step in sight.steps],
            is_blind=sight.is_blind,
            thumbnail=None if first is None else _url(case, "pictures", first.name, version=first.sha256),
            why=view.why,
            reasons=list(facts.get("reasons", ())),
            plate=_plate(facts.get("plate"), view.plate_cells),
            t_error_s=facts.get("t_error_s"),
            time_into_red_s=facts.get("time_into_red_s"),
            time_into_red_min_s=facts.get("time_into_red_min_s"),
            time_into_red_max_s=facts.get("time_into_red_max_s"),
            dwell_s=facts.get("dwell_s"),
            unseen_s=facts.get("unseen_s"),
            allowed_stop_s=facts.get("allowed_stop_s"),
            pictures=[
                PictureModel(
                    name=picture.name,
                    role=picture.role,
                    url=_url(case, "pictures", picture.name, version=picture.sha256),
                    sha256=picture.sha256,
                    state=picture.state,
                    media_s=picture.media_s,
                    captured_at=picture.captured_at,
                    captured_local=None
                    if picture.captured_at is None
                    else local_text(datetime.fromisoformat(picture.captured_at), record.time_zone),
                )
                for picture in view.pictures
            ],
            clip=None
            if view.clip is None
            else ClipModel(
                name=view.clip.name,
                url=_url(case, "clip", version=view.clip.sha256),
                sha256=view.clip.sha256,
                copy_url=None
                if view.clip.copy_sha256 is None
                else _url(case, "clip", "copy", version=view.clip.copy_sha256),
                state=view.clip.state,
                first_media_s=view.clip.first_media_s,
                last_media_s=view.clip.last_media_s,
            ),
            trace_url=_url(case, "trace"),
            manifest_url=_url(case, "manifest"),
            manifest_sha256=record.manifest_sha256,
            signed_by=view.signed_by,
            missing=list(view.missing),
            confirm_bar=None
            if view.confirm_bar is None
            else ConfirmBarModel(code=view.confirm_bar, detail=BAR_TEXT[view.confirm_bar]),
            reviews=[
                ReviewModel(
                    decision=review.decision,
                    code=review.code,
                    note=review.note,
                    reviewer=review.reviewer,
                    decided_at=review.decided_at,
                    decided_local=local_text(review.decided_at, record.time_zone),
                )
                for review in case.reviews
            ],
        )


def plate_ocr_text(case: Case) -> str | None:
    """What the machine read of the plate; None where nothing."""
    return case.record.plate_text if case.plate_ocr is None else case.plate_ocr or None


def _summary(sight: CaseSight, trial: Trial | None) -> dict[str, Any]:
    case = sight.case
    record = case.record
    return {
        "id": record.id,
        "url": _url(case),
        "rule": record.rule,
        "site_id": record.site_id,
        "camera_id": record.camera_id,
        "place_id": record.place_id,
        "status": record.status,
        "t_s": record.t_s,
        "captured_at": record.captured_at,
        "captured_local": None
        if record.captured_at is None
        else local_text(record.captured_at, record.time_zone),
        "time_zone": record.time_zone,
        "vehicle_class": record.vehicle_class,
        "plate_text": sight.plate_text,
        "package": record.package,
        "package_reasons": list(record.package_reasons),
        "decision": case.decision,
        "stage": case.stage,
        "due_at": sight.due_at,
        "claim": None if sight.claim is None else ClaimModel.of(sight.claim, is_mine=sight.is_mine),
        "trial": trial,
    }


def _plate(plate: Any, cells: tuple[PlateCell, ...]) -> PlateModel | None:
    if plate is None:
        return None
    return PlateModel(
        text=plate.get("text"),
        confidence=plate.get("confidence") or 0.0,
        cells=[PlateCellModel.of(cell) for cell in cells],
        alternatives=[
            PlateChoice(text=other["text"], confidence=other["confidence"])
            for other in plate.get("alternatives", ())
        ],
    )


def _url(case: Case, *way: str, version: str | None = None) -> str:
    parts = ("violations", case.record.id, *way)
    address = "/".join((PREFIX, *(quote(part, safe="") for part in parts)))
    return address if version is None else f"{address}?v={version}"
