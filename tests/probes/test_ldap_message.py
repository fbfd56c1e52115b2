"""LDAP's messages, byte by byte where RFC 4511 and others' captures give them."""

import pytest

from tests.playbook import play
from trueup.conversation import Conversation, Garbled, ready
from trueup.probes.ldap_message import Result, ask, bind, search, start_tls, unbind


def heard(number: int, *says: bytes) -> Result | Exception | None:
    found: list[Result] = []

    def conversation() -> Conversation:
        found.append((yield from ask(number, search(b""))))
        return ready("heard")

    played = play(conversation(), says)
    return found[0] if found else played.broke


def test_requests() -> None:
    assert bind(b"", b"") == bytes.fromhex("600702010304008000")
    assert unbind(2) == bytes.fromhex("30050201024200")
    assert start_tls() == bytes.fromhex("7718") + b"\x80\x161.3.6.1.4.1.1466.20037"
    assert search(b"") == bytes.fromhex("632004000a01000a0100020100020100010100870b") + b"objectClass0\0"


def test_a_search_for_one_entry_below() -> None:
    asked = search(b"dc=test", b"cn", scope=2, filter_=bytes.fromhex("a30604016104") + b"\1b", entries_max=1)
    assert asked == bytes.fromhex("632604076463") + b"=test" + bytes.fromhex(
        "0a01020a0100020101020100010100a306040161040162"
    ) + bytes.fromhex("30040402636e")


def test_results() -> None:
    done = bytes.fromhex("300c02010165070a010004000400")
    assert heard(1, done) == Result(0)
    entry = bytes.fromhex("301c0201016417040030133011040b") + b"objectClass" + bytes.fromhex("31020400")
    assert heard(1, entry, done) == Result(0, b"", ({b"objectclass": (b"",)},))
    notice = bytes.fromhex("300c02010078070a013404000400")
    assert heard(1, notice) == Result(52), "a notice of disconnection has no question"


@pytest.mark.parametrize("said", ["300c02010265070a010004000400", "30050201014200", "3003020101", "3000"])
def test_what_is_no_answer(said: str) -> None:
    assert isinstance(heard(1, bytes.fromhex(said)), Garbled)
