import pytest

from tests.config.written import loaded, problem, problems
from trueup.domain.journey import (
    Browse,
    Click,
    Command,
    CommandExpect,
    Fill,
    HttpRequest,
    Journey,
    MailRoundTrip,
    Open,
    ProbeLook,
    Save,
    SaveFrom,
    See,
    StepKind,
)
from trueup.domain.secret import Secret
from trueup.domain.target import Kind
from trueup.probes import postgres, redis
from trueup.probes.http_expect import Expect


def journey(*steps: str, more: str = "") -> str:
    return "\n".join(["journeys:", "  j:", "    steps:", *(f"      - {step}" for step in steps), more])


def read(*steps: str, env: dict[str, str] | None = None) -> Journey:
    return loaded(journey(*steps, more="monitor: {allow_commands: true}"), env).journeys["j"]


def test_a_journey_is_a_target_with_a_deadline() -> None:
    text = """
        journeys:
          checkout: {tier: 1, slow: 5s, http: {headers: {X: y}}, tls: {ca: /ca.pem}, steps: [{probe: tcp://h:1}]}
        """
    configuration = loaded(text)
    (target,) = configuration.targets
    assert (target.kind, target.at, target.tier, target.slow_s) == (Kind.JOURNEY, (), 1, 5.0)
    assert target.timeout_s == 60.0
    one = configuration.journeys["checkout"]
    assert one.http is not None
    assert one.tls is not None
    assert one.http.headers == {"X": Secret("y")}
    assert configuration.policies["checkout"].every_s == 60


def test_an_http_step() -> None:
    (step,) = read(
        "{http: {post: https://h/login, json: {user: u}, headers: {A: b}, redirects: false}, "
        "expect: {status: 200}, name: log in, timeout: 5s, slow: 1s, always: true}"
    ).steps
    assert isinstance(step.action, HttpRequest)
    assert (step.action.method, step.action.url.text) == ("POST", "https://h/login")
    assert (step.action.json, step.action.redirects) == ({"user": "u"}, False)
    assert isinstance(step.expect, Expect)
    assert step.expect.accepts(200)
    assert (step.name, step.timeout_s, step.slow_s, step.always) == ("log in", 5.0, 1.0, True)


def test_an_http_step_may_be_its_url() -> None:
    (step,) = read("http: https://h/").steps
    assert isinstance(step.action, HttpRequest)
    assert step.action.method == "GET"


def test_a_probe_step_takes_what_its_protocol_understands() -> None:
    one, two, three, four = read(
        "redis: {at: redis://h, roundtrip: true}",
        "{postgres: {at: postgres://h/d, query: select 1}, expect: {rows: 1}}",
        "probe: tcp://h:22",
        "probe: h:22",
    ).steps
    assert isinstance(one.action, ProbeLook)
    assert isinstance(one.action.options, redis.Options)
    assert one.action.options.roundtrip is True
    assert isinstance(two.action, ProbeLook)
    assert isinstance(two.action.options, postgres.Options)
    assert two.action.options.expect.rows == 1
    assert (three.kind, four.kind) == (StepKind.PROBE, StepKind.PROBE)
    assert isinstance(four.action, ProbeLook)
    assert four.action.options is None


def test_a_scheme_of_the_same_probe_will_do() -> None:
    (step,) = read("{mysql: {at: mariadb://h, tls: {verify: false}}}").steps
    assert isinstance(step.action, ProbeLook)
    assert step.action.tls is not None
    assert step.action.options.tls == step.action.tls


def test_a_mail_step() -> None:
    (step,) = read(
        "mail: {send: submission://mail, receive: 'imaps://u:p@mail', within: 90s, "
        "from: a@b, to: c@d, login: {user: u, password: p}}"
    ).steps
    assert isinstance(step.action, MailRoundTrip)
    assert (step.action.within_s, step.action.from_, step.action.to) == (90.0, "a@b", "c@d")
    assert step.action.receive.password == Secret("p")


def test_a_command_step() -> None:
    one, two = read("command: [ls, -l, 3]", "{command: [x], expect: {status: [0, 1], contains: ok}}").steps
    assert one.action == Command(("ls", "-l", "3"))
    assert one.expect == CommandExpect((0,))
    assert two.expect == CommandExpect((0, 1), "ok")


def test_a_browser_step() -> None:
    (step,) = read(
        "browser: [{open: https://h/}, {fill: {'#u': probe, '#p': 7}}, {click: '#go'}, {see: Hi}]"
    ).steps
    assert isinstance(step.action, Browse)
    opened, *rest = step.action.actions
    assert isinstance(opened, Open)
    assert rest == [Fill("#u", Secret("probe")), Fill("#p", Secret("7")), Click("#go"), See("Hi")]


