"""What a review finds in documents, part by part."""

import json
from datetime import timedelta

import pytest

from tests.reports.documents import END, at, history, incident, listener, machine, material, target
from trueup.reports.certificates import certificates_of
from trueup.reports.coverage import coverage_of
from trueup.reports.deeper import deeper_of
from trueup.reports.drift import drifts_of
from trueup.reports.material import Material
from trueup.reports.noise import noise_of
from trueup.reports.reading import sections
from trueup.reports.review import document, review
from trueup.reports.roots import roots_of


def suggested(found: Material) -> list[str]:
    return [one.line for one in review(found).suggestions]


# ---- roots ------------------------------------------------


def test_incidents_of_one_cause_are_one_root_and_the_longest_comes_first() -> None:
    found = roots_of(
        material(
            incidents=[
                incident("cache", "refused", 1, 1),
                incident("shop-db", "overloaded", 10, 2),
                incident("shop-db", "overloaded", 20, 3),
            ]
        )
    )
    assert [(one.target, one.cause, len(one.incidents)) for one in found] == [
        ("shop-db", "overloaded", 2),
        ("cache", "refused", 1),
    ]
    assert found[0].lasted == timedelta(hours=5)


def test_what_is_broken_for_want_of_another_is_charged_to_that() -> None:
    found = roots_of(
        material(
            incidents=[
                incident("shop-web", "needs", 1, 1, blame="shop-db"),
                incident("shop-db", "overloaded", 1, 1),
                incident("mail", "needs", 1, 1, blame="storage"),
            ]
        )
    )
    assert [(one.target, one.cause, one.dragged) for one in found] == [
        ("shop-db", "overloaded", {"shop-web": 1}),
        ("storage", "", {"mail": 1}),
    ]


def test_only_the_time_within_the_review_counts() -> None:
    before, after = incident("a", "refused", -5, 6), incident("b", "refused", 7 * 24 - 2, None)
    found = roots_of(material(incidents=[before, after]))
    assert {one.target: one.lasted for one in found} == {"a": timedelta(hours=1), "b": timedelta(hours=2)}
    assert {one.target: one.is_open for one in found} == {"a": False, "b": True}


# ---- noise ------------------------------------------------


def test_failures_that_no_incident_covers_are_blips() -> None:
    calm = history("cache", [1.0] * 20, down=2, up=58)
    covered = history("shop-db", [1.0] * 20, down=60)
    found = noise_of(
        material(
            histories={"cache": calm, "shop-db": covered},
            incidents=[incident("shop-db", "overloaded", 10.2, 0.5, told=False)],
        )
    )
    assert [(one.target, one.failures, one.looks) for one in found.blips] == [("cache", 2, 20 * 60)]


def test_failures_that_are_still_being_confirmed_are_said_to_be() -> None:
    def said(**now: object) -> str:
        found = material(
            targets=[target("cache", "redis://c", **now)],
            histories={"cache": history("cache", [1.0] * 11, down=1, up=59)},
        )
        (line,) = [one.text for one in sections(review(found))[1].lines]
        return line

    assert said(state="down", hard=False, since=at(10.9)) == "cache: 1 failure still being confirmed"
    assert said(state="down", hard=False, since=at(12)) == "cache: 1 failure never confirmed"
    assert said(state="down", hard=True, since=at(10.9)) == "cache: 1 failure never confirmed"
    assert said(state="up", hard=True, since=at(10.9)) == "cache: 1 failure never confirmed"


def test_what_comes_and_goes_flaps() -> None:
    said = incident("a", "slow", 1, 2, timeline=[{"at": at(1), "what": "it comes and goes: flapping"}])
    often = [incident("b", "refused", hour, 0.1) for hour in (1, 2, 3)]
    long_ones = [incident("c", "refused", hour * 10, 5) for hour in (1, 2, 3)]
    found = noise_of(material(incidents=[said, *often, *long_ones]))
    assert [one.target for one in found.flapping] == ["b", "a"]


