import pytest

from tests.host.sample import sample_bytes, sample_hex
from trueup.host.facts import Transport
from trueup.host.proc_net import listening_sockets
from trueup.host.sock_diag import Decoder
from trueup.host.unreadable import HostUnreadable, Reason


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("family", ["", "6"])
def test_it_agrees_with_sock_diag_taken_at_the_same_moment(transport: Transport, family: str) -> None:
    decoder = Decoder(transport)
    decoder.decode(sample_hex(f"sock_diag_{transport}{family}.hex"))
    expected = list(decoder.sockets())
    found = listening_sockets(sample_bytes(f"proc_net_{transport}{family}.txt"), transport)
    assert found
    assert {(s.address, s.port, s.queue, s.uid, s.inode) for s in found} == {
        (s.address, s.port, s.queue, s.uid, s.inode) for s in expected
    }


def test_it_does_not_pretend_to_know_the_limit() -> None:
    found = listening_sockets(sample_bytes("proc_net_tcp.txt"), Transport.TCP)
    assert [(s.queue, s.queue_max, s.cookie, s.v6_only) for s in found] == [(3, None, None, None)]


@pytest.mark.parametrize("line", [b"   0: 0100007F:18EB", b"   0: x:y z 0A 0:0 0:0 0 0 0 1 1", b"garbage"])
def test_an_unknown_form_is_refused(line: bytes) -> None:
    with pytest.raises(HostUnreadable) as caught:
        listening_sockets(b"  sl  local_address\n" + line + b"\n", Transport.TCP)
    assert caught.value.reason is Reason.MALFORMED
