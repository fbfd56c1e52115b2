from datetime import UTC, datetime
from typing import Any

import pytest

from trueup.discovery.fitting import fitted
from trueup.discovery.found import Service
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PAGE = Service("web", "https://127.0.0.1:443", {"tier": 1, "needs": ["db"]})


def failed(cause: Cause, **facts: Any) -> list[Observation]:
    return [
        Observation(Layer.PORT, Outcome.PASS, NOW),
        Observation(Layer.SERVICE, Outcome.FAIL, NOW, cause, "", None, facts),
    ]


def test_a_service_that_is_well_is_as_it_was() -> None:
    assert fitted(PAGE, [Observation(Layer.PORT, Outcome.PASS, NOW)]) is None


@pytest.mark.parametrize(
    ("cause", "facts", "key", "value"),
    [
        (Cause.TLS_NAME_MISMATCH, {"names": ["*.example", "a.example"]}, "tls", {"server_name": "a.example"}),
        (Cause.TLS_NAME_MISMATCH, {"names": ["*.example"]}, "tls", {"verify": False}),
        (Cause.TLS_UNTRUSTED, {}, "tls", {"verify": False}),
        (Cause.WRONG_ANSWER, {"status": 404}, "expect", {"status": [404]}),
        (Cause.ERROR_ANSWER, {"status": 501}, "expect", {"status": [501]}),
        (Cause.UNRESOLVED, {"redirected_to": "https://x.example/"}, "expect", {"status": ["300-399"]}),
    ],
)
def test_what_is_no_fault_is_fitted(
    cause: Cause, facts: dict[str, Any], key: str, value: dict[str, Any]
) -> None:
    service = fitted(PAGE, failed(cause, **facts))
    assert service is not None
    assert service.keys == {"tier": 1, key: value, "needs": ["db"]}
    assert list(service.keys)[-1] == "needs"
    assert service.guesses[key]


@pytest.mark.parametrize(
    ("cause", "facts"),
    [
        (Cause.TLS_EXPIRED, {}),
        (Cause.ERROR_ANSWER, {"status": 500}),
        (Cause.BAD_UPSTREAM, {"status": 502}),
        (Cause.REFUSED, {}),
        (Cause.WRONG_ANSWER, {"status": 200}),
    ],
)
def test_a_fault_stays_one(cause: Cause, facts: dict[str, Any]) -> None:
    assert fitted(PAGE, failed(cause, **facts)) is None


def test_a_name_and_an_authority_may_both_be_wanting() -> None:
    named = fitted(PAGE, failed(Cause.TLS_NAME_MISMATCH, names=["a.example"]))
    assert named is not None
    both = fitted(named, failed(Cause.TLS_UNTRUSTED))
    assert both is not None
    assert both.keys["tls"] == {"server_name": "a.example", "verify": False}
