"""A real ``trueup run`` of a configuration, for commands that ask a monitor."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.beds.commands import stop
from tests.beds.server import free_port


@dataclass(frozen=True, slots=True)
class Monitor:
    url: str
    port: int
    data: Path
    process: "subprocess.Popen[str]"

    def json(self, path: str) -> Any:
        """What the API answers."""
        status, body = self.get(path)
        assert status == 200, body
        return json.loads(body)

    def target(self, name: str) -> Any:
        return self.json(f"/api/v1/targets/{name}")

    def incidents(self) -> Any:
        """The newest first."""
        return self.json("/api/v1/incidents")["incidents"]

    def until(self, wanted: Callable[[], bool], within_s: float = 30.0) -> None:
        """Wait for something that the monitor does in its own time."""
        ends_s = time.monotonic() + within_s
        while not wanted():
            assert time.monotonic() < ends_s, self.json("/api/v1/targets")
            time.sleep(0.05)

    def answers(self, path: str) -> bool:
        """Whether it's there at all."""
        try:
            self.get(path)
        except OSError:
            return False
        return True

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextlib.contextmanager
def monitor(folder: Path, configuration: str, *, settled: bool = True) -> Iterator[Monitor]:
    """Serving, with every target looked at once; in the same folder again, it goes on with its data.

    Not ``settled``: serving, and no more.
    """
    file = folder / "trueup.yaml"
    file.write_text(configuration)
    port = free_port()
    words = ["run", "-c", str(file), "--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "trueup", *words], stderr=subprocess.PIPE, text=True
    )
    found = Monitor(f"http://127.0.0.1:{port}", port, folder / "data", process)
    try:
        _wait_for(found, settled=settled)
        yield found
    finally:
        process.terminate()
        process.communicate()
        stop(process)


def _wait_for(found: Monitor, *, settled: bool) -> None:
    ends_s = time.monotonic() + 30
    while time.monotonic() < ends_s:
        assert found.process.poll() is None, found.process.stderr and found.process.stderr.read()
        with contextlib.suppress(OSError):
            if b'"state":"unknown"' not in found.get("/api/v1/targets")[1] or not settled:
                return
        time.sleep(0.05)
    raise AssertionError("the monitor didn't look at everything in time")
