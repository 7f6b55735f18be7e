"""All rules of one camera as one fold: signals first, then each rule, and the plate that belongs to what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from rules import (
    crosswalk,
    exempt_plate,
    gap,
    once,
    parking,
    passage,
    plate_vote,
    red_light,
    signal,
    signal_source,
    trust,
    violation,
)
from rules.crosswalk import CrosswalkState
from rules.finding import Finding, Output, PlateResult, Rule
from rules.lost import Lost
from rules.observation import Observation, SignalReport
from rules.once import Said
from rules.parking import ParkingState
from rules.passage import PassageState, PlateOf
from rules.plate_vote import PlateVotes
from rules.red_light import RedLightState
from rules.schedule import LocalTime
from rules.signal import HeadState
from rules.site import Camera, Site
from rules.site_movement import HeadKind
from rules.trust import TrustState

FORGET_PLATE_S = 300.0
"""The readings of a track are forgotten this long after the last one, unless its vehicle still stands in a zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """The states of all rules of one camera over one segment; mappings are treated as immutable.

    ``reports`` are the latest of each head and source, ``said`` the latest findings about drives, ``plates`` the votes by
    track, ``plate_read_s`` when each track was last read, ``last_s`` the last observation's time (media
    seconds), ``looked_s`` that of the last whose road users were looked for, and ``local`` its local time.
    """

    heads: Mapping[str, HeadState]
    red_light: Mapping[str, RedLightState]
    parking: ParkingState
    passage: PassageState
    plates: PlateVotes = field(default_factory=dict)
    plate_read_s: Mapping[int, float] = field(default_factory=dict)
    crosswalks: Mapping[str, CrosswalkState] = field(default_factory=dict)
    reports: Mapping[str, tuple[SignalReport, ...]] = field(default_factory=dict)
    trust: TrustState = field(default_factory=TrustState)
    said: tuple[Said, ...] = ()
    last_s: float = 0.0
    looked_s: float | None = None
    local: LocalTime | None = None


def initial(site: Site, camera_id: str) -> EngineState:
    """The state before the first observation of a segment. Raises KeyError where the site has no such camera."""
    camera = site.camera(camera_id)
    named = [head_id for line in camera.stop_lines for head_id in line.head_ids]
    named += [head_id for crossing in camera.crosswalks for head_id in crossing.head_ids]
    named += [head_id for zone in camera.no_parking if zone.queue for head_id in zone.queue.head_ids]
    kinds = dict.fromkeys(named, HeadKind.ROUND) | {head.head_id: head.kind for head in site.heads}
    return EngineState(
        heads={head_id: HeadState(head_id=head_id, kind=kind) for head_id, kind in kinds.items()},
        red_light={line.line_id: RedLightState() for line in camera.stop_lines},
        parking=parking.initial(camera),
        passage=passage.initial(camera),
    )


def step(
    state: EngineState, observation: Observation, site: Site, camera_id: str, local: LocalTime | None
) -> tuple[EngineState, tuple[Output, ...]]:
    """The state after one observation and everything the rules say of it.

    ``local`` is the local time of the frame, None where nobody knows the wall clock. While the camera is
    disarmed its rules see nothing: for them, it is a gap.
    """
    camera = site.camera(camera_id)
    reports = signal_source.latest(state.reports, observation.signals)
    heads = _lamps_seen(state.heads, reports, observation, camera, site.feed_silence_s)
    trusted, disarmed = trust.step(state.trust, observation, heads, camera)
    outputs: list[Output] = [*disarmed, *_lost(state, observation, heads, camera)]
    state = replace(
        _with_readings(state, observation),
        heads=heads,
        reports=reports,
        trust=trusted,
        last_s=observation.stamp.media_s,
        looked_s=state.looked_s if observation.tracks is None else observation.stamp.media_s,
        local=local,
    )
    if trusted.blind:
        return state, tuple(outputs)
    red_states: dict[str, RedLightState] = {}
    for line in camera.stop_lines:
        controlling = [heads[head_id] for head_id in line.head_ids]
        red_states[line.line_id], said = red_light.step(
            state.red_light[line.line_id], observation, controlling, line, camera
        )
        outputs.extend(trust.trusted(said, trusted))
    parked, said = parking.step(state.parking, observation, camera, local, heads)
    outputs.extend(said)
    walked: dict[str, CrosswalkState] = {}
    for crossing in camera.crosswalks:
        own = [heads[head_id] for head_id in crossing.head_ids]
        before = state.crosswalks.get(crossing.crosswalk_id, CrosswalkState())
        walked[crossing.crosswalk_id], said = crosswalk.step(before, observation, own, crossing, camera)
        outputs.extend(said)
    passed, said = passage.step(state.passage, observation, camera, _votes(state.plates, site))
    outputs.extend(said)
    after = replace(state, red_light=red_states, parking=parked, crosswalks=walked, passage=passed)
    told = _new_ones(_with_plates(outputs, after, site), after, camera)
    findings = [output for output in told if isinstance(output, Finding)]
    return replace(after, said=once.remembered(after.said, findings, after.last_s)), told


