"""HTTP to receivers of alerts: one request, one deadline, little read, and every failure a sentence."""

import asyncio
import errno
import importlib
import logging
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import responses
from typing import Any, Final

import httpx

from trueup import __version__
from trueup.alerts.sender import Outcome, Taken
from trueup.alerts.threads import on_a_thread
from trueup.domain.printable import printable
from trueup.domain.target import TlsSettings
from trueup.engine.tls import Written, context_for, files_of

DEADLINE_S: Final = 10.0
CONNECT_S: Final = 5.0
BODY_S: Final = 3.0
REPLY_BYTES_MAX: Final = 65_536
SHOWN_CHARS: Final = 200
_OF_THIS_REQUEST: Final = frozenset({400, 409, 413, 414, 415, 422, 431})
"""Statuses that speak of what was sent; the others speak of the receiver, and concern whatever else waits."""
_WANTS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
_HERE: Final = ("all://127.0.0.1", "all://[::1]", "all://localhost")

# httpx logs every URL, with the tokens in it.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class NoReply(Exception):  # noqa: N818 - it says what happened
    """Nobody answered, or not with HTTP."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.said)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Reply:
    """A receiver's answer. ``body`` is its beginning; it's all of it where ``is_whole``."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def line(self) -> str:
        """The status as people know it, and where it isn't success, what came with it."""
        status = f"{self.status} {responses.get(self.status, '')}".rstrip()
        said = printable(self.body.strip(), SHOWN_CHARS)
        return f"{status}: {said}" if said and not self.is_success else status


class Http:
    """A client for one channel. Redirects aren't followed: an alert goes where it was meant to go.

    The proxies of the environment are used (``HTTPS_PROXY``, ``NO_PROXY``), but not for this machine.
    """

    def __init__(self, tls: TlsSettings | None = None) -> None:
        self._tls = tls or TlsSettings()
        self._client: httpx.AsyncClient | None = None
        self._former: httpx.AsyncClient | None = None
        self._files: tuple[Written, ...] = ()
        self._making = asyncio.Lock()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raises:
        NoReply: there's none, with the outcome that this is.
        """
        sent, deadline_s = False, DEADLINE_S
        begun_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(deadline_s):
                client = await self._connected()
                own = {"User-Agent": f"trueup/{__version__}", "Accept-Encoding": "identity"}
                extensions: dict[str, Any] = {}
                if self._tls.server_name:
                    extensions["sni_hostname"] = self._tls.server_name
                # By itself httpx sends ASCII alone; a header may have any bytes (RFC 9110, 5.5).
                written = {name.encode(): value.encode() for name, value in (own | dict(headers)).items()}
                request = client.build_request(
                    "POST", url, content=body, headers=written, extensions=extensions
                )
                sent = True
                response = await client.send(request, stream=True)
                until_s = asyncio.get_running_loop().time() + BODY_S
                return await _read(response, min(until_s, begun_s + deadline_s - 0.1))
        except TimeoutError as error:
            words = f"no answer within {deadline_s:g} s"
            raise NoReply(Outcome(Taken.LATER, words, is_uncertain=sent)) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            words = f"no connection: {_reason(error) or 'it takes too long'}"
            raise NoReply(Outcome(Taken.LATER, words)) from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            # The words of these have the URL, or a header, in them.
            raise NoReply(Outcome(Taken.REFUSED, "its URL or headers can't be sent in HTTP")) from error
        except httpx.HTTPError as error:
            words = f"no answer: {_reason(error) or 'the connection was closed'}"
            raise NoReply(Outcome(Taken.LATER, words, is_uncertain=True)) from error
        except (OSError, ssl.SSLError, ValueError) as error:
            is_ours = isinstance(error, OSError) and error.errno in _WANTS
            what = "trueup wants for what it sends with" if is_ours else "its TLS settings can't be used"
            raise NoReply(Outcome(Taken.LATER, f"{what}: {_reason(error) or error}")) from error

    async def close(self) -> None:
        for client in (self._client, self._former):
            if client is not None:
                await client.aclose()

    async def _connected(self) -> httpx.AsyncClient:
        """The client, made anew where a file behind its TLS was replaced."""
        async with self._making:
            files = files_of(self._tls)
            if self._client is None or files != self._files:
                made = await on_a_thread(self._make)  # it reads files and loads modules
                if self._former is not None:
                    await self._former.aclose()
                # What is under way over the one before goes on.
                self._former, self._client, self._files = self._client, made, files
            return self._client

    def _make(self) -> httpx.AsyncClient:
        with suppress(ImportError):
            importlib.import_module("anyio._backends._asyncio")  # which httpx would load on the loop
        return httpx.AsyncClient(
            verify=context_for(self._tls, ()),
            follow_redirects=False,
            timeout=httpx.Timeout(DEADLINE_S, connect=CONNECT_S),
            mounts=dict.fromkeys(_HERE),
        )


async def _read(response: httpx.Response, until_s: float) -> Reply:
    """The answer, with what can be had of its body: its status stands, whatever becomes of the rest."""
    body, is_whole = b"", False
    try:
        async with asyncio.timeout_at(until_s):
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > REPLY_BYTES_MAX:
                    break
            else:
                is_whole = True
    except (httpx.HTTPError, TimeoutError):
        pass
    finally:
        await response.aclose()
    return Reply(response.status_code, body[:REPLY_BYTES_MAX], response.headers, is_whole)


def outcome_of(reply: Reply, now: datetime) -> Outcome:
    """By the status alone: 2xx is success and nothing else is."""
    if reply.is_success:
        return Outcome(Taken.SENT, reply.line)
    if 300 <= reply.status < 400:
        return Outcome(Taken.LATER, f"{reply.line}; redirects aren't followed, write where it leads to")
    taken = Taken.REFUSED if reply.status in _OF_THIS_REQUEST else Taken.LATER
    return Outcome(taken, reply.line, again_after_s(reply.headers, now))


def again_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """``Retry-After`` in seconds, however it's written (RFC 9110, 10.2.3); None where it isn't."""
    written = headers.get("retry-after", "").strip()
    if written.isascii() and written.isdecimal():
        return float(written[:9])
    try:
        moment = parsedate_to_datetime(written)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _reason(error: BaseException) -> str:
    """What the machine or TLS said, from under the layers of the libraries."""
    words = [_words(one) for one in _causes(error)]
    return next((word for word in reversed(words) if word), "")


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate isn't accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'no handshake').lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.strerror:
        words = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        return f"{words}{f': {error.filename}' if error.filename else ''}"
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from (inner for one in error.exceptions for inner in _causes(one))
        error = error.__cause__ or error.__context__
