"""Changes as they happen, as server-sent events (WHATWG HTML, 9.2)."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from trueup.web.access import Doorman, Need
from trueup.web.gates import Gate
from trueup.web.refusal import Refusal
from trueup.web.shown import Document, Shown

COMMENT_EVERY_S: Final = 15.0
"""Proxies end what is silent for longer, often after 60 s."""
AGAIN_S: Final = 60.0
"""Sessions end and tokens are revoked: who follows the stream finds out no later than that."""
READERS_MAX: Final = 500
_RETRY_MS: Final = 2000


def event_gates(
    shown: Shown, doorman: Doorman, *, comment_every_s: float = COMMENT_EVERY_S, again_s: float = AGAIN_S
) -> list[Gate]:
    """One gate: the stream. Every ``again_s`` its reader's right is looked at again."""
    run = secrets.token_hex(4)
    readers: set[object] = set()

    async def stream(request: Request) -> AsyncIterator[str]:
        reader, number, admitted_s = object(), 0, time.monotonic()
        last_id = request.headers.get("last-event-id")
        readers.add(reader)
        changes = shown.subscribe()
        waiting: asyncio.Future[Document] | None = None
        try:
            yield f"retry: {_RETRY_MS}\n: trueup\n\n"
            if last_id:
                yield _event({"type": "missed", "n": None}, f"{run}-0")  # what came between isn't kept
            while True:
                if time.monotonic() - admitted_s > again_s:
                    if not (await doorman.asker(request)).may(Need.READ):
                        return
                    admitted_s = time.monotonic()
                waiting = waiting or asyncio.ensure_future(anext(changes))
                done, _ = await asyncio.wait([waiting], timeout=comment_every_s)
                if not done:
                    yield ": still here\n\n"
                    continue
                try:
                    change = waiting.result()
                except StopAsyncIteration:
                    return
                waiting, number = None, number + 1
                yield _event(change, f"{run}-{number}")
        finally:
            readers.discard(reader)
            if waiting is not None:
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await waiting
            close = getattr(changes, "aclose", None)
            if close is not None:
                await close()

    async def events(request: Request) -> Response:
        if len(readers) >= READERS_MAX:
            raise Refusal(503, f"{READERS_MAX} already listen", "close a page, or ask /api/v1/targets")
        headers = {"X-Accel-Buffering": "no"}
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return StreamingResponse(stream(request), media_type="text/event-stream", headers=headers)

    says = "Changes of targets and incidents as they happen"
    return [Gate("GET", "/api/v1/events", Need.READ, events, says, gives="text/event-stream")]


def _event(change: Document, event_id: str) -> str:
    """One event. JSON is on one line, whatever it says."""
    return f"event: {change['type']}\nid: {event_id}\ndata: {json.dumps(change, separators=(',', ':'))}\n\n"
