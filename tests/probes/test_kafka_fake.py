"""The Kafka probe with a FAKE broker, through the real engine."""

import pytest

from tests.beds.fake_kafka import fake_kafka
from tests.beds.server import free_port
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login

LOGIN = Login(Secret("sesame"), "monitor")
WRONG = Login(Secret("wrong"), "monitor")


def test_a_healthy_fake_broker() -> None:
    with fake_kafka(brokers=[("kafka-1.internal", 9092), ("fd00::2", 9093)]) as fake:
        seen = answer(fake.url)
    assert (seen.outcome, seen.layer) == (Outcome.PASS, Layer.SERVICE)
    assert seen.facts == {
        "brokers": ["kafka-1.internal:9092", "[fd00::2]:9093"],
        "controller": 1,
        "cluster": "fake-cluster",
    }


def test_a_fake_cluster_without_its_controller() -> None:
    with fake_kafka(controller=-1) as fake:
        assert answer(fake.url).cause is Cause.NO_QUORUM


def test_a_topic_of_the_fake() -> None:
    with fake_kafka(topics={"orders": [1, 1, 2]}) as fake:
        assert answer(f"{fake.url}/orders").cause is None
        assert answer(f"{fake.url}/other").cause is Cause.ERROR_ANSWER
        fake.behind = 1
        behind = answer(f"{fake.url}/orders")
        assert (behind.outcome, behind.cause) == (Outcome.SLOW, Cause.REPLICATION)
        fake.topics["orders"][1] = -1
        leaderless = answer(f"{fake.url}/orders")
        assert (leaderless.outcome, leaderless.cause) == (Outcome.FAIL, Cause.NO_QUORUM)
        assert leaderless.facts["partitions"] == [1]


def test_a_fake_listener_that_demands_a_login() -> None:
    with fake_kafka(mechanisms=["PLAIN", "SCRAM-SHA-256"]) as fake:
        seen = answer(fake.url)
        assert (seen.cause, seen.facts["login"]) == (None, "demanded")
        assert seen.facts["mechanisms"] == ["PLAIN", "SCRAM-SHA-256"]
        assert answer(f"{fake.url}/orders").cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize(
    "mechanisms", [["PLAIN"], ["SCRAM-SHA-256"], ["SCRAM-SHA-512"], ["PLAIN", "SCRAM-SHA-512"]]
)
def test_a_login_to_the_fake(mechanisms: list[str]) -> None:
    with fake_kafka(mechanisms=mechanisms, topics={"orders": [1]}) as fake:
        transcript = perform(f"{fake.url}/orders", login=LOGIN)
        assert transcript.answer is not None
        assert transcript.answer.cause is None
        assert b"sesame" not in b"".join(said.data for said in transcript.said)
        assert answer(fake.url, login=WRONG).cause is Cause.LOGIN_REFUSED


def test_a_login_that_the_fake_cant_take() -> None:
    with fake_kafka(mechanisms=["GSSAPI"]) as fake:
        unspoken = answer(fake.url, login=LOGIN)
        assert (unspoken.outcome, "only GSSAPI" in unspoken.detail) == (Outcome.UNKNOWN, True)
    with fake_kafka() as fake:
        assert answer(fake.url, login=LOGIN).facts["code"] == 34


def test_a_fake_that_closes_for_another_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """No listener with SASL: what it closes at is none of a login's business."""
    monkeypatch.setattr("tests.beds.fake_kafka._Client._metadata", _close)
    with fake_kafka() as fake:
        fault = perform(fake.url).fault
    assert fault is not None
    assert (fault.layer, fault.cause) == (Layer.SERVICE, Cause.CLOSES)


def _close(self: object, body: bytes) -> bytes:
    del self, body
    raise OSError


def test_a_record_goes_there_and_back_through_the_fake() -> None:
    with fake_kafka() as fake:
        for number in (1, 2):  # it makes its topic, and finds it
            seen = answer(fake.url, roundtrip=True)
            assert (seen.layer, seen.cause) == (Layer.FUNCTION, None)
            assert fake.deleted_before == number
        assert fake.topics == {"trueup-probe": [1]}


def test_a_record_behind_a_login_to_the_fake() -> None:
    with fake_kafka(mechanisms=["SCRAM-SHA-256"]) as fake:
        transcript = perform(fake.url, login=LOGIN, roundtrip=True)
        assert transcript.answer is not None
        assert (transcript.answer.layer, transcript.answer.cause) == (Layer.FUNCTION, None)
        assert b"sesame" not in b"".join(said.data for said in transcript.said)
        assert answer(fake.url, roundtrip=True).cause is Cause.LOGIN_REFUSED


def test_a_fake_that_loses_what_it_is_given() -> None:
    with fake_kafka(loses=True) as fake:
        lost = answer(fake.url, roundtrip=True)
        assert (lost.layer, lost.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
        assert answer(fake.url).cause is None, "nobody sees it who only asks"


@pytest.mark.parametrize(
    ("api", "code", "layer", "cause"),
    [
        (0, 19, Layer.SERVICE, Cause.NO_QUORUM),
        (0, 29, Layer.FUNCTION, Cause.LOGIN_REFUSED),
        (0, 56, Layer.FUNCTION, Cause.DISK_FULL),
        (1, 29, Layer.FUNCTION, Cause.LOGIN_REFUSED),
        (19, 29, Layer.FUNCTION, Cause.LOGIN_REFUSED),
        (19, 38, Layer.SERVICE, Cause.NO_QUORUM),
    ],
)
def test_a_fake_that_refuses_a_part_of_it(api: int, code: int, layer: Layer, cause: Cause) -> None:
    with fake_kafka(refuses={api: code}) as fake:
        seen = answer(fake.url, roundtrip=True)
        assert (seen.layer, seen.cause) == (layer, cause)


def test_a_fake_that_sends_clients_where_nobody_is() -> None:
    with fake_kafka() as fake:
        nobody = free_port()
        fake.brokers = [("127.0.0.1", fake.port), ("127.0.0.1", nobody)]
        assert answer(fake.url).cause is None, "nobody sees it who only asks"
        astray = answer(fake.url, advertised=True)
        assert (astray.layer, astray.cause) == (Layer.SERVICE, Cause.WRONG_ANSWER)
        assert f"127.0.0.1:{nobody}, which can't be reached from here: refused" in astray.detail
        fake.topics["trueup-probe"] = [2]
        lost = answer(fake.url, roundtrip=True)
        assert (lost.layer, lost.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
        fake.brokers = [("127.0.0.1", fake.port)]
        assert answer(fake.url, advertised=True).cause is None
        fake.topics["trueup-probe"] = [1]
        assert answer(fake.url, roundtrip=True, advertised=True).cause is None
