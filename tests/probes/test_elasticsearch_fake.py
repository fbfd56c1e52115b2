"""Both search probes, through the real engine, against fakes: behind a real nginx, and alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.beds.certificates import Authority
from tests.beds.fake_elasticsearch import fake_elasticsearch
from tests.beds.fake_http import FakeHttp
from tests.beds.fake_opensearch import fake_opensearch
from tests.beds.fake_search_cluster import FakeSearchCluster
from tests.beds.nginx import nginx
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings

Make = Callable[..., AbstractContextManager[tuple[FakeHttp, FakeSearchCluster]]]

BOTH = pytest.mark.parametrize(
    ("scheme", "make"), [("elasticsearch", fake_elasticsearch), ("opensearch", fake_opensearch)]
)
LOGIN = Login(Secret("canary"), "probe")


def url(scheme: str, server: Any) -> str:
    return f"{scheme}://127.0.0.1:{server.port}"


@BOTH
def test_a_fake_cluster_behind_a_real_nginx(scheme: str, make: Make) -> None:
    with (
        make() as (fake, cluster),
        nginx(f"location / {{ proxy_pass {fake.url}; }}") as server,
    ):
        seen = perform(url(scheme, server), roundtrip=True)
        assert seen.answer is not None
        assert (seen.answer.layer, seen.answer.cause) == (Layer.FUNCTION, None)
        assert seen.marks[0][0].facts["status"] == "green"
        assert seen.redials == 0, "nginx keeps the connection, so one does for all"
        assert cluster.documents == {}, "it cleans up after itself"


@BOTH
@pytest.mark.parametrize(
    ("state", "outcome", "cause"),
    [
        ({}, Outcome.PASS, None),
        ({"status": "yellow", "unassigned": 5}, Outcome.PASS, None),
        ({"status": "yellow", "unassigned": 5, "data_nodes": 3}, Outcome.SLOW, Cause.REPLICATION),
        ({"status": "red", "unassigned": 2}, Outcome.FAIL, Cause.NO_QUORUM),
        ({"master": False}, Outcome.FAIL, Cause.NO_QUORUM),
        ({"recovering": True}, Outcome.FAIL, Cause.STARTING_UP),
        ({"flooded": ("orders",)}, Outcome.FAIL, Cause.DISK_FULL),
        ({"known_parameters": ("timeout",)}, Outcome.PASS, None),
        ({"known_parameters": ()}, Outcome.PASS, None),
    ],
)
def test_states(
    scheme: str, make: Make, state: dict[str, Any], outcome: Outcome, cause: Cause | None
) -> None:
    with make(**state) as (fake, _):
        seen = answer(url(scheme, fake))
        assert (seen.outcome, seen.cause, seen.layer) == (outcome, cause, Layer.SERVICE)


@BOTH
def test_a_login(scheme: str, make: Make) -> None:
    with make(login="probe:canary") as (fake, _):
        at = url(scheme, fake)
        assert answer(at).facts["login"] == "demanded"
        assert answer(at, roundtrip=True).cause is Cause.LOGIN_REFUSED
        assert answer(at, login=LOGIN, roundtrip=True).cause is None
        refused = answer(at, login=Login(Secret("wrong"), "probe"))
        assert refused.cause is Cause.LOGIN_REFUSED
        assert "canary" not in repr(refused)


@BOTH
def test_tls(scheme: str, make: Make, authority: Authority) -> None:
    with (
        make() as (fake, _),
        nginx(f"location / {{ proxy_pass {fake.url}; }}", tls=authority.valid()) as server,
    ):
        seen = perform(url(scheme, server), tls=TlsSettings(ca=str(authority.file)))
        assert seen.answer is not None
        assert seen.answer.cause is None
        assert seen.tls_verified
        plain = answer(url(scheme, server))
        assert (plain.cause, plain.facts["found"]) == (Cause.WRONG_SERVICE, "https")


@BOTH
def test_a_unix_socket(scheme: str, make: Make, tmp_path: Path) -> None:
    path = tmp_path / "search.sock"
    with (
        make() as (fake, _),
        nginx(f"listen unix:{path}; location / {{ proxy_pass {fake.url}; }}"),
    ):
        assert answer(f"{scheme}+unix://{str(path).replace('/', '%2F')}").facts["status"] == "green"


def test_one_is_not_the_other() -> None:
    with fake_opensearch() as (fake, _):
        seen = answer(url("elasticsearch", fake), login=LOGIN)
        assert (seen.cause, seen.facts["found"]) == (Cause.WRONG_SERVICE, "opensearch")
        assert not any(b"Authorization" in request for request in fake.requests)
    with fake_elasticsearch() as (fake, _):
        assert answer(url("opensearch", fake)).facts["found"] == "elasticsearch"


def test_a_dead_cluster_behind_a_proxy() -> None:
    with nginx("location / { proxy_pass http://127.0.0.1:1; }") as server:
        assert answer(url("elasticsearch", server)).cause is Cause.BAD_UPSTREAM


@BOTH
def test_a_round_trip_on_a_full_disk(scheme: str, make: Make) -> None:
    with make(flooded=("orders",)) as (fake, _):
        seen = perform(url(scheme, fake), roundtrip=True)
        assert seen.answer is not None
        assert (seen.answer.layer, seen.answer.cause) == (Layer.SERVICE, Cause.DISK_FULL)
        assert seen.marks == []
