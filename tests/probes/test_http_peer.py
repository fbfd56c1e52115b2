"""One server asked more than once, and through a proxy."""

from collections.abc import Generator

import pytest

from tests.playbook import Played, address, play
from trueup.conversation import Answer, Ask, Break, Closed, Garbled, Quiet, Step, ready
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http_message import BODY_BYTES_MAX
from trueup.probes.http_peer import Origin, Peer, Proxy, ProxyRefused, basic, origin_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def ask_twice(*, tls: TlsSettings | None = None) -> Generator[Step, bytes, Answer]:
    peer = Peer(Origin("https" if tls else "http", "a.example", 8080), tls)
    first = yield from peer.ask("GET", "/1", keep=True)
    second = yield from peer.ask("GET", "/2")
    return ready("", statuses=[first.status, second.status], broken=second.broken)


def twice(*says: bytes | Break) -> Played:
    return play(ask_twice(), says)


def test_a_connection_is_asked_again() -> None:
    played = twice(OK, OK)
    assert played.settled.facts["statuses"] == [200, 200]
    assert played.dials == []
    assert b"GET /1 HTTP/1.1\r\nHost: a.example:8080\r\n" in played.sent
    assert played.sent.count(b"keep-alive") == 1


def test_a_connection_that_the_server_will_close_is_not() -> None:
    played = twice(OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), OK)
    assert [dial.port for dial in played.dials] == [8080]


def test_a_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    played = twice(OK, Closed(), OK)
    assert played.settled.facts["statuses"] == [200, 200]
    assert len(played.dials) == 1
    assert played.sent.count(b"/2") == 2


def test_it_is_tried_again_once_only() -> None:
    assert isinstance(twice(OK, Closed(), Closed()).broke, Closed)


def test_the_first_connection_is_not_opened_again() -> None:
    assert isinstance(twice(Closed()).broke, Closed)


def test_silence_is_the_engines() -> None:
    assert isinstance(twice(Quiet(final=True)).broke, Quiet)


@pytest.mark.parametrize(
    ("end", "cause", "words"),
    [
        (Closed(), Cause.ERROR_ANSWER, "HTTP 200 OK, but its body ends after 1 of 2 bytes"),
        (Quiet(final=True), Cause.SILENT, "HTTP 200 OK, but its body stops after 1 of 2 bytes"),
    ],
)
def test_half_a_response(end: Break, cause: Cause, words: str) -> None:
    assert twice(OK, OK[:-1], end).settled.facts["broken"] == (cause, words)


def test_a_reset_in_the_middle() -> None:
    peer = Peer(Origin("http", "a", 80))
    conversation = peer.ask("GET", "/")
    step = next(conversation)
    assert isinstance(step, Ask)
    step.read.complete(bytearray(OK[:-1]), ended=False)
    with pytest.raises(StopIteration) as stop:  # the playbook has no resets
        conversation.throw(Closed(OK[:-1], reset=True))
    assert "is cut off by a reset after 1 of 2 bytes" in stop.value.value.broken[1]


