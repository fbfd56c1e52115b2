import pytest

from tests.host.fake_reader import NOW, container, listening
from tests.host.units import unit
from trueup.host.facts import InterfaceAddress, Owner, Transport
from trueup.host.report import Counter, HostReport, Listener, takes


def listener(port: int, address: str, **said: object) -> Listener:
    return Listener(listening(port, address, **said), "shop", Owner(None))


def report(**said: object) -> HostReport:
    return HostReport("db-1", NOW, None, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bound", "v6_only", "asked", "answer"),
    [
        ("127.0.0.1", None, "127.0.0.1", True),
        ("127.0.0.1", None, "10.0.0.7", False),
        ("0.0.0.0", None, "10.0.0.7", True),
        ("0.0.0.0", None, "::1", False),
        ("::", False, "10.0.0.7", True),
        ("::", None, "10.0.0.7", True),
        ("::", True, "10.0.0.7", False),
        ("::", True, "fd00::2", True),
        ("::1", True, "fd00::2", False),
    ],
)
def test_which_socket_takes_what_comes_to_an_address(
    bound: str, v6_only: bool | None, asked: str, answer: bool
) -> None:
    assert takes(listening(80, bound, v6_only=v6_only), asked) is answer


def test_an_exact_address_goes_before_any_address() -> None:
    any_address, exact, other = listener(80, "0.0.0.0"), listener(80, "10.0.0.7"), listener(81, "0.0.0.0")
    udp = listener(80, "10.0.0.7", transport=Transport.UDP)
    told = report(listeners=(any_address, exact, other, udp))
    assert told.reached_at("10.0.0.7", 80) == (exact,)
    assert told.reached_at("127.0.0.1", 80) == (any_address,)
    assert told.reached_at("10.0.0.7", 80, Transport.UDP) == (udp,)
    assert told.on_port(80) == (any_address, exact)
    assert told.reached_at("10.0.0.7", 82) == ()


def test_things_are_found_by_their_names() -> None:
    web = container("web", container_id="ab" * 32)
    redis = unit("redis-server.service")
    told = report(containers=(web,), units=(redis,), counters=(Counter("web", "restarts", 5, 2, NOW),))
    assert told.container("web") is web
    assert told.container("ab" * 6) is web
    assert told.container("ab") is None
    assert told.unit("redis-server.service") is redis
    assert told.unit("redis.service") is None
    counter = told.counter("web", "restarts")
    assert counter is not None
    assert counter.rise == 3
    assert told.log("web") is None


def test_own_addresses() -> None:
    told = report(addresses=(InterfaceAddress("eth0", "10.0.0.7", 24), InterfaceAddress("lo", "::1", 128)))
    assert told.is_own("10.0.0.7")
    assert told.is_own("127.0.0.53")
    assert told.is_own("::1")
    assert not told.is_own("10.0.0.8")
