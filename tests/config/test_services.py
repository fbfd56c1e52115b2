import pytest

from tests.config.written import loaded, problem, problems
from trueup.domain.secret import Secret
from trueup.domain.target import Kind, Login
from trueup.probes import http, postgres, redis

NEITHER = "it is no address and has no keys; write x: redis://10.0.0.7:6379, or at: below it"
NO_PORT = "names no port and no scheme; write localhost:PORT, or a scheme as in https://localhost"
NO_SCHEME = "a bare HOST:PORT takes no 'roundtrip'; write the scheme, as in redis://HOST:PORT"
UNSEEN = "the name has a character that can't be seen; write letters, digits, - and _"


def service(*lines: str) -> str:
    return "\n".join(["services:", "  db:", *(f"    {line}" for line in lines)]) + "\n"


def test_the_short_form_is_an_address() -> None:
    configuration = loaded("services:\n  cache: redis://10.0.0.7\n")
    (target,) = configuration.targets
    (check,) = configuration.checks["cache"]
    assert (target.name, target.kind, target.tier, target.enabled) == ("cache", Kind.SERVICE, 2, True)
    assert (check.target, check.probe, check.timeout_s) == (target, redis.PROBE, 5.0)
    assert check.options == redis.Options(check.address)


@pytest.mark.parametrize(
    ("written", "name"),
    [("redis-server", "redis-server"), ("/usr/bin/redis-server", "redis-server"), ("kworker/0", "kworker/0")],
)
def test_a_process_is_known_by_its_name_also_where_its_path_is_written(written: str, name: str) -> None:
    (target,) = loaded(service("at: redis://h", f"process: {written}")).targets
    assert target.process == name


def test_what_is_written_reaches_the_probe() -> None:
    text = service(
        "at: postgres://db.internal:5432/shop",
        "login: {user: monitor, password: hunter2}",
        "query: select 1",
        "expect: {role: primary, rows: 1}",
    )
    (check,) = loaded(text).checks["db"]
    assert isinstance(check.options, postgres.Options)
    assert check.options.login == Login(Secret("hunter2"), "monitor")
    assert check.options.query == "select 1"
    assert (check.options.expect.role, check.options.expect.rows) == ("primary", 1)


def test_what_is_written_reaches_the_target() -> None:
    text = service(
        "at: redis://h",
        "tier: 1",
        "host: db-1",
        "unit: redis.service",
        "internal: yes",
        "slow: 100ms",
        "timeout: 3s",
        "runbook: https://wiki.example/db",
        "description: the cache",
        "tags: [a, b]",
        "enabled: false",
    )
    (target,) = loaded(text).targets
    assert (target.tier, target.host, target.unit, target.internal) == (1, "db-1", "redis.service", True)
    assert (target.slow_s, target.timeout_s, target.tags) == (0.1, 3.0, ("a", "b"))
    assert (target.runbook, target.description) == ("https://wiki.example/db", "the cache")
    assert target.enabled is False
    assert loaded(text).checks["db"][0].timeout_s == 3.0


def test_several_addresses_are_several_checks_of_one_target() -> None:
    configuration = loaded(service("at: [redis://a, tcp://b:1]", "roundtrip: true"))
    one, other = configuration.checks["db"]
    assert [address.host for address in configuration.targets[0].at] == ["a", "b"]
    assert one.options.roundtrip is True
    assert other.probe is not None
    assert other.probe.name == "tcp"


def test_a_bare_address_is_looked_at_as_whatever_answers() -> None:
    (check,) = loaded("services:\n  x: 10.0.0.1:6379\n").checks["x"]
    assert (check.probe, check.options, check.timeout_s) == (None, None, 5.0)


def test_a_password_may_stand_alone() -> None:
    for written in ("login: {password: hunter2}", "login: hunter2"):
        (check,) = loaded(service("at: redis://h", written)).checks["db"]
        assert check.options.login == Login(Secret("hunter2"))


@pytest.mark.parametrize("written", ["0123", "1e5", "true", "0x1F", "1.10"])
def test_a_password_is_what_is_written_also_where_it_looks_like_a_number(written: str) -> None:
    for line in (f"login: {{password: {written}}}", f"login: {written}"):
        (check,) = loaded(service("at: redis://h", line)).checks["db"]
        assert check.options.login == Login(Secret(written))


def test_a_number_in_a_place_of_text_is_text() -> None:
    (check,) = loaded(service("at: http://h", "expect: {contains: 0200, json: {n: 3}}")).checks["db"]
    assert check.options.expect.contains == "0200"
    assert check.options.expect.json == {"n": 3}


def test_tls_is_for_the_check_and_for_probes_that_ask_for_it() -> None:
    (check,) = loaded(service("at: postgres://h", "tls: {ca: /ca.pem, expires_within: 30d}")).checks["db"]
    assert check.tls is not None
    assert (check.tls.ca, check.tls.expires_within_s) == ("/ca.pem", 30 * 86400)
    assert check.options.tls == check.tls
    (check,) = loaded(service("at: rediss://h", "tls: {verify: false}")).checks["db"]
    assert check.tls is not None
    assert check.tls.verify is False


