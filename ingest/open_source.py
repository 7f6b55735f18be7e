"""Opens what the user named: a path is a recording, an rtsp:// address is a camera."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from ingest.errors import SourceKindError
from ingest.file_source import FileSource
from ingest.networks import CameraNetworks
from ingest.packet_ring import PacketRing
from ingest.ports import Clock
from ingest.redact import redact_url
from ingest.rtsp_source import RtspSource

ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
LIVE = ("rtsp", "rtsps")


def is_live(source: str) -> bool:
    """Whether ``source`` is the address of a live camera."""
    address = ADDRESS.match(source)
    return address is not None and address.group(1).lower() in LIVE


def open_source(
    source: str,
    *,
    camera_id: str,
    clock: Clock,
    segment: int = 0,
    started_at: datetime | None = None,
    error_s: float = 1.0,
    duration_s: float | None = None,
    packet_ring: PacketRing | None = None,
    networks: CameraNetworks | None = None,
) -> FileSource | RtspSource:
    """The source of frames at that path or address, open, its first picture decoded.

    ``started_at`` (aware) is the wall clock of a recording's first picture; ``error_s`` bounds it, or for
    a camera the arrival. ``duration_s`` ends either after that much media time; ``clock`` stamps arrivals.
    A camera's host must lie in ``networks``, where they are given. Raises SourceKindError, and what FileSource and
    RtspSource raise.
    """
    address = ADDRESS.match(source)
    if address is None:
        return FileSource(
            Path(source),
            camera_id=camera_id,
            segment=segment,
            started_at=started_at,
            error_s=error_s,
            duration_s=duration_s,
            packet_ring=packet_ring,
        )
    if not is_live(source):
        raise SourceKindError(
            redact_url(source),
            f"{address.group(1)}:// cannot be read; give a file's path or rtsp://host:port/path",
        )
    if started_at is not None:
        raise SourceKindError(
            redact_url(source), "a live camera has its own clock; a start time belongs to a recording"
        )
    return RtspSource(
        source,
        camera_id=camera_id,
        clock=clock,
        segment=segment,
        duration_s=duration_s,
        arrival_error_s=error_s,
        packet_ring=packet_ring,
        networks=networks,
    )