def _lost(
    state: EngineState, observation: Observation, heads: Mapping[str, HeadState], camera: Camera
) -> list[Lost]:
    """What a gap that ends with this observation cost; what a blind camera misses stands as disarmed already."""
    if state.looked_s is None or observation.tracks is None or state.trust.blind:
        return []
    found = (
        gap.lost_in(
            state.looked_s,
            observation,
            (state.heads, heads),
            state.red_light[line.line_id].tracks,
            line,
            camera,
        )
        for line in camera.stop_lines
    )
    return [one for one in found if one is not None]


def finish(state: EngineState, site: Site, camera_id: str) -> tuple[Output, ...]:
    """What remains to be said when the segment has ended; a camera that is disarmed then accuses nobody."""
    camera = site.camera(camera_id)
    outputs: list[Output] = [*trust.finish(state.trust, state.last_s)]
    for line in camera.stop_lines:
        controlling = [state.heads[head_id] for head_id in line.head_ids]
        said = red_light.finish(state.red_light[line.line_id], controlling, line, camera)
        outputs.extend(trust.trusted(said, state.trust))
    parked, said = parking.finish(state.parking, camera)
    outputs.extend(said)
    passed, said = passage.finish(state.passage, camera, _votes(state.plates, site))
    outputs.extend(said)
    if state.trust.blind:
        outputs = [
            trust.held(output, state.trust.reasons) if isinstance(output, Finding) else output
            for output in outputs
        ]
    named = _with_plates(outputs, replace(state, parking=parked, passage=passed), site)
    return _new_ones(named, state, camera)


def _new_ones(outputs: Iterable[Output], state: EngineState, camera: Camera) -> tuple[Output, ...]:
    """Without findings about a drive that was reported before."""
    return tuple(
        output
        for output in outputs
        if not (isinstance(output, Finding) and once.is_told(state.said, output, camera.stop_lines))
    )


def _lamps_seen(
    heads: Mapping[str, HeadState],
    reports: Mapping[str, tuple[SignalReport, ...]],
    observation: Observation,
    camera: Camera,
    silence_s: float,
) -> dict[str, HeadState]:
    """The heads after this frame, by what the camera sees and others report of each."""
    samples = {sample.head_id: sample for sample in observation.lamps}
    after = dict(heads)
    for head_id, head in heads.items():
        agreed = signal_source.agree(
            head_id, samples.get(head_id), reports.get(head_id, ()), observation.stamp, silence_s
        )
        if agreed is not None:
            stepped = signal.step(head, agreed.sample, observation.stamp.media_s, camera.max_gap_s)
            after[head_id] = replace(stepped, error_s=max(head.error_s, agreed.error_s), doubt=agreed.doubt)
    return after


def _with_readings(state: EngineState, observation: Observation) -> EngineState:
    if not observation.plates:
        return state
    now_s = observation.stamp.media_s
    read_s = {**state.plate_read_s, **{reading.track_id: now_s for reading in observation.plates}}
    plates = plate_vote.step(state.plates, observation.plates, observation.stamp)
    standing = {track_id for stay in state.parking.stays for track_id in stay.tracks}
    old = {track_id for track_id, at_s in read_s.items() if now_s - at_s > FORGET_PLATE_S} - standing
    return replace(
        state,
        plates=plate_vote.without(plates, old),
        plate_read_s={track_id: at_s for track_id, at_s in read_s.items() if track_id not in old},
    )


def _votes(plates: PlateVotes, site: Site) -> PlateOf:
    def plate_of(track_id: int) -> PlateResult | None:
        return plate_vote.result(plates, (track_id,), site.plate_profile)

    return plate_of


def _with_plates(outputs: Iterable[Output], state: EngineState, site: Site) -> tuple[Output, ...]:
    """The findings with plates and codes, exempt where those plates are listed; who walks is not identified."""
    today = None if state.local is None else state.local.date
    return tuple(
        _named(output, state, site, today) if isinstance(output, Finding) else output for output in outputs
    )


def _named(finding: Finding, state: EngineState, site: Site, today: date | None) -> Finding:
    if finding.rule is not Rule.CROSSWALK_RED:
        finding = replace(finding, plate=_plate(finding, state, site))
        finding = exempt_plate.judged(finding, site.exempt_plates, today)
    return replace(finding, codes=violation.proposals(finding, site.jurisdiction, today))


def _plate(finding: Finding, state: EngineState, site: Site) -> PlateResult | None:
    """The vote over all tracks under which the accused vehicle was seen."""
    tracks = parking.tracks_of(state.parking, finding.track_id)
    return plate_vote.result(state.plates, (*finding.earlier_tracks, *tracks), site.plate_profile)
