"""A real RTSP server for tests: gives each client an MP4 (H.264 or H.265) from its first picture, once or again and again.

    /usr/bin/python3 tests/rtsp_server.py FILE.mp4... [--port N] [--loop] [--user NAME --password WORD [--basic]]

It listens on a port of 127.0.0.1 and says so by one line, ``ready PORT``; the streams are
rtsp://127.0.0.1:PORT/camera (the first FILE), /camera1, /camera2 and so on, paced by each file's own clock. With an
account it asks for it by digest, or ``--basic``. It ends on SIGTERM, or when its standard input closes, so that it
never outlives the test that began it. It runs under the system's Python, which has gi and GStreamer
(``make setup-system``); see tests/rtsp.py.
"""

from __future__ import annotations

import argparse
import signal
import sys
from itertools import count
from pathlib import Path

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
    "filesrc name=file ! qtdemux ! {parse} config-interval=-1"
    " ! video/x-{kind},stream-format=byte-stream,alignment=au ! appsink name=out sync=false"
)
# The parser above puts the parameter sets in, once: repeated by the payloader too, clients would see one
# picture of every group twice.
SERVE = (
    "( appsrc name=packets format=time block=false max-bytes=64000000"
    " ! {parse} ! {pay} name=pay0 pt=96 config-interval=0 )"
)
SOUND = "( audiotestsrc is-live=true ! audioconvert ! alawenc ! rtppcmapay name=pay0 pt=8 )"
CODECS = {
    "h264": {"parse": "h264parse", "kind": "h264", "pay": "rtph264pay"},
    "h265": {"parse": "h265parse", "kind": "h265", "pay": "rtph265pay"},
}


def read_packets(path: str, codec: str) -> tuple[list[Gst.Buffer], Gst.Caps]:
    """Every compressed picture of the file in decoding order, with its stamps, and what the stream is."""
    pipeline = Gst.parse_launch(READ.format(**CODECS[codec]))
    pipeline.get_by_name("file").set_property("location", path)
    out = pipeline.get_by_name("out")
    pipeline.set_state(Gst.State.PLAYING)
    packets, caps = [], None
    while (sample := out.emit("pull-sample")) is not None:
        packets.append(sample.get_buffer().copy_deep())
        caps = sample.get_caps()
    pipeline.set_state(Gst.State.NULL)
    if caps is None:
        sys.exit(f"{path}: no {codec} video that GStreamer can read")
    return packets, caps


class FileFactory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """Gives each client the file from its start; the media ends with the file, or begins it again."""

    def __init__(self, path: str, *, loops: bool) -> None:
        super().__init__()
        self.set_shared(False)
        content = Path(path).read_bytes()
        self.codec = "h265" if b"hvc1" in content or b"hev1" in content else "h264"
        self.packets, self.caps = read_packets(path, self.codec)
        self.loops = loops
        first = min(packet.pts for packet in self.packets)
        self.length = max(packet.pts + packet.duration for packet in self.packets) - first

    def do_create_element(self, _: GstRtsp.RTSPUrl) -> Gst.Element:
        return Gst.parse_launch(SERVE.format(**CODECS[self.codec]))

    def do_configure(self, media: GstRtspServer.RTSPMedia) -> None:
        source = media.get_element().get_by_name_recurse_up("packets")
        source.set_property("caps", self.caps)
        left = (
            (packet, round_ * self.length)
            for round_ in (count() if self.loops else (0,))
            for packet in self.packets
        )

        def push_next(source: Gst.Element, _: int) -> None:
            found = next(left, None)
            if found is None:
                source.emit("end-of-stream")
                return
            packet, later = found[0].copy_deep(), found[1]
            if packet.pts != Gst.CLOCK_TIME_NONE:
                packet.pts += later
            if packet.dts != Gst.CLOCK_TIME_NONE:
                packet.dts += later
            source.emit("push-buffer", packet)

        source.connect("need-data", push_next)


class SoundFactory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """A stream without a picture."""

    def do_create_element(self, _: GstRtsp.RTSPUrl) -> Gst.Element:
        return Gst.parse_launch(SOUND)


def ask_for_account(server: GstRtspServer.RTSPServer, user: str, password: str, *, basic: bool) -> None:
    """Lets only ``user`` in, by digest or in clear."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth = GstRtspServer.RTSPAuth()
    if basic:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    server.set_auth(auth)


def allow_viewers(factory: GstRtspServer.RTSPMediaFactory) -> None:
    """Whoever has an account may look."""
    allowed = GstRtspServer.RTSPPermissions()
    allowed.add_permission_for_role("viewer", "media.factory.access", True)
    allowed.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(allowed)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="+")
    parser.add_argument("--port", default="0")
    parser.add_argument("--loop", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--basic", action="store_true")
    arguments = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(arguments.port)
    if arguments.user:
        ask_for_account(server, arguments.user, arguments.password, basic=arguments.basic)
    for number, path in enumerate(arguments.file):
        factory = SoundFactory() if path == "sound" else FileFactory(path, loops=arguments.loop)
        if arguments.user:
            allow_viewers(factory)
        server.get_mount_points().add_factory(f"/camera{number or ''}", factory)
    if not server.attach(None):
        sys.exit(f"port {arguments.port} is taken")

    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_HUP, lambda *_: loop.quit())
    sys.stdout.write(f"ready {server.get_bound_port()}\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    main()
