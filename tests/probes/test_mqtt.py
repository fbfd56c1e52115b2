"""The MQTT probe against a script: a row of its tables each, and its states."""

from typing import Literal

import pytest

from tests.playbook import NONCE, address, play
from trueup.conversation import Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.mqtt import CODES_3, CODES_5, PROBE, Options, conversation
from trueup.probes.mqttwire import publish

AT = address("mqtt://127.0.0.1")
LOGIN = Login(Secret("canary"), "monitor")
ACCEPTED = {3: b"\x20\x02\x00\x00", 5: b"\x20\x09\x00\x00\x06\x22\x00\x0a\x21\x00\x14"}
Version = Literal[3, 5]


def refused(version: int, code: int) -> bytes:
    return b"\x20\x02\x00%c" % code if version == 3 else b"\x20\x03\x00%c\x00" % code


@pytest.mark.parametrize("chunk", [None, 1, 7])
@pytest.mark.parametrize("version", [3, 5])
def test_a_healthy_broker_is_ready(version: Version, chunk: int | None) -> None:
    played = play(conversation(Options(AT, version=version)), [ACCEPTED[version]], chunk=chunk)
    assert (played.settled.outcome, played.settled.layer) == (Outcome.PASS, Layer.SERVICE)
    assert played.sent[:9] == b"\x10%c\x00\x04MQTT%c" % (len(played.sent) - 4, 4 if version == 3 else 5)
    assert NONCE[:6].hex().encode() in played.sent, "a name that nobody else has"
    assert played.sent.endswith(b"\xe0\x00"), "a farewell"


ROWS = [(3, code) for code in CODES_3] + [(5, code) for code in CODES_5] + [(5, code) for code in CODES_3]


@pytest.mark.parametrize(("version", "code"), ROWS)
def test_every_code_has_its_cause(version: Version, code: int) -> None:
    cause, meaning = (CODES_5 if code >= 0x80 else CODES_3)[code]
    options = Options(AT, version=version, login=LOGIN)
    played = play(conversation(options), [ACCEPTED[version], refused(version, code)])
    assert (played.settled.outcome, played.settled.cause) == (Outcome.FAIL, cause)
    assert played.settled.facts["code"] == code
    assert meaning in played.settled.detail
    if cause is not Cause.LOGIN_REFUSED:
        assert play(conversation(options), [refused(version, code)]).settled.cause is cause


@pytest.mark.parametrize("code", [6, 0x7F, 0xFF])
def test_an_unknown_code_is_an_error_answer(code: int) -> None:
    assert play(conversation(Options(AT)), [refused(3, code)]).settled.cause is Cause.ERROR_ANSWER


@pytest.mark.parametrize(("version", "code"), [(3, 4), (3, 5), (5, 0x86), (5, 0x87), (5, 0x8C)])
def test_a_login_demanded_and_none_given_is_up(version: Version, code: int) -> None:
    options = Options(AT, version=version)
    answer = play(conversation(options), [refused(version, code), Closed()]).settled
    assert (answer.outcome, answer.facts["login"]) == (Outcome.PASS, "demanded")
    needing = Options(AT, version=version, roundtrip=True)
    answer = play(conversation(needing), [refused(version, code)]).settled
    assert answer.cause is Cause.LOGIN_REFUSED


@pytest.mark.parametrize("first", [ACCEPTED[3], refused(3, 5)])
def test_a_login_is_sent_to_a_broker_only(first: bytes) -> None:
    options = Options(AT, login=LOGIN)
    stranger = play(conversation(options), [b"HTTP/1.1 400 Bad Request\r\n"])
    assert stranger.settled.cause is Cause.WRONG_SERVICE
    assert b"canary" not in stranger.sent
    played = play(conversation(options), [first, ACCEPTED[3]])
    assert played.settled.cause is None
    assert len(played.dials) == 1
    assert b"\0\7monitor\0\6canary" in played.said_secretly


