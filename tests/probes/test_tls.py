"""The TLS probe: a handshake, judged by the engine."""

from tests.playbook import address, play
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import TlsSettings
from trueup.probes.tls import PROBE, Options, conversation


def test_a_handshake_is_all_that_was_asked() -> None:
    played = play(conversation(Options(address("tls://127.0.0.1"))), [])
    assert (played.settled.outcome, played.settled.layer, played.sent) == (Outcome.PASS, Layer.TLS, b"")


def test_the_certificate_is_verified_at_port_443_unless_told_otherwise() -> None:
    dial = PROBE.dial(address("tls://shop.example"), None)
    assert (dial.port, dial.tls) == (443, TlsSettings())
    told = TlsSettings(verify=False)
    assert PROBE.dial(address("tls://shop.example:8443"), told).tls is told
