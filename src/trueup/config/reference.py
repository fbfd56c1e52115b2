"""The reference of the configuration as Markdown, rendered from what reads it."""

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from trueup.config.actions import BrowserKeys, HttpKeys, ProbeKeys
from trueup.config.heartbeats import HeartbeatKeys
from trueup.config.journeys import JourneyKeys
from trueup.config.options import ADDRESS
from trueup.config.saves import EXAMPLES
from trueup.config.services import ServiceKeys
from trueup.config.shapes import key_of, shown_default
from trueup.config.steps import StepKeys
from trueup.config.texts import DURATION_TEXT, SIZE_TEXT, TEXTS, URL_TEXT, Text
from trueup.config.tiers import POLICY_KEYS
from trueup.domain.business_hours import BusinessHours
from trueup.domain.channel import Channel
from trueup.domain.duration import show_duration
from trueup.domain.journey import CommandExpect, MailRoundTrip
from trueup.domain.limits import Schemes, Url
from trueup.domain.location import Location
from trueup.domain.maintenance import Maintenance
from trueup.domain.monitor_settings import MonitorSettings
from trueup.domain.selector import Selector
from trueup.domain.status_page import StatusPage
from trueup.domain.target import Login, TlsSettings
from trueup.domain.tier import Tier
from trueup.probes.probe import Probe
from trueup.probes.registry import all_probes

_INTRODUCTION: Final = """# Configuration

YAML: one file, or a folder of `.yaml` and `.yml` files that are read as one. A name that two files define is
an error. `trueup validate` lists every problem as `FILE:LINE: PATH: problem; hint`; `trueup schema` prints a
JSON Schema for editors.

`${NAME}` is a variable of the environment, `${file:/path}` what a file holds, `$$` a dollar. A duration is
`250ms`, `30s`, `5m`, `4h` or `7d`; a size is `500MB` or `2GB`; both need their unit. A list of one may be
written without its brackets. Keys of the top that begin with `x-` mean nothing: anchors can be kept there.
"""
_SECTIONS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("services", "By name. An address alone will do: `cache: redis://10.0.0.7`.\n\n", ServiceKeys),
    ("journeys", "By name. Each has `steps`, a list.\n\n", JourneyKeys),
    ("tiers", "By number. What is written merges into the defaults key by key.\n\n", Tier),
    ("channels", "By name. A URL alone will do.\n\n", Channel),
    ("heartbeats", "By name.\n\n", HeartbeatKeys),
    ("business_hours", "", BusinessHours),
    ("maintenance", "A list.\n\n", Maintenance),
    ("location", "", Location),
    ("status_page", "", StatusPage),
    ("monitor", "", MonitorSettings),
)
_EVERYWHERE: Final = frozenset({Login, TlsSettings})
_STEPS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("any step", "", StepKeys),
    ("http", "Expects what `http` services do.", HttpKeys),
    (
        "redis, postgres, mysql, dns, amqp, probe",
        "And what the protocol understands.",
        ProbeKeys,
    ),
    ("mail", "", MailRoundTrip),
    ("command", "A list: a program and its arguments. What it expects:", CommandExpect),
    ("browser", "A list of these:", BrowserKeys),
)


def reference() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for name, text, shape in _SECTIONS:
        parts.append(f"## {name}\n\n{text}{_described(shape)}")
        if name == "services":
            parts += [_everywhere(), *_protocols()]
        if name == "journeys":
            parts += _steps()
        if name == "maintenance":
            parts.append("## uplink\n\nA list of addresses, asked when much fails at once: is it me?\n")
    return "\n".join(parts)


def _everywhere() -> str:
    """What services, journeys and heartbeats share, and what comes again in many places."""
    keys = ", ".join(f"`{key}`" for key in POLICY_KEYS)
    policy = f"### What any target overrides\n\nOf its tier: {keys}. See `tiers`.\n"
    return "\n".join((policy, f"### login\n\n{_described(Login)}", f"### tls\n\n{_described(TlsSettings)}"))


def _protocols() -> list[str]:
    """What each protocol understands besides."""
    return ["### What each protocol understands\n", *map(_protocol, all_probes())]


def _protocol(probe: Probe) -> str:
    schemes = ", ".join(
        f"`{name}` ({scheme.port})" if scheme.port else f"`{name}`" for name, scheme in probe.schemes.items()
    )
    deadline = show_duration(probe.timeout_s)
    return f"#### {probe.title}\n\n{schemes}. The deadline is {deadline}.\n\n{_described(probe.options)}"


