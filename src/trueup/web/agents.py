"""Where agents enrol and report. They are told nothing but whether it was taken."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from trueup.web.access import Need
from trueup.web.asked import body_of
from trueup.web.gates import Gate

BODY_BYTES_MAX: Final = 4 * 2**20
ENROL_BYTES_MAX: Final = 4096


class AgentDesk(Protocol):
    """What the web needs to hear agents. ``admit``, ``enrol`` and ``check`` wait for a disk, in a thread;
    ``take`` is called on the loop. Names of headers are in lower case.
    """

    def admit(self, host: str, headers: Mapping[str, str]) -> None:
        """Raises:
        Refusal: who asks may not speak for ``host``.
        """
        ...

    def enrol(self, host: str, headers: Mapping[str, str], body: bytes) -> None:
        """Raises:
        Refusal: the token isn't good for that, or the body has no key.
        """
        ...

    def check(self, host: str, headers: Mapping[str, str], body: bytes) -> Any:
        """What to ``take``.

        Raises:
            Refusal: it isn't signed, is malformed, foreign, or was sent before.
        """
        ...

    def take(self, checked: Any) -> None: ...


def agent_gates(desk: AgentDesk) -> list[Gate]:
    """What agents may ask. Who they are is the desk's matter."""

    async def enrol(request: Request) -> Response:
        host, headers = request.path_params["host"], dict(request.headers)
        body = await body_of(request, ENROL_BYTES_MAX)
        await run_in_threadpool(desk.enrol, host, headers, body)
        return JSONResponse({"taken": True})

    async def report(request: Request) -> Response:
        host, headers = request.path_params["host"], dict(request.headers)
        await run_in_threadpool(desk.admit, host, headers)
        body = await body_of(request, BODY_BYTES_MAX)
        desk.take(await run_in_threadpool(desk.check, host, headers, body))
        return JSONResponse({"taken": True})

    one = "/api/v1/agents/{host}"
    return [
        Gate("POST", f"{one}/enrol", Need.OWN, enrol, "An agent hands in its key, with its token"),
        Gate("POST", f"{one}/report", Need.OWN, report, "An agent reports its machine, signed"),
    ]