def test_alerts_out_of_hours_and_never_acknowledged() -> None:
    night, day = incident("a", "refused", 2, 1), incident("b", "refused", 10, 1, acknowledged_by="eva")
    weekend, held = incident("a", "refused", 5 * 24 + 10, 1), incident("c", "needs", 2, 1, told=False)
    found = noise_of(material(incidents=[night, day, weekend, held]))
    assert found.out_of_hours == {"a": 2}
    assert found.unacknowledged == [night["id"], weekend["id"]]
    assert found.alerts == 3


# ---- what lies deeper ------------------------------------------------


def test_what_a_port_check_would_not_have_seen() -> None:
    incidents = [
        incident("shop-db", "overloaded", 1, 1),
        incident("checkout", "step-failed", 2, 1, layer="function"),
        incident("checkout", "step-failed", 4, 1, layer="function"),
        incident("cache", "refused", 2, 1, layer="port"),
        incident("queue", "out-of-memory", 2, 1, layer="host"),
    ]
    found = deeper_of(roots_of(material(incidents=incidents)))
    assert [(one.words, one.times) for one in found] == [
        ("port green, service red", 1),
        ("port green, function red", 2),
        ("explained from inside", 1),
    ]


# ---- drift and certificates ------------------------------------------------


@pytest.mark.parametrize(
    ("series", "grows"),
    [
        ([10.0] * 10 + [20.0] * 10, True),
        ([20.0] * 10 + [10.0] * 10, False),
        ([0.1] * 10 + [0.3] * 10, False),
        ([10.0] * 10 + [11.0] * 10, False),
        ([10.0, 20.0], False),
    ],
)
def test_only_growth_that_matters_is_drift(series: list[float], *, grows: bool) -> None:
    assert bool(drifts_of(material(histories={"a": history("a", series)}))) == grows


def test_the_most_grown_comes_first() -> None:
    histories = {
        "a": history("a", [10.0] * 10 + [20.0] * 10),
        "b": history("b", [10.0] * 10 + [50.0] * 10, "port"),
    }
    found = drifts_of(material(histories=histories))
    assert [(one.target, one.layer, one.growth) for one in found] == [("b", "port", 5), ("a", "service", 2)]


def test_certificates_of_the_next_weeks() -> None:
    def seen(days: int) -> dict[str, object]:
        ends = (END + timedelta(days=days)).isoformat().replace("+00:00", "Z")
        return {"observations": [{"layer": "tls", "facts": {"expires_at": ends}}]}

    targets = [
        target("late", "https://a", **seen(80)),
        target("soon", "https://b", **seen(9)),
        target("gone", "https://c", **seen(-1)),
    ]
    assert [one.target for one in certificates_of(material(targets=targets))] == ["gone", "soon"]


# ---- coverage ------------------------------------------------


def test_listeners_that_nobody_watches() -> None:
    here = machine(
        "db-1",
        listener(5432, "postgres"),
        listener(6379, "redis", unit="redis-server.service"),
        listener(6379, "redis", unit="redis-server.service", address="::"),
        listener(53, None, protocol="udp"),
        listener(8642, "http", process="trueup"),
    )
    here["listeners"].append(listener(8643, "https", process="python3"))
    here["own_ports"] = [8643]
    there = machine("web-1", listener(5432, "postgres"), listener(443, "https"), here=False)
    targets = [
        target("shop-db", "postgres://127.0.0.1/shop"),
        target("elsewhere", "redis://cache.example"),
        target("shop-web", "https://shop.example", observations=[{"vantage": "agent:web-1", "facts": {}}]),
    ]
    found = coverage_of(material(targets=targets, machines=[here, there]))
    assert [(one.host, one.port, one.owner) for one in found.unwatched] == [
        ("db-1", 6379, "redis-server.service"),
        ("web-1", 5432, "postgres"),
    ]


def test_targets_that_ask_a_port_alone() -> None:
    targets = [
        target("db", "tcp://db.internal:5432"),
        target("web", "https://a.example"),
        target("odd", "tcp://db.internal:7777"),
        target("pair", "tcp://a:1, redis://a:6379"),
    ]
    found = coverage_of(material(targets=targets))
    assert [(one.target, one.likely) for one in found.port_alone] == [("db", "postgres"), ("odd", "")]


