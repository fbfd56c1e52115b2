"""What agents post, over HTTP without a socket: limits, refusals, and what isn't read at all."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette

from tests.web.asking import doorman
from trueup.web.agents import BODY_BYTES_MAX, ENROL_BYTES_MAX, agent_gates
from trueup.web.api import show_refusal
from trueup.web.gates import routes
from trueup.web.refusal import Refusal


class FakeDesk:
    """Knows the header ``knock``; takes everything that isn't ``bad``."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.enrolled: list[tuple[str, bytes]] = []

    def admit(self, host: str, headers: Mapping[str, str]) -> None:
        if "knock" not in headers:
            raise Refusal(401, "who are you", "knock")

    def enrol(self, host: str, headers: Mapping[str, str], body: bytes) -> None:
        self.enrolled.append((host, body))

    def check(self, host: str, headers: Mapping[str, str], body: bytes) -> Any:
        if body == b"bad":
            raise Refusal(409, "taken before", "number it higher", sequence=7)
        return host, body

    def take(self, checked: Any) -> None:
        self.taken.append(checked)


def post(
    path: str, parts: list[bytes], desk: FakeDesk, method: str = "POST", **headers: str
) -> tuple[int, dict[str, Any], int]:
    """Status, answer, and how many parts of the body were asked for."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    left, messages = list(parts), []

    async def receive() -> dict[str, Any]:
        body = left.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    async def send(message: Any) -> None:
        messages.append(message)

    app = Starlette(routes=routes(agent_gates(desk), doorman(), show_refusal))
    asyncio.run(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in messages[1:])
    said = json.loads(body) if body.startswith(b"{") else {}
    return messages[0]["status"], said, len(parts) - len(left)


REPORT = "/api/v1/agents/db-1/report"


def test_a_report_is_taken() -> None:
    desk = FakeDesk()
    assert post(REPORT, [b"a", b"b"], desk, knock="1")[:2] == (200, {"taken": True})
    assert desk.taken == [("db-1", b"ab")]
    assert post("/api/v1/agents/db-1/enrol", [b"key"], desk)[0] == 200
    assert desk.enrolled == [("db-1", b"key")]


def test_a_refusal_is_a_clear_answer() -> None:
    status, said, _ = post(REPORT, [b"bad"], FakeDesk(), knock="1")
    assert (status, said) == (
        409,
        {"error": "taken before", "hint": "number it higher", "sequence": 7},
    )


def test_of_somebody_unknown_not_a_byte_is_read() -> None:
    status, _, read = post(REPORT, [b"x" * 1000], FakeDesk())
    assert (status, read) == (401, 0)


def test_what_is_announced_too_long_is_not_read() -> None:
    status, _, read = post(REPORT, [b"x"], FakeDesk(), knock="1", content_length=str(BODY_BYTES_MAX + 1))
    assert (status, read) == (413, 0)


@pytest.mark.parametrize(
    ("path", "bytes_max"), [(REPORT, BODY_BYTES_MAX), ("/api/v1/agents/a/enrol", ENROL_BYTES_MAX)]
)
def test_what_turns_out_too_long_is_read_no_further(path: str, bytes_max: int) -> None:
    desk = FakeDesk()
    parts = [b"x" * bytes_max, b"x", *[b"more"] * 10]
    status, said, read = post(path, parts, desk, knock="1")
    assert (status, read) == (413, 2)
    assert "more than" in said["error"]
    assert desk.taken == desk.enrolled == []


def test_only_posting_reports() -> None:
    assert post(REPORT, [b""], FakeDesk(), method="GET", knock="1")[0] == 405