def _steps() -> list[str]:
    sources = ", ".join(f"`{example}`" for example in EXAMPLES.values())
    save = f"`save: {{NAME: SOURCE}}` keeps a value for later steps as `${{NAME}}`. Sources: {sources}.\n"
    parts = [f"### Steps\n\n{save}"]
    for name, text, shape in _STEPS:
        parts.append(f"#### {name}\n\n{text + chr(10) * 2 if text else ''}{_described(shape)}")
    return parts


def _described(shape: Any) -> str:
    """A table of a dataclass's keys, those within keys too, and what its docstring says of them."""
    rows = [row for row in _rows(shape, "") if not row.startswith(f"| `{ADDRESS}`")]
    table = ["| key | takes | default |", "|---|---|---|", *rows, ""] if rows else []
    return "\n".join([*table, *(_prose(key, one) for key, one in _shapes(shape, ""))])


def _prose(key: str, shape: Any) -> str:
    common = [f"\n\n{inspect.getdoc(base)}" for base in shape.__mro__[1:] if is_dataclass(base)]
    text = (inspect.getdoc(shape) or "") + "".join(common)
    for one in fields(shape):
        text = text.replace(f"``{one.name}``", f"``{key_of(one, get_type_hints(shape)[one.name])}``")
    text = re.sub(r"``(.+?)``", r"`\1`", text)
    return f"**{key}**: {text}\n" if key else f"{text}\n"


def _rows(shape: Any, within: str) -> Iterator[str]:
    hints = get_type_hints(shape, include_extras=True)
    for one in fields(shape):
        key = within + key_of(one, hints[one.name])
        inner = _dataclass_in(hints[one.name])
        default = shown_default(one)
        required = one.default is MISSING and one.default_factory is MISSING
        shown = "required" if required else f"`{_shown(default)}`" if default is not None else ""
        yield f"| `{key}` | {_takes(hints[one.name], one.name)} | {shown} |"
        if inner is not None and inner not in _EVERYWHERE:
            yield from _rows(inner, f"{key}.")


def _shown(default: Any) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)


def _shapes(shape: Any, within: str) -> list[tuple[str, Any]]:
    """A dataclass and those within it by their keys; those that come again in many places apart."""
    hints = get_type_hints(shape, include_extras=True)
    found = [(within, shape)]
    for one in fields(shape):
        inner = _dataclass_in(hints[one.name])
        if inner is not None and inner not in _EVERYWHERE:
            found += _shapes(inner, f"{within}{'.' if within else ''}{key_of(one, hints[one.name])}")
    return found


def _dataclass_in(annotation: Any) -> Any:
    if annotation in TEXTS or annotation is Selector:
        return None
    if isinstance(annotation, type) and is_dataclass(annotation):
        return annotation
    if get_origin(annotation) in {dict, Literal}:
        return None
    return next((found for one in get_args(annotation) if (found := _dataclass_in(one)) is not None), None)


def _takes(annotation: Any, name: str) -> str:
    """What may be written, in a few words."""
    if annotation in TEXTS:
        return _text(TEXTS[annotation])
    if annotation is float:
        return _text(DURATION_TEXT) if name.endswith("_s") else "a number"
    if annotation is int:
        return _text(SIZE_TEXT) if name.endswith("_bytes") else "a whole number"
    plain = {bool: "true or false", str: "text", Any: "anything", Selector: "names, patterns, `tag:NAME`"}
    if annotation in plain:
        return plain[annotation]
    if get_origin(annotation) is Annotated:
        return _takes_noted(get_args(annotation)[0], get_args(annotation)[1:], name)
    origin, inner = get_origin(annotation), [one for one in get_args(annotation) if one is not type(None)]
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if origin is tuple:
        return f"a list: {_takes(inner[0], name)}"
    if origin is dict or "Mapping" in str(origin):
        return f"by name: {_takes(inner[1], name)}"
    if inner:
        return ", or ".join(dict.fromkeys(_takes(one, name) for one in inner))
    return "a password, or `user` and `password`" if annotation is Login else "keys"


def _takes_noted(annotation: Any, notes: Sequence[Any], name: str) -> str:
    schemes = next((note.names for note in notes if isinstance(note, Schemes)), None)
    if schemes is not None:
        return f"an address of {', '.join(f'`{one}`' for one in schemes)}"
    return _text(URL_TEXT) if any(isinstance(note, Url) for note in notes) else _takes(annotation, name)


def _text(text: Text) -> str:
    return f"{text.one}, as `{text.example}`"
