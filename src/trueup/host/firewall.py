"""What the packet filter does with what comes in: nft(8), ``nft -j list ruleset``, libnftables-json(5).

Rules of iptables-nft are among them. Conditions besides protocol and port are noticed and not judged: a hint.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from trueup.host.commands import output_of
from trueup.host.facts import Firewall, FirewallRule, Transport
from trueup.host.unreadable import HostUnreadable, Reason

_HOOKS: Final = ("ingress", "prerouting", "input")
_DEPTH_MAX: Final = 16
_RULES_MAX: Final = 5000
_BYTES_MAX: Final = 16 * 1024 * 1024
_XT_VERDICTS: Final = {"DROP": "drop", "REJECT": "reject"}
_Ports = tuple[tuple[int, int], ...]
_Chain = tuple[str, str, str]
"""Family, table, name."""


async def read_firewall(prefix: Sequence[str] = ()) -> Firewall:
    """Raises:
    HostUnreadable: nft isn't installed, or we may not ask it (root may).
    """
    output = await output_of([*prefix, "nft", "-j", "list", "ruleset"], size_bytes_max=_BYTES_MAX)
    if not output.written and output.complaint:
        raise HostUnreadable("nft", output.complaint, Reason.PERMISSION)
    return parse_ruleset(output.written)


def parse_ruleset(text: bytes) -> Firewall:
    """Raises:
    HostUnreadable: not of the form of libnftables-json(5).
    """
    try:
        entries = json.loads(text)["nftables"]
        return _Ruleset(entries).firewall()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise HostUnreadable("nft", f"unlike a ruleset: {error!r}", Reason.MALFORMED) from error


class _Ruleset:
    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._bases = [entry["chain"] for entry in entries if entry.get("chain", {}).get("hook") in _HOOKS]
        self._rules: dict[_Chain, list[Any]] = {}
        self._sets: dict[_Chain, Any] = {}
        for entry in entries:
            if rule := entry.get("rule"):
                self._rules.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(
                    rule["expr"]
                )
            elif named := entry.get("set"):
                self._sets[named["family"], named["table"], named["name"]] = named.get("elem", [])

    def firewall(self) -> Firewall:
        found: list[FirewallRule] = []
        closed = []
        for base in self._bases:
            chain = base["family"], base["table"], base["name"]
            if base.get("policy") == "drop":
                closed.append(" ".join(chain))
            for rule in self._stopping(chain, narrowed=False, depth=_DEPTH_MAX):
                if len(found) < _RULES_MAX:
                    found.append(rule)
        return Firewall(tuple(dict.fromkeys(closed)), tuple(dict.fromkeys(found)))

    def _stopping(self, chain: _Chain, *, narrowed: bool, depth: int) -> Iterator[FirewallRule]:
        """The rules of a chain, and of those that it goes on to, that drop or reject."""
        for expressions in self._rules.get(chain, []):
            transport, ports, more = self._conditions(chain, expressions)
            verdict, target = _verdict(expressions)
            if verdict is not None:
                more = more or narrowed
                yield FirewallRule(" ".join(chain), verdict, transport, ports, more, _packets(expressions))
            elif target is not None and depth:
                further = bool(narrowed or more or ports or transport)
                yield from self._stopping((*chain[:2], target), narrowed=further, depth=depth - 1)

    def _conditions(self, chain: _Chain, expressions: Sequence[Any]) -> tuple[Transport | None, _Ports, bool]:
        transport: Transport | None = None
        ports: _Ports = ()
        more = False
        for expression in expressions:
            if (match := expression.get("match")) is None:
                more = more or expression.get("xt", {}).get("type") == "match"
                continue
            payload = match["left"].get("payload", {}) if isinstance(match["left"], dict) else {}
            named = _protocol(match)
            if match["op"] in ("==", "in") and payload.get("field") == "dport":
                transport = _TRANSPORTS.get(payload["protocol"], transport)
                ports = self._ports(chain, match["right"])
                more = more or not ports
            elif named is not None:
                transport = named
            else:
                more = True
        return transport, ports, more

    def _ports(self, chain: _Chain, right: Any) -> _Ports:
        """Ranges; none where they aren't numbers."""
        if isinstance(right, int):
            return ((right, right),)
        if isinstance(right, str):
            named = self._sets.get((*chain[:2], right.removeprefix("@")), []) if right.startswith("@") else []
            return self._ports(chain, {"set": named})
        if isinstance(right, dict) and "range" in right:
            low, high = right["range"]
            return ((int(low), int(high)),)
        if isinstance(right, dict) and "set" in right:
            members = right["set"] if isinstance(right["set"], list) else [right["set"]]
            return tuple(part for member in members for part in self._ports(chain, member))
        return ()


_TRANSPORTS: Final = {"tcp": Transport.TCP, "udp": Transport.UDP}


def _protocol(match: Mapping[str, Any]) -> Transport | None:
    """The protocol of ``meta l4proto tcp`` and ``ip protocol tcp``."""
    left = match["left"]
    about = (
        left.get("meta", {}).get("key") or left.get("payload", {}).get("field")
        if isinstance(left, dict)
        else None
    )
    if about in ("l4proto", "protocol", "nexthdr") and isinstance(match["right"], str):
        return _TRANSPORTS.get(match["right"])
    return None


def _verdict(expressions: Sequence[Any]) -> tuple[str | None, str | None]:
    """What the rule does to a packet, or the chain that it goes on to."""
    for expression in expressions:
        for word in ("drop", "reject"):
            if word in expression:
                return word, None
        if expression.get("xt", {}).get("type") == "target":
            return _XT_VERDICTS.get(expression["xt"].get("name", "")), None
        for word in ("jump", "goto"):
            if word in expression:
                return None, expression[word]["target"]
    return None, None


def _packets(expressions: Sequence[Any]) -> int | None:
    for expression in expressions:
        if isinstance(counter := expression.get("counter"), dict):
            return int(counter["packets"])
    return None
