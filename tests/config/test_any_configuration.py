"""Whatever is written, a configuration or its problems come of it, and nothing else."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.config.written import loaded
from trueup.config import ConfigurationError
from trueup.config.actions import METHODS, BrowserKeys, HttpKeys
from trueup.config.configuration import SECTIONS
from trueup.config.heartbeats import HeartbeatKeys
from trueup.config.journeys import JourneyKeys
from trueup.config.options import option_keys
from trueup.config.services import ServiceKeys
from trueup.config.shapes import keys_of
from trueup.config.tiers import POLICY_KEYS
from trueup.domain.channel import Channel
from trueup.domain.journey import MailRoundTrip, StepKind
from trueup.domain.maintenance import Maintenance
from trueup.domain.monitor_settings import MonitorSettings
from trueup.domain.target import Login, TlsSettings
from trueup.probes.registry import SCHEMES, all_probes

SHAPES = (ServiceKeys, JourneyKeys, HeartbeatKeys, Channel, Maintenance, MonitorSettings)
MORE = (Login, TlsSettings, HttpKeys, BrowserKeys, MailRoundTrip)
KEYS = sorted(
    {key for shape in (*SHAPES, *MORE) for key in keys_of(shape)}
    | {key for probe in all_probes() for key in option_keys(probe)}
    | {
        *POLICY_KEYS,
        *METHODS,
        *StepKind,
        "steps",
        "expect",
        "save",
        "role",
        "status",
        "json",
        "groups",
        "1",
        "<<",
    }
)
WORDS = st.sampled_from(
    [
        *(
            "",
            "a",
            "b",
            "30",
            "30s",
            "2GB",
            "${X}",
            "${Y}",
            "$${X}",
            "${",
            "@daily",
            "0 3 * * *",
            "Sun 02:00",
        ),
        *(
            "tag:a",
            "*",
            "h:1",
            "UTC",
            "value",
            "json.a",
            "09:00-18:00",
            "primary",
            "\x1b",
            "\u202e",
            "x" * 300,
        ),
        *("2026-12-01T22:00", "10.0.0.0/8", "Mon-Fri", "sqlite", "always", "GET"),
    ]
)
ADDRESSES = st.sampled_from(sorted(SCHEMES)).map(lambda scheme: f"{scheme}://h/x")
NUMBERS = st.integers(-3, 100) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = WORDS | ADDRESSES | NUMBERS | st.booleans() | st.none()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
NAMED = st.dictionaries(st.sampled_from(["a", "b", "1", "", "tag:x"]), VALUES, max_size=3)
SERVICE = st.builds(
    lambda at, more: {**more, "at": at}, ADDRESSES, st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)
)
STEP = st.dictionaries(st.sampled_from([*StepKind, "expect", "save", "timeout"]), VALUES, max_size=3)
JOURNEY = st.fixed_dictionaries({"steps": st.lists(STEP, max_size=4)})
WHOLE = st.dictionaries(st.sampled_from(SECTIONS), VALUES | NAMED, max_size=4) | st.fixed_dictionaries(
    {
        "services": st.dictionaries(st.sampled_from(["a", "b"]), SERVICE, max_size=2),
        "journeys": st.dictionaries(st.sampled_from(["j", "a"]), JOURNEY, max_size=2),
    },
    optional=dict.fromkeys(SECTIONS[2:], VALUES | NAMED),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WHOLE)
def test_anything_is_a_configuration_or_problems(written: dict[str, Any]) -> None:
    try:
        loaded(json.dumps(written), {"X": "c4nary"})
    except ConfigurationError as error:
        for problem in error.problems:
            assert problem.problem
            assert problem.hint
            assert str(problem).isprintable()
            assert "c4nary" not in str(problem)
