"""Jobs report here: the word in the address is their right, and nothing is told to who hasn't it."""

import re
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from trueup.web.access import Need
from trueup.web.gates import Gate
from trueup.web.refusal import Refusal
from trueup.web.shown import Shown

KEPT_BYTES: Final = 10_000
"""So much of what a job says is kept; more is read and dropped, for a long log is no reason to refuse."""
READ_BYTES_MAX: Final = 10 * 2**20
_STATUS: Final = re.compile(r"\d{1,3}", re.ASCII)


def heartbeat_gates(shown: Shown) -> list[Gate]:
    """Success is reported by the bare address, and by the exit status 0."""

    async def beat(request: Request) -> Response:
        # A slash at the end is no reason to lose a report: a job follows no redirect.
        said = request.path_params.get("kind", "").rstrip("/") or "success"
        is_status = _STATUS.fullmatch(said) is not None and int(said) <= 255
        if said not in ("success", "start", "fail") and not is_status:
            raise Refusal(404, "no such report", "end the address with /start, /fail or an exit status")
        body = await _beginning(request) if request.method == "POST" else b""
        kind = str(int(said)) if is_status else said
        if not await shown.beat(request.path_params["token"], kind, body.decode(errors="replace")):
            raise Refusal(404, "no heartbeat has this address", "the monitor knows it: trueup heartbeats")
        return JSONResponse({"taken": True})

    says = {
        "": "A job ended well",
        "/{kind:path}": "It started (start), failed (fail), or ended with a status",
    }
    return [
        Gate(method, f"/api/v1/heartbeats/{{token}}{ending}", Need.OWN, beat, words)
        for ending, words in says.items()
        for method in ("POST", "GET")
    ]


async def _beginning(request: Request) -> bytes:
    kept, read = bytearray(), 0
    try:
        async for part in request.stream():
            read += len(part)
            kept += part[: KEPT_BYTES - len(kept)]
            if read > READ_BYTES_MAX:
                raise Refusal(413, f"more than {READ_BYTES_MAX} bytes", "send the end of the log alone")
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended early", "send it again") from error
    return bytes(kept)
