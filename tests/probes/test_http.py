"""The HTTP probe against a script: status rules, expectations, redirects, logins."""

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import Played, address, play
from tests.probes.hostile import noise
from trueup.conversation import Answer, Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings
from trueup.probes.http import PROBE, Options, conversation
from trueup.probes.http_expect import Expect
from trueup.probes.http_page import DEFAULT_PAGES
from trueup.probes.http_request import Send
from trueup.probes.http_status import STATUSES

AT = address("http://shop.example/health")
LOGIN = Login(Secret("canary"), "probe")
SENT_LOGIN = b"Authorization: Basic cHJvYmU6Y2FuYXJ5"


def says(status: int, body: bytes = b"", *heads: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d Word" % status, *heads, b"Content-Length: %d" % len(body)]
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def leads_to(place: bytes, status: int = 302) -> bytes:
    return says(status, b"", b"Location: " + place)


def look(*script: bytes | Break, chunk: int | None = None, **configured: Any) -> Played:
    options = Options(**{"address": AT, **configured})
    return play(conversation(options), script, chunk=chunk)


def answer(*script: bytes | Break, **configured: Any) -> Answer:
    return look(*script, **configured).settled


@pytest.mark.parametrize("chunk", [None, 1, 7])
def test_a_page_is_up(chunk: int | None) -> None:
    played = look(says(200, b"ready", b"Server: nginx"), chunk=chunk)
    assert played.settled == Answer(
        Outcome.PASS, None, "HTTP 200 Word", {"status": 200, "server": "nginx"}, Layer.SERVICE
    )
    assert played.sent.startswith(b"GET /health HTTP/1.1\r\nHost: shop.example\r\n")


# -- the status rules ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_status_without_an_expectation(status: int) -> None:
    cause, meaning = STATUSES[status]
    seen = answer(says(status))
    assert (seen.cause, seen.facts["status"]) == (cause, status)
    assert meaning in seen.detail
    assert seen.facts.get("login") == ("demanded" if status in (401, 403) else None)


@pytest.mark.parametrize("status", [200, 204, 299, 300, 304, 399])
def test_every_status_below_400_is_up(status: int) -> None:
    assert answer(says(status)).cause is None


def test_room_later() -> None:
    assert answer(says(503, b"", b"Retry-After: 60")).cause is Cause.OVERLOADED


@pytest.mark.parametrize(
    ("expected", "status", "cause"),
    [
        (200, 200, None),
        ((200, 204), 204, None),
        ("200-299", 226, None),
        (404, 404, None),
        (503, 503, None),
        (401, 401, None),
        (204, 200, Cause.WRONG_ANSWER),
        (200, 404, Cause.WRONG_ANSWER),
        (200, 403, Cause.WRONG_ANSWER),
        (200, 401, Cause.LOGIN_REFUSED),
        (200, 502, Cause.BAD_UPSTREAM),
        (200, 500, Cause.ERROR_ANSWER),
        (200, 429, Cause.OVERLOADED),
    ],
)
def test_an_expected_status(expected: int | str | tuple[int, ...], status: int, cause: Cause | None) -> None:
    assert answer(says(status), expect=Expect(status=expected)).cause is cause


def test_an_unexpected_status_says_what_is_expected() -> None:
    seen = answer(says(404), expect=Expect(status=(200, "300-308")))
    assert seen.detail.startswith("HTTP 404 Word where 200 or 300-308 is expected: there is no such page")


# -- expectations of content -----------------------------------------------------------------------


def test_an_error_that_calls_itself_200() -> None:
    seen = answer(says(200, b"database error"), expect=Expect(contains="ready"))
    assert seen.cause is Cause.WRONG_ANSWER
    assert seen.detail == "HTTP 200 Word, but its body doesn't contain 'ready': it begins 'database error'"
    assert (
        answer(says(200, b"database error"), expect=Expect(not_contains="error")).cause is Cause.WRONG_ANSWER
    )


def test_content_is_expected_of_a_good_status_only() -> None:
    ready = Expect(contains="ready")
    assert answer(says(200, b"ready"), expect=ready).cause is None
    assert answer(says(500, b"ready"), expect=ready).cause is Cause.ERROR_ANSWER
    assert answer(says(401, b"ready"), expect=ready).cause is Cause.LOGIN_REFUSED
    assert answer(says(403, b"ready"), expect=ready).cause is Cause.WRONG_ANSWER
    assert (
        answer(says(401, b"ready"), expect=Expect(status=401, contains="ready")).facts["login"] == "demanded"
    )


def test_gzip_is_read_and_a_bomb_is_harmless() -> None:
    coded = gzip.compress(b"we are ready")
    assert answer(says(200, coded, b"Content-Encoding: gzip"), expect=Expect(contains="ready")).cause is None
    bomb = gzip.compress(b"\0" * 200_000_000)
    seen = answer(says(200, bomb, b"Content-Encoding: gzip"), expect=Expect(contains="ready"))
    assert seen.cause is Cause.WRONG_ANSWER
    assert "in its first" in seen.detail


@pytest.mark.parametrize("title", sorted(DEFAULT_PAGES))
def test_every_default_page_is_a_fact_and_no_failure_by_itself(title: bytes) -> None:
    page = says(200, b"<html><title>" + title + b"</title>")
    seen = answer(page)
    assert (seen.cause, seen.facts["default_page"]) == (None, DEFAULT_PAGES[title])
    unmet = answer(page, expect=Expect(contains="shop"))
    assert (unmet.cause, unmet.facts["default_page"]) == (Cause.WRONG_ANSWER, DEFAULT_PAGES[title])
    assert DEFAULT_PAGES[title] in unmet.detail


# -- broken peers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        says(200, b"ready")[:-1],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nready\r\n",
    ],
)
def test_a_body_that_ends_too_early(said: bytes) -> None:
    assert answer(said, Closed()).cause is Cause.ERROR_ANSWER
    assert answer(said, Closed(), expect=Expect(status=200)).cause is Cause.ERROR_ANSWER


