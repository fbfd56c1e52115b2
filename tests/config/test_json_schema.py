from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from yaml.nodes import MappingNode

from trueup.config.composing import compose
from trueup.config.json_schema import DIALECT, schema
from trueup.config.nodes import Tree
from trueup.config.options import option_keys
from trueup.config.problems import Problems
from trueup.probes.registry import all_probes

SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)
EXAMPLE = Path(__file__).parent / "contract_example.yaml"


def value(text: str | bytes) -> Any:
    """As an editor sees it: nothing substituted."""
    root = compose(text if isinstance(text, bytes) else text.encode(), "f", Problems())
    assert isinstance(root, MappingNode)
    return Tree(root, Problems(), {}).value(root, ())


def test_it_is_a_schema_of_its_dialect() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT


def test_it_takes_the_contracts_example() -> None:
    VALIDATOR.validate(value(EXAMPLE.read_bytes()))


def test_it_has_the_options_of_every_probe() -> None:
    (service,) = (one for one in SCHEMA["properties"]["services"]["additionalProperties"]["anyOf"][1:])
    for probe in all_probes():
        assert set(service["properties"]) >= option_keys(probe), probe.name


def test_asking_twice_gives_the_same() -> None:
    first = deepcopy(SCHEMA)
    assert schema() == first


@pytest.mark.parametrize(
    "text",
    [
        "services:",
        "services: {a: redis://h}",
        "services: {a: {at: [redis://h, 'h:1'], tier: '${TIER}', slow: '${SLOW}', internal: '${X}'}}",
        "services: {a: {at: redis://h, needs: b, login: pw, expect: {role: '${ROLE}'}}}",
        "services: {a: {at: http+unix://%2Fx/, send: {method: GET}}}",
        "services: {a: {at: redis://h, slow: null}}",
        "tiers: {3: {escalate: {alert: [a]}, remind: null}}",
        "tiers: {9: {every: 1d}}",
        "journeys: {j: {steps: [{http: https://h}, {probe: 'h:1'}, {command: [ls, 3]}, {dns: dns://h/n}]}}",
        "heartbeats: {a: {cron: '@daily', alert: []}}",
        "maintenance: [{targets: a, weekly: Sun 02:00, for: 1h}]",
        "monitor: {trusted_proxies: 10.0.0.0/8, workers: '${N}'}",
        "x-anything: [1]",
    ],
)
def test_what_loads_is_taken(text: str) -> None:
    VALIDATOR.validate(value(text))


@pytest.mark.parametrize(
    "text",
    [
        "servces: {}",
        "services: [a]",
        "services: {a: 5}",
        "services: {a: {tier: 1}}",
        "services: {a: {at: redis://h, querry: x}}",
        "services: {a: {at: redis://h, query: x}}",
        "services: {a: {at: redis://h, slow: 30}}",
        "services: {a: {at: redis://h, slow: soon}}",
        "services: {a: {at: redis://h, tier: one}}",
        "services: {a: {at: redis://h, expect: {role: king}}}",
        "services: {a: {at: redis://h, login: {user: x}}}",
        "services: {a: {at: redis://h, confirm: {failures: 0}}}",
        "journeys: {j: {}}",
        "journeys: {j: {steps: []}}",
        "journeys: {j: {steps: [{htp: x}]}}",
        "journeys: {j: {steps: [{http: https://h, redis: redis://h}]}}",
        "journeys: {j: {steps: [{redis: redis://h, expect: {rows: 1}}]}}",
        "tiers: {one: {}}",
        "tiers: {1: {every: 60}}",
        "channels: {a: {form: trueup}}",
        "channels: {a: {to: https://h, form: json}}",
        "heartbeats: {a: {evry: 1h}}",
        "maintenance: [{targets: a}]",
        "monitor: {disk: 2}",
    ],
)
def test_what_doesnt_load_isnt_taken(text: str) -> None:
    assert not VALIDATOR.is_valid(value(text))


def test_defaults_are_as_they_are_written() -> None:
    monitor = SCHEMA["properties"]["monitor"]["properties"]
    assert (monitor["disk"]["default"], monitor["workers"]["default"]) == ("2GB", 1)
    assert monitor["retention"]["properties"]["raw"]["default"] == "7d"