def test_who_is_never_seen_and_who_alerts_nobody() -> None:
    dark = target("dark", "redis://a", state="unknown")
    found = coverage_of(material(targets=[dark], channels=[], silent=frozenset({"dark"})))
    assert (found.never_seen, found.silent, found.has_channels) == (["dark"], ["dark"], False)
    assert coverage_of(material()).silent is None


# ---- suggestions ------------------------------------------------


def test_a_scheme_for_a_port() -> None:
    assert suggested(material(targets=[target("db", "tcp://db.internal:5432")])) == [
        "db: {at: 'postgres://db.internal:5432'}"
    ]


def test_a_service_for_a_listener() -> None:
    here = machine("here", listener(7000, "redis", unit="cache.service"))
    there = machine(
        "db-1",
        listener(5432, "postgres"),
        listener(6379, "redis", address="127.0.0.1"),
        listener(3306, "mysql", address="2001:db8::7"),
        here=False,
    )
    assert suggested(material(machines=[here, there])) == [
        "cache: {at: 'redis://127.0.0.1:7000'}",
        "postgres: {at: 'postgres://db-1:5432', host: db-1}",
        "mysql: {at: 'mysql://[2001:db8::7]:3306', host: db-1}",
    ]


def test_no_name_is_given_twice() -> None:
    here = machine("here", *(listener(port, "https", process="nginx") for port in (443, 8443, 9443)))
    targets = [target("nginx", "http://127.0.0.1:80")]
    assert suggested(material(machines=[here], targets=targets)) == [
        "nginx-443: {at: 'https://127.0.0.1:443'}",
        "nginx-8443: {at: 'https://127.0.0.1:8443'}",
        "nginx-9443: {at: 'https://127.0.0.1:9443'}",
    ]


def test_a_need_for_what_falls_together() -> None:
    together = [
        one
        for hour in (10, 40, 70)
        for one in (
            incident("shop-db", "refused", hour, 1),
            incident("shop-web", "bad-upstream", hour + 0.01, 1),
        )
    ]
    assert "shop-web: {needs: [shop-db]}" in suggested(material(incidents=together))
    assert "shop-db: {needs: [shop-web]}" not in suggested(material(incidents=together))
    flaps = [incident("shop-web", "bad-upstream", 10 + n / 200, 1) for n in range(1, 5)]
    assert suggested(material(incidents=[together[0], *flaps])) == [], "one fall is one, whatever follows"
    apart = [one for one in together if one["id"] != together[1]["id"]]
    apart.append(incident("shop-web", "bad-upstream", 90, 1))
    apart.append(incident("shop-web", "bad-upstream", 95, 1))
    assert "shop-web: {needs: [shop-db]}" not in suggested(material(incidents=apart))


def test_a_limit_for_what_gets_slower_and_patience_for_what_flaps() -> None:
    histories = {"a": history("a", [10.0] * 10 + [20.0] * 10)}
    incidents = [incident("b", "refused", 34 + hour, 0.1) for hour in (1, 2, 3)]
    assert suggested(material(histories=histories, incidents=incidents)) == [
        "b: {confirm: {failures: 3}, recover: 3}",
        "a: {slow: 80ms}",
    ]


def test_business_hours_for_what_rings_at_night() -> None:
    night = [incident("batch", "refused", day * 24 + 2, 2) for day in range(4)]
    assert "batch: {when: business}" in suggested(
        material(incidents=night, targets=[target("batch", "tcp://a:1")])
    )
    first = target("batch", "tcp://a:1", tier=1)
    assert "batch: {when: business}" not in suggested(material(incidents=night, targets=[first]))


# ---- the whole ------------------------------------------------


def test_nothing_at_all_is_a_review_too() -> None:
    found = document(review(material()))
    assert found["incidents"] == 0
    assert found["roots"] == found["suggestions"] == []
    json.dumps(found)
