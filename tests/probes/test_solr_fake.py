"""The Solr probe, through the real engine, against a fake: behind a real nginx, and alone."""

from typing import Any

import pytest

from tests.beds.fake_solr import fake_solr
from tests.beds.nginx import nginx
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login

LOGIN = Login(Secret("canary"), "probe")


def test_a_fake_solr_behind_a_real_nginx() -> None:
    with (
        fake_solr() as (fake, solr),
        nginx(f"location / {{ proxy_pass {fake.url}; }}") as server,
    ):
        seen = perform(f"solr://127.0.0.1:{server.port}/solr/orders", roundtrip=True)
        assert seen.answer is not None
        assert (seen.answer.layer, seen.answer.cause) == (Layer.FUNCTION, None)
        assert seen.marks[0][0].facts == {"version": "9.7.0", "mode": "std"}
        assert seen.redials == 0
        assert solr.documents == set(), "it cleans up after itself"


@pytest.mark.parametrize(
    ("path", "state", "outcome", "cause"),
    [
        ("", {}, Outcome.PASS, None),
        ("/solr", {}, Outcome.PASS, None),
        ("/orders", {}, Outcome.PASS, None),
        ("/absent", {}, Outcome.FAIL, Cause.ERROR_ANSWER),
        ("/orders", {"ping": "disabled"}, Outcome.FAIL, Cause.ERROR_ANSWER),
        ("/orders", {"loading": True}, Outcome.FAIL, Cause.STARTING_UP),
        ("", {"failures": {"carts": "SolrException: bad schema"}}, Outcome.FAIL, Cause.ERROR_ANSWER),
        ("", {"mode": "solrcloud"}, Outcome.PASS, None),
        ("", {"mode": "solrcloud", "live_nodes": ("a:8983_solr",)}, Outcome.SLOW, Cause.REPLICATION),
        ("", {"mode": "solrcloud", "live_nodes": ("b:8983_solr",)}, Outcome.FAIL, Cause.NO_QUORUM),
        ("", {"mode": "solrcloud", "leader": False}, Outcome.FAIL, Cause.NO_QUORUM),
    ],
)
def test_states(path: str, state: dict[str, Any], outcome: Outcome, cause: Cause | None) -> None:
    with fake_solr(**state) as (fake, _):
        seen = answer(f"solr://127.0.0.1:{fake.port}{path}")
        assert (seen.outcome, seen.cause, seen.layer) == (outcome, cause, Layer.SERVICE)


def test_a_login() -> None:
    with fake_solr(login="probe:canary") as (fake, _):
        at = f"solr://127.0.0.1:{fake.port}"
        assert answer(at).facts["login"] == "demanded"
        assert answer(at + "/orders").cause is Cause.LOGIN_REFUSED
        assert answer(at + "/orders", login=LOGIN, roundtrip=True).cause is None
        assert answer(at, login=Login(Secret("wrong"), "probe")).cause is Cause.LOGIN_REFUSED
