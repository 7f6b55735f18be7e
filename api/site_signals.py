"""The signal parts of a site file: heads, and stop lines with the lanes and movements that the heads control."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from api.site_fields import (
    Id,
    Movement,
    NonEmpty,
    NormBox,
    NormLine,
    NormPoint,
    Seconds,
    Share,
    SitePart,
    has_length,
    not_empty,
)
from ingest.broker_address import broker_address
from ingest.errors import SourceKindError
from ingest.signal_message import FeedHeads, Group
from rules.site import View
from rules.site_movement import HeadKind, TurnOnRed


def _feed_address(address: str) -> str:
    try:
        found = broker_address(address)
    except SourceKindError as exc:
        raise PydanticCustomError("feed_address", "{why}", {"why": exc.message}) from None
    if found is None:
        raise PydanticCustomError("feed_scheme", "an address of a feed begins with mqtt:// or mqtts://")
    return address


FeedAddress = Annotated[str, AfterValidator(_feed_address)]
SpatNumber = Annotated[int, Field(strict=True, ge=0, le=65_535)]


class SignalGroupPart(SitePart):
    """A signal group of a controller, as its SPaT messages number it."""

    region: SpatNumber = Field(
        default=0, description="The road authority's number. Default 0: most places number no regions."
    )
    intersection: SpatNumber = Field(description="The number of the intersection in its messages.")
    group: Annotated[int, Field(strict=True, ge=1, le=255)] = Field(
        description="The number of the signal group that switches the head, 1 to 255."
    )


class HeadPart(SitePart):
    """One signal head of the site."""

    id: Id = Field(description="Short name of the head, unique within the site.")
    camera: Id | None = Field(
        default=None,
        description="The camera that sees the head. Default none: no camera of the site sees it, its state is "
        "unknown, and an unknown signal accuses nobody.",
    )
    box: NormBox | None = Field(
        default=None,
        description="[left, top, right, bottom] of the head's housing, all its lamps, in shares (0 to 1) of the "
        "picture. Default none: goes with camera, give both or neither.",
    )
    kind: HeadKind = Field(
        default=HeadKind.ROUND,
        description="The shape of its lenses: round, arrow_left, arrow_straight, arrow_right or arrow_u_turn. An "
        "arrow may be off and then controls nothing; a round head that is off has failed. Default round: most "
        "heads are.",
    )
    signal_group: SignalGroupPart | None = Field(
        default=None,
        description="The signal group of a controller that switches the head, where SPaT messages shall speak of it. "
        "Default none: messages name the head by its id, or there is no controller feed.",
    )

    @model_validator(mode="after")
    def _camera_and_box(self) -> Self:
        if (self.camera is None) != (self.box is None):
            missing = "camera" if self.camera is None else "box"
            raise PydanticCustomError(
                "half_a_place",
                f"{missing} is missing: give camera and box, or neither for a head that no camera sees",
            )
        return self


def feed_heads(heads: Sequence[HeadPart]) -> FeedHeads:
    """The heads that a feed may speak of, and the signal groups that switch them."""
    groups: dict[Group, tuple[str, ...]] = {}
    for head in heads:
        if head.signal_group is not None:
            part = head.signal_group
            key = (part.region, part.intersection, part.group)
            groups[key] = (*groups.get(key, ()), head.id)
    return FeedHeads(head_ids=frozenset(head.id for head in heads), groups=groups)


class ScalePart(SitePart):
    """A length on the ground that somebody measured, beside the lane and near the stop line."""

    start: NormPoint = Field(
        alias="from", description="One end of the measured length, [x, y] in shares (0 to 1)."
    )
    end: NormPoint = Field(alias="to", description="Its other end, [x, y] in shares (0 to 1).")
    length_m: float = Field(
        strict=True,
        allow_inf_nan=False,
        gt=0.0,
        le=200.0,
        description="The length between them on the ground, in metres.",
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        has_length((self.start, self.end))
        return self


class MovementPart(SitePart):
    """One way over a stop line, with the heads that allow it."""

    movement: Movement = Field(description="Where this way goes: left, straight, right or u_turn.")
    heads: Annotated[tuple[Id, ...], AfterValidator(not_empty), NonEmpty] = Field(
        description="Ids of the heads that allow the movement; all that are lit must be red. At the stop line of a "
        "left-turn waiting area these are the left and the straight heads, at its waiting line the left ones only."
    )
    on_red: TurnOnRed = Field(
        default=TurnOnRed.FORBIDDEN,
        description="Whether a round red lets this movement go: forbidden, allowed, or after_stop (who does not "
        "stop is a right_turn_without_stop). A red arrow forbids it in any case. Default forbidden: no turn on red "
        "unless the site says so.",
    )
    exit: NormLine | None = Field(
        default=None,
        description="A line that only traffic of this movement crosses when it leaves, [[x, y], [x, y]] in shares "
        "(0 to 1). Default none: the lane alone tells the movement.",
    )


class LanePart(SitePart):
    """A lane at a stop line, with the movements that are allowed from it."""

    id: Id = Field(description="Short name of the lane, unique at its stop line.")
    share: tuple[Share, Share] = Field(
        description="Where the lane meets the line: [from, to] in shares (0 to 1) of the line's way from its first "
        "end to its second."
    )
    movements: Annotated[tuple[Movement, ...], AfterValidator(not_empty), NonEmpty] = Field(
        description="The movements allowed from the lane, each of them one of the line's movements."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0.0 <= self.share[0] < self.share[1] <= 1.0:
            raise PydanticCustomError(
                "lane_share",
                f"share is {list(self.share)}; [from, to] from 0 to 1, from less than to, is wanted",
            )
        return self


class StopLinePart(SitePart):
    """A stop line: of one movement with its heads, or of several movements with lanes and exits that tell them apart."""

    id: Id = Field(description="Short name of the line, unique among the places of its camera.")
    movement: Movement | None = Field(
        default=None,
        description="Where all traffic over this line goes: left, straight, right or u_turn. Default none: goes with "
        "heads; a line of several movements has movements instead.",
    )
    line: NormLine = Field(
        description="The painted line from end to end, [[x, y], [x, y]] in shares (0 to 1)."
    )
    further_on: NormLine = Field(
        description="A line beyond the stop line that only a vehicle crosses which really drove on, "
        "[[x, y], [x, y]] in shares (0 to 1)."
    )
    direction: NormLine = Field(
        description="An arrow along the lane as traffic drives, [[x, y] of its tail, [x, y] of its head] "
        "in shares (0 to 1)."
    )
    view: View = Field(
        description="Which end of the vehicles the camera sees: approaching (fronts) or departing (rears)."
    )
    scale: ScalePart = Field(
        description="A known length along the lane near the line: turns pixels into metres."
    )
    heads: Annotated[tuple[Id, ...], AfterValidator(not_empty), NonEmpty] | None = Field(
        default=None,
        description="Ids of the heads that allow the movement; all of them must be red. Default none: goes with "
        "movement.",
    )
    movements: tuple[MovementPart, ...] = Field(
        default=(),
        description="The movements over this line, each with its own heads. Default none: movement and heads say it.",
    )
    lanes: tuple[LanePart, ...] = Field(
        default=(),
        description="The lanes at this line, with the movements allowed from each. Default none: every movement is "
        "possible everywhere, and the exits tell which it was.",
    )
    waiting_for: Id | None = Field(
        default=None,
        description="At the waiting line of a left-turn waiting area: the id of the stop line before it. Who was "
        "reported there is not reported here again. Default none: most lines stand alone.",
    )
    grace_s: Seconds = Field(
        default=0.3,
        description="Seconds of red that pass before crossing is accused. Default 0.3: published values run "
        "from 0.1 to 0.5.",
    )
    standing_s: Seconds = Field(
        default=3.0,
        description="Seconds of standing over the line on red before it is stopped_past_line. Default 3.0: "
        "longer than a vehicle needs to stop and roll back or drive on.",
    )
    min_amber_s: Seconds = Field(
        default=3.0,
        description="Seconds that the amber before a red must last at least; after a shorter one nobody is accused "
        "until the next red. Default 3.0: the shortest that published rules allow.",
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        simple = self.movement is not None or self.heads is not None
        if simple and (self.movements or self.lanes):
            raise PydanticCustomError(
                "two_forms", "give movement and heads, or movements (with lanes), not both"
            )
        if not self.movements and (self.movement is None or self.heads is None):
            missing = "movement" if self.movement is None else "heads"
            raise PydanticCustomError(
                "no_movement",
                f"{missing} is missing: give movement and heads, or movements with heads of their own",
            )
        return self
