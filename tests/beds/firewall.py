"""A firewall for one network namespace, by nftables. The host's own rules are never touched.

    firewall = Firewall(server)
    with firewall.drop(6379):
        ...                     # a connection attempt meets silence
    rule = firewall.reject(6379, "admin-prohibited")
    rule.remove()

Rules stand in the namespace that they are given, and go with it. Between namespaces of one kernel an ICMPv6
refusal of a connection comes back while the connecting socket is still locked, so Linux acts only on the next
one: the client hears of it after its first retransmission, one second later. A reset is heard at once.
"""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.beds.capabilities import require_capability
from tests.beds.namespaces import Namespace

Refusal = Literal["reset", "port-unreachable", "host-unreachable", "no-route", "admin-prohibited"]
Protocol = Literal["tcp", "udp"]

_TABLES = """
table inet bed {
    chain incoming { type filter hook input priority filter; policy accept; }
    chain outgoing { type filter hook output priority filter; policy accept; }
}
"""
_SETTINGS = Path("/proc/sys/net")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Rule:
    """Stands until removed; as a context manager, until its end."""

    namespace: Namespace
    name: str

    def packets(self) -> int:
        """How many packets it has met."""
        counts = [
            part["counter"]["packets"]
            for _, _, expression in self._lines()
            for part in expression
            if "counter" in part
        ]
        assert counts, f"rule {self.name} is removed"
        return sum(counts)

    def remove(self) -> None:
        for chain, handle, _ in self._lines():
            self.namespace.run("nft", "delete", "rule", "inet", "bed", chain, "handle", str(handle))

    def _lines(self) -> list[tuple[str, int, list[dict[str, dict[str, int]]]]]:
        """Chain, handle and expressions of the lines that this rule consists of."""
        listing = json.loads(self.namespace.run("nft", "--json", "list", "table", "inet", "bed").stdout)
        rules = [entry["rule"] for entry in listing["nftables"] if "rule" in entry]
        return [
            (rule["chain"], rule["handle"], rule["expr"])
            for rule in rules
            if rule.get("comment") == self.name
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


class Firewall:
    def __init__(self, namespace: Namespace) -> None:
        require_capability("nftables")
        self._namespace = namespace
        namespace.run("nft", "-f", "-", stdin=_TABLES)
        # Linux sends few ICMP errors a second (ip-sysctl, icmp_ratelimit): one too many would be a drop.
        namespace.run(
            "sh", "-ec", "echo 0 > ipv4/icmp_ratelimit; echo 0 > ipv6/icmp/ratelimit", cwd=_SETTINGS
        )

    def drop(self, port: int, protocol: Protocol = "tcp") -> Rule:
        """What comes in for this port is lost without a word."""
        return self._add(f"incoming {protocol} dport {port} counter drop")

    def reject(self, port: int, refusal: Refusal = "reset", protocol: Protocol = "tcp") -> Rule:
        """What comes in for this port is refused with an answer: a TCP reset or an ICMP message."""
        answer = "tcp reset" if refusal == "reset" else f"icmpx type {refusal}"
        return self._add(f"incoming {protocol} dport {port} counter reject with {answer}")

    def silence(self, port: int) -> Rule:
        """A TCP connection to this port succeeds, then neither side hears what the other writes.

        Linux sets the push flag on the last segment of each write, and on no segment of the handshake.
        """
        return self._add(
            f"incoming tcp dport {port} tcp flags & psh == psh counter drop",
            f"outgoing tcp sport {port} tcp flags & psh == psh counter drop",
        )

    def drop_outgoing(self, port: int, protocol: Protocol = "tcp") -> Rule:
        """What this side sends to that port anywhere is lost. TCP isn't told; a sender of UDP gets EPERM."""
        return self._add(f"outgoing {protocol} dport {port} counter drop")

    def reject_outgoing(self, port: int, refusal: Refusal = "reset", protocol: Protocol = "tcp") -> Rule:
        """What this side sends to that port anywhere is refused by this side's own firewall."""
        answer = "tcp reset" if refusal == "reset" else f"icmpx type {refusal}"
        return self._add(f"outgoing {protocol} dport {port} counter reject with {answer}")

    def lose(self, percent: int) -> Rule:
        """So many of the packets that come in are lost, at random."""
        return self._add(f"incoming numgen random mod 100 < {percent} counter drop")

    def _add(self, *lines: str) -> Rule:
        rule = Rule(self._namespace, f"rule {next(_numbers)}")
        commands = "".join(f'add rule inet bed {line} comment "{rule.name}"\n' for line in lines)
        self._namespace.run("nft", "-f", "-", stdin=commands)
        return rule