def test_the_second_connection_is_made_like_the_first() -> None:
    settings = TlsSettings(ca="/etc/ca.pem")
    options = Options(address("mqtts://127.0.0.1"), login=LOGIN, tls=settings)
    played = play(conversation(options), [refused(3, 5), ACCEPTED[3]])
    assert played.dials == [PROBE.dial(options.address, settings)]
    assert played.dials[0].port == 8883


TOKEN = NONCE[:8].hex()
TOPIC = f"trueup/probe/{TOKEN}"
SUBACK = {3: b"\x90\x03\x00\x01\x01", 5: b"\x90\x04\x00\x01\x00\x01"}
PUBACK = {3: b"\x40\x02\x00\x02", 5: b"\x40\x02\x00\x02"}


def round_trip(version: Version, *script: bytes, chunk: int | None = None) -> tuple[Layer, Cause | None]:
    options = Options(AT, version=version, roundtrip=True)
    played = play(conversation(options), [ACCEPTED[version], *script], chunk=chunk)
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]
    return played.settled.layer, played.settled.cause


@pytest.mark.parametrize("chunk", [None, 1, 7])
@pytest.mark.parametrize("version", [3, 5])
def test_a_round_trip_is_of_the_function_layer(version: Version, chunk: int | None) -> None:
    back = publish(version, TOPIC, 1, TOKEN.encode())
    said = SUBACK[version] + back + PUBACK[version]
    assert round_trip(version, said, chunk=chunk) == (Layer.FUNCTION, None)
    assert round_trip(version, SUBACK[version] + PUBACK[version] + back) == (Layer.FUNCTION, None)


@pytest.mark.parametrize(
    ("version", "script", "expected"),
    [
        (3, [b"\x90\x03\x00\x01\x80"], (Layer.FUNCTION, Cause.LOGIN_REFUSED)),
        (5, [b"\x90\x04\x00\x01\x00\x87"], (Layer.FUNCTION, Cause.LOGIN_REFUSED)),
        (5, [b"\x90\x04\x00\x01\x00\x97"], (Layer.FUNCTION, Cause.OVERLOADED)),
        (5, [SUBACK[5], b"\x40\x03\x00\x02\x97"], (Layer.FUNCTION, Cause.OVERLOADED)),
        (5, [SUBACK[5], b"\xe0\x01\x8b"], (Layer.SERVICE, Cause.STARTING_UP)),
        (5, [SUBACK[5], b"\xe0\x00"], (Layer.FUNCTION, Cause.ERROR_ANSWER)),
        (3, [SUBACK[3], PUBACK[3]], (Layer.FUNCTION, Cause.WRONG_ANSWER)),
        (3, [SUBACK[3], publish(3, TOPIC, 1, b"x") * 40], (Layer.FUNCTION, Cause.WRONG_ANSWER)),
    ],
)
def test_a_round_trip_that_fails(
    version: Version, script: list[bytes], expected: tuple[Layer, Cause]
) -> None:
    assert round_trip(version, *script) == expected
    assert expected[0] in expected[1].layers


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x20\x02\x02\x00",
        b"\x20\x00",
        b"\x20\xff\xff\xff\xff",
        b"\x20\xff\xff\xff\x7f",
        b"\x30\x02\x00\x00",
    ],
)
def test_what_is_not_mqtt_is_a_stranger(said: bytes) -> None:
    answer = play(conversation(Options(AT)), [said]).settled
    assert (answer.cause, answer.facts["expected"]) == (Cause.WRONG_SERVICE, "mqtt")


def test_silence_and_closing_are_left_to_the_engine() -> None:
    assert isinstance(play(conversation(Options(AT)), []).broke, Quiet)
    assert isinstance(play(conversation(Options(AT)), [Closed(reset=True)]).broke, Closed)


def test_recognise() -> None:
    assert PROBE.recognise(ACCEPTED[3])
    assert PROBE.recognise(ACCEPTED[5])
    assert not PROBE.recognise(b" hello\r\n")
