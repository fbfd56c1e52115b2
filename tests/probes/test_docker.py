"""The Docker engine against a script."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.beds.fake_http import says
from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Answer, Break, Closed, Quiet, Transport
from trueup.domain.causes import Cause
from trueup.domain.states import Outcome
from trueup.domain.target import TlsSettings
from trueup.probes.docker import PROBE, Options, conversation

AT = address("docker:///var/run/docker.sock")
HEADS = ("Api-Version: 1.41", "Server: Docker/20.10.24 (linux)")
PODMAN = ("Libpod-Api-Version: 4.3.1", "Server: Libpod/4.3.1 (linux)")
PING = says(200, b"OK", *HEADS)
LIST = says(
    200, [{"Id": "a", "Status": "Up 2 hours"}, {"Id": "b", "Status": "Up 2 hours (unhealthy)"}], *HEADS
)


def look(*script: bytes | Break, chunk: int | None = None, **configured: Any) -> Played:
    options = Options(**{"address": AT, **configured})
    return play(conversation(options), [*script, Closed()], chunk=chunk)


def answer(*script: bytes | Break, **configured: Any) -> Answer:
    return look(*script, **configured).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_an_engine(chunk: int | None) -> None:
    played = look(PING, LIST, chunk=chunk)
    assert played.settled.outcome is Outcome.PASS
    assert played.settled.facts == {"containers": 2, "unhealthy": 1, "server": "Docker/20.10.24 (linux)"}
    assert played.sent.startswith(b"GET /_ping HTTP/1.1\r\nHost: localhost\r\n")
    assert b"GET /containers/json HTTP/1.1\r\n" in played.sent
    assert played.dials == []


def test_podman_too() -> None:
    assert answer(says(200, b"OK", *PODMAN), says(200, [], *PODMAN)).facts["containers"] == 0


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ([PING, Quiet(final=True)], Cause.SILENT),
        ([PING, says(500, {"message": "no space left"}, *HEADS)], Cause.ERROR_ANSWER),
        ([PING, says(403, {"message": "denied by plugin"}, *HEADS)], None),
        ([PING, says(200, b"not json", *HEADS)], None),
        ([PING, LIST[:-3]], Cause.ERROR_ANSWER),
        ([says(500, {"message": "daemon is dying"}, *HEADS)], Cause.ERROR_ANSWER),
        ([says(502, b"")], Cause.BAD_UPSTREAM),
        ([says(400, b"Client sent an HTTP request to an HTTPS server.")], Cause.WRONG_SERVICE),
        ([says(200, b"OK")], Cause.WRONG_SERVICE),
        ([says(404, b"", "Server: nginx")], Cause.WRONG_SERVICE),
        ([b"SSH-2.0-x\r\n"], Cause.WRONG_SERVICE),
    ],
)
def test_states(script: list[bytes | Break], cause: Cause | None) -> None:
    assert answer(*script).cause is cause


def test_an_error_is_told_in_its_words() -> None:
    assert answer(PING, says(500, {"message": "no space left"}, *HEADS)).detail.endswith(": no space left")


def test_silence_at_the_ping_is_the_engines() -> None:
    assert isinstance(look(Quiet(final=True)).broke, Quiet)


def test_tcp_with_and_without_tls() -> None:
    tls = TlsSettings(ca="ca.pem", cert="cert.pem", key="key.pem")
    played = look(PING, LIST, address=address("docker://a:2376"), tls=tls)
    assert [step.settings for step in played.tls] == [tls]
    assert b"Host: a:2376\r\n" in played.sent
    assert look(PING, LIST, address=address("docker://a")).tls == []
    dial = PROBE.dial(address("docker://a"), None)
    assert (dial.port, dial.transport) == (2375, Transport.TCP)
    assert PROBE.dial(AT, None).transport is Transport.UNIX


@settings(max_examples=40)
@given(st.binary(max_size=100), st.recursive(st.none() | st.text(max_size=5), st.lists))
def test_no_bytes_raise_anything(noise: bytes, value: Any) -> None:
    for script in ([noise], [PING, noise], [PING, says(200, [value, {"Status": value}], *HEADS)]):
        played = look(*script)
        assert played.answer is not None or isinstance(played.broke, Closed | Quiet)


@given(noise([PING, LIST]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script)
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    assert PROBE.recognise(PING)
    assert PROBE.recognise(says(404, {"message": "page not found"}, *PODMAN))
    assert not PROBE.recognise(says(200, b"\r\nbody \r\nServer: nginx"))