def test_a_body_that_stops() -> None:
    seen = answer(says(200, b"ready")[:-1], Quiet(final=True))
    assert seen.cause is Cause.SILENT
    assert "4 of 5 bytes" in seen.detail


@pytest.mark.parametrize("turn", [Closed(), Quiet(final=True)])
def test_no_answer_at_all_is_the_engines(turn: Break) -> None:
    assert look(turn).broke is turn or isinstance(look(turn).broke, type(turn))


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ESMTP\r\n", b"\x15\x03\x01\0\x02\x02\x46"]
)
def test_a_stranger(said: bytes) -> None:
    seen = answer(said)
    assert (seen.cause, seen.facts["expected"]) == (Cause.WRONG_SERVICE, "http")
    assert answer(said, address=address("https://a")).facts["expected"] == "https"


def test_https_where_http_is_expected() -> None:
    said = says(400, b"<center>The plain HTTP request was sent to HTTPS port</center>")
    for expect in (Expect(), Expect(status=200)):
        seen = answer(said, expect=expect)
        assert seen.cause is Cause.WRONG_SERVICE
        assert (seen.facts["expected"], seen.facts["found"]) == ("http", "https")
    assert answer(said, expect=Expect(status=400)).cause is None


@given(st.binary(max_size=200), st.sampled_from([1, 7, None]))
def test_no_bytes_raise_anything(noise: bytes, chunk: int | None) -> None:
    for said in (noise, b"HTTP/1.1 302 Found\r\nLocation: " + noise + b"\r\nContent-Length: 0\r\n\r\n"):
        played = look(said, Closed(), Closed(), expect=Expect(contains="x", json={"a": 1}), chunk=chunk)
        assert played.answer is not None or isinstance(played.broke, Closed)


# -- redirects -------------------------------------------------------------------------------------


