"""The JSON Schema of a configuration (draft 2020-12), for editors: made of what reads it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from trueup.config.actions import METHODS, BrowserKeys, HttpKeys, ProbeKeys, expect_shape
from trueup.config.configuration import SECTIONS
from trueup.config.heartbeats import HeartbeatKeys
from trueup.config.journeys import JourneyKeys
from trueup.config.options import ADDRESS
from trueup.config.saves import SOURCES
from trueup.config.services import ServiceKeys
from trueup.config.shapes import adapter
from trueup.config.steps import StepKeys
from trueup.config.tiers import DEFAULTS, POLICY_KEYS
from trueup.domain.business_hours import BusinessHours
from trueup.domain.channel import Channel
from trueup.domain.journey import CommandExpect, MailRoundTrip, StepKind
from trueup.domain.location import Location
from trueup.domain.maintenance import Maintenance
from trueup.domain.monitor_settings import MonitorSettings
from trueup.domain.status_page import StatusPage
from trueup.domain.tier import Tier
from trueup.probes.probe import Probe
from trueup.probes.registry import all_probes, probe_for

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_TEXT: Final = {"type": "string"}


class _Generator(GenerateJsonSchema):
    """Without titles and defaults: those that can be written are added where keys are."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    def get_title_from_name(self, name: str) -> str:
        return ""


def schema() -> Schema:
    """The schema of a whole configuration, the options of every probe among it."""
    policy = {key: value for key, value in _keys(Tier)["properties"].items() if key in POLICY_KEYS}
    sections = {
        "services": _named(_service(policy)),
        "journeys": _named(_journey(policy)),
        "tiers": _tiers(),
        "channels": _named({"anyOf": [_TEXT, _keys(Channel)]}),
        "heartbeats": _named(_with(policy, _keys(HeartbeatKeys))),
        "business_hours": _keys(BusinessHours),
        "maintenance": {"type": "array", "items": _keys(Maintenance)},
        "uplink": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]},
        "location": _keys(Location),
        "status_page": _keys(StatusPage),
        "monitor": _keys(MonitorSettings),
    }
    assert tuple(sections) == SECTIONS
    for section in sections.values():
        if "type" in section:  # a section may be left empty
            section["type"] = [section["type"], "null"]
    return {
        "$schema": DIALECT,
        "title": "trueup's configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": sections,
        "patternProperties": {"^x-": {"description": "For anchors; it means nothing."}},
    }


def _keys(shape: Any) -> Schema:
    """The schema of a dataclass."""
    made: Schema = _untitled(adapter(shape).json_schema(schema_generator=_Generator))
    return made


def _untitled(part: Any) -> Any:
    """Without the names of the code, and with its docstrings as Markdown."""
    if isinstance(part, list):
        return [_untitled(inner) for inner in part]
    if not isinstance(part, dict):
        return part.replace("``", "`") if isinstance(part, str) else part
    return {key: _untitled(inner) for key, inner in part.items() if key != "title" or isinstance(inner, dict)}


def _named(items: Schema) -> Schema:
    return {
        "type": "object",
        "additionalProperties": items,
        "propertyNames": {"minLength": 1, "maxLength": 200},
    }


def _with(more: Mapping[str, Schema], keys: Schema) -> Schema:
    """More keys beside those of a schema; its own win."""
    return {**keys, "properties": {**more, **keys["properties"]}}


def _tiers() -> Schema:
    """What is written merges into the defaults, so that nothing is required."""
    tier = _unrequired(_keys(Tier))
    names = {"pattern": "^[1-9][0-9]?$"}
    examples = [{str(level): dict(keys) for level, keys in DEFAULTS.items()}]
    return {"type": "object", "additionalProperties": tier, "propertyNames": names, "examples": examples}


def _unrequired(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _unrequired(inner) for key, inner in part.items() if key != "required"}
    return [_unrequired(inner) for inner in part] if isinstance(part, list) else part


def _service(policy: Mapping[str, Schema]) -> Schema:
    """An address, or keys: those of all services, and those of the protocol that its address names."""
    general = {**policy, **_keys(ServiceKeys)["properties"]}
    by_probe = {probe.name: _options(probe) for probe in all_probes()}
    every: dict[str, list[Schema]] = {}
    for options in by_probe.values():
        for key, value in options.items():
            if key not in general and value not in every.setdefault(key, []):
                every[key].append(value)
    merged = {key: several[0] if len(several) == 1 else {"anyOf": several} for key, several in every.items()}
    return {
        "anyOf": [
            _TEXT,
            {
                "type": "object",
                "required": ["at"],
                "additionalProperties": False,
                "properties": {**general, **merged},
                "allOf": [_of_probe(probe, by_probe[probe.name], general) for probe in all_probes()],
            },
        ]
    }


def _options(probe: Probe) -> dict[str, Schema]:
    properties: dict[str, Schema] = _keys(probe.options)["properties"]
    return {key: value for key, value in properties.items() if key not in {ADDRESS, "tls", "http"}}


def _of_probe(probe: Probe, options: Mapping[str, Schema], general: Mapping[str, Schema]) -> Schema:
    """Where ``at`` is one address of this probe's, only its keys."""
    return {
        "if": {"properties": {"at": {"type": "string", "pattern": _schemes(probe)}}},
        "then": {"properties": dict(options), "propertyNames": {"enum": [*general, *options]}},
    }


def _schemes(probe: Probe) -> str:
    names = "|".join(re.escape(name) for name in probe.schemes)
    return rf"^(?:{names})(?:\+unix)?://"


def _journey(policy: Mapping[str, Schema]) -> Schema:
    journey = _with(policy, _keys(JourneyKeys))
    steps = {"type": "array", "minItems": 1, "items": {"anyOf": [_step(kind) for kind in StepKind]}}
    return {**journey, "properties": {**journey["properties"], "steps": steps}, "required": ["steps"]}


def _step(kind: StepKind) -> Schema:
    action, expect = _action(kind)
    step = _keys(StepKeys)
    more: dict[str, Schema] = {kind.value: action}
    if expect is not None:
        more["expect"] = expect
    if kind in SOURCES:
        sources = "|".join(SOURCES[kind])
        more["save"] = {
            "type": "object",
            "additionalProperties": {"type": "string", "pattern": rf"^(?:{sources})"},
        }
    return {**_with(more, step), "required": [kind.value]}


def _action(kind: StepKind) -> tuple[Schema, Schema | None]:
    if kind is StepKind.HTTP:
        one_method = [{"required": [method]} for method in METHODS]
        request = {**_keys(HttpKeys), "oneOf": one_method}
        return {"anyOf": [_TEXT, request]}, _keys(expect_shape(probe_for("http")))
    if kind is StepKind.MAIL:
        return _keys(MailRoundTrip), None
    if kind is StepKind.COMMAND:
        return {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1}, _keys(CommandExpect)
    if kind is StepKind.BROWSER:
        return {"type": "array", "items": {**_keys(BrowserKeys), "maxProperties": 1}, "minItems": 1}, None
    if kind is StepKind.PROBE:
        return _look(all_probes())
    return _look([probe_for(kind)])


def _look(probes: Iterable[Probe]) -> tuple[Schema, Schema | None]:
    """A look by one of ``probes``, and what may be expected of it."""
    options: dict[str, list[Schema]] = {}
    for probe in probes:
        for key, value in _options(probe).items():
            if value not in options.setdefault(key, []):
                options[key].append(value)
    merged = {key: {"anyOf": several} for key, several in options.items()}
    return {"anyOf": [_TEXT, _with(merged, _keys(ProbeKeys))]}, merged.get("expect")