def test_saves() -> None:
    one, two, three = read(
        "{http: https://h/, save: {a: json.cart.items.0.id, b: header.Location, c: cookie.sid, "
        "d: 'regex.id=(\\d+)'}}",
        "{postgres: {at: postgres://h, query: select 1}, save: {n: value}}",
        "{command: [x], save: {v: 'regex.v(.*)'}}",
    ).steps
    assert one.save == (
        Save("a", SaveFrom.JSON, "cart.items.0.id"),
        Save("b", SaveFrom.HEADER, "Location"),
        Save("c", SaveFrom.COOKIE, "sid"),
        Save("d", SaveFrom.REGEX, "id=(\\d+)"),
    )
    assert two.save == (Save("n", SaveFrom.VALUE, ""),)
    assert three.save == (Save("v", SaveFrom.REGEX, "v(.*)"),)


def test_what_is_saved_is_left_for_later_and_the_rest_is_of_the_environment() -> None:
    one, two = read(
        "{http: https://h/, save: {token: json.token}}",
        'http: {get: "https://h/${token}/${SHOP}", headers: {Authorization: "Bearer ${token} $${x}"}}',
        env={"SHOP": "s1", "token": "of the environment"},
    ).steps
    del one
    assert isinstance(two.action, HttpRequest)
    assert two.action.url.path == "/${token}/s1"
    assert two.action.headers == {"Authorization": Secret("Bearer ${token} ${x}")}


NOT_SAVED = "nothing has saved tokn, and the environment has no such variable"
AT = "journeys.j.steps"
OPEN_FIRST = "each browser step has a browser of its own: begin with {open: URL}"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            ["http: https://h/${tok}"],
            f"4: {AT}[0].http: the environment has no tok; set tok, or save it in an earlier step",
        ),
        (
            ["{http: https://h/, save: {token: json.t}}", "http: https://h/${tokn}"],
            f"5: {AT}[1].http: {NOT_SAVED}; did you mean ${{token}}?",
        ),
        (
            ["http: https://h/${token}", "{http: https://h/, save: {token: json.t}}"],
            f"4: {AT}[0].http: token isn't saved yet; step 2 saves it, and comes no earlier",
        ),
        (
            ["{http: 'https://h/${token}', save: {token: json.t}}"],
            f"4: {AT}[0].http: token isn't saved yet; step 1 saves it, and comes no earlier",
        ),
        (
            ["{http: https://h/, save: {token: json.t}}", "http: https://${token}.example/"],
            f"5: {AT}[1].http: a saved value stands in an address before its path; write host and login out",
        ),
        (
            ["http: {json: {}}"],
            f"4: {AT}[0].http: it has no method; write one of them, as in {{get: https://shop.example/}}",
        ),
        (
            ["http: {get: https://h, put: https://h}"],
            f"4: {AT}[0].http: it does get and put; write one of them, as in {{get: https://shop.example/}}",
        ),
        (
            ["http: {post: https://h, json: {}, body: x}"],
            f"4: {AT}[0].http: it has json and body; write one of them",
        ),
        (["http: {get: https://h, jsn: {}}"], f"4: {AT}[0].http.jsn: unknown key 'jsn'; did you mean json?"),
        (["http: {get: redis://h}"], f"4: {AT}[0].http.get: unknown scheme 'redis'; known: http https"),
        (
            ["{http: https://h, expect: {statuss: 200}}"],
            f"4: {AT}[0].expect.statuss: unknown key 'statuss'; did you mean status?",
        ),
        (
            ["redis: {at: postgres://h}"],
            f"4: {AT}[0].redis: postgres://h isn't redis; write redis://, or probe: instead of redis:",
        ),
        (["redis: {roundtrip: true}"], f"4: {AT}[0].redis.at: it is missing; add at:"),
        (
            ["redis: {at: redis://h, rondtrip: true}"],
            f"4: {AT}[0].redis.rondtrip: unknown key 'rondtrip'; did you mean roundtrip?",
        ),
        (
            ["{redis: {at: redis://h}, expect: {role: king}}"],
            f"4: {AT}[0].expect.role: 'king' is none of primary replica; write primary or replica",
        ),
        (["{probe: 'h:22', expect: {}}"], f"4: {AT}[0].expect: a bare HOST:PORT expects nothing; remove it"),
        (["{probe: icmp://h, expect: {a: b}}"], f"4: {AT}[0].expect: icmp expects nothing; remove it"),
        (
            ["probe: {at: redis://h, tls: {}}"],
            f"4: {AT}[0].probe.tls: redis:// speaks no TLS; did you mean rediss://?",
        ),
        (["mail: {send: smtp://h}"], f"4: {AT}[0].mail.receive: it is missing; add receive:"),
        (
            ["mail: {send: imap://h, receive: imap://h}"],
            f"4: {AT}[0].mail.send: unknown scheme 'imap'; known: smtp smtps submission",
        ),
        (
            ["{mail: {send: smtp://h, receive: imap://h}, expect: {}}"],
            f"4: {AT}[0].expect: mail expects nothing else; remove it",
        ),
        (
            ["command: ls -l"],
            f"4: {AT}[0].command: it is no list; no shell reads it: write [PROGRAM, ARGUMENT]",
        ),
        (
            ["browser: [{opn: https://h}]"],
            f"4: {AT}[0].browser[0].opn: unknown key 'opn'; did you mean open?",
        ),
        (
            ["browser: [{open: https://h, click: a}]"],
            f"4: {AT}[0].browser[0]: it does open and click; write one of open fill click see",
        ),
        (
            ["browser: [{see: Hi}, {open: https://h}]"],
            f"4: {AT}[0].browser[0]: no page is open yet; {OPEN_FIRST}",
        ),
        (["browser: [{}]"], f"4: {AT}[0].browser[0]: it does nothing; write one of open fill click see"),
        (
            ["{http: https://h, redis: redis://h}"],
            f"4: {AT}[0]: it does http and redis; make it several steps",
        ),
        (["{save: {}}"], None),
        (["htp: https://h"], f"4: {AT}[0].htp: unknown key 'htp'; did you mean http?"),
        (["tcp: h"], f"4: {AT}[0].tcp: unknown key 'tcp'; write probe: tcp://HOST"),
        (["just text"], f"4: {AT}[0]: it needs keys, not 'just text'; write NAME: below it"),
        (["{http: https://h, timeout: 5}"], f"4: {AT}[0].timeout: 5 has no unit; write 5s"),
        (["{http: https://h, always: sometimes}"], None),
        (
            ["{http: https://h, save: {t: jsn.x}}"],
            f"4: {AT}[0].save.t: nothing of http is saved from 'jsn'; did you mean json?",
        ),
        (
            ["{http: https://h, save: {t: json}}"],
            f"4: {AT}[0].save.t: 'json' says not what to save; as in json.cart.id",
        ),
        (
            ["{http: https://h, save: {a-b: json.x}}"],
            f"4: {AT}[0].save.a-b: 'a-b' is no name of a value; write letters, digits and _",
        ),
        (["{http: https://h, save: {t: 'regex.('}}"], None),
        (["{http: https://h, save: [t]}"], None),
        (["{redis: redis://h, save: {t: value}}"], None),
    ],
)
def test_what_is_wrong_with_a_step(steps: list[str], said: str | None) -> None:
    found = problem(journey(*steps, more="monitor: {allow_commands: true}"))
    assert said is None or found == said


