"""The roles that evidence needs others to play: footage that can be looked at again, and whoever writes an event's line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, TypeVar

from evidence.records import PackageState
from rules.finding import Finding
from rules.observation import FrameStamp

if TYPE_CHECKING:  # only who handles pixels loads what handles them
    from evidence.picture import Pixels


class StreamParameters(Protocol):
    """What a muxer must know of the video besides its packets."""

    @property
    def codec_name(self) -> str:
        """FFmpeg's name of the decoder (``h264``, ``hevc``, ``libdav1d``, …)."""
        ...

    @property
    def template(self) -> bytes:
        """A small media file with a video track of the same parameters."""
        ...


class Packet(Protocol):
    """One compressed packet; ``pts`` and ``dts`` in units of ``time_base``."""

    @property
    def pts(self) -> int | None: ...

    @property
    def dts(self) -> int | None: ...

    @property
    def duration(self) -> int: ...

    @property
    def is_keyframe(self) -> bool: ...

    @property
    def time_base(self) -> Fraction: ...

    @property
    def data(self) -> bytes: ...


P = TypeVar("P", bound=Packet)


class Footage(Protocol[P]):
    """The recent packets of one segment. A method that finds them gone raises a StoplineError whose ``code`` says so."""

    @property
    def parameters(self) -> StreamParameters: ...

    @property
    def kept_s(self) -> tuple[float, float] | None:
        """Media seconds of the first and the last frame that can be decoded; None when there is none."""
        ...

    def decode_frame(self, stamp: FrameStamp) -> Pixels:
        """That frame once more: uint8 (height, width, 3), blue-green-red, the bytes that were analysed."""
        ...

    def packets_between(self, from_s: float, to_s: float) -> Sequence[P]:
        """In decoding order, from the keyframe at or before ``from_s`` to the last picture at or before ``to_s``.

        They begin with the first keyframe that is kept where that is later.
        """
        ...

    def media_s_of(self, packet: P) -> float:
        """Media seconds at which a packet of ``packets_between`` is shown."""
        ...

    def hold_from(self, media_s: float) -> int:
        """Keeps everything from that time on until ``release`` of the number that it returns, as far as memory goes."""
        ...

    def release(self, hold: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRef:
    """Where a sealed package stands, relative to the data folder, and what it is worth.

    ``reasons`` are sentences that say why it is incomplete; none when it is complete.
    """

    evidence_path: str
    manifest_path: str
    manifest_sha256: str
    package: PackageState
    reasons: tuple[str, ...]


EventLine = Callable[[Finding, EvidenceRef], str]
"""The finding's line of ``events.jsonl``, without the line's end."""
