"""librdkafka's own mock of a Kafka cluster: no broker, but another's reading of the protocol than ours.

Kafka isn't in Debian. `fake_kafka` is made by those who made the probe; this one isn't.
"""

import contextlib
from collections.abc import Iterator

from confluent_kafka import Producer


@contextlib.contextmanager
def kafka_mock(*topics: str, brokers: int = 2) -> Iterator[str]:
    """The URL of its first broker. These topics are there."""
    settings = {"bootstrap.servers": "mock", "test.mock.num.brokers": str(brokers), "log_level": 0}
    producer = Producer(settings)
    try:
        for topic in topics:
            producer.list_topics(topic, timeout=10)
        known = producer.list_topics(timeout=10).brokers
        first = known[min(known)]
        yield f"kafka://{first.host}:{first.port}"
    finally:
        producer.flush(1)
        del producer
