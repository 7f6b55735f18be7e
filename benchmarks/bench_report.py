"""Writes ``benchmarks/RESULTS.md``: what was compared, the table, which targets hold, and what the figures do not say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.bench_figures import BEST, Figures, Target

NAMES = {
    "decoding": "decoding alone",
    "stopline": "Stopline, as it watches live cameras",
    "stopline-replay": "Stopline, every picture looked at (replay)",
    "stopline-openvino": "Stopline, as it watches, OpenVINO in bfloat16",
    "ultralytics": "ultralytics `model.track()`",
    "supervision": "supervision, `trackers`",
}
HEAD = (
    "contender",
    "looks at",
    "cameras sustained",
    "CPU s per camera-minute",
    "peak memory, MB",
    "picture, ms (95 %)",
    "finding, ms",
    "said after, s",
    "found / missed / false",
    "event F1",
)


def results_text(
    facts: Mapping[str, Any], rows: Sequence[tuple[str, Figures]], goals: Sequence[Target]
) -> str:
    """The whole file; ``facts`` are those of ``results.json``."""
    machine, cores = facts["machine"], facts["machine"]["cores"]
    head = [
        "# Stopline beside others, in one run",
        "",
        f"`{facts['command']}` on {facts['began']}, commit `{facts['commit'][:12]}`"
        + (" with uncommitted changes" if facts["uncommitted_changes"] else "")
        + f"; {machine['cpu']}, {cores} cores, {machine['memory_gib']} GiB, {machine['os']}, Python {machine['python']}.",
        "",
        f"Clips: {', '.join(facts['clips'])} (1920x1080, 25 pictures a second, {facts['media_s']:.0f} s of busy traffic, "
        f"{facts['events']} events), {facts['rounds']} {'round' if facts['rounds'] == 1 else 'rounds'}. Network: "
        f"`{facts['weights']}` at {facts['input_px'][0]}x{facts['input_px'][1]} for all. Each contender is a process of its own "
        "that computes on one thread.",
        "",
        _row(HEAD),
        _row("---" for _ in HEAD),
        *(_row(_cells(how, one)) for how, one in rows),
        "",
        "| target | wanted | reached | |",
        "| --- | --- | --- | --- |",
        *(_row(_target_cells(goal)) for goal in goals),
        "",
    ]
    skipped = [f"Not run: {name}: {why}" for name, why in facts["skipped"].items()]
    strides = [
        f"Strides tried of {peer}: "
        + ", ".join(f"{one['stride']} (F1 {one['f1']:.3f})" for one in tried)
        + "."
        for peer, tried in facts["strides"].items()
    ]
    return "\n".join([*head, *(line + "\n" for line in (*skipped, *strides)), NOTES.strip(), ""])


NOTES = """
## How to read it

- *Cameras sustained* is reckoned: the cores' seconds in a minute over the processor seconds that a camera-minute takes. It is
  no live run; `make prove NAME=live_cameras` is. Processor time is counted after the network was loaded, of all threads, of
  the whole way from file to event.
- *Picture* and *finding* are wall times, from asking for a picture, decoding included, to knowing what it tells; other work
  may share the machine. *Said after* is media time from the event to the picture in which it is reported: Stopline waits until
  the vehicle is past the further-on line, for its third photo, or stands for a while after the limit.
- Stopline's processor time holds what the peers do not do: reading lamps, watching whether the camera moved, proving each
  case with photos, a clip, hashes and a signature. Plates are read by nobody.
- The peers are given the signal's true state: they have no eye for lamps, and it is in their favour. Their rules are those of
  their guides: the bottom centre of the box crosses the line on red (0.3 s grace), or stays in the zone for too long. Where
  vehicles drive away from the camera that point is the rear wheels', which is one cause of their false and missed events.
- Both peers track by ByteTrack, as Stopline does: `bytetrack.yaml` of Ultralytics, whose default is another tracker, and that of
  `trackers`, where supervision's own moved to. What begins a track needs a score of 0.25 in both, as Ultralytics has it
  (`trackers` by itself: 0.7). Other trackers and scores were not tried.
- Ultralytics cannot read a YOLOX head, so the same network gets some nodes: 0..1 becomes 0..255 and red-green-blue its
  reverse before it, boxes are decoded and scores multiplied after it (`peer_weights.py`). They add about a
  hundredth to what the network costs.
- *Best stride* is the largest of those tried at which a peer keeps the event F1 that it has at every picture.
"""


def _cells(how: str, one: Figures) -> list[str]:
    looks = (
        f"one in {one.stride}"
        if how == BEST
        else "what it needs"
        if one.name in WATCHING
        else "every picture"
    )
    return [
        NAMES[one.name],
        looks,
        f"{one.cameras_sustained:.1f}",
        f"{one.cpu_s_per_camera_minute:.1f}",
        f"{one.peak_memory_mb:.0f}",
        f"{one.frame_ms_median:.0f} ({one.frame_ms_95:.0f})",
        "" if one.finding_ms_median is None else f"{one.finding_ms_median:.0f}",
        "" if one.said_after_s is None else f"{one.said_after_s:.2f}",
        "" if one.name == "decoding" else f"{one.found} / {one.missed} / {one.false}",
        "" if one.name == "decoding" else f"{one.f1:.3f}",
    ]


WATCHING = ("stopline", "stopline-openvino")


def _target_cells(goal: Target) -> list[str]:
    reached = "not run" if goal.reached is None else f"{goal.reached:.2f}"
    return [goal.what, f"{goal.wanted:g}", reached, "holds" if goal.holds else "does not hold"]


def _row(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"
