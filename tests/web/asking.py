"""Asks the web application without a socket, as different people would."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette

from tests.web.fake_accounts import AGENT, READ, WRITE, FakeAccounts
from trueup.web.access import Doorman, csrf_of
from trueup.web.api import application
from trueup.web.shown import Shown

HOST = "127.0.0.1:8642"
FAR = "trueup.example"
ASKERS = (
    "anonymous-near",
    "anonymous-far",
    "read-token",
    "write-token",
    "agent-token",
    "viewer",
    "editor",
    "admin",
)
_TOKENS = {"read-token": READ, "write-token": WRITE, "agent-token": AGENT}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


def doorman(accounts: FakeAccounts | None = None, **more: Any) -> Doorman:
    people = FakeAccounts("viewer", "editor", "admin")
    return Doorman(lambda host: host == HOST, accounts or people, **more)


def web(shown: Shown, **more: Any) -> Starlette:
    return application(shown, doorman(), **more)


def as_asker(asker: str) -> dict[str, str]:
    """The headers by which each of ``ASKERS`` is known; all but the first ask from far away."""
    headers = {"host": HOST if asker == "anonymous-near" else FAR}
    if asker in _TOKENS:
        headers["authorization"] = f"Bearer {_TOKENS[asker]}"
    elif not asker.startswith("anonymous"):
        headers |= {"cookie": f"trueup_session=session-{asker}", "x-trueup-csrf": csrf_of(f"session-{asker}")}
    return headers


def ask(
    app: Any,
    path: str,
    method: str = "GET",
    body: Any = None,
    form: Any = None,
    client: str = "127.0.0.1",
    **headers: str,
) -> Answer:
    """``headers`` are written with ``_`` for ``-``. A dict is sent as JSON, ``form`` as a form."""
    route, _, query = path.partition("?")
    sent = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, dict):
        body = json.dumps(body)
        sent.setdefault("content-type", "application/json")
    if form is not None:
        body = urlencode(form)
        sent["content-type"] = "application/x-www-form-urlencoded"
    content = body.encode() if isinstance(body, str) else body or b""
    scope = {
        "type": "http",
        "method": method,
        "path": route,
        "raw_path": route.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "client": (client, 50000),
        "server": ("127.0.0.1", 8642),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
    }
    messages: list[dict[str, Any]] = []
    is_sent = False

    async def receive() -> dict[str, Any]:
        nonlocal is_sent
        if is_sent:
            await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}
        is_sent = True
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(app(scope, receive, send))
    shown = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    return Answer(messages[0]["status"], shown, b"".join(one.get("body", b"") for one in messages[1:]))
