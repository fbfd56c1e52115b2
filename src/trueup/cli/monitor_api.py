"""A running monitor, asked over its API, and told things: what ``status``, ``ack`` and the like do."""

import getpass
import http.client
import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import click

from trueup.cli.commands import Failed
from trueup.domain.printable import printable

DEFAULT_URL: Final = "http://127.0.0.1:8642"
TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 64 * 2**20
_HERE: Final = {
    "see /api/v1/targets": "see trueup status",
    "see /api/v1/incidents": "see trueup incidents",
    "see /api/v1/silences": "see trueup silence list",
    "see /api/v1/maintenance": "see trueup maintenance list",
}
"""Hints to programs, as they're said to people at the command line."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


class Unreachable(Failed):
    """No monitor answers there."""


class NotAllowed(click.ClickException):
    """It doesn't let us: the token is missing, or isn't one for that. That's wrong usage."""


class MonitorApi:
    """``url`` is where the monitor's API is; ``token`` is sent with each question, where there is one."""

    def __init__(self, url: str, token: str | None) -> None:
        """Raises:
        click.UsageError: ``url`` is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise click.UsageError(f"--url {url!r} is no address of a monitor; write {DEFAULT_URL}")
        self.url = url.rstrip("/")
        self._parts = parts
        self._token = token

    def targets(self) -> Iterator[dict[str, Any]]:
        """Every target, in the order of the configuration.

        Raises:
            Unreachable: no monitor answers.
            NotAllowed: it doesn't let us read.
        """
        return self.pages("/api/v1/targets", "targets")

    def explained(self, name: str) -> dict[str, Any]:
        """One target with everything that is known about it.

        Raises:
            click.UsageError: there's no target of this name.
            Unreachable: no monitor answers.
            NotAllowed: it doesn't let us read.
        """
        return self.read(f"/api/v1/targets/{in_url(name)}/explain")

    def read(self, path: str) -> dict[str, Any]:
        """The JSON at ``path``.

        Raises:
            click.UsageError: there's no such thing.
            Unreachable: no monitor answers.
            NotAllowed: it doesn't let us read.
        """
        return self._answer("GET", path, None)

    def change(self, method: str, path: str, what: Mapping[str, Any]) -> dict[str, Any]:
        """Tell it something, and read its answer.

        Raises:
            click.UsageError: there's no such thing, or what is told is wrong.
            Unreachable: no monitor answers.
            NotAllowed: it doesn't let us change anything.
        """
        return self._answer(method, path, json.dumps(what).encode())

    def pages(self, path: str, name: str) -> Iterator[dict[str, Any]]:
        """Everything called ``name`` at ``path``, page by page.

        Raises:
            Unreachable: no monitor answers.
            NotAllowed: it doesn't let us read.
        """
        cursor: str | None = ""
        while cursor is not None:
            joined = "&" if "?" in path else "?"
            document = self.read(path + (f"{joined}cursor={quote(cursor)}" if cursor else ""))
            yield from document[name]
            cursor = document.get("cursor")

    def _answer(self, method: str, path: str, sent: bytes | None) -> dict[str, Any]:
        status, body = self._ask(method, self._parts.path.rstrip("/") + path, sent)
        try:
            said = json.loads(body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise Unreachable(f"{self.url} answers {status}, and isn't trueup")
        if status in (200, 201):
            return said
        if status in (401, 403):
            raise NotAllowed(f"{self.url} answers {status}: {self._refused(method, status, said)}")
        hint = _HERE.get(str(said.get("hint")), said.get("hint"))
        words = "\n       ".join([f"{said.get('error')}; {hint}", *_problems(said)])
        if status in (400, 404, 409, 422):
            raise click.UsageError(printable_lines(words))
        raise Unreachable(f"{self.url} answers {status}: {printable_lines(words)}")

    def _refused(self, method: str, status: int, said: Mapping[str, Any]) -> str:
        scope = "read" if method == "GET" else "write"
        why = printable(str(said.get("error")), 600)
        if status == 401 and self._token:
            why = "the token in TRUEUP_TOKEN is none of this monitor's, or no longer"
        return f"{why}; set TRUEUP_TOKEN to a token of: trueup token create --scope {scope}"

    def _ask(self, method: str, path: str, sent: bytes | None) -> tuple[int, bytes]:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=TIMEOUT_S)
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if sent is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body=sent, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(ANSWER_BYTES_MAX)
        except ssl.SSLCertVerificationError as error:
            words = f"the certificate of {self.url} isn't accepted: {error.verify_message}"
            raise Unreachable(f"{words}; SSL_CERT_FILE names an authority of your own") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = f"{error}" or type(error).__name__
            hint = "is trueup run running there?"
            raise Unreachable(f"no monitor answers at {self.url}: {why}; {hint}") from error
        finally:
            connection.close()


def in_url(word: str) -> str:
    """A name, or another word of whoever asks, as a part of a URL: bytes that aren't text too."""
    return quote(word, safe="", errors="surrogateescape")


def _problems(said: Mapping[str, Any]) -> Iterator[str]:
    """What else was wrong with what was told: the first is the error itself."""
    for one in list(said.get("problems") or ())[1:]:
        if isinstance(one, dict):
            yield f"{one.get('field')}: {one.get('problem')}; {one.get('hint')}"


def printable_lines(text: str) -> str:
    """Without control characters of whoever answered, but for the ends of lines."""
    return "\n".join(printable(line, 600) for line in text.split("\n"))


def whose_word() -> str:
    """The name under which something is told: the user's on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def with_monitor(command: _Command) -> _Command:
    """The options that say which monitor is asked: ``url`` and ``token`` of the command."""
    url = click.option(
        "--url",
        default=lambda: os.environ.get("TRUEUP_URL") or DEFAULT_URL,
        metavar="URL",
        help=f"The monitor; else TRUEUP_URL, else {DEFAULT_URL}. Its token is TRUEUP_TOKEN.",
    )
    return url(command)


def monitor_at(url: str) -> MonitorApi:
    """The monitor at ``url``, with the token of the environment: on a command line everyone could read it."""
    return MonitorApi(url, os.environ.get("TRUEUP_TOKEN"))
