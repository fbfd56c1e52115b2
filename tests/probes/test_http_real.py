"""The HTTP probe with real servers: nginx and HAProxy whole and broken, Python's own, and one fake."""

import asyncio
import contextlib
import functools
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.beds.certificates import Authority, Credentials
from tests.beds.fake_http import fake_http
from tests.beds.haproxy import haproxy
from tests.beds.nginx import nginx
from tests.beds.server import free_port
from tests.playbook import address
from tests.probes.performing import answer, perform
from trueup.checks.check import Check
from trueup.checks.look import look
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, Target, TlsSettings
from trueup.engine.engine import Engine
from trueup.probes.http import PROBE, Options
from trueup.probes.http_expect import Expect
from trueup.probes.http_request import Send

LOGIN = Login(Secret("sesame"), "probe")
SHOP = Expect(contains="Our shop")


def test_a_page() -> None:
    with nginx("return 200 ready;") as server:
        seen = answer(server.url + "/health?deep=1", expect=Expect(status=200, contains="ready"))
        assert (seen.outcome, seen.facts["status"]) == (Outcome.PASS, 200)
        assert seen.facts["server"].startswith("nginx/")


def test_ipv6_and_a_unix_socket(tmp_path: Path) -> None:
    body = f"listen unix:{tmp_path}/app.sock; location /health {{ return 200 $host; }}"
    with nginx(body, address="::1") as server:
        assert answer(server.url + "/health", expect=Expect(contains="::1")).cause is None
        at = f"http+unix://{str(tmp_path).replace('/', '%2F')}%2Fapp.sock/health"
        assert answer(at, expect=Expect(contains="localhost")).cause is None


# -- ghost 17 --------------------------------------------------------------------------------------


def test_a_dead_upstream() -> None:
    with nginx(f"location / {{ proxy_pass http://127.0.0.1:{free_port()}; }}") as server:
        seen = answer(server.url)
        assert (seen.cause, seen.facts["status"]) == (Cause.BAD_UPSTREAM, 502)


def test_a_silent_upstream() -> None:
    with fake_http(b"", hold=True) as silent:
        body = f"location / {{ proxy_pass {silent.url}; proxy_read_timeout 100ms; }}"
        with nginx(body) as server:
            seen = answer(server.url, expect=Expect(status=200))
            assert (seen.cause, seen.facts["status"]) == (Cause.BAD_UPSTREAM, 504)


def test_a_balancer_without_a_backend() -> None:
    with haproxy(f"127.0.0.1:{free_port()} check inter 100ms") as server:
        seen = answer(server.url)
        assert (seen.cause, seen.facts["status"]) == (Cause.BAD_UPSTREAM, 503)


def test_the_welcome_page_where_the_shop_should_be() -> None:
    page = next(
        path
        for path in ("/var/www/html/index.nginx-debian.html", "/usr/share/nginx/html/index.html")
        if Path(path).exists()
    )
    with nginx(f"root {Path(page).parent}; index {Path(page).name};") as server:
        bare = answer(server.url)
        assert (bare.cause, bare.facts["default_page"]) == (None, "nginx's welcome page")
        seen = answer(server.url, expect=SHOP)
        assert (seen.cause, seen.facts["default_page"]) == (Cause.WRONG_ANSWER, "nginx's welcome page")


def test_a_directory_where_the_shop_should_be(tmp_path: Path) -> None:
    with python_server(tmp_path) as url:
        seen = answer(url, expect=SHOP)
        assert (seen.cause, seen.facts["default_page"]) == (Cause.WRONG_ANSWER, "a directory listing")


@contextlib.contextmanager
def python_server(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)


# -- ghost 28 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf of it\r\n",
    ],
)
def test_a_body_that_is_shorter_than_it_says(said: bytes) -> None:
    with fake_http(said) as dying:
        seen = answer(dying.url)
        assert seen.cause is Cause.ERROR_ANSWER
        with nginx(f"location / {{ proxy_pass {dying.url}; proxy_http_version 1.1; }}") as server:
            assert answer(server.url).cause is Cause.ERROR_ANSWER


def test_an_error_that_calls_itself_200() -> None:
    with nginx("return 200 'database error';") as server:
        assert answer(server.url, expect=Expect(contains="ready")).cause is Cause.WRONG_ANSWER
        assert answer(server.url, expect=Expect(not_contains="database error")).cause is Cause.WRONG_ANSWER


