"""BER: there and back, at its bounds, and any bytes at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.probes.ber import (
    ENUMERATED,
    INTEGER,
    MESSAGE_BYTES_MAX,
    OCTETS,
    SEQUENCE,
    Element,
    element,
    measure,
    number,
    octets,
    read,
)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 255, 256, 65_535, 2**31 - 1])
def test_numbers_there_and_back(value: int) -> None:
    assert read(number(value)).number() == value
    assert read(number(value, ENUMERATED)).tag == ENUMERATED


def test_a_number_below_zero() -> None:
    assert Element(INTEGER, b"\xff").number() == -1


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_536])
def test_octets_there_and_back(size: int) -> None:
    assert read(octets(b"x" * size)) == Element(OCTETS, b"x" * size)


def test_known_bytes() -> None:
    """An anonymous bind as every client sends it (RFC 4511, 4.2)."""
    bind = element(SEQUENCE, number(1), element(0x60, number(3), octets(b""), octets(b"", 0x80)))
    assert bind == bytes.fromhex("300c020101600702010304008000")
    message_id, operation = read(bind).parts()
    assert (message_id.number(), operation.tag) == (1, 0x60)


def test_measure_waits_for_the_whole() -> None:
    whole = element(SEQUENCE, octets(b"x" * 300))
    for size in range(len(whole)):
        assert measure(bytearray(whole[:size])) is None
    assert measure(bytearray(whole + b"more")) == len(whole)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1",
        b"\x30\x80\x00\x00",  # an indefinite length
        b"\x30\x85\x00\x00\x00\x00\x01",
        b"\x30\x84" + (MESSAGE_BYTES_MAX + 1).to_bytes(4),
        b"\x04\x01x",
    ],
)
def test_what_is_no_message(said: bytes) -> None:
    with pytest.raises(Garbled):
        measure(bytearray(said))


@pytest.mark.parametrize("content", [b"\x04\x05x", b"\x04", b"\x1f\x01x", b"\x04\x81"])
def test_what_are_no_parts(content: bytes) -> None:
    with pytest.raises(Garbled):
        list(Element(SEQUENCE, content).parts())


@pytest.mark.parametrize("one", [Element(OCTETS, b"\1"), Element(INTEGER, b""), Element(INTEGER, bytes(9))])
def test_what_is_no_number(one: Element) -> None:
    with pytest.raises(Garbled):
        one.number()


def test_one_element_is_not_two_or_none() -> None:
    for said in (b"", number(1) * 2):
        with pytest.raises(Garbled):
            read(said)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda said: element(SEQUENCE, said)))
def test_any_bytes_are_read_or_garbled(said: bytes) -> None:
    try:
        size = measure(bytearray(said))
        if size is not None:
            for one in read(said[:size]).parts():
                list(one.parts())
    except Garbled:
        pass
