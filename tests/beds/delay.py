"""Distance between machines: what one namespace sends and gets takes its time on the way.

    with network("client", "server") as (client, server), far_away(server, 0.1) as distance:
        ...                       # a round trip takes 200 ms
        distance.set(0.5)

A relay of our own stands in the cable, because the kernel's network emulation (netem) is a module that many
kernels lack. It passes frames on as they are, so the member sees no difference but the time.
"""

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.beds.commands import run, stop
from tests.beds.namespaces import Namespace

# linux/if_packet.h, linux/if_ether.h, asm-generic/socket.h
_SOL_PACKET, _PACKET_VNET_HDR, _PACKET_IGNORE_OUTGOING = 263, 15, 23
_ETH_P_ALL = 0x0003
_SO_RCVBUFFORCE = 33
_STDIN = 0
_FRAME_BYTES_MAX = 1 << 17
_BUFFER_BYTES = 1 << 22
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Distance:
    relay: "subprocess.Popen[str]"

    def set(self, delay_s: float) -> None:
        """From now on a frame takes so long one way; those that are on the way keep their time."""
        assert self.relay.stdin is not None
        assert self.relay.stdout is not None
        self.relay.stdin.write(f"{delay_s}\n")
        self.relay.stdin.flush()
        answer = self.relay.stdout.readline()
        assert answer == "set\n", f"the relay said {answer!r} and ended with {self.relay.poll()}"


@contextlib.contextmanager
def far_away(member: Namespace, delay_s: float) -> Iterator[Distance]:
    """The member's cable delays every frame by so much each way, until the end. Its addresses stay."""
    far, near = f"{member.port}-far", f"{member.port}-near"
    switch = ("ip", "-n", member.switch, "link")
    run([*switch, "add", far, "type", "veth", "peer", "name", near])
    try:
        run([*switch, "set", near, "up"])
        run([*switch, "set", far, "master", "switch", "up"])
        run([*switch, "set", member.port, "nomaster"])
        relay = subprocess.Popen(
            [
                "nsenter",
                f"--net=/run/netns/{member.switch}",
                sys.executable,
                "-m",
                __name__,
                member.port,
                near,
            ],
            cwd=_PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            distance = Distance(relay)
            distance.set(delay_s)
            yield distance
        finally:
            stop(relay)
    finally:
        run([*switch, "set", member.port, "master", "switch"])
        run([*switch, "delete", far])


def _relay(interfaces: list[str]) -> None:
    """Carry frames between two interfaces. A line on standard input sets the delay, its end ends all."""
    left, right = (_tap(interface) for interface in interfaces)
    underway: dict[socket.socket, deque[tuple[float, bytes]]] = {left: deque(), right: deque()}
    delay_s = 0.0
    while True:
        due_s = min((queue[0][0] for queue in underway.values() if queue), default=None)
        wait_s = None if due_s is None else max(0.0, due_s - time.monotonic())
        readable, _, _ = select.select([left.fileno(), right.fileno(), _STDIN], [], [], wait_s)
        if _STDIN in readable:
            order = os.read(_STDIN, 100)
            if not order:
                return
            delay_s = float(order)
            print("set", flush=True)
        now_s = time.monotonic()
        for source, target in ((left, right), (right, left)):
            if source.fileno() in readable:
                underway[target].append((now_s + delay_s, source.recv(_FRAME_BYTES_MAX)))
            while underway[target] and underway[target][0][0] <= now_s:
                with contextlib.suppress(OSError):  # a cable has no memory: a frame that can't leave is lost
                    target.send(underway[target].popleft()[1])


def _tap(interface: str) -> socket.socket:
    """Every frame that arrives at an interface, with the header that says what its checksum still lacks."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    tap.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    tap.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    tap.bind((interface, 0))
    return tap


if __name__ == "__main__":
    _relay(sys.argv[1:])