def test_commands_must_be_allowed() -> None:
    said = "commands aren't allowed here; set monitor: {allow_commands: true}"
    assert problem(journey("command: [ls]")) == f"4: {AT}[0].command: {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "journeys: {j: {tier: 1}}",
            "1: journeys.j.steps: it has no steps; write steps: and a list below it",
        ),
        (
            "journeys: {j: {steps: []}}",
            "1: journeys.j.steps: it has no steps; write steps: and a list below it",
        ),
        (
            "journeys: {j: {steps: {http: x}}}",
            "1: journeys.j.steps: the steps are no list; begin each with -",
        ),
        (
            "journeys: {j: {step: 1, steps: [{probe: 'h:1'}]}}",
            "1: journeys.j.step: unknown key 'step'; did you mean steps?",
        ),
        (
            "journeys: {j: {timeout: 1, steps: [{probe: 'h:1'}]}}",
            "1: journeys.j.timeout: 1 has no unit; write 1s",
        ),
    ],
)
def test_what_is_wrong_with_a_journey(text: str, said: str) -> None:
    assert problem(text) == said


def test_all_that_is_wrong_with_a_journey_comes_at_once() -> None:
    text = """
        journeys:
          j:
            tier: 8
            every: 5
            steps:
              - http: {gt: https://h}
              - redis: redis://h
                expect: {rol: primary}
                timeout: 5
        """
    assert [found.split(": ")[:2] for found in problems(text)] == [
        ["3", "journeys.j.tier"],
        ["4", "journeys.j.every"],
        ["6", "journeys.j.steps[0].http.gt"],
        ["8", "journeys.j.steps[1].expect.rol"],
        ["9", "journeys.j.steps[1].timeout"],
    ]


def test_a_proxy_that_cant_be_used() -> None:
    text = """
    journeys:
      checkout: {http: {proxy: "https://proxy.example"}, steps: [{redis: "redis://127.0.0.1"}]}
    """
    assert "is no proxy that can be used; write it as http://HOST:PORT" in problem(text)
