"""The DNS probe against a script: a row of its table each, and its states."""

from collections.abc import Callable

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given

from tests.playbook import NONCE, Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Break, Closed, Quiet, Transport
from trueup.domain.address import AddressError
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.probes.dns import (
    ERRORS,
    PROBE,
    ROOT,
    STRAYS_MAX,
    VERSION,
    WITHOUT_EDNS,
    Expect,
    Options,
    Send,
    conversation,
)
from trueup.probes.dns_message import Question, ask

BARE = "dns://127.0.0.1"
NAMED = "dns://127.0.0.1/www.example.test"
WWW = Question("www.example.test", "A")


def say(
    question: Question,
    *records: str,
    rcode: str = "NOERROR",
    flags: int = 0,
    authority: str = "",
    bend: Callable[[dns.message.Message], None] = lambda _: None,
) -> bytes:
    """What a server says to `question`; a record as `NAME TYPE TEXT`."""
    reply = dns.message.make_response(ask(question, NONCE[:2], edns=False).message)
    reply.set_rcode(dns.rcode.from_text(rcode))
    reply.flags |= flags
    for section, record in [(reply.answer, one) for one in records] + [(reply.authority, authority)]:
        if record:
            name, kind, text = record.split(" ", 2)
            section.append(dns.rrset.from_text(name, 60, "CH" if question.chaos else "IN", kind, text))
    bend(reply)
    return reply.to_wire()


A = say(WWW, "www.example.test. A 192.0.2.80")
VERSIONED = say(VERSION, 'version.bind. TXT "unbound 1.17.1"')


def over_tcp(message: bytes) -> bytes:
    return len(message).to_bytes(2) + message


def look(
    *says: bytes | Break, at: str = NAMED, kind: str | None = None, chunk: int | None = None, **expect: object
) -> Played:
    options = Options(address(at), Send(kind), Expect(**expect))  # type: ignore[arg-type]  # from parameters
    return play(conversation(options), says, chunk=chunk)


class TestTheServerItself:
    def test_it_tells_its_version(self) -> None:
        answer = look(VERSIONED, at=BARE).settled
        assert (answer.outcome, answer.facts) == (
            Outcome.PASS,
            {"rcode": "NOERROR", "software": "unbound 1.17.1"},
        )

    @pytest.mark.parametrize("rcode", [*ERRORS, "NOERROR", "YXDOMAIN"])
    def test_a_refusal_proves_as_much(self, rcode: str) -> None:
        answer = look(say(VERSION, rcode=rcode), at=BARE).settled
        assert (answer.outcome, answer.facts["rcode"]) == (Outcome.PASS, rcode)

    def test_a_refusal_that_doesnt_repeat_the_question(self) -> None:
        bare = say(VERSION, rcode="REFUSED", bend=lambda reply: reply.question.clear())
        assert look(bare, at=BARE).settled.cause is None

    def test_one_that_is_silent_about_versions(self) -> None:
        played = look(Quiet(), say(ROOT, rcode="REFUSED"), at=BARE)
        assert played.settled.facts == {"rcode": "REFUSED"}
        assert played.sent.count(ask(VERSION, NONCE[:2], edns=False).wire) == 2

    def test_over_tcp_too(self) -> None:
        played = look(VERSIONED, over_tcp(VERSIONED), at=BARE, tcp=True)
        assert played.settled.facts["tcp"] is True
        assert [(dial.port, dial.transport) for dial in played.dials] == [(53, Transport.TCP)]

    def test_silence_is_left_to_the_engine(self) -> None:
        for says in ([], [Quiet()], [Quiet(final=True)]):
            assert isinstance(look(*says, at=BARE).broke, Quiet)


