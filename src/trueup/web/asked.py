"""What a request asks for: read with all its problems at once, within limits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from trueup.domain.duration import parse_duration
from trueup.domain.nearest import nearest
from trueup.domain.printable import printable
from trueup.domain.understood import NotUnderstood
from trueup.web.access import bearer
from trueup.web.refusal import Refusal

BODY_BYTES_MAX: Final = 64 * 1024
TEXT_CHARS_MAX: Final = 4000
_MOMENT_HINT: Final = "write a time as in 2026-12-01T22:00:00+01:00, or how long ago as in 24h"


@dataclass(slots=True)
class Asked:
    """Named words of a query or a body, taken one by one. ``finish`` tells what was wrong with them."""

    words: Mapping[str, Any]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    problems: list[dict[str, str]] = field(default_factory=list)

    def wrong(self, name: str, problem: str, hint: str) -> None:
        self.problems.append({"field": name, "problem": problem, "hint": hint})

    def only(self, *known: str) -> None:
        """Whatever else is named is a mistake."""
        for name in self.words:
            if name not in known:
                close = nearest(name, known)
                others = f"known are {', '.join(known)}" if known else "leave it out"
                hint = f"did you mean {close}?" if close else others
                self.wrong(printable(name, 60), "not known here", hint)

    def text(self, name: str, default: str = "") -> str:
        said = self.words.get(name)
        if said is None:
            return default
        if not isinstance(said, str) or len(said) > TEXT_CHARS_MAX:
            self.wrong(name, "no text, or too long", f"write at most {TEXT_CHARS_MAX} characters")
            return default
        return said.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of words; one word may stand alone, and a form separates them by commas or lines."""
        said = self.words.get(name)
        if isinstance(said, str):
            said = said.replace("\n", ",").split(",")
        if said is None:
            return ()
        if not isinstance(said, list) or not all(isinstance(one, str) for one in said) or len(said) > 1000:
            self.wrong(name, "no list of words", 'write it as in ["shop-*"]')
            return ()
        return tuple(one.strip() for one in said if one.strip())

    def whole(self, name: str, default: int, at_least: int, at_most: int) -> int:
        """A number; one that is too large is cut down, as pages are."""
        said = self.words.get(name)
        if said is None or said == "":
            return default
        text = str(said)
        if not (text.isascii() and text.isdecimal() and len(text) < 12) or int(text) < at_least:
            self.wrong(name, "no number, or too small", f"write one from {at_least} to {at_most}")
            return default
        return min(int(text), at_most)

    def one_of(self, name: str, *words: str) -> str | None:
        said = self.words.get(name)
        if said in (None, ""):
            return None
        if said not in words:
            self.wrong(name, f"{printable(str(said), 60)} isn't known", f"write one of {', '.join(words)}")
            return None
        return str(said)

    def seconds(self, name: str, default: float) -> float:
        """A duration as in ``2h``; a step may be written in seconds too."""
        said = self.words.get(name)
        if said is None or said == "":
            return default
        try:
            return parse_duration(str(said))
        except NotUnderstood as error:
            self.wrong(name, error.problem, error.hint)
            return default

    def moment(self, name: str, default: datetime) -> datetime:
        """RFC 3339, seconds of Unix, or how long ago."""
        said = self.words.get(name)
        if said is None or said == "":
            return default
        text = str(said).strip()
        try:
            if text.isascii() and text.isdecimal() and len(text) >= 9:
                return datetime.fromtimestamp(int(text), UTC)
            if text[:4].isdecimal() and text[4:5] == "-":
                found = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
                return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
            return self.now - timedelta(seconds=parse_duration(text))
        except (NotUnderstood, ValueError, OverflowError, OSError):
            self.wrong(name, f"{printable(text, 60)} is no time", _MOMENT_HINT)
            return default

    def finish(self) -> None:
        """Raises:
        Refusal: 400, if anything was wrong.
        """
        if self.problems:
            first = self.problems[0]
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            problem = f"{first['field']}: {first['problem']}{more}"
            raise Refusal(400, problem, first["hint"], problems=self.problems)


def queried(request: Request) -> Asked:
    """What stands behind the question mark."""
    return Asked(dict(request.query_params))


async def told(request: Request) -> Asked:
    """The body, of JSON or of a form; none is an empty one.

    Raises:
        Refusal: it's too long, or neither.
    """
    if is_form(request):
        ours = ("csrf", "back")
        fields = {name: word for name, word in (await form_of(request)).items() if name not in ours}
        # Many programs call what they send a form unless they're told not to: curl -d does. Only one with a
        # token is believed to mean JSON; another site's page can send a form, too.
        said = _object_in(request.scope["trueup.body"]) if bearer(request) is not None else None
        return Asked(fields if said is None else said)
    body = await body_of(request, BODY_BYTES_MAX)
    if not body.strip():
        return Asked({})
    said = _object_in(body)
    if said is None:
        raise Refusal(400, "the body is no JSON object", 'write it as in {"note": "on it"}')
    return Asked(said)


def _object_in(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a body is; None where it's something else."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def is_form(request: Request) -> bool:
    """Whether a page's form was sent."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/x-www-form-urlencoded"


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, each once; read once and kept.

    Raises:
        Refusal: it's too long.
    """
    known: dict[str, str] | None = request.scope.get("trueup.form")
    if known is None:
        body = await body_of(request, BODY_BYTES_MAX)
        try:
            known = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
        except ValueError as error:
            raise Refusal(400, "the form can't be read", "load the page again, and repeat it") from error
        request.scope["trueup.form"], request.scope["trueup.body"] = known, body
    return known


async def body_of(request: Request, bytes_max: int) -> bytes:
    """The whole body.

    Raises:
        Refusal: it's longer than that, whatever its head says, or ends early.
    """
    too_much = Refusal(413, f"more than {bytes_max} bytes", "send less at once")
    said = request.headers.get("content-length", "0")
    if said.isdecimal() and int(said) > bytes_max:
        raise too_much
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > bytes_max:
                raise too_much
    except ClientDisconnect as error:
        raise Refusal(400, "the body ended early", "send it again") from error
    return bytes(body)
