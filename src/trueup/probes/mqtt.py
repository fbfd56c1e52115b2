"""MQTT.

``CONNECT`` with a client name that nobody else has (a broker throws out whoever had it before) and the
broker's ``CONNACK``. Where it demands a login and none is configured, the service is up and says so. A
configured login is sent over a second connection, once the first has shown that a broker is there. With
``roundtrip: true`` a message goes to a topic of its own and must come back, both at QoS 1.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, Literal

from trueup.conversation import (
    Answer,
    Ask,
    Conversation,
    Garbled,
    Mark,
    Nonce,
    Quiet,
    Receive,
    Redial,
    Send,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.mqttwire import (
    CONNACK,
    DISCONNECT,
    PUBACK,
    PUBLISH,
    SUBACK,
    Packet,
    connect,
    disconnect,
    message_of,
    parse,
    publish,
    reading,
    subscribe,
    without_properties,
)
from trueup.probes.probe import Farewell, Probe, Scheme

_Table = dict[int, tuple[Cause, str]]

CODES_3: Final[_Table] = {
    # MQTT 3.1.1, table 3.1.
    1: (Cause.ERROR_ANSWER, "doesn't speak MQTT 3.1.1 (try version: 5)"),
    2: (Cause.ERROR_ANSWER, "refuses the client's name"),
    3: (Cause.STARTING_UP, "is there, and its service is unavailable"),
    4: (Cause.LOGIN_REFUSED, "bad user name or password"),
    5: (Cause.LOGIN_REFUSED, "not authorised"),
}
CODES_5: Final[_Table] = {
    # MQTT 5.0, 2.4.
    0x80: (Cause.ERROR_ANSWER, "unspecified error"),
    0x81: (Cause.ERROR_ANSWER, "malformed packet"),
    0x82: (Cause.ERROR_ANSWER, "protocol error"),
    0x83: (Cause.ERROR_ANSWER, "an error of this broker's own"),
    0x84: (Cause.ERROR_ANSWER, "doesn't speak MQTT 5 (try version: 3)"),
    0x85: (Cause.ERROR_ANSWER, "refuses the client's name"),
    0x86: (Cause.LOGIN_REFUSED, "bad user name or password"),
    0x87: (Cause.LOGIN_REFUSED, "not authorised"),
    0x88: (Cause.STARTING_UP, "is there, and its service is unavailable"),
    0x89: (Cause.OVERLOADED, "busy"),
    0x8A: (Cause.BLOCKED, "has banned this client"),
    0x8B: (Cause.STARTING_UP, "shutting down"),
    0x8C: (Cause.LOGIN_REFUSED, "bad authentication method"),
    0x8F: (Cause.ERROR_ANSWER, "refuses the topic filter"),
    0x90: (Cause.ERROR_ANSWER, "refuses the topic"),
    0x93: (Cause.OVERLOADED, "receive maximum exceeded"),
    0x95: (Cause.ERROR_ANSWER, "packet too large"),
    0x96: (Cause.OVERLOADED, "message rate too high"),
    0x97: (Cause.OVERLOADED, "quota exceeded"),
    0x98: (Cause.ERROR_ANSWER, "ended by an administrative action"),
    0x9B: (Cause.ERROR_ANSWER, "doesn't support QoS 1"),
    0x9C: (Cause.ERROR_ANSWER, "sends its clients to another server for now"),
    0x9D: (Cause.ERROR_ANSWER, "has moved to another server"),
    0x9F: (Cause.OVERLOADED, "connection rate exceeded"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: ("See its load: mosquitto_sub -h {host} -p {port} -t '$SYS/broker/clients/#' -v -W 2",),
    Cause.LOGIN_REFUSED: (
        "Try the login by hand: mosquitto_sub -h {host} -p {port} -u USER -P PASSWORD -t test -W 2",
    ),
}
SUBSCRIPTION: Final = 1
PUBLICATION: Final = 2
PACKETS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Options:
    """``version`` 3 is MQTT 3.1.1. ``roundtrip`` publishes to a topic of its own."""

    address: Address
    login: Login | None = None
    version: Literal[3, 5] = 3
    roundtrip: bool = False
    tls: TlsSettings | None = None


def conversation(options: Options) -> Conversation:
    """CONNECT, and once more with the login where there is one."""
    login = login_of(options.address, options.login)
    try:
        refusal = yield from _connect(options, None)
        if refusal is None and login is None:
            return (yield from _go_on(options))
        if refusal is not None and refusal.cause is not Cause.LOGIN_REFUSED:
            return refusal
        if login is None:
            return _without_login(options, refusal)
        if refusal is None:
            yield Send(disconnect())
        yield Redial(PROBE.dial(options.address, options.tls))
        refusal = yield from _connect(options, login)
        return (yield from _go_on(options)) if refusal is None else refusal
    except (Garbled, TooLong) as broken:
        return stranger("mqtt", broken.received)


def _connect(options: Options, login: Login | None) -> Generator[Step, bytes, Answer | None]:
    """The refusal, None when we're in."""
    client = "trueup" + (yield Nonce(6)).hex()
    question = connect(options.version, client, login)
    said = yield Ask(question, reading(CONNACK), secret=login is not None)
    connack = parse(said)
    if len(connack.body) < 2 or connack.body[0] > 1:
        raise Garbled(said)
    return _refusal(connack, connack.body[1])