def test_redirects_are_followed() -> None:
    played = look(leads_to(b"/new"), leads_to(b"https://www.shop.example/x", 301), says(200, b"ready"))
    assert played.settled.cause is None
    assert played.settled.facts["redirected_to"] == "https://www.shop.example/x"
    assert played.settled.facts["redirects"] == 2
    first, second = played.dials
    assert (first.host, first.port, first.tls) == ("shop.example", 80, None)
    assert (second.host, second.port, second.tls, second.alpn) == (
        "www.shop.example",
        443,
        TlsSettings(),
        ("http/1.1",),
    )
    assert b"GET /new HTTP/1.1\r\nHost: shop.example\r\n" in played.sent
    assert b"GET /x HTTP/1.1\r\nHost: www.shop.example\r\n" in played.sent


def test_a_failure_behind_a_redirect_says_where() -> None:
    seen = answer(leads_to(b"http://other:8080/"), says(502))
    assert (seen.cause, seen.facts["redirected_to"]) == (Cause.BAD_UPSTREAM, "http://other:8080/")


def test_five_redirects_and_no_more() -> None:
    assert answer(*[leads_to(b"/%d" % n) for n in range(5)], says(200)).cause is None
    seen = answer(*[leads_to(b"/%d" % n) for n in range(9)])
    assert seen.cause is Cause.WRONG_ANSWER
    assert "more than 5 redirects" in seen.detail


@pytest.mark.parametrize("place", [b"ftp://shop.example/", b"app://callback"])
def test_other_schemes_are_not_followed(place: bytes) -> None:
    played = look(leads_to(place))
    assert (played.settled.cause, played.dials) == (None, [])


def test_an_expected_redirect_is_not_followed() -> None:
    played = look(leads_to(b"/login"), expect=Expect(status=302, header={"Location": "/login"}))
    assert (played.settled.cause, played.dials) == (None, [])
    assert answer(leads_to(b"/login"), expect=Expect(status=301)).cause is Cause.WRONG_ANSWER


def test_a_redirect_whose_body_is_broken() -> None:
    half = b"HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 9\r\n\r\nhalf"
    assert answer(half, Closed(), says(200)).cause is None, "its head is enough to go on"
    assert answer(half, Quiet(final=True)).cause is Cause.SILENT, "and there is no time to go on"


def test_a_redirect_to_nowhere() -> None:
    assert answer(leads_to(b"http://[::1")).cause is Cause.ERROR_ANSWER


# -- secrets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "configured",
    [
        {"login": LOGIN},
        {"address": address("http://probe:canary@shop.example/")},
        {"send": Send(headers={"Authorization": "Bearer canary"})},
        {"send": Send(headers={"X-Api-Key": "canary"})},
        {"send": Send(json={"password": "canary"})},
        {"send": Send(body="password=canary", method="PUT")},
    ],
)
def test_a_secret_is_sent_only_to_one_who_speaks_http(configured: dict[str, Any]) -> None:
    for other in (b"SSH-2.0-x\r\n", b"-ERR unknown command\r\n", b"HTTP/1.1 nonsense\r\n\r\n"):
        stranger = look(other, Closed(), **configured)
        assert b"canary" not in stranger.sent
        assert SENT_LOGIN not in stranger.sent
    server = look(says(401), says(200, b"ready"), **configured)
    assert server.settled.cause is None
    secrets = server.said_secretly
    assert b"canary" in secrets or SENT_LOGIN in secrets
    assert secrets.count(b"HTTP/1.1\r\n") == 1
    assert server.sent.count(b"canary") == secrets.count(b"canary")


@pytest.mark.parametrize("first", [200, 401, 403, 404, 405, 500])
def test_the_first_question_only_finds_out_who_it_is(first: int) -> None:
    assert (
        answer(says(first), says(200, b"ready"), login=LOGIN, expect=Expect(contains="ready")).cause is None
    )


