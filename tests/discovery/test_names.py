import pytest

from tests.discovery.made import elsewhere, here
from trueup.discovery.found import Found
from trueup.discovery.names import names_of, slug


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (here("redis", 6379, process="redis-server", unit="redis-server.service"), "redis"),
        (here("ssh", 22, process="sshd", unit="ssh.service"), "sshd"),
        (here("smtp", 25, process="master", unit="postfix@-.service"), "postfix"),
        (here("postgres", 5432, process="postgres", unit="postgresql@15-main.service"), "postgresql"),
        (
            here("postgres", 5432, process="postgres", unit="postgresql@15-main.service", part="/shop"),
            "shop-db",
        ),
        (here("postgres", 5432, process="postgres", part="/shop_db"), "shop_db"),
        (here("redis", 6380, process="redis-server", unit="shop-cache.service"), "shop-cache"),
        (here("http", 8000, process="python3", unit="shop-api.service"), "shop-api"),
        (here("http", 8000, process="python3"), "http-8000"),
        (here("http", 8000, process="shopd"), "shopd"),
        (here("amqp", 5672, process="beam.smp", unit="rabbitmq-server.service"), "rabbitmq"),
        (here("", 4369, process="beam.smp"), "port-4369"),
        (here("http", 8080, process="docker-proxy", container="shop-web-1"), "shop-web-1"),
        (elsewhere("redis", "10.0.0.7", 6379), "redis"),
        (elsewhere("", "10.0.0.7", 4369), "port-4369"),
    ],
)
def test_it_is_called_as_a_person_would(found: Found, name: str) -> None:
    assert names_of([found], {}) == [name]


def test_a_container_of_compose_has_the_name_of_its_service() -> None:
    found = here("http", 8080, process="docker-proxy", container="shop-web-1")
    assert names_of([found], {"shop-web-1": "web"}) == ["web"]


def test_of_several_the_one_at_home_keeps_the_bare_name() -> None:
    found = [here("redis", port, process="redis-server") for port in (6380, 6379, 7000)]
    assert names_of(found, {}) == ["redis-6380", "redis", "redis-7000"]


def test_of_one_program_s_doors_the_others_have_their_scheme() -> None:
    doors = [("https", 443), ("http", 80)]
    assert names_of([here(scheme, port, process="nginx") for scheme, port in doors], {}) == [
        "nginx-https",
        "nginx",
    ]


def test_of_several_machines_each_is_named() -> None:
    found = [elsewhere("redis", "10.0.0.7", 6379), elsewhere("redis", "db-2.internal", 6379)]
    assert names_of(found, {}) == ["redis-10.0.0.7", "redis-db-2"]


def test_a_peer_of_this_machine_is_told_from_its_own() -> None:
    found = [here("redis", 6379, process="redis-server"), elsewhere("redis", "10.0.0.7", 6379)]
    assert names_of(found, {}) == ["redis", "redis-10.0.0.7"]


def test_no_two_are_the_same_whatever_they_are_called() -> None:
    found = [
        here("http", 80, unit="web.service", process="x"),
        here("http", 81, unit="web-81.service", process="x"),
        here("http", 81, unit="web.service", process="x", bound_to=("10.0.0.1",)),
    ]
    names = names_of(found, {})
    assert len(set(names)) == 3


def test_a_name_needs_no_quotes_and_has_an_end() -> None:
    assert slug("a b\x1b[31m/ü") == "a-b-31m"
    assert slug("///") == "service"
    assert len(slug("x" * 500)) == 60
