from typing import Any

from tests.discovery.made import here
from trueup.config import Configuration, load_text
from trueup.discovery.comparing import HERE, Changed, Compared, Gone, compare
from trueup.discovery.found import Found, Service
from trueup.discovery.proposing import Surroundings, propose


def services(*found: Found) -> tuple[Service, ...]:
    return propose(found, Surroundings())


def configuration(**written: Any) -> Configuration:
    lines = "".join(f"  {name}: {{{keys}}}\n" for name, keys in written.items())
    return load_text(f"services:\n{lines}", "x")


def compared(before: Configuration, *found: Found) -> Compared:
    return compare(
        before,
        services(*found),
        machine_of=lambda host: HERE if host in ("127.0.0.1", "localhost", "own.example") else host,
        was_looked_at=lambda place: place[0] == HERE and place[1] != 9999,
    )


CACHE = here("redis", 6379, process="redis-server", unit="redis.service")


def test_what_is_written_under_any_of_its_names_is_known() -> None:
    for host in ("127.0.0.1", "localhost:6379", "own.example"):
        assert compared(configuration(mine=f"at: 'redis://{host}'"), CACHE).is_same


def test_new_and_gone() -> None:
    seen = compared(configuration(mine="at: 'smtp://localhost'"), CACHE)
    assert [service.name for service in seen.new] == ["redis"]
    assert seen.gone == (Gone("mine", "smtp://localhost"),)


def test_what_was_not_looked_at_is_not_gone() -> None:
    before = configuration(other="at: 'redis://10.0.0.7'", mine="at: 'tcp://localhost:9999'")
    assert compared(before).is_same


def test_another_protocol_unit_or_door_is_a_change() -> None:
    before = configuration(mine="at: 'postgres://localhost:6379', unit: other, internal: true")
    open_to_all = here("redis", 6379, unit="redis.service", process="redis-server", bound_to=("0.0.0.0",))
    at = "postgres://localhost:6379"
    assert compared(before, open_to_all).changed == (
        Changed("mine", at, "redis answers there now"),
        Changed("mine", at, "redis.service holds it now, and not other.service"),
        Changed("mine", at, "it's internal, and bound to 0.0.0.0 now"),
    )


def test_what_is_asked_more_of_is_no_other_protocol() -> None:
    on_http = ("ws", "nginx", "rabbitmq", "elasticsearch", "opensearch", "solr", "docker", "grpc", "https")
    for at in (*(f"{one}://localhost:80" for one in on_http), "tcp://localhost:80", "localhost:80"):
        assert compared(configuration(mine=f"at: '{at}'"), here("http", 80)).is_same
