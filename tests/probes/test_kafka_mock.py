"""The Kafka probe with librdkafka's MOCK cluster, through the real engine."""

from tests.beds.kafka_mock import kafka_mock
from tests.probes.performing import answer
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome


def test_a_mocked_cluster() -> None:
    with kafka_mock("orders", "trueup-probe") as url:
        seen = answer(url, advertised=True)
        assert (seen.outcome, len(seen.facts["brokers"])) == (Outcome.PASS, 2)
        assert answer(f"{url}/orders").cause is None
        there_and_back = answer(url, roundtrip=True)
        assert (there_and_back.layer, there_and_back.cause) == (Layer.FUNCTION, None)


def test_a_mocked_cluster_that_makes_no_topics() -> None:
    with kafka_mock(brokers=1) as url:
        seen = answer(url, roundtrip=True)
        assert (seen.layer, seen.cause) == (Layer.FUNCTION, Cause.ERROR_ANSWER)
        assert "make it, with one partition" in seen.detail
