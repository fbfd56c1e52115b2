"""All name servers of a zone, against a script."""

from collections.abc import Sequence

import pytest

from tests.playbook import Played, address, play
from tests.probes.test_dns import WWW, say
from trueup.conversation import Astray, Break, Quiet, Transport
from trueup.domain.address import AddressError
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.probes.dns import Expect, Options, conversation
from trueup.probes.dns_message import Question

GOOD = say(WWW, "www.example.test. A 192.0.2.80", flags=0x0400)
STALE = say(WWW, "www.example.test. A 192.0.2.79", flags=0x0400)
LAME = say(WWW, "www.example.test. A 192.0.2.80")
GONE = say(WWW, rcode="NXDOMAIN", flags=0x0400)
SILENCE = Astray(Cause.SILENT, "no answer within 0.7 s")
NO_SUCH = say(Question("www.example.test", "NS"))
SERVERS = say(
    Question("example.test", "NS"), "example.test. NS a.example.test.", "example.test. NS b.elsewhere."
)
A = say(Question("a.example.test.", "A"), "a.example.test. A 192.0.2.1")
B = [
    say(Question("b.elsewhere.", "A"), rcode="REFUSED"),
    say(Question("b.elsewhere.", "AAAA"), rcode="REFUSED"),
]
TOLD = [GOOD, NO_SUCH, SERVERS, A, *B]


def look(*beside: bytes | Break, says: Sequence[bytes | Break] | None = None, **expect: object) -> Played:
    expected = Expect(records=("192.0.2.80",), every_server=True, **expect)  # type: ignore[arg-type]  # from parameters
    options = Options(address("dns://127.0.0.1/www.example.test"), expect=expected)
    return play(conversation(options), says if says is not None else TOLD, beside=beside)


def test_all_say_so() -> None:
    played = look(GOOD, GOOD)
    assert played.settled.cause is None
    assert played.settled.facts["servers"] == {
        "a.example.test.": "as expected",
        "b.elsewhere.": "as expected",
    }
    dials = [(one.dial.host, one.dial.port, one.dial.transport) for one in played.beside]
    assert dials == [("192.0.2.1", 53, Transport.UDP), ("b.elsewhere", 53, Transport.UDP)]
    assert played.marks[0].cause is None


@pytest.mark.parametrize(
    ("said", "cause", "words"),
    [
        (STALE, Cause.WRONG_ANSWER, "192.0.2.80 expected, and it says 192.0.2.79"),
        (LAME, Cause.WRONG_ANSWER, "isn't in charge"),
        (GONE, Cause.ERROR_ANSWER, "NXDOMAIN"),
        (b"noise", Cause.WRONG_ANSWER, "no DNS"),
        (SERVERS, Cause.WRONG_ANSWER, "no DNS"),
    ],
)
def test_one_that_says_otherwise_is_named(said: bytes, cause: Cause, words: str) -> None:
    settled = look(GOOD, said).settled
    assert (settled.outcome, settled.cause) == (Outcome.FAIL, cause)
    assert "b.elsewhere., one of its name servers" in settled.detail
    assert words in settled.detail


def test_one_that_does_not_answer_is_passed_over() -> None:
    settled = look(SILENCE, SILENCE, GOOD).settled
    assert (settled.outcome, settled.cause) == (Outcome.SLOW, Cause.SILENT)
    assert settled.facts["servers"]["a.example.test."] == "silent"
    lucky = look(SILENCE, GOOD, GOOD).settled
    assert lucky.cause is None, "a datagram may get lost"
    refused = look(GOOD, Astray(Cause.REFUSED, "connection refused")).settled
    assert refused.facts["servers"]["b.elsewhere."] == "refused"


def test_none_that_answers() -> None:
    settled = look(SILENCE, SILENCE, SILENCE, SILENCE).settled
    assert (settled.outcome, settled.cause) == (Outcome.FAIL, Cause.SILENT)


def test_time_that_does_not_reach_for_all() -> None:
    late = look(GOOD, says=[*TOLD[:4], Quiet(final=True)]).settled
    assert (late.outcome, late.cause) == (Outcome.FAIL, Cause.SLOW)
    assert late.facts["servers"] == {"a.example.test.": "as expected"}
    known = look(STALE, says=[*TOLD[:4], Quiet(final=True)]).settled
    assert known.cause is Cause.WRONG_ANSWER, "what is known already counts"


def test_a_zone_without_servers() -> None:
    none = [GOOD, *(say(Question(name, "NS")) for name in ("www.example.test", "example.test", "test"))]
    assert look(says=none).settled.cause is Cause.WRONG_ANSWER


def test_a_lost_question_is_asked_again() -> None:
    assert look(GOOD, GOOD, says=[GOOD, Quiet(), NO_SUCH, SERVERS, A, *B]).settled.cause is None
    assert look(says=[GOOD]).settled.cause is Cause.SILENT


def test_and_over_tcp() -> None:
    played = look(GOOD, GOOD, says=[*TOLD, len(GOOD).to_bytes(2) + GOOD], tcp=True)
    assert (played.settled.cause, len(played.marks)) == (None, 2)


def test_it_is_of_a_name() -> None:
    with pytest.raises(AddressError):
        Options(address("dns://127.0.0.1"), expect=Expect(every_server=True))
