"""Looks at a camera for a few seconds, for the engineer who sets it up: what it sends, how its clock is, and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from api.clock import Clock
from api.errors import ConfigInvalidError, Problem, UsageError
from api.site_stream import StreamPart
from evidence.picture import jpeg
from ingest.networks import Account, CameraNetworks
from ingest.redact import redact_url
from ingest.rtsp_source import RtspSource, Transport
from rules.observation import ClockSource


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraAddress:
    """What is connected to; ``url`` may hold the account and is shown to nobody."""

    url: str
    transport: Transport

    @property
    def name(self) -> str:
        """The address without its secrets."""
        return redact_url(self.url)

    def __repr__(self) -> str:
        return f"CameraAddress({self.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraLook:
    """What a camera sent. ``rate`` is pictures a second, ``keyframe_s`` seconds between keyframes (None: fewer than two came).

    ``clock_source`` and ``clock_error_s`` are those of the last picture; ``picture`` is the last one as JPEG.
    """

    name: str
    codec: str
    size_px: tuple[int, int]
    seconds: float
    rate: float
    bits_per_s: float
    keyframe_s: float | None
    clock_source: ClockSource
    clock_error_s: float
    damage: str | None
    picture: bytes


def camera_address(
    address: str, account: str | None, accounts: Mapping[str, Account], transport: Transport
) -> CameraAddress:
    """The address with its account in it. Raises ConfigInvalidError for an account that is not in the file."""
    if account is None:
        return CameraAddress(url=address, transport=transport)
    found = accounts.get(account)
    if found is None:
        known = ", ".join(sorted(accounts)) or "none"
        message = f"no account {account!r} in the file of camera accounts (it has: {known})"
        raise ConfigInvalidError(
            [Problem(file=redact_url(address), line=None, field="account", message=message)]
        )
    return CameraAddress(url=found.in_url(address), transport=transport)


def address_of(
    stream: StreamPart | None, camera_id: str, accounts: Mapping[str, Account], *, small: bool
) -> CameraAddress:
    """The address of a camera of a site file. Raises UsageError where it has none, ConfigInvalidError."""
    address = None if stream is None else stream.small_address if small else stream.address
    if stream is None or address is None:
        what = "small_address" if small else "address"
        raise UsageError(f"the site file gives camera {camera_id} no stream: {what}")
    return camera_address(address, stream.account, accounts, Transport(stream.transport))


def look_at_camera(
    camera: CameraAddress, networks: CameraNetworks, clock: Clock, seconds: float, timeout_s: float = 10.0
) -> CameraLook:
    """What the camera sends in so many seconds. Raises StreamError."""
    source = RtspSource(
        camera.url,
        camera_id="test",
        clock=clock,
        duration_s=seconds,
        open_timeout_s=timeout_s,
        read_timeout_s=timeout_s,
        transport=camera.transport,
        networks=networks,
    )
    with closing(source):
        last = first = None
        count = 0
        for frame in source.frames():
            first = first or frame
            last = frame
            count += 1
        assert first is not None and last is not None, "a source has its first picture when it is made"
        spent_s = last.stamp.media_s - first.stamp.media_s
        traffic = source.traffic
        return CameraLook(
            name=camera.name,
            codec=source.codec,
            size_px=source.size_px,
            seconds=spent_s,
            rate=(count - 1) / spent_s if spent_s > 0 else 0.0,
            bits_per_s=8 * traffic.size_bytes / spent_s if spent_s > 0 else 0.0,
            keyframe_s=traffic.keyframe_s,
            clock_source=last.stamp.clock_source,
            clock_error_s=last.stamp.error_s,
            damage=source.damage,
            picture=jpeg(last.bgr()),
        )
