"""Where ghosts are made: a machine on which each test may break what it likes, and what trueup says of it."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final

from tests.beds.deadline import wait_until
from tests.beds.inside import Inside
from tests.beds.nspawn import Machine

PROGRAMS: Final = Path(__file__).parent / "programs"
PYTHON: Final = sys.executable
_STARVED: Final = "monitor-starved"


@dataclass(frozen=True, slots=True)
class Seen:
    """One target of ``check --json``."""

    name: str
    state: str
    layer: str | None
    cause: str | None
    summary: str
    next: list[str]
    observations: list[dict[str, Any]]

    @property
    def verdict(self) -> tuple[str, str | None, str | None]:
        return self.state, self.layer, self.cause

    @property
    def facts(self) -> dict[str, Any]:
        """What the machine itself said, as facts; none where it said nothing."""
        return next((seen["facts"] for seen in self.observations if seen["layer"] == "host"), {})

    @property
    def outside(self) -> list[str]:
        """The causes seen from outside."""
        return [seen["cause"] for seen in self.observations if seen["layer"] != "host" and seen["cause"]]

    @property
    def todo(self) -> str:
        return "\n".join(self.next)


def seen_in(done: "CompletedProcess[str]") -> list[Seen]:
    """The targets of a document. Raises AssertionError with what was said where there is none."""
    assert done.stdout.startswith("{"), f"no document: {done.stdout}{done.stderr}"
    targets = json.loads(done.stdout)["targets"]
    return [Seen(**{key: one[key] for key in Seen.__slots__}) for one in targets]


def look_until_judged(look: Callable[[], list[Seen]]) -> list[Seen]:
    """A test machine under load may be too late to judge; then trueup says so, and is asked again."""

    def judged() -> list[Seen]:
        seen = look()
        return [] if any(one.cause == _STARVED for one in seen) else seen

    return wait_until(judged, "trueup has time to judge", timeout_s=60)


@dataclass(slots=True)
class Stage:
    """A machine for one test; ``clear`` puts back whatever was changed through here."""

    machine: Machine
    units: list[str] = field(default_factory=list)
    files: dict[str, str | None] = field(default_factory=dict)
    processes: list[Inside] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)

    def check(self, *addresses: str, timeout: str = "2s", user: str | None = None) -> Seen:
        """What is said of the first address; to root where no user is named."""
        words = ("check", "--json", "--timeout", timeout, *addresses)
        return look_until_judged(lambda: seen_in(self.machine.trueup(*words, user=user)))[0]

    def check_configured(self, **targets: str) -> dict[str, Seen]:
        """What is said of each target, whose text is that of YAML: ``"at: redis://h, unit: shop"``."""
        lines = [f"  {name}: {{{text}, timeout: 2s}}" for name, text in targets.items()]
        self.write("/etc/trueup.yaml", "services:\n" + "\n".join(lines) + "\n")
        words = ("check", "--json", "-c", "/etc/trueup.yaml")
        return {one.name: one for one in look_until_judged(lambda: seen_in(self.machine.trueup(*words)))}

    def write(self, path: str, text: str) -> None:
        """A file of the machine until the end of the test."""
        there = self.machine.root / path.lstrip("/")
        self.files.setdefault(path, there.read_text() if there.exists() else None)
        if there.exists():
            there.write_text(text)  # its owner and mode stay
        else:
            self.machine.write(path, text)

    def unit(self, name: str, text: str) -> None:
        """A unit of the machine until the end of the test."""
        self.write(f"/etc/systemd/system/{name}", text)
        self.units.append(name)
        self.machine.systemctl("daemon-reload")

    def service(self, name: str, program: str, *words: object, options: str = "") -> None:
        """A unit that runs one of PROGRAMS, started."""
        command = " ".join([PYTHON, str(PROGRAMS / program), *map(str, words)])
        self.unit(name, f"[Service]\nExecStart={command}\n{options}")
        self.start(name)

    def start(self, *units: str, check: bool = True) -> None:
        self.units += units
        self.machine.systemctl("start", *units, check=check)

    def fail(self, unit: str) -> None:
        """Start a unit that fails at that, and wait until systemd has given it up."""
        self.start(unit, check=False)
        self.machine.wait_for(unit, ActiveState="failed")

    def popen(self, *argv: str) -> Inside:
        """A process of nobody's unit."""
        self.processes.append(self.machine.popen(*argv))
        return self.processes[-1]

    def pause(self, *pids: int) -> None:
        """By their numbers on this side."""
        for pid in pids:
            self.stopped.append(pid)
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        for pid in self.stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.stopped.clear()

    def listens(self, port: int) -> bool:
        return bool(self.machine.run("ss", "-Hltn", f"sport = :{port}").stdout)

    def wait_for_port(self, port: int) -> None:
        wait_until(lambda: self.listens(port), f"something listens on port {port}")

    def clear(self) -> None:
        self.go_on()
        for process in self.processes:
            process.stop()
        systemctl = self.machine.systemctl
        if self.units:
            systemctl("thaw", *self.units, check=False)
            # Sockets first: a connection that still waits would start its service again.
            for units in ([one for one in self.units if one.endswith(".socket")], self.units):
                systemctl("stop", *units, check=False)
        for path, text in self.files.items():
            there = self.machine.root / path.lstrip("/")
            if text is None:
                there.unlink(missing_ok=True)
            else:
                there.write_text(text)
        systemctl("daemon-reload")
        systemctl("reset-failed")
