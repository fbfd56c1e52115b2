"""What is Elasticsearch's own: how it's told from others, and how its health is asked for."""

from tests.beds.fake_elasticsearch import VERSION
from tests.beds.fake_http import says
from tests.playbook import address, play
from trueup.conversation import Quiet
from trueup.probes.elasticsearch import PROBE, conversation
from trueup.probes.registry import probe_for
from trueup.probes.search_cluster import Options

PAGE = says(200, {"version": VERSION, "tagline": "You Know, for Search"})


def test_it_is_found_by_its_scheme() -> None:
    assert probe_for("elasticsearch") is PROBE
    assert PROBE.schemes["elasticsearch"].port == 9200


def test_a_node_without_a_master_answers_soon() -> None:
    played = play(conversation(Options(address("elasticsearch://a"))), [PAGE, Quiet(final=True)])
    assert b"GET /_cluster/health?master_timeout=2s&timeout=2s " in played.sent


def test_recognise() -> None:
    assert PROBE.recognise(PAGE)
    assert PROBE.recognise(b"HTTP/1.1 401 Unauthorized\r\nX-elastic-product: Elasticsearch\r\n\r\n")
    assert not PROBE.recognise(b"HTTP/1.1 200 OK\r\n\r\n")
    assert not PROBE.recognise(b'"You Know, for Search"')
    assert not probe_for("http").recognise(PAGE)
