"""``stopline camera``: whether a camera can be used, and a picture to draw lines on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from api.clock import SystemClock
from api.errors import UsageError
from api.settings import Settings, load_settings
from api.site_file import load_site_file
from api.suggest import did_you_mean
from api.work.camera_check import CameraAddress, CameraLook, address_of, camera_address, look_at_camera
from api.work.run_folder import write_file
from ingest.rtsp_source import Transport

Command = TypeVar("Command", bound=Callable[..., None])


@click.group()
def camera() -> None:
    """Try a camera, and take a picture of what it shows."""


def _options(command: Command) -> Command:
    for add in reversed(
        (
            click.argument("address", required=False),
            click.option(
                "--site", type=click.Path(path_type=Path), help="Take the address from this site file."
            ),
            click.option("--camera", "camera_id", help="The camera of that site file."),
            click.option("--small", is_flag=True, help="Its small_address instead of its address."),
            click.option(
                "--account", help="Name of the account in the file of camera accounts, for an ADDRESS."
            ),
            click.option(
                "--transport",
                type=click.Choice([one.value for one in Transport]),
                default="tcp",
                help="For an ADDRESS.",
            ),
            click.option(
                "--timeout",
                type=click.FloatRange(min=0.1, max=60),
                default=10.0,
                show_default=True,
                metavar="S",
                help="Wait no longer than so many seconds for the camera.",
            ),
        )
    ):
        command = add(command)
    return command


@camera.command()
@_options
@click.option(
    "--seconds", type=click.FloatRange(min=0.5, max=600), default=5.0, show_default=True, help="Look so long."
)
def test(
    address: str | None,
    site: Path | None,
    camera_id: str | None,
    small: bool,
    account: str | None,
    transport: str,
    timeout: float,
    seconds: float,
) -> None:
    """Connect to the camera at ADDRESS, or to a camera of a site file, and say what it sends.

    The account comes from the file that STOPLINE_CAMERA_ACCOUNTS_FILE names, never from the command line. RTCP tells the
    camera's clock after a few seconds; until then times are those of arrival.
    """
    settings = load_settings()
    where = _where(settings, address, site, camera_id, account, transport, small=small)
    look = look_at_camera(where, settings.networks(), SystemClock(), seconds, timeout)
    for line in _told(look):
        click.echo(line)


@camera.command()
@_options
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The file for the picture (JPEG)."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def snapshot(
    address: str | None,
    site: Path | None,
    camera_id: str | None,
    small: bool,
    account: str | None,
    transport: str,
    timeout: float,
    out: Path,
    overwrite: bool,
) -> None:
    """Take a picture from the camera at ADDRESS, or from a camera of a site file, as a JPEG."""
    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; give another --out, or --overwrite")
    settings = load_settings()
    where = _where(settings, address, site, camera_id, account, transport, small=small)
    look = look_at_camera(where, settings.networks(), SystemClock(), 0.5, timeout)
    write_file(out, look.picture)
    click.echo(f"{out}: {look.size_px[0]}x{look.size_px[1]} px from {look.name}")


def _where(
    settings: Settings,
    address: str | None,
    site: Path | None,
    camera_id: str | None,
    account: str | None,
    transport: str,
    *,
    small: bool,
) -> CameraAddress:
    accounts = settings.camera_accounts()
    if (address is None) == (site is None):
        raise UsageError("give the ADDRESS of a camera, or --site and --camera")
    if address is not None:
        return camera_address(address, account, accounts, Transport(transport))
    assert site is not None
    cameras = {one.id: one for one in load_site_file(site).document.cameras}
    if camera_id is None and len(cameras) == 1:
        camera_id = next(iter(cameras))
    if camera_id not in cameras:
        hint = did_you_mean(camera_id, cameras) if camera_id else ""
        raise UsageError(f"--camera: give one of the site file's cameras: {', '.join(cameras)}{hint}")
    return address_of(cameras[camera_id].stream, camera_id, accounts, small=small)


def _told(look: CameraLook) -> list[str]:
    keys = (
        "fewer than two keyframes came"
        if look.keyframe_s is None
        else f"a keyframe every {look.keyframe_s:.1f} s"
    )
    told = [
        f"{look.name}: {look.codec}, {look.size_px[0]}x{look.size_px[1]} px, {look.rate:.1f} pictures a second, "
        f"{look.bits_per_s / 1e6:.2f} Mbit/s, {keys}",
        f"its time: by {look.clock_source.value}, to within {look.clock_error_s:.2f} s",
    ]
    if look.damage:
        told.append(f"note: {look.damage}")
    return told