class TestAName:
    def test_a_record_of_the_type_is_health(self) -> None:
        played = look(A)
        assert played.settled.outcome is Outcome.PASS
        assert played.settled.facts == {"rcode": "NOERROR", "records": ["192.0.2.80"], "authoritative": False}
        asked = dns.message.from_wire(played.sent)
        assert (asked.edns, asked.payload, bool(asked.flags & dns.flags.RD)) == (0, 1232, True)

    @pytest.mark.parametrize("rcode", [*sorted(ERRORS), "YXDOMAIN"])
    def test_every_code_has_its_cause(self, rcode: str) -> None:
        cause, meaning = ERRORS.get(rcode, (Cause.ERROR_ANSWER, "answers with an error"))
        answer = look(*[say(WWW, rcode=rcode)] * (2 if rcode in WITHOUT_EDNS else 1)).settled
        assert (answer.cause, answer.facts["rcode"]) == (cause, rcode)
        assert meaning in answer.detail

    @pytest.mark.parametrize("rcode", sorted(WITHOUT_EDNS - {"BADVERS"}))  # that one only EDNS can say
    def test_an_old_server_is_asked_again_without_edns(self, rcode: str) -> None:
        played = look(say(WWW, rcode=rcode), A)
        assert played.settled.cause is None
        assert played.sent.endswith(ask(WWW, NONCE[:2], edns=False).wire)

    def test_the_servers_own_explanation_is_told(self) -> None:
        def explain(reply: dns.message.Message) -> None:
            reply.use_edns(
                0, options=[dns.edns.EDEOption(dns.edns.EDECode.NO_REACHABLE_AUTHORITY, "at delegation")]
            )

        answer = look(say(WWW, rcode="SERVFAIL", bend=explain)).settled
        assert "EDE 22 (No Reachable Authority): at delegation" in answer.detail

    def test_no_record_is_no_health(self) -> None:
        for reply, told in (
            (say(WWW), "no such record"),
            (say(WWW, "www.example.test. CNAME web.test."), "an alias of web.test."),
            (say(WWW, authority="test. NS ns.test."), "a referral to ns.test."),
        ):
            answer = look(reply).settled
            assert answer.cause is Cause.WRONG_ANSWER
            assert told in answer.detail

    def test_behind_an_alias_it_is_health(self) -> None:
        reply = say(WWW, "www.example.test. CNAME web.test.", "web.test. A 192.0.2.1")
        assert look(reply).settled.facts["records"] == ["192.0.2.1"]

    def test_a_resolver_whose_forwarders_are_dead(self) -> None:
        answer = look(Quiet(), VERSIONED, ask(WWW, b"\7\7", edns=False).wire, Quiet(final=True)).settled
        assert answer.cause is Cause.ERROR_ANSWER
        assert "it lives, and doesn't answer for www.example.test" in answer.detail

    def test_a_late_answer_after_the_version(self) -> None:
        assert look(Quiet(), VERSIONED, A).settled.cause is None

    def test_silence_is_left_to_the_engine(self) -> None:
        for says in ([], [Quiet()], [Quiet(final=True)]):
            assert isinstance(look(*says).broke, Quiet)

    def test_replies_to_others_are_passed_over(self) -> None:
        forged = (7).to_bytes(2) + A[2:]
        other = say(Question("else.test", "A"), "else.test. A 192.0.2.66")
        played = look(forged, other, ask(WWW, NONCE[:2], edns=False).wire, A)
        assert played.settled.facts["records"] == ["192.0.2.80"]
        assert look(*[forged] * (STRAYS_MAX + 1)).settled.cause is Cause.WRONG_SERVICE


class TestTcp:
    CUT = say(WWW, flags=dns.flags.TC)

    @pytest.mark.parametrize("chunk", [None, 1, 7])
    def test_an_answer_that_is_cut_is_asked_for_over_tcp(self, chunk: int | None) -> None:
        whole = over_tcp(A)
        pieces = [whole[place : place + chunk] for place in range(0, len(whole), chunk)] if chunk else [whole]
        played = look(self.CUT, *pieces)
        assert (played.settled.cause, played.settled.facts["tcp"]) == (None, True)
        assert played.marks[0].facts == {"truncated": True}

    def test_expected_it_must_answer_as_well(self) -> None:
        played = look(A, over_tcp(say(WWW, rcode="REFUSED")), tcp=True)
        assert played.settled.cause is Cause.ERROR_ANSWER
        assert played.marks[0].cause is None
        assert look(A, tcp=True, at="dns://127.0.0.1:5353/www.example.test").dials[0].port == 5353

    def test_what_fails_over_udp_isnt_asked_again(self) -> None:
        assert look(say(WWW, rcode="REFUSED"), tcp=True).dials == []

    def test_another_answer_over_tcp_is_a_strangers(self) -> None:
        assert look(self.CUT, over_tcp(VERSIONED)).settled.cause is Cause.WRONG_SERVICE
        assert isinstance(look(self.CUT, Closed()).broke, Closed)


