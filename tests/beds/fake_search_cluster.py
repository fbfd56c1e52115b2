"""A fake of what Elasticsearch and OpenSearch have in common, with answers as they are recorded in their
documentation: neither can be had on Debian. It keeps documents in memory, so that a round trip works.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from tests.beds.fake_http import asked, says

JSON = "content-type: application/json"


@dataclass
class FakeSearchCluster:
    """Change its attributes to break it; `reply` is what it says to a request."""

    name: str
    version: dict[str, Any]
    tagline: str
    product: str | None = None
    """The header by which it names itself."""
    challenge: str = 'Basic realm="security", charset="UTF-8"'
    status: str = "green"
    data_nodes: int = 1
    unassigned: int = 0
    master: bool = True
    recovering: bool = False
    flooded: tuple[str, ...] = ()
    login: str | None = None
    """`user:password`, where one is demanded."""
    known_parameters: tuple[str, ...] = ("master_timeout", "cluster_manager_timeout", "timeout")
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)

    def reply(self, request: bytes) -> bytes:
        method, path, body = asked(request)
        heads = (JSON, *([f"X-elastic-product: {self.product}"] if self.product else []))
        if self.login is not None and not self._admits(request):
            error = self._error(401, "security_exception", "missing authentication credentials")
            return says(401, error, *heads, f"WWW-Authenticate: {self.challenge}")
        status, document = self._answer(method, path, body, request)
        return says(status, document, *heads)

    def _admits(self, request: bytes) -> bool:
        word = base64.b64encode((self.login or "").encode())
        return b"Authorization: Basic " + word + b"\r\n" in request

    def _answer(self, method: str, path: str, body: bytes, request: bytes) -> tuple[int, Any]:
        if path == "/":
            return 200, {
                "name": "n1",
                "cluster_name": "shop",
                "version": self.version,
                "tagline": self.tagline,
            }
        if self.recovering:
            words = "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];"
            return 503, self._error(503, "cluster_block_exception", words)
        if not self.master:
            return 503, self._error(503, "master_not_discovered_exception", None)
        if path.startswith("/_cluster/health"):
            return self._health(path, request)
        if path.startswith("/_all/_settings/"):
            setting = {"index.blocks.read_only_allow_delete": "true"}
            return 200, {name: {"settings": setting} for name in self.flooded}
        return self._document(method, path, body)

    def _health(self, path: str, request: bytes) -> tuple[int, Any]:
        parameters = [word.partition("=")[0] for word in _query(request).split("&") if word]
        if unknown := [name for name in parameters if name not in self.known_parameters]:
            words = f"request [/_cluster/health] contains unrecognized parameter: [{unknown[0]}]"
            return 400, self._error(400, "illegal_argument_exception", words)
        index = path.removeprefix("/_cluster/health").strip("/")
        health = {
            "cluster_name": "shop",
            "status": "red" if index == "absent" else self.status,
            "timed_out": index == "absent",
            "number_of_nodes": self.data_nodes,
            "number_of_data_nodes": self.data_nodes,
            "active_shards": 5,
            "unassigned_shards": self.unassigned,
            "active_shards_percent_as_number": 100.0,
        }
        return (408 if index == "absent" else 200), health

    def _document(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        index = path.split("/")[1]
        if self.flooded and method == "PUT":
            words = (
                "blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, "
                "index has read-only / allow delete block];"
            )
            return 429, self._error(429, "cluster_block_exception", words)
        if "/_doc/" not in path:
            known = method == "PUT" or index in self.documents
            if method == "PUT":
                self.documents[index] = {}
            else:
                self.documents.pop(index, None)
            return (200 if known else 404), {"acknowledged": known}
        if method == "PUT":
            self.documents[index] = json.loads(body)
            return 201, {"_index": index, "_id": "1", "result": "created"}
        return 200, {"_index": index, "found": True, "_source": self.documents[index]}

    def _error(self, status: int, kind: str, reason: str | None) -> dict[str, Any]:
        cause = {"type": kind, "reason": reason}
        return {"error": {"root_cause": [cause], **cause}, "status": status}


def _query(request: bytes) -> str:
    target = request.split(b" ")[1].decode()
    return target.partition("?")[2]
