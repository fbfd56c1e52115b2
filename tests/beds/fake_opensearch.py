"""A fake OpenSearch: no real one can be had on Debian."""

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.beds.fake_http import FakeHttp, fake_http
from tests.beds.fake_search_cluster import FakeSearchCluster

VERSION = {
    "distribution": "opensearch",
    "number": "2.17.0",
    "build_type": "deb",
    "lucene_version": "9.11.1",
    "minimum_wire_compatibility_version": "7.10.0",
}
TAGLINE = "The OpenSearch Project: https://opensearch.org/"


@contextlib.contextmanager
def fake_opensearch(**state: Any) -> Iterator[tuple[FakeHttp, FakeSearchCluster]]:
    """One node, green, without a login; `state` are attributes of the fake cluster."""
    cluster = FakeSearchCluster(
        "opensearch", VERSION, TAGLINE, challenge='Basic realm="OpenSearch Security"', **state
    )
    with fake_http(cluster.reply) as server:
        yield server, cluster
