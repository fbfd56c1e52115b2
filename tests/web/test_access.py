"""Who may what: every gate, asked by everybody; and how somebody is told from somebody else."""

from ipaddress import ip_network
from typing import Any, Final

import pytest

from tests.web.asking import ASKERS, FAR, HOST, as_asker, ask, doorman
from tests.web.fake_accounts import REVOKED, WRITE, FakeAccounts
from tests.web.scripted import incident, plain
from trueup.alerts.sender import Outcome, Taken
from trueup.domain.address import Address
from trueup.domain.channel import Channel
from trueup.domain.oidc import Oidc
from trueup.web.access import csrf_of
from trueup.web.api import application, gates_of
from trueup.web.machines import Machine
from trueup.web.refusal import Refusal

ALL: Final = frozenset(ASKERS)
READERS: Final = frozenset({"anonymous-near", "read-token", "write-token", "viewer", "editor", "admin"})
WRITERS: Final = frozenset({"write-token", "editor", "admin"})
ADMINS: Final = frozenset({"admin"})
MAY: Final[dict[str, frozenset[str]]] = {
    "GET /api/v1/targets": READERS,
    "GET /api/v1/targets/{name:path}": READERS,
    "GET /api/v1/targets/{name:path}/explain": READERS,
    "GET /api/v1/targets/{name:path}/history": READERS,
    "GET /api/v1/targets/{name:path}/screenshot": READERS,
    "POST /api/v1/targets/{name:path}/check": WRITERS,
    "GET /api/v1/incidents": READERS,
    "GET /api/v1/incidents/{id}": READERS,
    "POST /api/v1/incidents/{id}/ack": WRITERS,
    "POST /api/v1/incidents/{id}/notes": WRITERS,
    "GET /api/v1/silences": READERS,
    "POST /api/v1/silences": WRITERS,
    "DELETE /api/v1/silences/{id}": WRITERS,
    "POST /api/v1/silences/{id}/end": WRITERS,
    "GET /api/v1/maintenance": READERS,
    "POST /api/v1/maintenance": WRITERS,
    "DELETE /api/v1/maintenance/{id}": WRITERS,
    "POST /api/v1/maintenance/{id}/end": WRITERS,
    # The word in the address, or the signature, is the right: the gate looks itself.
    "POST /api/v1/heartbeats/{token}": ALL,
    "GET /api/v1/heartbeats/{token}": ALL,
    "POST /api/v1/heartbeats/{token}/{kind:path}": ALL,
    "GET /api/v1/heartbeats/{token}/{kind:path}": ALL,
    "POST /api/v1/agents/{host}/enrol": frozenset({"agent-token"}),
    "POST /api/v1/agents/{host}/report": frozenset({"agent-token"}),
    "GET /api/v1/events": READERS,
    "GET /api/openapi.json": READERS,
    "GET /metrics": READERS,
    "GET /health": ALL,
    "GET /health/{name:path}": ALL,
    "GET /badge/{name:path}.svg": ALL,
    "GET /static/{version}/{file}": ALL,
    "GET /": READERS,
    "GET /rows": READERS,
    "GET /targets/{name:path}": READERS,
    "GET /incidents": READERS,
    "GET /incidents/{id}": READERS,
    "GET /status": ALL,
    "GET /status.rss": ALL,
    "GET /map": READERS,
    "GET /journeys": READERS,
    "GET /settings": READERS,
    "GET /welcome": READERS,
    "GET /machines": READERS,
    "GET /api/v1/machines": READERS,
    "GET /api/v1/channels": READERS,
    "POST /api/v1/channels/{name}/test": WRITERS,
    "GET /api/v1/tokens": ADMINS,
    "POST /api/v1/tokens": ADMINS,
    "DELETE /api/v1/tokens/{id}": ADMINS,
    "POST /api/v1/tokens/{id}/revoke": ADMINS,
    "GET /login/provider": ALL,
    "GET /login/provider/back": ALL,
    "GET /login": ALL,
    "POST /login": ALL,
    "POST /logout": ALL,
    "GET /setup": ALL,
    "POST /setup": ALL,
}
"""Who gets through each gate. A gate that isn't here fails the test below."""

