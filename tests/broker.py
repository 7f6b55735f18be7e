"""A real MQTT broker for the length of a test (the NATS server, which speaks MQTT 3.1.1), and a controller that publishes to it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

SERVER = Path(sys.executable).with_name("nats-server")
USER, PASSWORD = "signals", "hunter2 $x"
MAY_READ = "junction/#"
LISTENING = re.compile(r"MQTT clients on mqtt://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A running broker on 127.0.0.1 that knows one account, which may read ``junction/#`` only."""

    port: int

    def url(self, topic: str = "junction/#", user: str = USER) -> str:
        return f"mqtt://{user}@127.0.0.1:{self.port}/{topic}"

    @contextmanager
    def controller(self) -> Iterator[mqtt.Client]:
        """A connected client that may publish anything; what it published has left it when the block ends."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set("controller", PASSWORD)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        try:
            yield client
        finally:
            client.disconnect()
            client.loop_stop()


@contextmanager
def serve_broker(folder: Path, port: int = -1) -> Iterator[Broker]:
    """Runs one with its state in ``folder`` until the block ends, on a free port unless one is given."""
    config = folder / "broker.conf"
    config.write_text(
        f"""
        server_name: test
        listen: "127.0.0.1:-1"
        jetstream {{ store_dir: "{folder / "broker"}" }}
        mqtt {{ listen: "127.0.0.1:{port}" }}
        authorization {{
            users: [
                {{ user: "controller", password: "{PASSWORD}" }}
                {{ user: "{USER}", password: "{PASSWORD}", permissions: {{
                    publish: ["$MQTT.>", "$JS.>"], subscribe: ["junction.>", "junction", "$MQTT.>", "_INBOX.>"] }} }}
            ]
        }}
        """,
        encoding="utf-8",
    )
    process = subprocess.Popen([SERVER, "-c", config], stderr=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stderr is not None
            listening = None
            for line in process.stderr:
                listening = listening or LISTENING.search(line)
                if "Server is ready" in line:
                    break
            assert listening is not None, "the broker did not start"
            yield Broker(port=int(listening.group(1)))
        finally:
            process.terminate()