def test_a_body_that_never_ends_within_the_time() -> None:
    with fake_http(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it", hold=True) as stuck:
        seen = answer(stuck.url, timeout_s=0.3)
        assert (seen.cause, seen.facts["status"]) == (Cause.SILENT, 200)


def test_a_body_that_stops_is_no_other_service(authority: Authority) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"
    with (
        fake_http(said, hold=True) as stuck,
        nginx(
            f"location / {{ proxy_pass {stuck.url}; proxy_buffering off; }}", tls=authority.valid()
        ) as server,
    ):
        for url in (stuck.url, server.url):
            seen = observe(url, TlsSettings(ca=str(authority.file)), timeout_s=0.5)[-1]
            assert (seen.layer, seen.cause) == (Layer.SERVICE, Cause.SILENT)


# -- the login, redirects, gzip --------------------------------------------------------------------


def test_a_login(tmp_path: Path) -> None:
    (tmp_path / "users").write_text("probe:{PLAIN}sesame\n")
    with nginx(f"auth_basic shop; auth_basic_user_file {tmp_path}/users; root {tmp_path};") as server:
        (tmp_path / "index.html").write_text("inside")
        seen = answer(server.url)
        assert (seen.cause, seen.facts["login"]) == (None, "demanded")
        assert answer(server.url, expect=Expect(status=401)).cause is None
        assert answer(server.url, expect=Expect(contains="inside")).cause is Cause.LOGIN_REFUSED
        wrong = Login(Secret("wrong"), "probe")
        assert answer(server.url, login=wrong).cause is Cause.LOGIN_REFUSED
        logged_in = perform(server.url, login=LOGIN, expect=Expect(contains="inside"))
        assert logged_in.answer is not None
        assert logged_in.answer.cause is None
        assert logged_in.redials == 0
        assert all(b"Basic" not in said.data for said in logged_in.said if said.who == "us")


def test_a_redirect_to_https(authority: Authority) -> None:
    with (
        nginx("return 200 ready;", tls=authority.valid()) as secure,
        nginx(f"return 301 https://localhost:{secure.port}$request_uri;") as plain,
    ):
        seen = perform(
            plain.url + "/x", tls=TlsSettings(ca=str(authority.file)), expect=Expect(contains="ready")
        )
        assert seen.answer is not None
        assert seen.answer.cause is None
        assert seen.answer.facts["redirected_to"] == f"https://localhost:{secure.port}/x"
        assert seen.tls_verified
        untrusted = perform(plain.url)
        assert untrusted.fault is not None
        assert untrusted.fault.cause is Cause.TLS_UNTRUSTED


def test_a_circle() -> None:
    with nginx("return 302 /again;") as server:
        seen = answer(server.url)
        assert (seen.cause, seen.facts["redirects"]) == (Cause.WRONG_ANSWER, 6)


def test_gzip(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("Our shop " * 1000)
    with nginx(f"root {tmp_path}; gzip on; gzip_min_length 1; gzip_proxied any;") as server:
        send = Send(headers={"Accept-Encoding": "gzip"})
        expect = Expect(contains="Our shop", header={"content-encoding": "gzip"})
        assert answer(server.url, send=send, expect=expect).cause is None
        assert answer(server.url, expect=SHOP).cause is None


def test_a_head_and_a_post(tmp_path: Path) -> None:
    body = "location / { if ($request_method = POST) { return 201 made; } return 405; }"
    with nginx(body) as server:
        posted = answer(server.url, send=Send(json={"a": 1}), expect=Expect(status=201, contains="made"))
        assert posted.cause is None
        assert answer(server.url, send=Send(method="HEAD")).facts["status"] == 405


# -- ghost 21, as far as HTTPS shows it ------------------------------------------------------------

FAULTS: list[tuple[Callable[[Authority], Credentials], Outcome, Cause]] = [
    (Authority.expired, Outcome.FAIL, Cause.TLS_EXPIRED),
    (Authority.not_yet_valid, Outcome.FAIL, Cause.TLS_NOT_YET_VALID),
    (Authority.wrong_name, Outcome.FAIL, Cause.TLS_NAME_MISMATCH),
    (Authority.self_signed, Outcome.FAIL, Cause.TLS_UNTRUSTED),
    (Authority.missing_intermediate, Outcome.FAIL, Cause.TLS_UNTRUSTED),
    (Authority.expiring, Outcome.SLOW, Cause.TLS_EXPIRING),
]


@pytest.mark.parametrize(("make", "outcome", "cause"), FAULTS, ids=[cause for _, _, cause in FAULTS])
def test_a_certificate_with_a_fault(
    authority: Authority, make: Callable[[Authority], Credentials], outcome: Outcome, cause: Cause
) -> None:
    with nginx("return 200 ready;", tls=make(authority)) as server:
        observations = observe(server.url, TlsSettings(ca=str(authority.file)))
    found = [(seen.layer, seen.outcome, seen.cause) for seen in observations if seen.cause]
    assert found == [(Layer.TLS, outcome, cause)]


def test_plain_http_on_the_port_for_https() -> None:
    with nginx("return 200 ready;") as server:
        seen = observe(f"https://127.0.0.1:{server.port}", None)[-1]
    assert (seen.cause, seen.facts["expected"], seen.facts["found"]) == (Cause.WRONG_SERVICE, "https", "http")


def test_https_on_the_port_for_http(authority: Authority) -> None:
    with nginx("return 200 ready;", tls=authority.valid()) as server:
        seen = observe(f"http://127.0.0.1:{server.port}", None)[-1]
    assert (seen.cause, seen.facts["expected"], seen.facts["found"]) == (Cause.WRONG_SERVICE, "http", "https")


def test_no_answer_to_the_hello() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        seen = perform(f"https://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3)
    assert seen.fault is not None
    assert (seen.fault.layer, seen.fault.cause) == (Layer.SERVICE, Cause.SILENT)


def observe(url: str, tls: TlsSettings | None, *, timeout_s: float = 2.0) -> tuple[Observation, ...]:
    """What the whole check sees, its follow-up questions included."""
    at = address(url)

    class Now:
        def now(self) -> datetime:
            return datetime.now(UTC)

        def monotonic_s(self) -> float:
            return time.monotonic()

    async def once() -> tuple[Observation, ...]:
        check = Check(Target(url, at=(at,)), at, PROBE, Options(at, tls=tls), tls, timeout_s)
        async with Engine() as engine:
            return (await look(engine, check, Now())).observations

    return asyncio.run(once())