STREAMS: Final = {"GET /api/v1/events"}


class FakeDesk:
    """Hears the token of an agent, as the real one hears its signature."""

    def admit(self, host: str, headers: Any) -> None:
        if headers.get("authorization") != "Bearer tu_agent":
            raise Refusal(401, "who are you", "enrol")

    def enrol(self, host: str, headers: Any, body: bytes) -> None:
        self.admit(host, headers)

    def check(self, host: str, headers: Any, body: bytes) -> Any:
        return body

    def take(self, checked: Any) -> None:
        pass


OIDC: Final = Oidc(Address("http", "127.0.0.1", "http://127.0.0.1:1"), "trueup")


class FakeMachines:
    async def machines(self) -> list[Machine]:
        return []


async def fake_trial(name: str, channel: Channel) -> Outcome:
    return Outcome(Taken.SENT, "taken")


def everything() -> dict[str, Any]:
    return {"desk": FakeDesk(), "machines": FakeMachines(), "trial": fake_trial, "oidc": OIDC}


def scene() -> Any:
    monitor = plain("up")
    monitor.incident_documents = [incident(1, "t0")]
    return monitor


def filled(path: str) -> str:
    """A gate's path with the names of the scene in it."""
    for name, value in {
        "{name:path}": "t0",
        "{id}": "1",
        "{name}": "hook",
        "{token}": "hb-1",
        "{kind:path}": "fail",
        "{host}": "db-1",
        "{version}": "0",
        "{file}": "trueup.css",
    }.items():
        path = path.replace(name, value)
    return path


def test_every_door_has_its_entry() -> None:
    gates = gates_of(scene(), doorman(), **everything())
    assert {f"{gate.method} {gate.path}" for gate in gates} == set(MAY)


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize("gate", sorted(set(MAY) - STREAMS))
def test_the_right_ones_get_through(gate: str, asker: str) -> None:
    method, _, path = gate.partition(" ")
    path = filled(path)
    app = application(scene(), doorman(), **everything())
    answer = ask(app, path, method, b"{}" if method == "POST" else None, **as_asker(asker))
    is_through = answer.status not in (401, 403)
    # Who signs in with nothing is told so, by a page of its own.
    assert is_through == (asker in MAY[gate]) or gate in ("POST /login", "POST /setup"), answer.status


@pytest.mark.parametrize(
    ("asker", "gate", "status", "hint"),
    [
        ("anonymous-far", "GET /api/v1/targets", 401, "ask with a token, or sign in;"),
        (
            "anonymous-far",
            "POST /api/v1/targets/t0/check",
            401,
            "make one: trueup token create --scope write",
        ),
        ("agent-token", "GET /api/v1/targets", 403, "this token only reports; ask with one of scope read"),
        (
            "read-token",
            "POST /api/v1/targets/t0/check",
            403,
            "ask with a token of scope write, or as an editor",
        ),
        ("viewer", "POST /api/v1/targets/t0/check", 403, "ask with a token of scope write, or as"),
        ("write-token", "GET /api/v1/tokens", 403, "sign in as an admin"),
    ],
)
def test_who_may_not_is_told_what_would_help(asker: str, gate: str, status: int, hint: str) -> None:
    method, _, path = gate.partition(" ")
    body = b"{}" if method == "POST" else None
    answer = ask(application(scene(), doorman(), **everything()), path, method, body, **as_asker(asker))
    assert answer.status == status
    assert answer.json["hint"].startswith(hint)


@pytest.mark.parametrize("asker", ["anonymous-far", "agent-token"])
def test_nobody_else_listens(asker: str) -> None:
    app = application(scene(), doorman())
    assert ask(app, "/api/v1/events", **as_asker(asker)).status in (401, 403)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1:9999"},
        {"x_forwarded_for": "10.0.0.1"},
        {"x_forwarded_host": "a"},
        {"forwarded": "for=1"},
        {"via": "1.1 proxy"},
        {"x_real_ip": "127.0.0.1"},
        {"x_client_ip": "127.0.0.1"},
        {"x_cluster_client_ip": "127.0.0.1"},
        {"x_original_forwarded_for": "127.0.0.1"},
    ],
)
def test_reading_is_open_to_the_loopback_address_alone(headers: dict[str, str]) -> None:
    app = application(scene(), doorman())
    assert ask(app, "/api/v1/targets").status == 200
    refused = ask(app, "/api/v1/targets", **headers)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_a_revoked_token_is_worth_nothing() -> None:
    app = application(scene(), doorman())
    answer = ask(app, "/api/v1/targets/t0/check", "POST", authorization=f"Bearer {REVOKED}")
    assert answer.status == 401