def test_how_http_is_spoken() -> None:
    text = service(
        "at: https://h/",
        "http:",
        "  proxy: http://user:pw@proxy:3128",
        "  headers: {X-Key: k}",
        "  oauth2: {token_url: https://t, client_id: i, client_secret: s}",
    )
    settings = loaded(text).http["db"]
    assert settings.proxy is not None
    assert (settings.proxy.host, settings.proxy.password) == ("proxy", Secret("pw"))
    assert settings.headers == {"X-Key": Secret("k")}
    assert settings.oauth2 is not None
    assert settings.oauth2.client_secret == Secret("s")


def test_http_options_are_its_own() -> None:
    text = service(
        "at: https://h/", "send: {method: GET, headers: {X-Probe: trueup}}", "expect: {status: 204}"
    )
    (check,) = loaded(text).checks["db"]
    assert isinstance(check.options, http.Options)
    assert check.options.send.headers == {"X-Probe": "trueup"}
    assert check.options.expect.accepts(204)
    assert not check.options.expect.accepts(200)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["at: mysql://h", "querry: x"], "4: services.db.querry: unknown key 'querry'; did you mean query?"),
        (
            ["at: redis://h", "querry: x"],
            "4: services.db.querry: unknown key 'querry'; did you mean query, known to mysql postgres?",
        ),
        (["at: redis://h", "url: x"], "4: services.db.url: unknown key 'url'; did you mean at?"),
        (
            ["at: redis://h", "depends_on: [x]"],
            "4: services.db.depends_on: unknown key 'depends_on'; did you mean needs?",
        ),
        (
            ["at: redis://h", "interval: 1m"],
            "4: services.db.interval: unknown key 'interval'; did you mean every?",
        ),
        (["at:redis://h"], "2: services.db: there's no space after 'at:'; write at: VALUE"),
        (["at: redis://h", "needz: x"], "4: services.db.needz: unknown key 'needz'; did you mean needs?"),
        (
            ["at: redis://h", "query: x"],
            "4: services.db.query: 'query' means nothing to redis; it takes expect login queues roundtrip",
        ),
        (
            ["at: redis://h", "expect: {rol: primary}"],
            "4: services.db.expect.rol: unknown key 'rol'; did you mean role?",
        ),
        (
            ["at: redis://h", "expect: {role: primry}"],
            "4: services.db.expect.role: 'primry' is none of primary replica; did you mean primary?",
        ),
        (
            ["at: postgres://h", "query: select 1", "expect: {rows: -1}"],
            "5: services.db.expect.rows: '-1' is too little; write 0 or more",
        ),
        (
            ["at: redis://h", "expect: primary"],
            "4: services.db.expect: it needs keys, not 'primary'; its keys: role",
        ),
        (
            ["at: redis://h", "roundtrip: maybe"],
            "4: services.db.roundtrip: it needs true or false, not 'maybe'; write true or false",
        ),
        (["at: redis://h", "slow: 30"], "4: services.db.slow: 30 has no unit; write 30s"),
        (["at: redis://h", "timeout: 5min"], "4: services.db.timeout: '5min' is no duration; write 5m"),
        (
            ["at: redis://h", "timeout: [1s]"],
            "4: services.db.timeout: it needs a duration, not a list; as in 30s",
        ),
        (
            ["at: redis://h", "tier: one"],
            "4: services.db.tier: it needs a whole number, not 'one'; as in 3",
        ),
        (
            ["at: redis://h", "tier: true"],
            "4: services.db.tier: it needs a whole number, not 'true'; as in 3",
        ),
        (
            ["at: redis://h", "tier: 7"],
            "4: services.db.tier: there is no tier 7; known: 1 2 3; or add it to tiers:",
        ),
        (
            ["at: redis://h", "unit: [a]"],
            "4: services.db.unit: it needs text, not a list; put it in quotes",
        ),
        (
            ["at: redis://h", "description:"],
            "4: services.db.description: it needs text, not nothing; write a value, or leave the key out",
        ),
        (
            ["at: redis://h", "tags: {a: b}"],
            "4: services.db.tags: it needs text, not keys; put it in quotes",
        ),
        (
            ["at: redis://h", "login: {user: m, pasword: x, password: y}"],
            "4: services.db.login.pasword: unknown key 'pasword'; did you mean password?",
        ),
        (
            ["at: redis://h", "login: {user: m}"],
            "4: services.db.login.password: it is missing; add password:",
        ),
        (
            ["at: redis://h", "login: {password: [a]}"],
            "4: services.db.login.password: it needs a secret, not a list; as in ${PASSWORD}",
        ),
        (
            ["at: redis://h", "tls: {verify: false}"],
            "4: services.db.tls: redis:// speaks no TLS; did you mean rediss://?",
        ),
        (["at: icmp://h", "tls: {verify: false}"], "4: services.db.tls: icmp:// speaks no TLS; remove it"),
        (
            ["at: redis://h", "http: {proxy: http://p}"],
            "4: services.db.http: redis isn't asked over HTTP; remove it",
        ),
        (
            ["at: https://h", "http: {proxy: socks5://p}"],
            "4: services.db.http.proxy: unknown scheme 'socks5'; known: http https",
        ),
        (
            ["at: h:80", "roundtrip: true"],
            f"4: services.db.roundtrip: {NO_SCHEME}",
        ),
        (
            ["at: h:80", "tls: {}"],
            "4: services.db.tls: a bare HOST:PORT takes no tls; write the scheme, as in https://HOST:PORT",
        ),
        (["at: postgress://h"], "3: services.db.at: unknown scheme 'postgress'; did you mean postgres://?"),
        (
            ["at: [redis://h, 'redis://h:99999']"],
            "3: services.db.at[1]: 'redis://h:99999' has no valid port; a port is 1 to 65535",
        ),
        (["at: postgres://u:hunter2@h:x"], None),
        (["tier: 1"], "2: services.db.at: it has no address; write at: redis://10.0.0.7:6379"),
        (["at: []"], "3: services.db.at: it has no address; write at: redis://10.0.0.7:6379"),
        (["at:"], "3: services.db.at: it has no address; write at: redis://10.0.0.7:6379"),
        (
            ["at: redis://h", "heartbeat: {grace: 1h}"],
            "4: services.db.heartbeat: it has neither every: nor cron:; write one of them",
        ),
        (
            ["at: postgres://h", "expect: {rows: 1}"],
            "2: services.db: expect: rows and value are of a query; add query",
        ),
        (
            ["at: https://h", "expect: {status: {a: 1}}"],
            "4: services.db.expect.status: it needs a whole number or text, not keys; write one of them",
        ),
        (
            ["at: https://h", "send: {headers: [a]}"],
            "4: services.db.send.headers: it needs keys, not a list; write {NAME: VALUE}",
        ),
    ],
)
def test_what_is_wrong_with_a_service(lines: list[str], said: str | None) -> None:
    found = problem(service(*lines))
    if said is not None:
        assert found == said
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "5",
            f"2: services.x: {NEITHER}",
        ),
        (
            "[a]",
            f"2: services.x: {NEITHER}",
        ),
        ("", "2: services.x: nothing is written; write x: redis://10.0.0.7:6379, or at: below it"),
        (
            "localhost",
            f"2: services.x: 'localhost' {NO_PORT}",
        ),
    ],
)
def test_what_is_no_service(value: str, said: str) -> None:
    assert problem(f"services:\n  x: {value}\n") == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ('""', "2: services.: the name is empty; write a name"),
        ('" a"', "2: services. a: the name begins or ends with a space; remove it"),
        (
            '"a\\x1bb"',
            f"2: services.a\\x1bb: {UNSEEN}",
        ),
        ('"a\\u202eb"', None),
        ('"tag:x"', "2: services.tag:x: a name can't begin with tag:; it means the targets with that tag"),
        ("..", "2: services...: a name can't be ..; in an address that's a folder: its page can't be opened"),
        ("x" * 201, None),
    ],
)
def test_what_is_no_name(name: str, said: str | None) -> None:
    found = problem(f"services:\n  {name}: redis://h\n")
    assert said is None or found == said
    assert "\x1b" not in found


