"""What is written as one word or number and means more: durations, addresses, secrets, times."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from trueup.domain.address import BARE, Address, AddressError, parse_address
from trueup.domain.cron import Cron, parse_cron
from trueup.domain.duration import DURATION, parse_duration
from trueup.domain.monitor_settings import Listen, Store
from trueup.domain.nearest import nearest
from trueup.domain.secret import Secret
from trueup.domain.size import SIZE, parse_size
from trueup.domain.understood import NotUnderstood, quoted
from trueup.domain.weekly import DayHours, Weekdays, Weekly, parse_hours, parse_weekdays, parse_weekly
from trueup.probes.registry import SCHEMES

NOT_UNDERSTOOD: Final = "not_understood"
"""The type of an error whose context has ``problem``, ``hint`` and the ``text`` that found it."""


@dataclass(frozen=True, eq=False)
class Text:
    """One scalar, read by ``read``; ``one`` is what it's called, with its article; ``example`` shows it.

    Where ``hidden``, it is never quoted. ``read`` raises ``NotUnderstood`` or ``AddressError``.
    """

    one: str
    example: str
    read: Callable[[str], Any]
    built: tuple[type, ...] = ()
    hidden: bool = False
    json_schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**self.json_schema, "examples": [self.example]}

    def _validate(self, value: Any) -> Any:
        if isinstance(value, str):
            try:
                return self.read(value)
            except (NotUnderstood, AddressError) as mistake:
                context = {"problem": mistake.problem, "hint": mistake.hint or self.hint, "text": self}
                raise PydanticCustomError(NOT_UNDERSTOOD, "not understood", context) from None
        if isinstance(value, self.built):
            return value
        raise PydanticCustomError("string_type", "needs text", {"text": self})

    @property
    def hint(self) -> str:
        """What to write."""
        return f"as in {self.example}"


SUBSTITUTED: Final = r"\$\{[^}]+\}"
"""A value that comes from elsewhere, wherever a word of a certain form is needed."""


def _pattern(expression: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{expression})$|{SUBSTITUTED}"}


def _address(text: str) -> Address:
    return parse_address(text, SCHEMES)


def address_text(schemes: tuple[str, ...]) -> Text:
    """An address of one of ``schemes``, and none without a scheme."""
    example = f"{schemes[-1]}://shop.example"
    return Text("an address", example, partial(_of_schemes, schemes=schemes), (Address,))


def _of_schemes(text: str, schemes: tuple[str, ...]) -> Address:
    try:
        address = parse_address(text, schemes)
    except AddressError:
        if "://" in text:
            raise
        raise NotUnderstood(f"{quoted(text)} has no scheme", f"as in {schemes[-1]}://shop.example") from None
    if address.scheme == BARE:
        raise NotUnderstood(f"{quoted(text)} has no scheme", f"write {schemes[0]}://{address.text}")
    return address


def _store(text: str) -> Store:
    if text == "sqlite":
        return Store()
    try:
        return Store(_of_schemes(text, ("postgresql", "postgres")))
    except (NotUnderstood, AddressError) as error:
        raise NotUnderstood(
            error.problem, "write sqlite, or as in postgres://trueup@db.internal/trueup"
        ) from None


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise NotUnderstood("it names no file", "write a path")
    return Path(text)


def _zone(text: str) -> tzinfo:
    if text == "UTC":
        return UTC  # where no time zones are installed, too
    try:
        return ZoneInfo(text)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        pass
    except KeyError:
        pass
    known = available_timezones()
    meant = nearest(text, known)
    hint = f"did you mean {meant}?" if meant else "as in Europe/Berlin or UTC"
    raise NotUnderstood(f"{quoted(text)} is no time zone", hint)


def _moment(text: str) -> datetime:
    """Aware where an offset is written; else the zone of its section is meant."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise NotUnderstood(f"{quoted(text)} is no date and time", "as in 2026-12-01T22:00+01:00") from None


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise NotUnderstood(f"{quoted(text)} is no network", "as in 10.0.0.0/8") from None
    raise NotUnderstood(f"{quoted(text)} has bits beyond its length", f"write {meant}")


def _listen(text: str) -> Listen:
    if text.removeprefix(":").isdecimal():
        meant = "127.0.0.1:" + text.removeprefix(":")
        raise NotUnderstood(
            f"{quoted(text)} names no address", f"write {meant}, or as in 0.0.0.0:8642 for all"
        )
    try:
        address = parse_address(text, ())
    except AddressError as error:
        raise NotUnderstood(error.problem, "as in 127.0.0.1:8642") from None
    assert address.port is not None  # a bare address has one
    return Listen(address.host, address.port)


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise NotUnderstood(
            f"{quoted(text)} is no regular expression", f"{error.msg} at character {(error.pos or 0) + 1}"
        ) from None


def _secret(text: str) -> Secret:
    return Secret(text)


_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,40}://\S+", re.ASCII)


def _url(text: str) -> Secret:
    if not _URL.fullmatch(text):
        raise NotUnderstood("it isn't a URL", "as in https://ops.example/hooks or tgram://TOKEN/CHAT")
    return Secret(text)


def _web_url(text: str) -> Secret:
    if not _URL.fullmatch(text) or text.partition("://")[0].lower() not in ("http", "https"):
        raise NotUnderstood("it isn't a URL of http or https", "as in https://hc.example/ping/x")
    return Secret(text)


DURATION_TEXT: Final = Text("a duration", "30s", parse_duration, (), json_schema=_pattern(DURATION))
SIZE_TEXT: Final = Text("a size", "2GB", parse_size, (), json_schema=_pattern(SIZE))
URL_TEXT: Final = Text("a URL", "https://ops.example/hooks", _url, (), hidden=True)
WEB_URL_TEXT: Final = Text("a URL", "https://hc.example/ping/x", _web_url, (), hidden=True)

TEXTS: Final[dict[Any, Text]] = {
    Address: Text("an address", "redis://10.0.0.7:6379", _address, (Address,)),
    Secret: Text("a secret", "${PASSWORD}", _secret, (Secret,), hidden=True),
    Cron: Text("a cron expression", "0 3 * * *", parse_cron, (Cron,)),
    Weekly: Text("a time of the week", "Sun 02:00", parse_weekly, (Weekly,)),
    Weekdays: Text("days of the week", "Mon-Fri", parse_weekdays, (Weekdays,)),
    DayHours: Text("hours of the day", "09:00-18:00", parse_hours, (DayHours,)),
    tzinfo: Text("a time zone", "Europe/Berlin", _zone, (tzinfo,)),
    datetime: Text("a date and time", "2026-12-01T22:00+01:00", _moment, (datetime,)),
    IPv4Network | IPv6Network: Text("a network", "10.0.0.0/8", _network, (IPv4Network, IPv6Network)),
    Listen: Text("an address to listen on", "127.0.0.1:8642", _listen, (Listen,)),
    Store: Text("a store", "sqlite", _store, (Store,)),
    Path: Text("a path", "./trueup-data", _path, (Path,)),
    re.Pattern[str]: Text("a regular expression", "v[0-9]+", _expression, (re.Pattern,)),
}
"""By the type of a field."""
