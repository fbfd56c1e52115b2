import errno
import struct

import pytest

from tests.host.sample import sample_hex
from trueup.host.facts import ListeningSocket, Transport
from trueup.host.sock_diag import (
    AF_INET6,
    Decoder,
    Destroyed,
    address_text,
    decode_destroyed,
    dump_request,
)
from trueup.host.unreadable import HostUnreadable, Reason


def test_a_listener_comes_with_its_queue_limit_owner_and_cookie() -> None:
    decoder = Decoder(Transport.TCP)
    last = decoder.decode(sample_hex("sock_diag_tcp.hex"))
    sockets = list(decoder.sockets())
    assert last
    assert sockets == [
        ListeningSocket(
            Transport.TCP,
            "127.0.0.1",
            6379,
            queue=3,
            queue_max=511,
            uid=0,
            inode=18245,
            cookie=15,
            cgroup_id=1,
        )
    ]


def test_ipv6_says_whether_it_takes_ipv4_too_and_mapped_addresses_are_ipv4() -> None:
    decoder = Decoder(Transport.TCP)
    decoder.decode(sample_hex("sock_diag_tcp6.hex"))
    sockets = list(decoder.sockets())
    assert [(s.address, s.port, s.v6_only) for s in sockets] == [
        ("::1", 5432, True),
        ("127.0.0.1", 9200, False),
        ("::", 8080, False),
    ]


def test_udp_counts_waiting_bytes_against_the_receive_buffer() -> None:
    decoder = Decoder(Transport.UDP)
    decoder.decode(sample_hex("sock_diag_udp.hex"))
    sockets = list(decoder.sockets())
    assert [(s.address, s.port, s.queue, s.queue_max) for s in sockets] == [
        ("127.0.0.1", 53, 832, 212992),
        ("0.0.0.0", 35241, 0, 212992),
    ]


def test_destroyed_sockets_carry_the_cookie_of_the_listener() -> None:
    destroyed = decode_destroyed(sample_hex("sock_diag_destroyed.hex"))
    assert destroyed[3:] == [
        Destroyed("127.0.0.1", 6379, 0, 15),
        Destroyed("127.0.0.1", 9200, 0, 17),
        Destroyed("::", 8080, 0, 18),
    ]
    # clients that were never accepted die with their listener, under cookies of their own
    assert {d.cookie for d in destroyed[:3]} == {22, 23, 24}


def test_the_kernels_error_is_raised_with_its_reason() -> None:
    error = struct.pack("=IHHIIi", 36, 2, 0, 1, 0, -errno.EPERM) + bytes(16)
    with pytest.raises(HostUnreadable, match="Operation not permitted") as caught:
        Decoder(Transport.TCP).decode(error)
    assert caught.value.reason is Reason.PERMISSION


@pytest.mark.parametrize("length", [3, 15, 17, 40, 87, 91, 100])
def test_a_cut_answer_is_malformed_never_half_read(length: int) -> None:
    with pytest.raises(HostUnreadable) as caught:
        Decoder(Transport.TCP).decode(sample_hex("sock_diag_tcp.hex")[:length])
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("length", [0, 4, 15])
def test_a_message_shorter_than_its_header_ends_it(length: int) -> None:
    message = struct.pack("=IHHII", length, 20, 0, 1, 0)
    with pytest.raises(HostUnreadable, match="length"):
        Decoder(Transport.TCP).decode(message)


def test_an_attribute_of_no_length_is_refused() -> None:
    whole = bytearray(sample_hex("sock_diag_tcp.hex"))
    whole[16 + 72 : 16 + 74] = b"\0\0"
    with pytest.raises(HostUnreadable, match="attribute"):
        Decoder(Transport.TCP).decode(bytes(whole))


def test_addresses_are_canonical() -> None:
    assert address_text(AF_INET6, bytes.fromhex("20010db8000000000000000000000001")) == "2001:db8::1"
    assert address_text(AF_INET6, bytes(16)) == "::"


def test_requests_have_the_size_that_the_kernel_reads() -> None:
    # struct nlmsghdr 16, struct inet_diag_req_v2 56
    assert [len(dump_request(family, t)) for t in Transport for family in (2, 10)] == [72] * 4


def test_a_socket_that_looks_as_before_is_not_decoded_again() -> None:
    decoder = Decoder(Transport.TCP)
    decoder.decode(sample_hex("sock_diag_tcp.hex"))
    (first,) = decoder.sockets()
    decoder.begin()
    decoder.decode(sample_hex("sock_diag_tcp.hex"))
    (second,) = decoder.sockets()
    assert second is first
    assert decoder.is_as_before()


def test_a_socket_that_moved_by_one_datagram_is_not_decoded_again() -> None:
    decoder = Decoder(Transport.TCP)
    decoder.decode(sample_hex("sock_diag_tcp.hex"))
    (first,) = decoder.sockets()
    decoder.begin()
    decoder.decode(sample_hex("sock_diag_tcp6.hex"))
    decoder.decode(sample_hex("sock_diag_tcp.hex"))
    assert list(decoder.sockets())[-1] is first
    assert not decoder.is_as_before()


def test_a_queue_that_grew_shows_in_the_next_dump() -> None:
    decoder = Decoder(Transport.TCP)
    decoder.decode(sample_hex("sock_diag_tcp.hex"))
    decoder.begin()
    grown = bytearray(sample_hex("sock_diag_tcp.hex"))
    grown[16 + 56] = 4  # idiag_rqueue
    decoder.decode(bytes(grown))
    (now,) = decoder.sockets()
    assert not decoder.is_as_before()
    assert now.queue == 4
