"""A fake Elasticsearch: no real one can be had on Debian."""

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.beds.fake_http import FakeHttp, fake_http
from tests.beds.fake_search_cluster import FakeSearchCluster

VERSION = {
    "number": "8.15.1",
    "build_flavor": "default",
    "build_type": "deb",
    "lucene_version": "9.11.1",
    "minimum_wire_compatibility_version": "7.17.0",
}


@contextlib.contextmanager
def fake_elasticsearch(**state: Any) -> Iterator[tuple[FakeHttp, FakeSearchCluster]]:
    """One node, green, without a login; `state` are attributes of the fake cluster."""
    cluster = FakeSearchCluster("elasticsearch", VERSION, "You Know, for Search", "Elasticsearch", **state)
    with fake_http(cluster.reply) as server:
        yield server, cluster
