"""The DNS probe with a real Unbound and a real BIND, whole and broken."""

import socket

from tests.beds.bind import ZONE, bind
from tests.beds.firewall import Firewall
from tests.beds.namespaces import network
from tests.beds.server import free_port
from tests.beds.unbound import unbound
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.dns import Expect, Send


def test_healthy_servers_as_they_come() -> None:
    with unbound() as resolver, bind() as authority:
        for server, software in ((resolver, "unbound 1."), (authority, "9.")):
            seen = answer(server.url, expect=Expect(tcp=True))
            assert (seen.outcome, seen.cause, seen.facts["tcp"]) == (Outcome.PASS, None, True)
            assert seen.facts["software"].startswith(software)
            named = answer(f"{server.url}/www.example.test", expect=Expect(records=("192.0.2.80",), tcp=True))
            assert (named.outcome, named.facts["records"]) == (Outcome.PASS, ["192.0.2.80"])


def test_servers_that_hide_their_version() -> None:
    with unbound("server:\n    hide-version: yes") as server:
        assert answer(server.url).facts == {"rcode": "REFUSED"}
    with bind("recursion no; version none;") as server:
        assert answer(server.url).cause is None


def test_types_and_records() -> None:
    with bind() as server:
        mail = answer(f"{server.url}/example.test?type=MX", expect=Expect(records=("10 www.example.test",)))
        assert (mail.cause, mail.facts["authoritative"]) == (None, True)
        assert answer(f"{server.url}/alias.example.test").cause is None
        wrong = answer(f"{server.url}/www.example.test", expect=Expect(records=("192.0.2.81",)))
        assert wrong.cause is Cause.WRONG_ANSWER
        none = answer(f"{server.url}/ns.example.test", send=Send("AAAA"))
        assert none.cause is Cause.WRONG_ANSWER


def test_errors() -> None:
    """Ghost 22: NXDOMAIN, REFUSED."""
    with bind() as server:
        gone = answer(f"{server.url}/gone.example.test")
        assert (gone.cause, gone.facts["rcode"]) == (Cause.ERROR_ANSWER, "NXDOMAIN")
        assert answer(f"{server.url}/gone.example.test", expect=Expect(rcode="NXDOMAIN")).cause is None
        refused = answer(f"{server.url}/www.elsewhere.test")
        assert (refused.cause, refused.facts["rcode"]) == (Cause.ERROR_ANSWER, "REFUSED")


def test_a_zone_that_isnt_loaded() -> None:
    with bind(zones='zone "broken.test" { type primary; file "missing.zone"; };') as server:
        broken = answer(f"{server.url}/www.broken.test")
        assert (broken.cause, broken.facts["rcode"]) == (Cause.ERROR_ANSWER, "SERVFAIL")


FORWARD = """
server:
    local-zone: "dead.test." transparent
forward-zone:
    name: "dead.test."
    forward-addr: 127.0.0.1@{}
"""


def test_a_forwarder_that_refuses() -> None:
    with unbound(FORWARD.format(free_port())) as server:
        seen = answer(f"{server.url}/www.dead.test", timeout_s=1.5)
        assert seen.cause is Cause.ERROR_ANSWER


def test_a_forwarder_that_is_silent() -> None:
    """Ghost 22: the resolver lives, and says nothing about the name for longer than anybody waits."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        with unbound(FORWARD.format(dead.getsockname()[1])) as server:
            seen = answer(f"{server.url}/www.dead.test", timeout_s=1.5)
            assert seen.cause is Cause.ERROR_ANSWER
            assert "it lives" in seen.detail
            assert answer(f"{server.url}/www.example.test").cause is None


def test_an_answer_too_long_for_a_datagram() -> None:
    records = "\n".join(
        f'    local-data: "many.example.test. TXT {"x" * 200}{number}"' for number in range(20)
    )
    with unbound(f"server:\n{records}") as server:
        seen = perform(f"{server.url}/many.example.test", send=Send("TXT"))
        assert seen.answer is not None
        assert (seen.answer.cause, len(seen.answer.facts["records"])) == (None, 20)
        assert seen.redials == 1


def test_tcp_that_isnt_answered_while_udp_is() -> None:
    """Ghost 22, without a firewall: this one has no TCP at all."""
    with unbound("server:\n    do-tcp: no") as server:
        assert answer(f"{server.url}/www.example.test").cause is None
        seen = perform(f"{server.url}/www.example.test", expect=Expect(tcp=True))
        assert [mark.cause for mark, _ in seen.marks] == [None]
        assert seen.fault is not None
        assert (seen.fault.layer, seen.fault.cause) == (Layer.PORT, Cause.REFUSED)


def test_a_firewall_lets_udp_through_and_no_tcp() -> None:
    """Ghost 22."""
    with network("monitor", "server") as (monitor, place), place.enter(), bind(address=place.ipv4) as server:
        firewall = Firewall(place)
        with monitor.enter():
            assert answer(f"{server.url}/www.example.test", expect=Expect(tcp=True)).cause is None
            with firewall.drop(server.port):
                assert answer(f"{server.url}/www.example.test").cause is None
                seen = perform(f"{server.url}/www.example.test", timeout_s=0.8, expect=Expect(tcp=True))
        assert [mark.cause for mark, _ in seen.marks] == [None]
        assert seen.fault is not None
        assert (seen.fault.layer, seen.fault.cause) == (Layer.PORT, Cause.NO_ANSWER)


def test_paused_it_is_silent_and_gone_it_is_refused() -> None:
    with unbound() as server:
        with server.paused():
            silent = perform(server.url, timeout_s=0.8).fault
            assert silent is not None
            assert silent.cause is Cause.SILENT
        server.stop()
        refused = perform(server.url, timeout_s=2).fault
        assert refused is not None
        assert refused.cause is Cause.REFUSED


TWO_SERVERS = (
    ZONE
    + """
@       IN NS   other.example.test.
other   IN A    10.9.9.2
"""
)


def test_every_name_server_of_a_zone() -> None:
    every = Expect(records=("192.0.2.80",), every_server=True)
    with network("names") as (place,), place.enter():
        place.run("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start")
        place.add_loopback_address("10.9.9.2")
        with bind(zone=TWO_SERVERS, port=53) as first:
            name = f"{first.url}/www.example.test"
            with bind(zone=TWO_SERVERS, address="10.9.9.2", port=53) as second:
                both = answer(name, expect=every)
                servers = {"ns.example.test.": "as expected", "other.example.test.": "as expected"}
                assert (both.cause, both.facts["servers"]) == (None, servers)
                with second.paused():
                    silent = answer(name, expect=every)
                assert (silent.outcome, silent.cause) == (Outcome.SLOW, Cause.SILENT)
            refused = answer(name, expect=every)
            assert refused.facts["servers"]["other.example.test."] == "refused"
            with bind(zone=TWO_SERVERS.replace("192.0.2.80", "192.0.2.79"), address="10.9.9.2", port=53):
                stale = answer(name, expect=every)
            assert (stale.outcome, stale.cause) == (Outcome.FAIL, Cause.WRONG_ANSWER)
            assert "other.example.test., one of its name servers" in stale.detail
