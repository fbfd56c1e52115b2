from datetime import UTC, datetime

import pytest

from trueup.config import load_text
from trueup.discovery.found import Service
from trueup.discovery.writing import configuration_text, flow, scalar, service_document

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def test_it_is_what_a_person_would_have_written() -> None:
    services = (
        Service("mail", "smtp://127.0.0.1:25"),
        Service(
            "cache",
            "redis://127.0.0.1:6379",
            {"tier": 1, "unit": "redis.service", "internal": True, "needs": ["mail"]},
            ("seen\x1b[31m",),
            {"needs": "a guess"},
        ),
    )
    text = configuration_text(services, host="web-1", now=NOW, notes=["beside"])
    assert text == (
        "# What trueup discover found on web-1, 2026-11-21 10:00 UTC: yours to change.\n"
        "# A comment says what was guessed, or seen beside. A service without a tier is of tier 2.\n"
        "# beside\n"
        "services:\n"
        "  mail: smtp://127.0.0.1:25\n"
        "  # seen\\x1b[31m\n"
        "  cache:\n"
        "    at: redis://127.0.0.1:6379\n"
        "    tier: 1\n"
        "    unit: redis.service\n"
        "    internal: true\n"
        "    needs: [mail]  # a guess\n"
    )
    cache = next(one for one in load_text(text, "x").targets if one.name == "cache")
    assert (cache.tier, cache.unit, cache.internal, cache.needs) == (1, "redis.service", True, ("mail",))


def test_nothing_found_is_a_configuration_too() -> None:
    assert load_text(configuration_text((), host="x", now=NOW), "x").targets == ()


@pytest.mark.parametrize(
    "word", ["true", "No", "12", "1.5", "null", "a: b", "#x", "", "- a", "ü", "a,b", "x\ny"]
)
def test_a_word_comes_back_as_it_was(word: str) -> None:
    text = f"services: {{a: {{at: 'tcp://h:1', description: {scalar(word)}}}}}\n"
    assert load_text(text, "x").targets[0].description == word


def test_a_dollar_is_no_variable() -> None:
    text = f"services: {{a: {{at: 'tcp://h:1', description: {scalar('${HOME}')}}}}}\n"
    assert load_text(text, "x").targets[0].description == "${HOME}"


def test_values_are_on_one_line() -> None:
    value = {"headers": {"Host": "a.example"}, "n": [1, True, "300-399"]}
    assert flow(value) == '{headers: {Host: a.example}, n: [1, true, "300-399"]}'


def test_a_service_as_json_has_its_keys_and_notes() -> None:
    service = Service("a", "tcp://h:1", {"tier": 3}, ("x",), {"tier": "why"})
    assert service_document(service) == {
        "name": "a",
        "at": "tcp://h:1",
        "tier": 3,
        "notes": ["x", "tier: why"],
    }
