"""Whether a camera's rules may trust what they see: doubts that last disarm them, and each says why and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rules import signal
from rules.aspect import Aspect, aspect_now
from rules.finding import DisarmCause, Disarmed, Finding, Output, Status
from rules.observation import ClockSource, FrameStamp, LampState, Observation, SceneFault, SceneState
from rules.signal import HeadState
from rules.site import Camera, StopLine
from rules.site_movement import HeadKind

MAX_CLOCK_ERROR_S = 1.0
"""Pictures are dated within this (GA/T 832-2014)."""

CLOCK_SETTLED_S = 60.0
"""A wall clock that jumped is trusted again when it has not jumped for so long."""

LAMP_DARK_S = 2.7
"""A head that cannot be read, or shows no lamp, for so long is unreadable or has failed. Design section 3 says 3 s; behind a
swaying branch that was up to 5.2 s, and 5 s are allowed."""

SOURCES_DIFFER_S = 1.0
"""Camera and controller may see a change this long apart, by their clocks, before they contradict each other."""

SCENE_LASTS_S = 1.0
"""A fault of the picture counts once it is seen for so long: a bus close to the lens is gone sooner."""

CLEAR_S = 2.5
"""A doubt is over when nothing has spoken for it for so long."""

REARM_S = 3.0
"""A disarmed rule is armed again when its doubt has been over for so long."""

REMEMBERED_S = 60.0
"""A finding is said at most so long after what it is about, where the vehicle was in view all the time."""

Key = tuple[str | None, DisarmCause]
"""The stop line, or None for the whole camera, and the cause."""

_SCENE = {
    SceneFault.MOVED: DisarmCause.CAMERA_MOVED,
    SceneFault.BLURRED: DisarmCause.BLURRED,
    SceneFault.DARK: DisarmCause.DARK,
    SceneFault.COVERED: DisarmCause.COVERED,
}

_SENTENCES = {
    DisarmCause.BLURRED: "the picture is blurred",
    DisarmCause.DARK: "the picture is too dark",
    DisarmCause.COVERED: "the picture is covered, or shows another scene",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One reason to distrust: since when it is seen, when last, and since when it disarms (None: it doesn't)."""

    bad_since_s: float | None = None
    bad_last_s: float | None = None
    said: Disarmed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustState:
    """The doubts of one camera over one segment; mappings are treated as immutable.

    ``offset_s`` is the wall clock less the media clock at the last frame and ``clock_source`` who told it,
    ``jumped_s`` when the same source's offset changed by more than ``MAX_CLOCK_ERROR_S``. Times by arrival
    do not jump: they only get better as packets come with less delay. ``ended`` are what was disarmed at single
    places until not long ago.
    """

    doubts: Mapping[Key, Doubt] = field(default_factory=dict)
    offset_s: float | None = None
    clock_source: ClockSource = ClockSource.NONE
    jumped_s: float | None = None
    ended: tuple[Disarmed, ...] = ()

    @property
    def blind(self) -> bool:
        """Whether the whole camera is disarmed: none of its rules is to look at the picture."""
        return any(doubt.said is not None for (place, _), doubt in self.doubts.items() if place is None)

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence for each doubt that disarms the whole camera."""
        said = (doubt.said for (place, _), doubt in self.doubts.items() if place is None)
        return tuple(disarmed.reason for disarmed in said if disarmed is not None)

    def against(self, place_id: str, t_s: float) -> tuple[str, ...]:
        """One sentence for each doubt for which nobody is accused at ``place_id`` of what happened at ``t_s``."""
        said = [*self.ended, *(doubt.said for doubt in self.doubts.values() if doubt.said is not None)]
        return tuple(
            one.reason
            for one in said
            if one.place_id == place_id and one.from_s <= t_s and (one.to_s is None or t_s <= one.to_s)
        )


def step(
    state: TrustState, observation: Observation, heads: Mapping[str, HeadState], camera: Camera
) -> tuple[TrustState, tuple[Disarmed, ...]]:
    """The state after one observation, and what was disarmed (``to_s`` None) or armed again by it.

    ``heads`` are the states of the site's heads after this observation. A camera that moved stays disarmed to
    the end of the segment: a person must look whether lines and zones still fit. Everything else is armed
    again by itself. A head that nobody looks at is no doubt but a fact of the site.
    """
    stamp = observation.stamp
    state = _with_clock(state, stamp)
    said: list[Disarmed] = []
    doubts = dict(state.doubts)
    judged = [*_clock(state, stamp), *_scene(observation.scene)]
    sampled = {sample.head_id for sample in observation.lamps}
    looked_at = {key: head for key, head in heads.items() if key in sampled or head.spans or head.doubt}
    for line in camera.stop_lines:
        judged.extend(_lamps(line, looked_at, stamp.media_s, camera.max_gap_s))
    for key, reason, lasts_s in judged:
        doubt, told = _weighed(doubts.get(key, Doubt()), key, reason, lasts_s, stamp)
        doubts[key] = doubt
        said.extend(told)
    ended = [
        *(one for one in state.ended if one.to_s is not None and stamp.media_s - one.to_s <= REMEMBERED_S),
        *(one for one in said if one.to_s is not None and one.place_id is not None),
    ]
    return replace(state, doubts=doubts, ended=tuple(ended)), tuple(said)


def finish(state: TrustState, last_s: float) -> tuple[Disarmed, ...]:
    """What was still disarmed when the segment ended at ``last_s``."""
    return tuple(
        replace(doubt.said, to_s=last_s) for doubt in state.doubts.values() if doubt.said is not None
    )


def trusted(outputs: Iterable[Output], state: TrustState) -> list[Output]:
    """The outputs, held where they accuse of what happened while their place was disarmed."""
    return [
        held(output, state.against(output.place_id, output.t_s)) if isinstance(output, Finding) else output
        for output in outputs
    ]


def held(finding: Finding, reasons: tuple[str, ...]) -> Finding:
    """An assertion that speaks for nothing for these reasons; without any, or where it asserts nothing, as it was."""
    if finding.status is not Status.ASSERTED or not reasons:
        return finding
    return replace(finding, status=Status.HELD, reasons=(*finding.reasons, *reasons))


def _weighed(
    doubt: Doubt, key: Key, reason: str | None, lasts_s: float, stamp: FrameStamp
) -> tuple[Doubt, tuple[Disarmed, ...]]:
    """The doubt after it was (``reason``) or was not seen once more; it disarms when it is seen for ``lasts_s``."""
    now_s = stamp.media_s
    if reason is None:
        if doubt.bad_last_s is None or now_s - doubt.bad_last_s < CLEAR_S:
            return doubt, ()
        if doubt.said is None:
            return Doubt(), ()
        if key[1] is DisarmCause.CAMERA_MOVED or now_s - doubt.bad_last_s < REARM_S:
            return doubt, ()
        return Doubt(), (replace(doubt.said, to_s=now_s),)
    since_s = now_s if doubt.bad_since_s is None else doubt.bad_since_s
    doubt = replace(doubt, bad_since_s=since_s, bad_last_s=now_s)
    if doubt.said is not None or now_s - since_s < lasts_s:
        return doubt, ()
    disarmed = Disarmed(
        camera_id=stamp.camera_id, place_id=key[0], cause=key[1], reason=reason, from_s=since_s, to_s=None
    )
    return replace(doubt, said=disarmed), (disarmed,)


def _with_clock(state: TrustState, stamp: FrameStamp) -> TrustState:
    if stamp.captured_at is None or stamp.clock_source is ClockSource.ARRIVAL:
        return state
    offset_s = stamp.captured_at.timestamp() - stamp.media_s
    known_s = state.offset_s if stamp.clock_source is state.clock_source else None
    jumped = known_s is not None and abs(offset_s - known_s) > MAX_CLOCK_ERROR_S
    return replace(
        state,
        offset_s=offset_s,
        clock_source=stamp.clock_source,
        jumped_s=stamp.media_s if jumped else state.jumped_s,
    )


def _clock(state: TrustState, stamp: FrameStamp) -> Iterator[tuple[Key, str | None, float]]:
    reason = None
    if stamp.captured_at is not None and stamp.error_s > MAX_CLOCK_ERROR_S:
        reason = f"the clock may be off by {stamp.error_s:.1f} s; {MAX_CLOCK_ERROR_S:.1f} s are allowed"
    elif state.jumped_s is not None and stamp.media_s - state.jumped_s < CLOCK_SETTLED_S:
        reason = f"the clock jumped by more than {MAX_CLOCK_ERROR_S:.1f} s"
    yield (None, DisarmCause.CLOCK), reason, 0.0


def _scene(scene: SceneState | None) -> Iterator[tuple[Key, str | None, float]]:
    if scene is None:
        return
    for fault, cause in _SCENE.items():
        reason = None
        if fault in scene.faults:
            reason = _SENTENCES.get(cause) or (
                f"the camera moved (by {100.0 * scene.shift:.1f} % of the picture's width, turned by "
                f"{abs(scene.turn_deg):.1f}°); a person must check lines and zones"
            )
        yield (None, cause), reason, SCENE_LASTS_S


def _lamps(
    line: StopLine, heads: Mapping[str, HeadState], now_s: float, max_gap_s: float
) -> Iterator[tuple[Key, str | None, float]]:
    controlling = [heads[head_id] for head_id in line.head_ids if head_id in heads]
    dark = [head.head_id for head in controlling if _shows_nothing(head, now_s, max_gap_s)]
    reason = f"signal head {', '.join(dark)} cannot be read or shows no lamp" if dark else None
    yield (line.line_id, DisarmCause.LAMP), reason, LAMP_DARK_S
    yield (line.line_id, DisarmCause.SHORT_AMBER), _short_amber(controlling, line), 0.0
    flashing = [
        f"signal head {head.head_id} shows {aspect.value.replace('_', ' ')}"
        for head in controlling
        if (aspect := aspect_now(head, now_s, max_gap_s)) in (Aspect.FLASHING_RED, Aspect.FLASHING_AMBER)
    ]
    yield (line.line_id, DisarmCause.SUSPENDED), flashing[0] if flashing else None, SOURCES_DIFFER_S
    doubts = [head.doubt for head in controlling if head.doubt is not None]
    yield (line.line_id, DisarmCause.SIGNAL_SOURCE), doubts[0] if doubts else None, SOURCES_DIFFER_S


def _shows_nothing(head: HeadState, now_s: float, max_gap_s: float) -> bool:
    """An arrow may be off by design, and a lamp that flashes is dark in turn."""
    shown = aspect_now(head, now_s, max_gap_s)
    return shown in (Aspect.UNKNOWN, Aspect.FAILED) or (shown is Aspect.OFF and head.kind is HeadKind.ROUND)


def _short_amber(heads: Sequence[HeadState], line: StopLine) -> str | None:
    """A sentence while a head is red after an amber that was surely shorter than the line's least."""
    for head in heads:
        if not head.spans or head.spans[-1].state is not LampState.RED:
            continue
        last_s = head.spans[-1].last_s
        red = signal.time_into_red(head, last_s, last_s)
        if red is not None and red.amber_s is not None and red.amber_s < line.min_amber_s:
            return (
                f"the amber of signal head {head.head_id} lasted {red.amber_s:.1f} s at most; the site declares "
                f"{line.min_amber_s:.1f} s"
            )
    return None
