"""A monitor to kill, what it watches, and who it tells."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.beds.server import free_port
from tests.cli.monitor import Monitor

TARGET = "db"
WITHIN_S = 60.0
TIERS = "{2: {every: 1s, confirm: {failures: 2, apart: 200ms}, recover: 2}}"


class Receiver:
    """Of webhooks: ``ids`` of what came, in order, repeats too; ``kills`` may end the sender in mid-send."""

    def __init__(self) -> None:
        self.came: list[dict[str, Any]] = []
        self.kills: Callable[[], None] | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.came.append(event)
                kills, receiver.kills = receiver.kills, None
                if kills is not None:
                    kills()
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def repeats(self) -> list[str]:
        """Ids that came more than once."""
        return [one for one, n in Counter(event["id"] for event in self.came).items() if n > 1]

    def told(self, incident: int) -> list[str]:
        """The events of one incident, each id once, in the order in which they came first."""
        came = {one["id"]: one["event"] for one in self.came if one["incident"] == incident}
        return [event for event in came.values() if event != "changed"]


class Service:
    """Something that listens, or doesn't."""

    def __init__(self) -> None:
        self.port = free_port()
        self._socket: socket.socket | None = None

    def listen(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", self.port), backlog=512)

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()


@dataclass(slots=True)
class Victim:
    """The monitor; ``start`` it again after each death, and it goes on with its data."""

    folder: Path
    receiver: Receiver
    service: Service
    data: Path
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    store: str = "sqlite"
    tiers: str = TIERS
    others: dict[str, Any] = field(default_factory=dict)
    """More services, each as the configuration has it, by name."""
    channels: dict[str, str] = field(default_factory=dict)
    """More channels, by name."""
    prefix: tuple[str, ...] = ()
    """What its command begins with: somewhere else, or with less."""

    def configure(self, comment: str = "") -> None:
        services: dict[str, Any] = {TARGET: f"tcp://127.0.0.1:{self.service.port}"} | self.others
        (self.folder / "trueup.yaml").write_text(
            f"# {comment}\n"
            f"services: {json.dumps(services)}\n"
            f"channels: {json.dumps({'hook': self.receiver.url} | self.channels)}\n"
            f"tiers: {self.tiers}\n"
            f"monitor: {{store: '{self.store}'}}\n"
        )

    def start(self, failpoint: str = "") -> None:
        words = ["run", "-c", str(self.folder / "trueup.yaml"), "--data", str(self.data)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "trueup", *words, "--listen", f"127.0.0.1:{self.port}"],
                stderr=log,
                env={**os.environ, "TRUEUP_FAILPOINT": failpoint},
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def died(self) -> None:
        """Wait until its failpoint has killed it."""
        assert self.process is not None
        assert self.process.wait(WITHIN_S) == -signal.SIGKILL, self.log()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(WITHIN_S)

    def log(self) -> str:
        return (self.folder / "log").read_text()[-4000:]

    def has_logged(self, *words: str) -> bool:
        """Whether its log has all of this somewhere."""
        log = (self.folder / "log").read_text()
        return all(one in log for one in words)

    @property
    def api(self) -> Monitor:
        return Monitor(f"http://127.0.0.1:{self.port}", self.port, self.data, None)  # type: ignore[arg-type]

    def incidents(self) -> list[dict[str, Any]]:
        """The oldest first; none while nothing answers."""
        with contextlib.suppress(OSError):
            found: list[dict[str, Any]] = self.api.json("/api/v1/incidents?limit=500")["incidents"]
            return found[::-1]
        return []

    def until(self, wanted: Callable[[], bool], what: str) -> None:
        ends_s = time.monotonic() + WITHIN_S
        while not wanted():
            assert self.process is not None
            assert self.process.poll() is None, f"it died of its own: {self.log()}"
            assert time.monotonic() < ends_s, f"not {what}: {self.receiver.came} {self.log()}"
            time.sleep(0.05)

    def is_up(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.api.get(f"/health/{TARGET}")[0] == 200)
        return False

    def has_told_all(self) -> bool:
        """Whether it's written of every notification that it was sent."""
        found = [one for incident in self.incidents() for one in incident["notifications"]]
        return bool(found) and all(one["sent_at"] for one in found)

    def are_up(self, *names: str) -> bool:
        """Whether they were all found up at their last look."""
        with contextlib.suppress(OSError):
            shown = self.api.json("/api/v1/targets")["targets"]
            return {one["name"] for one in shown if one["state"] == "up"} >= set(names)
        return False

    def told_of(self, target: str) -> list[str]:
        """What the receiver was told of it, in order, each id once."""
        told = {one["id"]: one["event"] for one in self.receiver.came if one["target"] == target}
        return [event for event in told.values() if event != "changed"]

    def has_told(self, *events: str) -> Callable[[], bool]:
        """Whether the newest incident was told so, and it's written that it was."""

        def told() -> bool:
            found = self.incidents()
            return bool(found) and events_of(found[-1]) == list(events)

        return told


def events_of(incident: dict[str, Any]) -> list[str]:
    """What it's written that the channel was told. After a restart, what the machine itself knew of the
    holder of a port is gone, and the cause changes to what is seen from outside: that's told too.
    """
    sent = [one["event"] for one in incident["notifications"] if one["sent_at"]]
    return [event for event in sent if event != "changed"]


@contextlib.contextmanager
def victim(folder: Path, data: Path | None = None) -> Iterator[Victim]:
    """Not yet started; its service listens. ``data`` is a folder in ``folder`` where it's not given."""
    receiver, service = Receiver(), Service()
    threading.Thread(target=receiver.server.serve_forever, daemon=True).start()
    service.listen()
    made = Victim(folder, receiver, service, data or folder / "data")
    made.configure()
    try:
        yield made
    finally:
        made.stop()
        service.stop()
        receiver.server.shutdown()
        receiver.server.server_close()
