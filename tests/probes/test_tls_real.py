"""The TLS probe with a real nginx and certificates with every fault (ghost 21)."""

import socket
import threading
from collections.abc import Callable

import pytest

from tests.beds.certificates import Authority, Credentials
from tests.beds.nginx import nginx
from tests.probes.performing import perform
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import TlsSettings

FAULTS: list[tuple[Callable[[Authority], Credentials], Cause]] = [
    (Authority.expired, Cause.TLS_EXPIRED),
    (Authority.not_yet_valid, Cause.TLS_NOT_YET_VALID),
    (Authority.wrong_name, Cause.TLS_NAME_MISMATCH),
    (Authority.self_signed, Cause.TLS_UNTRUSTED),
    (Authority.missing_intermediate, Cause.TLS_UNTRUSTED),
]


def test_a_good_certificate(authority: Authority) -> None:
    with nginx("return 200 ok;", tls=authority.valid()) as server:
        seen = perform(f"tls://localhost:{server.port}", tls=TlsSettings(ca=str(authority.file)))
    assert seen.answer is not None
    assert (seen.answer.outcome, seen.answer.layer) == (Outcome.PASS, Layer.TLS)
    assert seen.tls_verified
    assert seen.tls["expires_at_s"] > 0


@pytest.mark.parametrize(("make", "cause"), FAULTS, ids=[cause for _, cause in FAULTS])
def test_a_certificate_with_a_fault(
    authority: Authority, make: Callable[[Authority], Credentials], cause: Cause
) -> None:
    with nginx("return 200 ok;", tls=make(authority)) as server:
        fault = perform(server.url.replace("https", "tls"), tls=TlsSettings(ca=str(authority.file))).fault
        assert fault is not None
        assert (fault.layer, fault.outcome, fault.cause) == (Layer.TLS, Outcome.FAIL, cause)
        unverified = perform(server.url.replace("https", "tls"), tls=TlsSettings(verify=False))
        assert unverified.answer is not None, "not verified, it isn't judged"
        assert not unverified.tls_verified
        assert unverified.tls["certificate"][:1] == b"\x30"


def test_plain_http_where_tls_is_expected() -> None:
    with nginx("return 200 ok;") as server:
        fault = perform(f"tls://127.0.0.1:{server.port}").fault
    assert fault is not None
    assert (fault.layer, fault.cause) == (Layer.SERVICE, Cause.WRONG_SERVICE)
    assert fault.facts["seen"].startswith("HTTP/1.1 400")


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03"])
def test_a_server_that_never_answers_the_hello(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted: list[socket.socket] = []

        def serve() -> None:
            peer, _ = server.accept()
            peer.sendall(said)
            accepted.append(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        fault = perform(f"tls://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.5).fault
        thread.join(5)
        accepted[0].close()
    assert fault is not None
    expected = (Layer.TLS, Cause.TLS_FAILED) if said else (Layer.SERVICE, Cause.SILENT)
    assert (fault.layer, fault.cause) == expected