@pytest.mark.parametrize(("status", "words"), [(401, "isn't accepted"), (403, "may not see")])
def test_a_refused_login(status: int, words: str) -> None:
    for expect in (Expect(), Expect(status=200), Expect(contains="x")):
        seen = answer(says(401), says(status), login=LOGIN, expect=expect)
        assert seen.cause is Cause.LOGIN_REFUSED
        assert words in seen.detail
        assert "canary" not in repr(seen)


def test_what_a_post_asks_first_changes_nothing() -> None:
    played = look(says(405), says(201), send=Send(json={"a": 1}))
    assert played.sent.startswith(b"OPTIONS /health HTTP/1.1\r\n")
    assert b"POST /health HTTP/1.1\r\n" in played.said_secretly


@pytest.mark.parametrize(
    "place", [b"http://evil.example/", b"http://shop.example:81/", b"http://shop.example.evil/"]
)
@pytest.mark.parametrize("status", [302, 307, 308])
def test_secrets_stay_with_whom_they_are_for(place: bytes, status: int) -> None:
    played = look(
        leads_to(place, status), says(200), says(200), login=LOGIN, send=Send(headers={"X-Token": "canary"})
    )
    assert b"canary" not in played.sent
    assert SENT_LOGIN not in played.sent
    seen = look(says(200), leads_to(place, status), says(401), login=LOGIN)
    assert seen.settled.cause is Cause.LOGIN_REFUSED
    assert seen.sent.count(SENT_LOGIN) == 1
    assert "another host" in seen.settled.detail


def test_a_body_is_not_carried_elsewhere() -> None:
    played = look(says(200), leads_to(b"http://evil.example/", 307), send=Send(body="canary"))
    assert played.sent.count(b"canary") == 1
    assert played.settled.facts["redirects_to"] == "http://evil.example/"


def test_an_upgrade_to_tls_keeps_the_login_and_spares_the_plain_text() -> None:
    played = look(leads_to(b"https://shop.example/health", 301), says(401), says(200), login=LOGIN)
    assert played.settled.cause is None
    assert played.sent.count(SENT_LOGIN) == 1
    plain, _, behind = played.sent.partition(b"\r\n\r\n")
    assert SENT_LOGIN not in plain
    assert SENT_LOGIN in behind


# -- the rest --------------------------------------------------------------------------------------


def test_what_is_sent() -> None:
    send = Send(method="HEAD", headers={"X-Probe": "trueup", "Host": "shop.test"})
    sent = look(says(200)[:-2] + b"\r\n", send=send).sent
    assert sent.startswith(b"HEAD /health HTTP/1.1\r\nHost: shop.test\r\n")
    assert b"X-Probe: trueup\r\n" in sent


def test_unix_sockets() -> None:
    played = look(says(200), address=address("http+unix://%2Frun%2Fa.sock/health"))
    assert b"GET /health HTTP/1.1\r\nHost: localhost\r\n" in played.sent
    assert played.tls == []
    secured = look(says(200), address=address("https+unix://%2Frun%2Fa.sock/"))
    assert [step.settings for step in secured.tls] == [TlsSettings(server_name="localhost")]
    moved = look(leads_to(b"/x"), says(200), address=address("https+unix://%2Frun%2Fa.sock/"))
    assert (len(moved.dials), len(moved.tls)) == (1, 2)


@given(noise([leads_to(b"/x"), says(401), says(200, b"{}")]))
def test_any_bytes_make_an_answer_or_a_break(script: list[bytes | Break]) -> None:
    played = look(*script, login=LOGIN, expect=Expect(contains="x", json={"a": 1}))
    assert played.answer is not None or isinstance(played.broke, Closed | Quiet | None)


def test_recognise() -> None:
    assert PROBE.recognise(b"HTTP/1.1 200 OK\r\n")
    assert PROBE.recognise(b"HTTP/1.0 400 Bad Request\r\n")
    assert not PROBE.recognise(b"HTTP/2 200\r\n")
    assert not PROBE.recognise(says(400, b"The plain HTTP request was sent to HTTPS port"))
    assert not PROBE.recognise(b"220 HTTP/1.1\r\n")
