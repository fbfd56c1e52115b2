"""A fake Solr, with answers as its reference guide shows them: no real one can be had on Debian."""

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.beds.fake_http import FakeHttp, asked, fake_http, says

HEADER = {"status": 0, "QTime": 1}


@dataclass
class FakeSolr:
    """Change its attributes to break it; `reply` is what it says to a request."""

    mode: str = "std"
    cores: tuple[str, ...] = ("orders",)
    failures: dict[str, str] = field(default_factory=dict)
    live_nodes: tuple[str, ...] = ("a:8983_solr", "b:8983_solr")
    leader: bool = True
    loading: bool = False
    ping: str = "OK"
    login: str | None = None
    """`user:password`, where one is demanded."""
    documents: set[str] = field(default_factory=set)

    def reply(self, request: bytes) -> bytes:
        method, path, body = asked(request)
        if path == "/":
            return says(302, b"", "Location: /solr/")
        word = base64.b64encode((self.login or "").encode())
        if self.login is not None and b"Authorization: Basic " + word + b"\r\n" not in request:
            return says(401, b"<title>Error 401 require authentication</title>",
                        'WWW-Authenticate: Basic realm="solr"')  # fmt: skip
        status, document = self._answer(method, path, body, request)
        return says(
            status, {"responseHeader": {**HEADER, "status": 0 if status == 200 else status}, **document}
        )

    def _answer(self, method: str, path: str, body: bytes, request: bytes) -> tuple[int, dict[str, Any]]:
        if path == "/solr/admin/info/system":
            return 200, {"mode": self.mode, "lucene": {"solr-spec-version": "9.7.0"}}
        if self.loading:
            return 503, {"error": {"msg": "SolrCore is loading", "code": 503}}
        if path == "/solr/admin/cores":
            return 200, {
                "initFailures": self.failures,
                "status": {name: {"name": name} for name in self.cores},
            }
        if path == "/solr/admin/collections":
            return 200, {"cluster": self._cluster()}
        name, _, handler = path.removeprefix("/solr/").partition("/")
        if name not in self.cores:
            return 404, {"error": {"msg": f"no such core: {name}", "code": 404}}
        if handler == "admin/ping":
            return 200, {"status": self.ping}
        return 200, self._document(handler, body, request)

    def _document(self, handler: str, body: bytes, request: bytes) -> dict[str, Any]:
        if handler == "get":
            key = re.search(rb"id=([\w-]+)", request)
            assert key
            return {"doc": {"id": key[1].decode()} if key[1].decode() in self.documents else None}
        command = json.loads(body)
        if isinstance(command, list):
            self.documents.add(command[0]["id"])
        else:
            self.documents.discard(command["delete"]["id"])
        return {}

    def _cluster(self) -> dict[str, Any]:
        replicas = {
            "r1": {
                "state": "active",
                "node_name": "a:8983_solr",
                **({"leader": "true"} if self.leader else {}),
            },
            "r2": {"state": "active", "node_name": "b:8983_solr"},
        }
        shards = {
            "shard1": {"state": "active", "replicas": replicas},
            "shard0": {"state": "inactive", "replicas": {}},
        }
        return {"collections": {"orders": {"shards": shards}}, "live_nodes": list(self.live_nodes)}


@contextlib.contextmanager
def fake_solr(**state: Any) -> Iterator[tuple[FakeHttp, FakeSolr]]:
    """Standalone with one core and no login; `state` are attributes of the fake."""
    solr = FakeSolr(**state)
    with fake_http(solr.reply) as server:
        yield server, solr
