import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.probes.bson import DEPTH_MAX, decode, encode

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | TEXTS | st.binary(max_size=20)
VALUES = st.recursive(PLAIN, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=10)


def document(elements: bytes) -> bytes:
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"


def test_the_example_of_the_specification() -> None:
    said = bytes.fromhex("160000000268656c6c6f0006000000776f726c640000")
    assert encode({"hello": "world"}) == said
    assert decode(said) == {"hello": "world"}


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_what_is_written_is_read(written: dict[str, object]) -> None:
    assert decode(encode(written)) == written


@pytest.mark.parametrize(
    ("element", "value"),
    [
        (b"\x01n\0" + struct.pack("<d", 1.5), 1.5),
        (b"\x04n\0" + document(b"\x100\0\1\0\0\0" + b"\x101\0\2\0\0\0"), [1, 2]),
        (b"\x06n\0", None),
        (b"\x07n\0" + b"i" * 12, b"i" * 12),
        (b"\x09n\0" + struct.pack("<q", -5), -5),
        (b"\x0bn\0a.*\0i\0", ("a.*", "i")),
        (b"\x0cn\0\2\0\0\0a\0" + b"i" * 12, ("a", b"i" * 12)),
        (b"\x0dn\0\2\0\0\0a\0", "a"),
        (b"\x0en\0\2\0\0\0a\0", "a"),
        (b"\x0fn\0\x10\0\0\0\2\0\0\0a\0" + document(b""), (16, "a", {})),
        (b"\x11n\0" + struct.pack("<Q", 2**63), 2**63),
        (b"\x12n\0" + struct.pack("<q", 2**40), 2**40),
        (b"\x13n\0" + b"d" * 16, b"d" * 16),
        (b"\x7fn\0", None),
        (b"\xffn\0", None),
        (b"\x02n\0\3\0\0\0\xff!\0", "�!"),
    ],
)
def test_every_type_is_read(element: bytes, value: object) -> None:
    assert decode(document(element + b"\x10after\0\7\0\0\0")) == {"n": value, "after": 7}


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\5\0\0\0",
        b"\6\0\0\0\0\0",
        document(b"\x02n\0\xff\xff\xff\x7fa\0"),
        document(b"\x02n\0\2\0\0\0ab"),
        document(b"\x05n\0\xff\xff\xff\xff\0"),
        document(b"\x10n"),
        document(b"\x99n\0"),
        document(b"")[:-1] + b"x",
        document(b"") + b"more",
        b"\xff\xff\xff\xff\0",
    ],
)
def test_what_claims_more_than_it_has_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        decode(said)


def test_nesting_has_an_end() -> None:
    deep = document(b"")
    for _ in range(DEPTH_MAX):
        deep = document(b"\x03n\0" + deep)
    decode(deep)
    with pytest.raises(Garbled):
        decode(document(b"\x03n\0" + deep))


@given(st.binary(max_size=200), st.booleans())
def test_nothing_that_is_said_raises_anything_else(said: bytes, framed: bool) -> None:
    try:
        decode(document(said) if framed else said)
    except Garbled:
        return