def _refusal(connack: Packet, code: int, layer: Layer = Layer.SERVICE) -> Answer | None:
    """The table's word for a code. A broker of MQTT 3 has its own codes for a client of MQTT 5, too."""
    if code < 0x80 and (connack.kind != CONNACK or code == 0):
        return None
    table = CODES_5 if code >= 0x80 else CODES_3
    cause, meaning = table.get(code, (Cause.ERROR_ANSWER, "refuses"))
    layer = layer if layer in cause.layers else Layer.SERVICE
    return fails(cause, f"{meaning} (code {code:#04x})", layer=layer, code=code)


def _without_login(options: Options, refusal: Answer | None) -> Answer:
    assert refusal is not None
    if options.roundtrip:
        return fails(Cause.LOGIN_REFUSED, "it asks for a login and none is configured", login="demanded")
    return ready("alive, and asks for a login", login="demanded", **refusal.facts)


def _go_on(options: Options) -> Conversation:
    answer = ready("accepts a client")
    if options.roundtrip:
        yield Mark(answer)
        answer = yield from _round_trip(options.version)
    yield Send(disconnect())
    return answer


def _round_trip(version: int) -> Generator[Step, bytes, Answer]:
    token = (yield Nonce(8)).hex()
    topic = f"trueup/probe/{token}"
    try:
        suback = parse((yield Ask(subscribe(version, topic, SUBSCRIPTION), reading(SUBACK, DISCONNECT))))
        refused = _refused(suback, "the subscription")
        if refused is not None:
            return refused
        yield Send(publish(version, topic, PUBLICATION, token.encode()))
        return (yield from _deliveries(version, topic, token))
    except Quiet:
        words = "what was published never came back (an access list may forbid the topic)"
        return fails(Cause.WRONG_ANSWER, words, layer=Layer.FUNCTION)


def _deliveries(version: int, topic: str, token: str) -> Generator[Step, bytes, Answer]:
    """The acknowledgement and the message itself, in any order."""
    acknowledged = came = False
    for _ in range(PACKETS_MAX):
        packet = parse((yield Receive(reading(PUBACK, PUBLISH, DISCONNECT))))
        if packet.kind == PUBLISH:
            came = came or message_of(packet, version) == (topic.encode(), token.encode())
        else:
            refused = _refused(packet, "the message")
            if refused is not None:
                return refused
            acknowledged = True
        if acknowledged and came:
            return ready("received what it published", layer=Layer.FUNCTION)
    return fails(Cause.WRONG_ANSWER, "other messages came, and not ours", layer=Layer.FUNCTION)


def _refused(packet: Packet, what: str) -> Answer | None:
    """What SUBACK, PUBACK or DISCONNECT refuses; the code is the last of SUBACK, the third of PUBACK."""
    if packet.kind == DISCONNECT:
        code = packet.body[0] if packet.body else 0x80
    elif packet.kind == SUBACK:
        rest = packet.body[2:]
        if not rest:
            raise Garbled(packet.body)
        code = rest[0] if len(rest) == 1 else (without_properties(rest) or b"\x80")[0]
    else:
        code = packet.body[2] if len(packet.body) > 2 else 0
    if packet.kind == SUBACK and code == 0x80:  # all that MQTT 3.1.1 can say (3.9.3)
        return fails(Cause.LOGIN_REFUSED, f"{what} is refused", layer=Layer.FUNCTION, code=code)
    refusal = _refusal(packet, code, Layer.FUNCTION)
    return None if refusal is None else refusal._replace(detail=f"{what} is refused: {refusal.detail}")


def recognise(said: bytes) -> bool:
    """A CONNACK; a broker says nothing unasked."""
    return len(said) >= 4 and said[0] == CONNACK and said[1] == len(said) - 2 and said[2] <= 1


PROBE = Probe(
    name="mqtt",
    title="MQTT",
    schemes={"mqtt": Scheme(1883), "mqtts": Scheme(8883, tls=True)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    asks_first=True,
    recognise=recognise,
    next_steps=NEXT,
)