class TestExpect:
    def test_records(self) -> None:
        two = say(WWW, "www.example.test. A 192.0.2.80", "www.example.test. A 192.0.2.81")
        assert look(two, records=("192.0.2.81",)).settled.cause is None
        answer = look(two, records=("192.0.2.81", "192.0.2.99")).settled
        assert answer.cause is Cause.WRONG_ANSWER
        assert "192.0.2.99 expected" in answer.detail

    @pytest.mark.parametrize(
        ("kind", "record", "expected"),
        [
            ("MX", "10 Mail.example.test.", "10 mail.example.test"),
            ("NS", "ns.example.test.", "NS.example.test"),
            ("TXT", '"v=spf1 -all"', "v=spf1 -all"),
            ("TXT", '"one " "two"', "one two"),
            ("AAAA", "2001:db8::1", "2001:0DB8:0::1"),
            ("CNAME", "web.test.", "web.test."),
        ],
    )
    def test_records_are_compared_as_people_write_them(self, kind: str, record: str, expected: str) -> None:
        reply = say(Question("www.example.test", kind), f"www.example.test. {kind} {record}")
        assert look(reply, kind=kind, records=(expected,)).settled.cause is None
        assert look(reply, kind=kind, records=("other",)).settled.cause is Cause.WRONG_ANSWER

    def test_rcode(self) -> None:
        gone = say(WWW, rcode="NXDOMAIN")
        assert look(gone, rcode="NXDOMAIN").settled.cause is None
        assert look(A, rcode="NXDOMAIN").settled.cause is Cause.WRONG_ANSWER
        answer = look(say(WWW, rcode="SERVFAIL"), rcode="NXDOMAIN").settled
        assert answer.cause is Cause.ERROR_ANSWER
        assert "NXDOMAIN is expected" in answer.detail

    def test_expected_of_a_name_that_isnt_there(self) -> None:
        for expect in (Expect(records=("192.0.2.1",)), Expect(rcode="NOERROR")):
            with pytest.raises(AddressError, match="are of a name"):
                Options(address(BARE), expect=expect)


class TestTheQuestion:
    @pytest.mark.parametrize(
        ("at", "kind", "question"),
        [
            (BARE, None, None),
            (BARE + "/", None, None),
            (NAMED, None, WWW),
            (NAMED + "?type=mx", None, Question("www.example.test", "MX")),
            (NAMED + "?class=IN;type=TXT", None, Question("www.example.test", "TXT")),
            (NAMED + "?type=MX", "NS", Question("www.example.test", "NS")),
            (BARE + "/_sip._tcp.example.test", "SRV", Question("_sip._tcp.example.test", "SRV")),
        ],
    )
    def test_it_is_in_the_address(self, at: str, kind: str | None, question: Question | None) -> None:
        assert Options(address(at), Send(kind)).question == question  # type: ignore[arg-type]

    @pytest.mark.parametrize("at", [NAMED + "?type=WKS", f"{BARE}/{'x' * 64}.test", f"{BARE}/a..test"])
    def test_one_that_cant_be_asked_is_a_wrong_address(self, at: str) -> None:
        with pytest.raises(AddressError):
            Options(address(at))


@pytest.mark.parametrize(
    "said", [b"x", b"SSH-2.0-OpenSSH\r\n", b"\x01\x02" + b"\xc0\x0c" * 20, A[:-3], A + b"x"]
)
def test_strangers(said: bytes) -> None:
    for at in (BARE, NAMED):
        answer = look(said, at=at).settled
        assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "dns")


@given(noise([A, VERSIONED]))
def test_any_bytes_make_an_answer_or_a_break(says: list[bytes | Break]) -> None:
    for at in (BARE, NAMED):
        for script in (says, [Quiet(), *says], [TestTcp.CUT, *says]):
            played = look(*script, at=at, tcp=True)
            assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_it_speaks_udp() -> None:
    assert PROBE.dial(address(BARE), None).transport is Transport.UDP
