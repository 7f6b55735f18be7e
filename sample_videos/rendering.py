"""Renders a scene into its clip, in chunks that an interruption leaves behind and a next run finds again."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

from sample_videos.render.film import Film, develop
from sample_videos.render.gl import Renderer
from sample_videos.render.light import LIGHTS
from sample_videos.render.plates import plate_picture
from sample_videos.render.street import street_mesh
from sample_videos.scene import Scene
from sample_videos.site_yaml import site_text
from sample_videos.stage import actors_at, lenses_at, models, plate_colour
from sample_videos.truth import clip_truth
from sample_videos.truth_frames import ROW, frame_truth
from sample_videos.world.traffic import axles

CHUNK_FRAMES = 100
LOOK = 4
"""To be raised when the renderer changes: chunks of another look are not reused."""

FILLED = 0.97
"""So much of its size a clip takes: two passes meet their rate within a percent or two."""
KEY_S = 5.0
"""A key frame so often: fixed cameras need few, and the clips have to be small."""

ABOUT = (
    "Exact truth of the rendered clips, from the world they were filmed in. Times are media seconds. t of an event: "
    "red_light the front wheels reach the line, stopped_past_line the standing time is reached, no_parking the allowed "
    "stop is exceeded. required: must be reported asserted; not required: either answer is accepted. What is asserted "
    "beyond the events is a false accusation. frames/CLIP.jsonl.gz says what is in each frame."
)

Pixels = NDArray[np.uint8]
Report = Callable[[str], None]


class ClipTooBigError(Exception):
    """The clip does not fit into its size at any acceptable quality."""


class ScriptChangedError(Exception):
    """The clip shows other movements than its script makes now: it must be rendered again."""

    def __init__(self, clip: str, frame: int) -> None:
        super().__init__(
            f"{clip}: its script moves somebody otherwise than frame {frame} shows; render it with --again"
        )


def render_clip(scene: Scene, cache: Path, out: Path, report: Report) -> Path:
    """The clip of the scene in ``out`` with its site file, frame truth and entry in truth.json.

    Chunks are kept under ``cache``. Raises ClipTooBigError.
    """
    folder = cache / f"{scene.name}-{signature(scene)}"
    folder.mkdir(parents=True, exist_ok=True)
    count = -(-scene.frames // CHUNK_FRAMES)
    missing = [i for i in range(count) if not (folder / f"{i:03}.json").exists()]
    if missing:
        studio = Studio(scene)
        for done, index in enumerate(missing):
            _render_chunk(studio, scene, folder, index)
            report(f"{scene.name}: chunk {index + 1} of {count} ({len(missing) - done - 1} to go)")
        studio.release()
    rows = [row for i in range(count) for row in json.loads((folder / f"{i:03}.json").read_text("utf-8"))]
    out.mkdir(parents=True, exist_ok=True)
    (out / "frames").mkdir(exist_ok=True)
    _write_frames(out / "frames" / f"{scene.name}.jsonl.gz", scene, rows)
    _tell(scene, rows, out)
    # The clip stands last: where it stands, everything does.
    clip = out / f"{scene.name}.mp4"
    _encode(scene, folder, count, clip)
    return clip


def retell(scene: Scene, out: Path) -> None:
    """Writes site file and truth of a clip in ``out`` anew, without rendering, from its script and its frame truth.

    Raises ScriptChangedError where the script no longer moves everybody as the clip shows them.
    """
    text = gzip.decompress((out / "frames" / f"{scene.name}.jsonl.gz").read_bytes()).decode("utf-8")
    rows = [json.loads(line) for line in text.splitlines()[1:]]
    drives = {drive.trip.trip_id: drive for drive in scene.traffic.drives}
    for number in range(0, len(rows), 25):
        for row in rows[number]:
            drive = drives.get(row[0])
            moment = None if drive is None else scene.traffic.moment(drive, number / scene.fps)
            if drive is None or moment is None:
                raise ScriptChangedError(scene.name, number)
            x, y = scene.camera.pixel(*axles(drive.trip, moment.s_m)[0])
            if abs(x - row[8]) > 0.2 or abs(y - row[9]) > 0.2:
                raise ScriptChangedError(scene.name, number)
    _tell(scene, rows, out)


def _tell(scene: Scene, rows: list[list[list[Any]]], out: Path) -> None:
    (out / f"{scene.name}.yaml").write_text(site_text(scene), encoding="utf-8")
    _join_truth(out / "truth.json", f"{scene.name}.mp4", clip_truth(scene, rows))


class Studio:
    """Renderer and film of one scene."""

    def __init__(self, scene: Scene) -> None:
        light = LIGHTS[scene.light]
        still = street_mesh(scene.layout, scene.heads, np.random.default_rng(scene.seed), lamps=scene.lamps)
        made = models()
        self._scene = scene
        self._renderer = Renderer(scene.camera, light, still, made.full, made.simple, lamps=scene.lamps)
        self._film = Film(light, scene.camera.size_px, scene.seed)
        for drive in scene.traffic.drives:
            if drive.trip.plate:
                picture = plate_picture(drive.trip.plate, plate_colour(drive))
                self._renderer.add_plate(drive.trip.plate, picture)

    def shoot(self, number: int) -> tuple[Pixels, list[list[Any]]]:
        """Frame ``number``, RGB uint8, and its truth rows."""
        scene = self._scene
        t_s = number / scene.fps
        actors = actors_at(scene, t_s)
        in_view = [a for a in actors if _may_be_seen(scene, a.item.model)]
        moving = [a.item for a in in_view if not a.is_resting]
        resting = [a.item for a in in_view if a.is_resting]
        frame = self._renderer.render(moving + lenses_at(scene, t_s), resting)
        identities = self._renderer.identities(moving + resting)
        return self._film.expose(frame, identities, number), frame_truth(scene, in_view, identities)

    def release(self) -> None:
        """Frees the renderer."""
        self._renderer.release()


def _may_be_seen(scene: Scene, model: NDArray[np.float64]) -> bool:
    """Whether it is near enough to the picture to show, or to throw a shadow into it."""
    wide, high = scene.camera.size_px
    x, y = scene.camera.project([model[:3, 3]])[0]
    return not np.isnan(x) and -0.6 * wide < x < 1.6 * wide and -0.3 * high < y < 2.5 * high


def signature(scene: Scene) -> str:
    """Changes with everything that is seen or told of the scene."""
    digest = hashlib.sha256(
        f"{LOOK} {scene.camera} {LIGHTS[scene.light]} {scene.layout} {scene.fps} {scene.seconds}".encode()
    )
    digest.update(repr((scene.seed, scene.heads, scene.programs, scene.lamps)).encode())
    for drive in scene.traffic.drives:
        trip = drive.trip
        digest.update(
            f"{trip.trip_id} {trip.kind.name} {trip.plate} {trip.paint} {drive.first_step}".encode()
        )
        digest.update(np.round([m.s_m for m in drive.moments], 3).tobytes())
        digest.update(np.round(trip.path.points, 3).tobytes())
    return digest.hexdigest()[:12]


def _render_chunk(studio: Studio, scene: Scene, folder: Path, index: int) -> None:
    """The chunk's nearly lossless film, then its truth; the truth's presence says that both are whole."""
    first = index * CHUNK_FRAMES
    numbers = range(first, min(first + CHUNK_FRAMES, scene.frames))
    rows: list[list[list[Any]]] = []

    def frames() -> Iterator[Pixels]:
        for number in numbers:
            picture, row = studio.shoot(number)
            rows.append(row)
            yield picture

    _write_film(folder / f"{index:03}.mp4", scene, frames(), {"crf": "14", "preset": "ultrafast"})
    _write_whole(folder / f"{index:03}.json", json.dumps(rows).encode())


def _write_film(
    path: Path,
    scene: Scene,
    frames: Iterator[Pixels],
    options: Mapping[str, str],
    flags: Flags | None = None,
) -> None:
    partial = path.with_suffix(".part")
    rate = Fraction(scene.fps).limit_denominator(1000)
    with av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = scene.camera.size_px
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = round(scene.fps * KEY_S)
        stream.codec_context.thread_count = 2
        stream.options = {"bf": "2", **options}
        if flags is not None:
            stream.codec_context.flags |= flags
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    partial.replace(path)


def _encode(scene: Scene, folder: Path, count: int, clip: Path) -> None:
    """The clip from its chunks in two passes that fill its size; most goes where most moves."""

    def frames() -> Iterator[Pixels]:
        for index in range(count):
            with av.open(str(folder / f"{index:03}.mp4")) as container:
                for frame in container.decode(video=0):
                    yield curve[frame.to_ndarray(format="rgb24")]

    curve = develop(LIGHTS[scene.light])
    limit = scene.max_mb * 1_000_000
    options = {
        "b": f"{FILLED * limit * 8.0 / scene.seconds:.0f}",
        "preset": "slow",
        "stats": str(folder / "passes"),
        "x264-params": "mbtree=0:aq-mode=0:qcomp=1:psy=0:pbratio=1.1",
    }
    whole = folder / "whole.mp4"
    for one in (Flags.pass1, Flags.pass2):
        _write_film(whole, scene, frames(), options, one)
    size = whole.stat().st_size
    if size > limit:
        raise ClipTooBigError(f"{scene.name} has {size} bytes; {limit:.0f} are allowed")
    _write_whole(clip, whole.read_bytes())


def _write_frames(path: Path, scene: Scene, rows: list[list[list[Any]]]) -> None:
    about = {"clip": f"{scene.name}.mp4", "fps": scene.fps, "size_px": scene.camera.size_px, "row": ROW}
    lines = [json.dumps(about)] + [json.dumps(row, separators=(",", ":")) for row in rows]
    _write_whole(path, gzip.compress(("\n".join(lines) + "\n").encode(), 9, mtime=0))


def _join_truth(path: Path, clip: str, truth: dict[str, Any]) -> None:
    """Replaces the clip's entry of the truth file."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = json.loads(path.read_text("utf-8")) if path.exists() else {}
        whole[clip] = truth
        ordered = {"_about": ABOUT} | {name: whole[name] for name in sorted(whole) if name != "_about"}
        _write_whole(path, (json.dumps(ordered, ensure_ascii=False, indent=1) + "\n").encode())


def _write_whole(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(data)
    partial.replace(path)
