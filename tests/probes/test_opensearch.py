"""What is OpenSearch's own: how it's told from others, and how its health is asked for."""

from tests.beds.fake_http import says
from tests.beds.fake_opensearch import TAGLINE, VERSION
from tests.playbook import address, play
from trueup.conversation import Quiet
from trueup.probes.opensearch import PROBE, conversation
from trueup.probes.registry import probe_for
from trueup.probes.search_cluster import Options

PAGE = says(200, {"version": VERSION, "tagline": TAGLINE})


def test_it_is_found_by_its_scheme() -> None:
    assert probe_for("opensearch") is PROBE
    assert PROBE.schemes["opensearch"].port == 9200


def test_a_node_without_a_cluster_manager_answers_soon() -> None:
    played = play(conversation(Options(address("opensearch://a"))), [PAGE, Quiet(final=True)])
    assert b"GET /_cluster/health?cluster_manager_timeout=2s&timeout=2s " in played.sent


def test_recognise() -> None:
    assert PROBE.recognise(PAGE)
    assert PROBE.recognise(
        b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="OpenSearch Security"\r\n\r\n'
    )
    assert not PROBE.recognise(b"HTTP/1.1 200 OK\r\n\r\n")
    assert not probe_for("elasticsearch").recognise(PAGE)
    assert not probe_for("http").recognise(PAGE)
