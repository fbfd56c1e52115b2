"""The UDP probe against a script, and with sockets on loopback."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.playbook import address, play
from tests.probes.performing import perform
from trueup.conversation import Quiet
from trueup.domain.causes import Cause
from trueup.domain.states import Layer, Outcome
from trueup.probes.udp import ANSWERS_MAX, Options, conversation
from trueup.probes.wording import Expect

AT = address("udp://127.0.0.1:514")


def test_any_answer_will_do() -> None:
    played = play(conversation(Options(AT)), [b"\0"])
    assert (played.settled.outcome, played.settled.layer, played.sent) == (
        Outcome.PASS,
        Layer.SERVICE,
        b"\n",
    )


@pytest.mark.parametrize(
    ("options", "sent"),
    [(Options(AT, send=r"a\0"), b"a\0"), (Options(AT, hex="00 ff"), b"\0\xff"), (Options(AT), b"\n")],
)
def test_what_is_sent(options: Options, sent: bytes) -> None:
    assert play(conversation(options), [b"x"]).sent == sent


def test_send_and_hex_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="exclude"):
        Options(AT, send="a", hex="00")
    with pytest.raises(ValueError, match="non-hexadecimal"):
        Options(AT, hex="0g")


def test_an_answer_that_isnt_expected_is_wrong() -> None:
    options = Options(AT, expect=Expect(contains="pong"))
    assert play(conversation(options), [b"what?", Quiet()]).settled.cause is Cause.WRONG_ANSWER
    assert play(conversation(options), [b"no"] * (ANSWERS_MAX + 5)).settled.cause is Cause.WRONG_ANSWER


def test_silence_is_left_to_the_engine() -> None:
    assert isinstance(play(conversation(Options(AT)), []).broke, Quiet)


@contextlib.contextmanager
def answering(answer: Callable[[bytes, int], list[bytes]]) -> Iterator[str]:
    """A UDP server: `answer` gets each datagram and its number, and says what to send back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            number = 0
            while True:
                said, peer = server.recvfrom(65535)
                if said == b"stop":
                    return
                for datagram in answer(said, number):
                    server.sendto(datagram, peer)
                number += 1

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"udp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopping:
                stopping.sendto(b"stop", server.getsockname())
            thread.join(5)


def test_the_expected_answer_is_found_among_others() -> None:
    with answering(lambda said, _: [b"noise", said.upper()]) as url:
        transcript = perform(url, send="ping", expect=Expect(starts="PING"))
        assert transcript.answer is not None
        assert transcript.answer.cause is None


def test_a_lost_datagram_is_sent_again() -> None:
    with answering(lambda said, number: [said] if number else []) as url:
        transcript = perform(url, send="ping")
        assert transcript.answer is not None
        assert transcript.answer.cause is None
        assert transcript.sent_bytes == 2 * len("ping")


def test_a_silent_peer_is_silent_and_a_closed_port_refuses() -> None:
    with answering(lambda _said, _number: []) as url:
        silent = perform(url, timeout_s=0.3).fault
    assert silent is not None
    assert (silent.layer, silent.cause) == (Layer.SERVICE, Cause.SILENT)
    refused = perform(url, timeout_s=2).fault
    assert refused is not None
    assert (refused.layer, refused.cause) == (Layer.PORT, Cause.REFUSED)