def test_a_name_that_looks_like_a_number_is_a_name() -> None:
    assert [target.name for target in loaded("services:\n  007: redis://h\n  yes: redis://h\n").targets] == [
        "007",
        "yes",
    ]


def test_all_that_is_wrong_comes_at_once() -> None:
    text = service(
        "at: redis://h",
        "query: x",
        "tier: 9",
        "slow: 30",
        "timeout: soon",
        "needs: [nobody]",
        "every: 0s",
        "confirm: {failures: 0, apart: 2}",
        "alert: [nobody]",
        "when: weekends",
        "expect: {role: king}",
    )
    assert [found.split(": ")[1].removeprefix("services.db.") for found in problems(text)] == [
        "query",
        "tier",
        "slow",
        "timeout",
        "needs[0]",
        "every",
        "confirm.failures",
        "confirm.apart",
        "alert[0]",
        "when",
        "expect.role",
    ]


def test_keys_of_a_service_without_a_good_address_are_judged_as_far_as_they_can_be() -> None:
    assert problems(service("at: redsi://h", "querry: x", "query: x", "slow: 5")) == [
        "3: services.db.at: unknown scheme 'redsi'; did you mean redis://?",
        "4: services.db.querry: unknown key 'querry'; did you mean query?",
        "6: services.db.slow: 5 has no unit; write 5s",
    ]


def test_a_key_that_only_one_of_several_probes_understands_is_its() -> None:
    found = problem(service("at: [redis://a, tcp://b:1]", "query: x"))
    assert found.startswith("4: services.db.query: 'query' means nothing to redis and tcp; it takes")


def test_a_timeout_of_nothing_is_a_problem() -> None:
    said = problem("services: {a: {at: redis://h, timeout: 0s}}")
    assert said == "1: services.a.timeout: in 0s nobody can look; leave it out for the default"
