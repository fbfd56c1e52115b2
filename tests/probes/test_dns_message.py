"""DNS messages: what is asked, what is taken for the reply, and any bytes at all."""

import contextlib

import dns.flags
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled
from trueup.probes.dns_message import Question, ask, plain, read

WWW = Question("www.example.test", "A")
VERSION = Question("version.bind", "TXT", chaos=True)


def test_a_question_carries_its_number() -> None:
    asked = ask(WWW, b"\x12\x34", edns=True)
    assert asked.wire[:2] == b"\x12\x34"
    assert dns.message.from_wire(asked.wire).payload == 1232
    assert dns.message.from_wire(ask(VERSION, b"\0\1", edns=False).wire).edns == -1
    assert b"\x00\x10\x00\x03" in ask(VERSION, b"\0\1", edns=False).wire, "TXT of the class CH"


def test_names_of_other_scripts() -> None:
    assert b"xn--bcher-kva" in ask(Question("bücher.example", "A"), b"\0\1", edns=False).wire


@pytest.mark.parametrize("name", ["x" * 64, "a..b", "a." * 200, "\ud800.test", "\\300.test"])
def test_names_that_cant_be_asked_for(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        ask(Question(name, "A"), b"\0\1", edns=False)


def test_only_a_reply_to_the_question_is_one() -> None:
    asked = ask(WWW, b"\0\1", edns=False)
    reply = dns.message.make_response(asked.message)
    assert read(reply.to_wire(), asked) is not None
    assert read(asked.wire, asked) is None, "our own question, sent back"
    assert read(reply.to_wire(), ask(WWW, b"\0\2", edns=False)) is None
    assert read(reply.to_wire(), ask(VERSION, b"\0\1", edns=False)) is None


def test_flags() -> None:
    asked = ask(WWW, b"\0\1", edns=False)
    reply = dns.message.make_response(asked.message)
    reply.flags |= dns.flags.AA | dns.flags.TC
    seen = read(reply.to_wire(), asked)
    assert seen is not None
    assert (seen.authoritative, seen.truncated, seen.records, seen.rcode) == (True, True, (), "NOERROR")


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("10 Mail.Example.", "10 mail.example", "MX"),
        ("2001:0db8::0001", "2001:db8::1", "AAAA"),
        ('"v=spf1  -all"', "v=spf1 -all", "TXT"),
        (".", ".", "NS"),
    ],
)
def test_plain(one: str, other: str, kind: str) -> None:
    assert plain(one, kind) == plain(other, kind)


def test_in_text_capitals_count() -> None:
    assert plain("Token", "TXT") != plain("token", "TXT")


@given(
    st.binary(max_size=80)
    | st.binary(max_size=60).map(lambda said: ask(WWW, b"\0\1", edns=True).wire[:12] + said)
)
def test_any_bytes_are_read_or_garbled(said: bytes) -> None:
    bent = said[:2] + b"\x81\x80" + said[4:]
    for one in (said, bent):
        with contextlib.suppress(Garbled):
            read(one, ask(WWW, b"\0\1", edns=True))