# ---- other sites ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": f"http://{FAR}:81"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"x_trueup_csrf": ""},
        {"x_trueup_csrf": csrf_of("session-viewer")},
    ],
)
def test_another_site_cannot_use_a_session(headers: dict[str, str]) -> None:
    app = application(scene(), doorman())
    good = as_asker("editor")
    path = "/api/v1/targets/t0/check"
    assert ask(app, path, "POST", **good, origin=f"http://{FAR}").status == 200
    spoiled = {name.replace("-", "_"): value for name, value in good.items()} | headers
    assert ask(app, path, "POST", **spoiled).status == 403


def test_a_token_needs_no_origin() -> None:
    app = application(scene(), doorman())
    answer = ask(
        app,
        "/api/v1/targets/t0/check",
        "POST",
        host=FAR,
        authorization=f"Bearer {WRITE}",
        origin="https://tool.example",
    )
    assert answer.status == 200


# ---- behind a proxy ---------------------------------------------------------------------------------------


def _request(client: str, **headers: str) -> Any:
    from starlette.requests import Request

    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/",
            "query_string": b"",
            "server": ("127.0.0.1", 8642),
            "client": (client, 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
    )


def test_only_a_trusted_proxy_is_believed() -> None:
    gate = doorman(trusted_proxies=(ip_network("10.0.0.0/8"),))
    said = {
        "host": HOST,
        "x_forwarded_for": "6.6.6.6, 203.0.113.9, 10.0.0.2",
        "x_forwarded_proto": "https",
        "x_forwarded_host": "status.example",
    }
    trusted, other = _request("10.1.1.1", **said), _request("192.0.2.1", **said)
    assert (gate.address(trusted), gate.is_secure(trusted), gate.host(trusted)) == (
        "203.0.113.9",
        True,
        "status.example",
    )
    assert (gate.address(other), gate.is_secure(other), gate.host(other)) == ("192.0.2.1", False, HOST)


def test_a_proxy_that_is_not_named_is_the_likely_reason_for_a_foreign_page() -> None:
    def refused(*, named: bool, **forwarded: str) -> tuple[int, bool]:
        proxies = (ip_network("127.0.0.0/8"),) if named else ()
        app, said = application(scene(), doorman(trusted_proxies=proxies)), as_asker("editor")
        origin = {"origin": "https://status.example"}
        answer = ask(app, "/api/v1/targets/t0/check", "POST", **said, **origin, **forwarded)
        return answer.status, "trusted_proxies" in answer.text

    assert refused(named=False, x_forwarded_host="status.example") == (403, True)
    assert refused(named=True, x_forwarded_host="status.example") == (200, False)
    assert refused(named=True, x_forwarded_host="other.example") == (403, False)
    assert refused(named=False) == (403, False)


def test_a_proxy_makes_nobody_near() -> None:
    app = application(scene(), doorman(trusted_proxies=(ip_network("127.0.0.0/8"),)))
    assert ask(app, "/api/v1/targets", x_forwarded_for="127.0.0.1").status == 401


def test_accounts_are_asked_for_no_more_than_is_needed() -> None:
    accounts = FakeAccounts()
    app = application(scene(), doorman(accounts))
    assert ask(app, "/health/t0", cookie="trueup_session=x").status == 200


def test_what_was_changed_by_whom_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "trueup")
    app = application(scene(), doorman())
    ask(app, "/api/v1/targets/t0/check", "POST", **as_asker("editor"))
    ask(app, "/api/v1/targets/t0/check", "POST", **as_asker("write-token"))
    ask(app, "/api/v1/targets", **as_asker("write-token"))
    assert caplog.messages == [
        "POST /api/v1/targets/t0/check by editor: 200",
        "POST /api/v1/targets/t0/check by token w: 200",
    ]
