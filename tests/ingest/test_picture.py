"""What a frame gives: shapes, ranges, colours; and that nothing is converted before it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import ingest.picture
from ingest.file_source import FileSource
from ingest.frame import Pixels
from ingest.picture import DecodedFrame
from rules.observation import FrameStamp
from tests.ingest.recordings import number_in, record

STAMP = FrameStamp(camera_id="c1", segment=0, index=0, media_s=0.0)
LIMITED, FULL = 1, 2


def ramp(pixel_format: str, width: int, height: int, colour_range: int, top: int = 255) -> av.VideoFrame:
    """A picture whose every plane runs through all its values."""
    picture = av.VideoFrame(width, height, pixel_format)
    picture.color_range = colour_range
    kind = np.uint8 if top == 255 else np.uint16
    for plane in picture.planes:
        values = np.arange(plane.buffer_size // np.dtype(kind).itemsize) % (top + 1)
        plane.update(values.astype(kind).tobytes())
    return picture


def coded_luma(picture: av.VideoFrame, kind: type[np.uint8] | type[np.uint16]) -> NDArray[Any]:
    plane = picture.planes[0]
    rows = np.frombuffer(memoryview(plane), kind).reshape(picture.height, -1)
    return rows[:, : picture.width]


@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"]
)
def test_luminance_is_as_decoded_in_every_8_bit_format(pixel_format: str, colour_range: int) -> None:
    picture = ramp(pixel_format, 101, 75, colour_range)
    y, u, v = DecodedFrame(picture, STAMP).planes()
    assert np.array_equal(y, coded_luma(picture, np.uint8))
    assert (y.shape, u.shape, v.shape) == ((75, 101), (38, 51), (38, 51))
    assert {y.dtype, u.dtype, v.dtype} == {np.dtype(np.uint8)}
    if pixel_format == "gray":
        assert set(np.unique(u)) == set(np.unique(v)) == {128}


@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
@pytest.mark.parametrize("pixel_format", ["yuv420p10le", "yuv422p10le", "gray10le"])
def test_10_bits_become_8_within_two_steps(pixel_format: str, colour_range: int) -> None:
    picture = ramp(pixel_format, 101, 75, colour_range, top=1023)
    y, _, _ = DecodedFrame(picture, STAMP).planes()
    assert y.dtype == np.uint8
    assert np.abs(y - coded_luma(picture, np.uint16) / 4.0).max() < 2


@pytest.mark.parametrize(
    ("pixel_format", "codec", "name"),
    [
        ("yuv444p", "libx264", "a.mp4"),
        ("yuv420p10le", "libx264", "a.mkv"),
        ("yuv422p", "libx264", "a.mkv"),
        ("yuvj420p", "libx264", "a.mp4"),
        ("bgr0", "ffv1", "a.mkv"),
        ("gray", "ffv1", "a.mkv"),
    ],
)
def test_odd_sizes_of_every_kind_are_read(tmp_path: Path, pixel_format: str, codec: str, name: str) -> None:
    size = (161, 97) if codec == "ffv1" or pixel_format == "yuv444p" else (162, 98)
    path = record(tmp_path / name, frames=6, size=size, pixel_format=pixel_format, codec=codec)
    source = FileSource(path, camera_id="c1")
    frames = list(source.frames())
    source.close()
    assert [number_in(frame) for frame in frames] == list(range(6))
    assert source.size_px == size
    y, u, v = frames[5].planes()
    assert y.shape == (size[1], size[0])
    assert u.shape == v.shape == ((size[1] + 1) // 2, (size[0] + 1) // 2)
    assert frames[5].bgr().shape == (size[1], size[0], 3)


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 160, 40)])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "yuv444p", "yuv420p10le"])
def test_bgr_is_blue_green_red(colour: tuple[int, int, int], pixel_format: str) -> None:
    drawn = np.full((64, 64, 3), colour, np.uint8)
    picture = av.VideoFrame.from_ndarray(drawn, format="bgr24").reformat(format=pixel_format)
    pixels = DecodedFrame(picture, STAMP).bgr()
    assert (pixels.shape, pixels.dtype) == ((64, 64, 3), np.dtype(np.uint8))
    assert pixels.flags.c_contiguous
    assert np.abs(pixels.astype(int) - drawn).max() <= 6  # 8-bit chroma is no finer


def test_arrays_are_read_only() -> None:
    for pixel_format in ("yuv420p", "yuv444p", "gray"):
        frame = DecodedFrame(ramp(pixel_format, 64, 48, LIMITED), STAMP)
        for array in (*frame.planes(), frame.bgr()):
            with pytest.raises(ValueError, match="read-only"):
                array[0, 0] = 1


def test_nothing_is_converted_until_bgr_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = record(tmp_path / "a.mp4", frames=10)
    asked: list[av.VideoFrame] = []
    convert = ingest.picture.to_bgr

    def counted(picture: av.VideoFrame) -> Pixels:
        asked.append(picture)
        return convert(picture)

    monkeypatch.setattr(ingest.picture, "to_bgr", counted)
    source = FileSource(path, camera_id="c1")
    frames = list(source.frames())
    luma = frames[3].planes()[0]
    assert asked == []
    assert frames[3].planes()[0] is luma
    assert frames[3].bgr() is frames[3].bgr()
    assert len(asked) == 1
    source.close()


def test_planes_of_420_are_the_decoders_memory() -> None:
    picture = ramp("yuv420p", 64, 48, LIMITED)
    y, _, _ = DecodedFrame(picture, STAMP).planes()
    assert y.ctypes.data == picture.planes[0].buffer_ptr
