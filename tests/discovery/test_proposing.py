from tests.discovery.made import elsewhere, here
from trueup.discovery.found import Door, Link
from trueup.discovery.nginx_sites import Listen, Site
from trueup.discovery.proposing import Surroundings, propose

DATABASE = here("postgres", 5432, process="postgres", unit="postgresql@15-main.service")
API = here("http", 8000, process="python3", unit="shop-api.service", pid=2)
WEB = here("http", 80, process="nginx", unit="nginx.service", bound_to=("0.0.0.0",), pid=3)
SECURE = here("https", 443, process="nginx", unit="nginx.service", bound_to=("0.0.0.0",), pid=3)


def test_each_has_its_tier_its_unit_and_what_is_for_the_inside() -> None:
    (service,) = propose([DATABASE], Surroundings())
    assert service.name == "postgresql"
    assert service.keys == {"tier": 1, "unit": "postgresql@15-main.service", "internal": True}
    assert service.guesses["internal"] == "a guess: it listens on 127.0.0.1 only"


def test_a_store_that_is_open_to_all_is_not_called_internal() -> None:
    (service,) = propose([here("redis", 6379, process="redis-server", bound_to=("0.0.0.0",))], Surroundings())
    assert "internal" not in service.keys
    assert "internal: true would tell" in service.notes[0]


def test_a_web_server_on_loopback_is_not_called_internal() -> None:
    (service,) = propose([API], Surroundings())
    assert "internal" not in service.keys


def test_a_program_without_a_unit_is_named_by_its_process_unless_that_says_nothing() -> None:
    own, other = propose(
        [here("http", 1, process="shopd"), here("http", 2, process="python3.11")], Surroundings()
    )
    assert own.keys["process"] == "shopd"
    assert "process" not in other.keys


def test_who_keeps_a_connection_to_another_needs_it() -> None:
    links = [Link(API.door, "127.0.0.1", 5432), Link(API.door, "10.0.0.7", 6379)]
    cache = elsewhere("redis", "10.0.0.7", 6379)
    _, api, _ = propose([DATABASE, API, cache], Surroundings(links=links))
    assert api.keys["needs"] == ["postgresql", "redis-10.0.0.7"]
    assert api.guesses["needs"] == "a guess: connections that it keeps"


def test_needs_never_run_in_a_circle() -> None:
    links = [Link(API.door, "127.0.0.1", 5432), Link(DATABASE.door, "127.0.0.1", 8000)]
    database, api = propose([DATABASE, API], Surroundings(links=links))
    assert api.keys["needs"] == ["postgresql"]
    assert "needs" not in database.keys


def test_nobody_needs_itself_or_whom_it_cannot_have_met() -> None:
    other = here("redis", 6379, process="redis-server", bound_to=("10.0.0.1",), pid=9)
    links = [Link(API.door, "127.0.0.1", 8000), Link(API.door, "127.0.0.1", 6379)]
    services = propose([API, other], Surroundings(links=links))
    assert all("needs" not in service.keys for service in services)


def test_a_virtual_host_is_asked_by_its_name_where_nginx_listens_and_needs_it() -> None:
    site = Site(
        ("shop.example",),
        (Listen("", 80, tls=False), Listen("", 443, tls=True)),
        (("127.0.0.1", 8000), ("localhost", 5432), ("192.0.2.1", 80)),
    )
    found = [WEB, SECURE, API, DATABASE]
    services = propose(found, Surroundings(sites={WEB.door: [site], SECURE.door: [site]}))
    shop = services[-1]
    assert (shop.name, shop.at) == ("shop.example", "https://127.0.0.1:443/")
    assert shop.keys == {
        "tier": 1,
        "unit": "nginx.service",
        "send": {"headers": {"Host": "shop.example"}},
        "tls": {"server_name": "shop.example"},
        "needs": ["nginx-https", "shop-api", "postgresql"],
    }


def test_a_site_that_nobody_serves_or_has_no_name_is_none() -> None:
    sites = [
        Site((), (Listen("", 80, tls=False),), ()),
        Site(("x.example",), (Listen("", 8443, tls=True),), ()),
    ]
    assert len(propose([WEB], Surroundings(sites={WEB.door: sites}))) == 1


def test_who_was_not_told_is_a_connection_and_said_to_be() -> None:
    (service,) = propose([here("", 2024)], Surroundings())
    assert (service.at, service.keys["tier"]) == ("tcp://127.0.0.1:2024", 3)
    assert "a connection and no more" in service.notes[0]


def test_an_address_of_ipv6_is_in_brackets() -> None:
    assert Door("::1", 80).place == "[::1]:80"
