import asyncio
import json

import pytest

from tests.beds.capabilities import require_capability
from tests.beds.firewall import Firewall as Bed
from tests.beds.namespaces import network
from tests.host.sample import sample_bytes
from trueup.host.facts import Firewall, FirewallRule, Transport
from trueup.host.firewall import parse_ruleset, read_firewall
from trueup.host.unreadable import HostUnreadable, Reason

SAMPLE = parse_ruleset(sample_bytes("nft_ruleset.json"))


def test_all_that_stops_what_comes_in() -> None:
    tcp, udp = Transport.TCP, Transport.UDP
    assert (
        Firewall(
            closed=("ip filter INPUT",),
            rules=(
                FirewallRule("inet t in", "drop", tcp, ((5432, 5432),), more=False, packets=0),
                FirewallRule("inet t in", "reject", tcp, ((80, 80), (8000, 8010)), more=False, packets=None),
                FirewallRule("inet t in", "drop", tcp, ((25, 25), (110, 120)), more=False, packets=None),
                FirewallRule("inet t other", "reject", None, (), more=True, packets=0),
                FirewallRule("inet t in", "drop", udp, ((53, 53),), more=True, packets=None),
                FirewallRule("inet t in", "drop", tcp, ((6000, 6010),), more=False, packets=None),
                FirewallRule("ip filter INPUT", "drop", tcp, ((3306, 3306),), more=False, packets=0),
                FirewallRule("ip filter INPUT", "reject", tcp, (), more=True, packets=0),
            ),
        )
        == SAMPLE
    )


@pytest.mark.parametrize(
    ("port", "transport", "places"),
    [
        (5432, Transport.TCP, 3),  # its own, the chain behind a jump, and one that isn't understood
        (8005, Transport.TCP, 3),
        (115, Transport.TCP, 3),
        (9, Transport.TCP, 2),  # dropped on its way out only
        (53, Transport.UDP, 2),
        (54, Transport.UDP, 1),
    ],
)
def test_rules_that_may_mean_a_port(port: int, transport: Transport, places: int) -> None:
    assert len([rule for rule in SAMPLE.rules if rule.may_meet(port, transport)]) == places


def test_no_rules_no_filter() -> None:
    empty = parse_ruleset(b'{"nftables": [{"metainfo": {}}]}')
    assert empty == Firewall((), ())
    assert not empty.filters
    assert SAMPLE.filters


def test_chains_that_go_in_circles_end() -> None:
    chain = {"family": "ip", "table": "t", "name": "a", "hook": "input", "policy": "accept"}
    rule = {"family": "ip", "table": "t", "chain": "a", "expr": [{"jump": {"target": "a"}}]}
    text = json.dumps({"nftables": [{"chain": chain}, {"rule": rule}]}).encode()
    assert parse_ruleset(text) == Firewall((), ())


@pytest.mark.parametrize("text", [b"", b"[]", b'{"nftables": [{"rule": {"x": 1}}]}', b'{"nftables": [7]}'])
def test_another_form_is_refused(text: bytes) -> None:
    with pytest.raises(HostUnreadable) as caught:
        parse_ruleset(text)
    assert caught.value.reason is Reason.MALFORMED


def test_a_real_firewall_and_what_it_met() -> None:
    require_capability("nftables")
    with network("client", "server") as (client, server):
        bed = Bed(server)
        bed.drop(6379)
        client.run(
            "python3",
            "-c",
            f"import socket; socket.create_connection(('{server.ipv4}', 6379), 0.3)",
            check=False,
        )
        found = asyncio.run(read_firewall(server.prefix))
        (rule,) = [rule for rule in found.rules if rule.may_meet(6379, Transport.TCP)]
        assert rule.verdict == "drop"
        assert rule.packets is None or rule.packets > 0
        assert not any(rule.may_meet(6380, Transport.TCP) for rule in found.rules)


def test_an_ordinary_user_may_not_ask() -> None:
    require_capability("nftables")
    with network("server") as (server,):
        prefix = (*server.prefix, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
        with pytest.raises(HostUnreadable) as caught:
            asyncio.run(read_firewall(prefix))
        assert caught.value.reason is Reason.PERMISSION