def test_more_than_we_read() -> None:
    chunks = b"1\r\nx\r\n" * (BODY_BYTES_MAX // 2)
    played = twice(OK, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert played.settled.facts["statuses"] == [200, 200]


def test_our_certificate_is_shown_to_nobody_else() -> None:
    def go_away() -> Generator[Step, bytes, Answer]:
        peer = Peer(Origin("https", "a", 443), TlsSettings(ca="ca", cert="c", key="k", server_name="s"))
        yield from peer.move(Origin("https", "a", 444))
        yield from peer.move(Origin("https", "b", 444))
        yield from peer.move(Origin("http", "b", 80))
        return ready("")

    same, other, plain = play(go_away(), []).dials
    assert same.tls == TlsSettings(ca="ca", cert="c", key="k", server_name="s")
    assert other.tls == TlsSettings(ca="ca")
    assert other.alpn == ("http/1.1",)
    assert plain.tls is None


def test_origins() -> None:
    assert origin_of(address("http://a")).name == "a"
    assert origin_of(address("https://a:443")).name == "a"
    assert origin_of(address("http://[::1]:443")).name == "[::1]:443"
    assert origin_of(address("http://bücher.example")).name == "xn--bcher-kva.example"
    assert origin_of(address("http+unix://%2Frun%2Fa.sock/x")).name == "localhost"
    assert origin_of(address("http://a"), 9200).port == 9200


@pytest.mark.parametrize(
    ("other", "trusted"),
    [
        (Origin("http", "a", 80), True),
        (Origin("https", "A", 443), True),
        (Origin("https", "a", 8443), False),
        (Origin("http", "a", 81), False),
        (Origin("http", "b", 80), False),
        (Origin("https", "b", 443), False),
    ],
)
def test_trust(other: Origin, trusted: bool) -> None:
    assert Origin("http", "a", 80).trusts(other) is trusted


def test_a_downgrade_is_not_trusted() -> None:
    assert not Origin("https", "a", 443).trusts(Origin("http", "a", 80))


def test_basic() -> None:
    assert basic(Login(Secret("open sesame"), "Aladdin")) == {
        "Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 7617, 2
    }
    assert basic(Login(Secret("p"))) == {"Authorization": "Basic OnA="}


# -- through a proxy -------------------------------------------------------------------------------

PROXY = Origin("http", "proxy", 3128)
ASKS = b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"
CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def through(scheme: str, *says: bytes | Break, login: Login | None = None, host: str = "a") -> Played:
    def talk() -> Generator[Step, bytes, Answer]:
        peer = Peer(Origin(scheme, host, 8443), TlsSettings(ca="ca"), proxy=Proxy(PROXY, login))
        try:
            yield from peer.begin()
            first = yield from peer.ask("GET", "/1", keep=True)
            second = yield from peer.ask("GET", "/2")
        except ProxyRefused as refused:
            return ready("", refused=refused.response.status)
        return ready("", statuses=[first.status, second.status])

    return play(talk(), says)


def test_http_through_a_proxy() -> None:
    played = through("http", OK, OK)
    assert played.settled.facts["statuses"] == [200, 200]
    assert played.sent.startswith(b"GET http://a:8443/1 HTTP/1.1\r\nHost: a:8443\r\n")
    assert played.dials == []
    assert played.tls == []


def test_a_proxy_is_told_who_we_are_when_it_asks() -> None:
    login = Login(Secret("p"))
    played = through("http", ASKS, OK, OK, login=login)
    assert played.settled.facts["statuses"] == [200, 200]
    assert played.sent.count(b"Proxy-Authorization: Basic OnA=") == 2
    assert played.said_secretly.count(b"Proxy-Authorization") == 2
    assert through("http", ASKS, ASKS, OK, login=login).settled.facts["statuses"] == [407, 200]
    assert through("http", ASKS, ASKS).settled.facts["statuses"] == [407, 407]
    assert b"Proxy-Authorization" not in through("http", OK, OK, login=login).sent


def test_https_through_a_proxy() -> None:
    played = through("https", CONNECTED, OK, OK)
    assert played.settled.facts["statuses"] == [200, 200]
    assert played.sent.startswith(b"CONNECT a:8443 HTTP/1.1\r\nHost: a:8443\r\n")
    assert b"\r\n\r\nGET /1 HTTP/1.1\r\nHost: a:8443\r\n" in played.sent
    assert [step.settings for step in played.tls] == [TlsSettings(ca="ca", server_name="a")]
    assert through("https", CONNECTED, OK, OK, host="::1").sent.startswith(b"CONNECT [::1]:8443 ")


def test_a_tunnel_that_asks_who_we_are() -> None:
    login = Login(Secret("p"))
    played = through("https", ASKS, CONNECTED, OK, OK, login=login)
    assert played.settled.facts["statuses"] == [200, 200]
    assert [(dial.host, dial.port, dial.tls) for dial in played.dials] == [("proxy", 3128, None)]
    assert played.sent.count(b"Proxy-Authorization") == 1, "it is the proxy that is told, not the server"
    assert through("https", ASKS, ASKS, login=login).settled.facts["refused"] == 407


def test_a_tunnel_that_is_not_made() -> None:
    assert through("https", b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n").settled.facts["refused"] == 503
    assert through("https", ASKS).settled.facts["refused"] == 407
    assert isinstance(through("https", b"SSH-2.0-x\r\n").broke, Garbled)


def test_a_closed_tunnel_is_made_again() -> None:
    last = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    played = through("https", CONNECTED, last, CONNECTED, OK)
    assert played.settled.facts["statuses"] == [200, 200]
    assert [dial.host for dial in played.dials] == ["proxy"]
    assert len(played.tls) == 2
