"""Network namespaces joined by a switch: machines of their own, as far as the network can tell.

    with network("monitor", "server") as (monitor, server):
        server.popen("redis-server", "--bind", server.ipv4, "--port", "6379")
        with monitor.enter():
            socket.create_connection((server.ipv4, 6379))

Each has a loopback, and one interface `eth0` with an IPv4 and an IPv6 address on the switch between them.
Nothing leaves them: there is no route outward, so an address elsewhere is "network unreachable" at once.
"""

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.beds.capabilities import require_capability
from tests.beds.commands import run, stop
from tests.beds.deadline import wait_until
from tests.beds.ownership import left_behind, own_name

_DIRECTORY = Path("/run/netns")
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Namespace:
    name: str
    ipv4: str
    ipv6: str
    switch: str
    """The namespace of the switch, and the name of the port there that `eth0` is plugged into."""
    port: str
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)
    """What was started with `popen`, for the teardown."""

    @property
    def path(self) -> Path:
        return _DIRECTORY / self.name

    @property
    def prefix(self) -> tuple[str, ...]:
        """Put before a command, the command runs inside: same process id, same mounts, other network."""
        return ("nsenter", f"--net={self.path}", "--")

    def run(
        self,
        *argv: str,
        check: bool = True,
        timeout_s: float = 15,
        stdin: str | None = None,
        cwd: Path | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Raises CalledProcessError when `check`, TimeoutExpired when it takes too long."""
        return run([*self.prefix, *argv], check=check, timeout_s=timeout_s, stdin=stdin, cwd=cwd)

    def popen(
        self, *argv: str, stdout: int = subprocess.DEVNULL, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """A process of the namespace; its output and errors go where `stdout` says. Stopped at the end."""
        process = subprocess.Popen(
            [*self.prefix, *argv],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            env=env,
            text=True,
        )
        self.processes.append(process)
        return process

    @contextlib.contextmanager
    def enter(self) -> Iterator[None]:
        """The current thread is inside: sockets it opens and processes and threads it starts belong there.

        A socket stays where it was opened. Threads that run already stay outside, so start an event loop
        inside (`asyncio.run`): its resolver threads are born with it.
        """
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            inside = os.open(self.path, os.O_RDONLY)
            try:
                _set_network(inside)
            finally:
                os.close(inside)
            try:
                yield
            finally:
                _set_network(outside)
        finally:
            os.close(outside)

    def add_loopback_address(self, address: str) -> None:
        """One more own address, reachable from inside only."""
        self._add_address(address, "lo")

    def set_link(self, *, up: bool) -> None:
        """Pull the cable out of `eth0`, or put it back. Its IPv6 address, lost with it, is given again."""
        self.run("ip", "link", "set", "eth0", "up" if up else "down")
        if up:
            self._add_address(f"{self.ipv6}/64", "eth0")

    def _add_address(self, address: str, interface: str) -> None:
        """Linux makes an IPv6 address known to its own routing a moment later: that is waited for."""
        no_detection = ["nodad"] if ":" in address else []
        self.run("ip", "address", "replace", address, "dev", interface, *no_detection)
        plain = address.partition("/")[0]
        wait_until(
            lambda: self.run("ip", "route", "get", plain, check=False).stdout.startswith("local"),
            f"{plain} is an own address",
        )


@contextlib.contextmanager
def network(*labels: str) -> Iterator[tuple[Namespace, ...]]:
    """A namespace for each label, every one connected with every other."""
    require_capability("namespaces")
    _sweep()
    stem = own_name(str(next(_numbers)))
    switch = f"{stem}-switch"
    members = tuple(
        Namespace(f"{stem}-{label}", f"10.87.0.{number}", f"fd87::{number:x}", switch, f"port{number}")
        for number, label in enumerate(labels, start=1)
    )
    with contextlib.ExitStack() as stack:
        for name in (switch, *(member.name for member in members)):
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "delete", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", switch, "link", "add", "switch", "type", "bridge", "forward_delay", "0")
        _ip("-n", switch, "link", "set", "switch", "up")
        for member in members:
            stack.callback(_stop_all, member)
            _plug_in(member)
        yield members


def _plug_in(member: Namespace) -> None:
    peer = ("peer", "name", member.port, "netns", member.switch)
    _ip("link", "add", "eth0", "netns", member.name, "type", "veth", *peer)
    _ip("-n", member.switch, "link", "set", member.port, "master", "switch", "up")
    _ip("-n", member.name, "link", "set", "eth0", "up")
    member._add_address(f"{member.ipv4}/24", "eth0")
    member._add_address(f"{member.ipv6}/64", "eth0")


def _ip(*argv: str, check: bool = True) -> str:
    return run(["ip", *argv], check=check).stdout


def _stop_all(member: Namespace) -> None:
    for process in member.processes:
        stop(process)


def _set_network(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _sweep() -> None:
    for path in left_behind(_DIRECTORY):
        for pid in _ip("netns", "pids", path.name, check=False).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        _ip("netns", "delete", path.name, check=False)  # another test run may sweep at the same time
