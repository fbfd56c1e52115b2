from trueup.domain.causes import CAUSES, Cause
from trueup.domain.states import Layer

CONTRACT_ORDER = [
    "unresolved",
    "refused",
    "no-answer",
    "unreachable",
    "silent",
    "closes",
    "wrong-service",
    "starting-up",
    "overloaded",
    "read-only",
    "disk-full",
    "login-refused",
    "blocked",
    "error-answer",
    "bad-upstream",
    "no-quorum",
    "replication",
    "wrong-answer",
    "tls-failed",
    "tls-expired",
    "tls-not-yet-valid",
    "tls-name-mismatch",
    "tls-untrusted",
    "tls-expiring",
    "slow",
    "step-failed",
    "needs",
    "missed-heartbeat",
    "not-running",
    "not-listening",
    "not-enabled",
    "crashed",
    "crash-loop",
    "out-of-memory",
    "paused",
    "hung",
    "activation-failed",
    "wrong-owner",
    "wrong-address",
    "firewall",
    "unhealthy",
    "exposed",
    "monitor-offline",
    "monitor-starved",
    "agent-silent",
]


def test_the_list_is_closed_and_in_order() -> None:
    assert [cause.value for cause in Cause] == CONTRACT_ORDER


def test_every_cause_has_a_meaning_and_layers() -> None:
    assert set(CAUSES) == set(Cause)
    assert all(cause.says and cause.layers for cause in Cause)


def test_rank_is_the_place_in_the_list() -> None:
    assert Cause.REFUSED.rank < Cause.SILENT.rank < Cause.WRONG_ANSWER.rank


def test_layers_as_the_contract_says() -> None:
    assert Cause.OVERLOADED.layers == {Layer.SERVICE, Layer.FUNCTION}
    assert Cause.SLOW.layers == set(Layer)
    assert Cause.PAUSED.layers == {Layer.HOST}
