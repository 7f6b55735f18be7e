"""A real RTSP server for tests: gives each client one H.264 MP4 once, from its first picture to its last.

    /usr/bin/python3 tests/rtsp_server.py FILE.mp4 [--user NAME --password WORD]

It listens on a free port of 127.0.0.1 and says so by one line, ``ready PORT``; the stream is
rtsp://127.0.0.1:PORT/camera, paced by the file's own clock. With an account it asks for it by digest.
It ends on SIGTERM, or when its standard input closes, so that it never outlives the test that began it.
It runs under the system's Python, which has gi and GStreamer (``make setup-system``); see tests/rtsp.py.
"""

from __future__ import annotations

import argparse
import signal
import sys

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

READ = (
    "filesrc name=file ! qtdemux ! h264parse config-interval=-1"
    " ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out sync=false"
)
# The parser above puts the parameter sets in, once: repeated by the payloader too, clients would see one
# picture of every group twice.
SERVE = (
    "( appsrc name=packets format=time block=false max-bytes=64000000"
    " ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=0 )"
)


def read_packets(path: str) -> tuple[list[Gst.Buffer], Gst.Caps]:
    """Every compressed picture of the file in decoding order, with its stamps, and what the stream is."""
    pipeline = Gst.parse_launch(READ)
    pipeline.get_by_name("file").set_property("location", path)
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    packets, caps = [], None
    while (sample := out.emit("pull-sample")) is not None:
        packets.append(sample.get_buffer().copy_deep())
        caps = sample.get_caps()
    pipeline.set_state(Gst.State.NULL)
    if caps is None:
        sys.exit(f"{path}: no H.264 video that GStreamer can read")
    return packets, caps


class OnceFactory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """Gives each client the file from its start; the media ends with the file."""

    def __init__(self, packets: list[Gst.Buffer], caps: Gst.Caps) -> None:
        super().__init__()
        self.set_shared(False)
        self.packets, self.caps = packets, caps

    def do_create_element(self, _: GstRtsp.RTSPUrl) -> Gst.Element:
        return Gst.parse_launch(SERVE)

    def do_configure(self, media: GstRtspServer.RTSPMedia) -> None:
        source = media.get_element().get_by_name_recurse_up("packets")
        source.set_property("caps", self.caps)
        left = iter(self.packets)

        def push_next(source: Gst.Element, _: int) -> None:
            packet = next(left, None)
            if packet is None:
                source.emit("end-of-stream")
            else:
                source.emit("push-buffer", packet.copy_deep())

        source.connect("need-data", push_next)


def ask_for_account(server: GstRtspServer.RTSPServer, factory: OnceFactory, user: str, password: str) -> None:
    """Lets only ``user`` in, by digest."""
    allowed = GstRtspServer.RTSPPermissions()
    allowed.add_permission_for_role("viewer", "media.factory.access", True)
    allowed.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(allowed)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    arguments = parser.parse_args()

    Gst.init(None)
    factory = OnceFactory(*read_packets(arguments.file))
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if arguments.user:
        ask_for_account(server, factory, arguments.user, arguments.password)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)

    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
    sys.stdout.write(f"ready {server.get_bound_port()}\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    main()
