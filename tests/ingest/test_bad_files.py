"""Files that cannot be used: each has its own error, which names the file and says what would be right."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.errors import (
    FileCutOffError,
    FileEmptyError,
    FileError,
    FileMissingError,
    FileUnreadableError,
    NoFramesError,
    NotAFileError,
    NotVideoError,
    NoVideoTrackError,
    PictureTooLargeError,
    UnknownCodecError,
)
from ingest.file_source import FileSource
from ingest.picture import MOST_PX
from tests.ingest.recordings import cut, record


def refused(path: Path) -> FileError:
    """The error that opening the file ends with; checked for what every error of a file promises."""
    with pytest.raises(FileError) as caught:
        FileSource(path, camera_id="c1")
    error = caught.value
    assert error.source == str(path)
    assert str(error).startswith(f"{path}: ")
    assert error.code.startswith("input_")
    assert not error.retryable
    return error


def write_sound(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=16_000)
        assert isinstance(stream, av.AudioStream)
        for at in range(20):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts = 16_000, at * 1024
            output.mux(stream.encode(sound))
        output.mux(stream.encode(None))
    return path


def test_missing(tmp_path: Path) -> None:
    error = refused(tmp_path / "nothing.mp4")
    assert isinstance(error, FileMissingError)
    assert "no such file" in error.message


def test_folder(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert isinstance(error, NotAFileError)
    assert error.is_folder
    assert "one video in it" in error.message


def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    error = refused(tmp_path / "pipe.mp4")
    assert isinstance(error, NotAFileError)
    assert not error.is_folder


def test_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    assert isinstance(refused(path), FileEmptyError)


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = record(tmp_path / "a.mp4", frames=5)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, whom no permission stops
    error = refused(path)
    assert isinstance(error, FileUnreadableError)
    assert error.reason == "Permission denied"


def test_a_path_that_no_file_system_has() -> None:
    error = refused(Path("x" * 5000))
    assert isinstance(error, FileUnreadableError)
    assert "too long" in error.message


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.nfo", "a"])
def test_a_text_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("Dear officer,\nthis is a letter.\n" * 200)
    assert isinstance(refused(path), NotVideoError)


def test_noise(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(np.random.default_rng(1).bytes(200_000))
    assert isinstance(refused(path), NotVideoError)


def test_a_still_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream("png", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        output.mux(stream.encode(av.VideoFrame(64, 64, "rgb24")))
        output.mux(stream.encode(None))
    error = refused(path)
    assert isinstance(error, NotVideoError)
    assert error.found == "a still picture"


def test_sound_only(tmp_path: Path) -> None:
    error = refused(write_sound(tmp_path / "a.mp4"))
    assert isinstance(error, NoVideoTrackError)
    assert error.tracks == ("audio",)
    assert "it has: audio" in error.message


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    sound, path = write_sound(tmp_path / "a.mp4"), tmp_path / "cover.mp4"
    with av.open(str(sound)) as source, av.open(str(path), "w") as output:
        template = source.streams.audio[0]
        tone = output.add_stream_from_template(template)
        cover = output.add_stream("mjpeg", rate=1)
        assert isinstance(cover, av.VideoStream)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.codec_context.color_range = 2
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame(64, 64, "yuvj420p")
        picture.color_range = 2
        output.mux(cover.encode(picture))
        output.mux(cover.encode(None))
        for packet in source.demux(template):
            if packet.size:
                packet.stream = tone
                output.mux(packet)
    with av.open(str(path)) as container:
        assert container.streams.video[0].disposition & av.stream.Disposition.attached_pic
    error = refused(path)
    assert isinstance(error, NoVideoTrackError)
    assert error.tracks == ("audio",)


def test_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", frames=5)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    error = refused(path)
    assert isinstance(error, UnknownCodecError)
    assert "H.264" in error.message


def test_a_small_file_of_pictures_that_would_fill_the_memory(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", frames=2, size=(MOST_PX + 16, 64))
    assert path.stat().st_size < 20_000
    error = refused(path)
    assert isinstance(error, PictureTooLargeError)
    assert "8208x64 px" in error.message
    assert FileSource(record(tmp_path / "b.mp4", frames=2, size=(MOST_PX, 64)), camera_id="c1").size_px == (
        MOST_PX,
        64,
    )


def test_an_mp4_cut_before_its_index(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4")
    error = refused(cut(path, path.stat().st_size // 2))
    assert isinstance(error, FileCutOffError)
    assert "index (moov) is missing" in error.found
    assert "copy it again" in error.message


@pytest.mark.parametrize(("name", "left"), [("a.mkv", 200), ("a.avi", 300), ("a.ts", 800)])
def test_only_the_beginning_is_left(tmp_path: Path, name: str, left: int) -> None:
    assert isinstance(refused(cut(record(tmp_path / name), left)), FileCutOffError)


def test_an_index_and_no_picture_is_left(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", container_options={"movflags": "faststart"})
    at = path.read_bytes().index(b"mdat")
    error = refused(cut(path, at + 4))
    assert isinstance(error, FileCutOffError)
    assert "0 packets are left" in error.found


@pytest.mark.parametrize(
    ("name", "options"), [("a.mp4", {}), ("a.mp4", {"movflags": "empty_moov+frag_keyframe"}), ("a.avi", {})]
)
def test_a_whole_container_without_a_picture(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    path = tmp_path / name
    with av.open(str(path), "w", options=options) as output:
        stream = output.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        output.start_encoding()
    error = refused(path)
    assert isinstance(error, NoFramesError)
    assert "0 frames" in error.message


def test_every_error_of_a_file_has_a_code_of_its_own() -> None:
    kinds = FileError.__subclasses__()
    codes = {kind.code for kind in kinds} | {FileError.code}
    assert len(kinds) == 10
    assert len(codes) == len(kinds) + 1
