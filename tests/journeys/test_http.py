"""A step over HTTP, with a real application and with nginx."""

import pytest

from tests.beds.certificates import Authority
from tests.beds.fake_http import asked, fake_http, says
from tests.beds.fake_proxy import fake_proxy
from tests.beds.nginx import nginx
from tests.beds.server import free_port
from tests.journeys.application import PASSWORD, SESSION, TOKEN, application
from tests.journeys.performed import perform
from trueup.domain.states import State

ENV = {"PW": PASSWORD}
LOG_IN = """
- http: {{post: "{url}/login", json: {{user: probe, password: "${{PW}}"}}}}
  expect: {{status: 200}}
  save: {{token: json.token, id: json.cart.id}}
"""


def test_a_token_is_saved_and_sent() -> None:
    with application() as app:
        done = perform(
            LOG_IN.format(url=app.url)
            + f"""
- http: {{get: "{app.url}/cart/${{id}}", headers: {{Authorization: "Bearer ${{token}}"}}}}
  expect: {{status: 200, contains: "total: 3 of /cart/17"}}
""",
            env=ENV,
        )
    assert done.verdict.state is State.UP, done.verdict.summary
    assert done.verdict.summary.startswith("checkout is up: all its 2 steps pass")
    assert [seen.facts["step"] for seen in done.look.observations] == ["1 http", "2 http"]
    assert any(seen.latency_ms for seen in done.look.observations)  # none is told while our loop is late
    assert app.told[-1].startswith(f"Bearer {TOKEN}|")


def test_cookies_and_a_form_that_leads_elsewhere() -> None:
    with application() as app:
        done = perform(
            LOG_IN.format(url=app.url)
            + f"""
- name: enter
  http: {{post: "{app.url}/enter", form: {{a: "b c", d: "é&"}}}}
  expect: {{contains: total}}
- http: {{get: "{app.url}/enter", redirects: false}}
  expect: {{status: 303, header: {{location: /cart}}}}
""",
            env=ENV,
        )
    assert done.verdict.state is State.UP, done.verdict.summary
    assert f"|session={SESSION}|a=b+c&d=%C3%A9%26" in app.told
    assert done.look.observations[1].facts["redirects"] == 1


def test_a_secret_goes_only_to_whom_has_shown_to_speak_http() -> None:
    with application() as app:
        perform(LOG_IN.format(url=app.url) * 2, env=ENV)
    assert app.requests == ["OPTIONS /login", "POST /login", "POST /login"]


@pytest.mark.parametrize(
    ("step", "cause", "expected", "seen"),
    [
        (
            "{get: URL/cart, headers: {Authorization: Bearer no-such-token}}",
            "login-refused",
            "a status below 400",
            "HTTP 403 Forbidden: who are you?",
        ),
        ("{get: URL/nowhere}", "wrong-answer", "a status below 400", "HTTP 404 Not Found: no such page"),
        ("{post: URL/echo, body: hello-there}", "error-answer", "a status below 400", "HTTP 500"),
        ("{get: URL/round}", "wrong-answer", "a status below 400", "HTTP 302"),
    ],
)
def test_what_fails_and_what_was_seen(step: str, cause: str, expected: str, seen: str) -> None:
    with application() as app:
        done = perform(f"- http: {step.replace('URL', app.url)}")
    assert (done.verdict.state, done.verdict.cause, done.verdict.layer) == ("down", "step-failed", "function")
    assert done.inner == ("1 http", cause)
    assert done.failed.facts["expected"] == expected
    assert str(done.failed.facts["seen"]).startswith(seen)
    assert done.verdict.blame == "checkout"


def test_what_isnt_as_expected_is_named() -> None:
    with application() as app:
        done = perform(
            LOG_IN.format(url=app.url) + f'- http: {{get: "{app.url}/cart"}}\n  expect: {{contains: "4 of"}}',
            env=ENV,
        )
    assert done.inner == ("2 http", "wrong-answer")
    assert done.failed.facts["expected"] == "contains: '4 of'"
    assert done.failed.facts["seen"] == "HTTP 200 OK: total: 3 of /cart"


@pytest.mark.parametrize(
    ("save", "words"),
    [
        ("json.no.such", "there is no json no.such to save as ${x}"),
        ("header.X-Cart", "there is no header X-Cart to save as ${x}"),
        ("cookie.basket", "there is no cookie basket to save as ${x}"),
        ("regex.order-([0-9]+)", "there is no regex order-([0-9]+) to save as ${x}"),
    ],
)
def test_nothing_to_save(save: str, words: str) -> None:
    with application() as app:
        steps = LOG_IN.format(url=app.url).replace("token: json.token", f"x: '{save}'")
        done = perform(steps, env=ENV)
    assert done.inner == ("1 http", "wrong-answer")
    assert words in done.verdict.summary


def test_saved_by_header_cookie_and_expression() -> None:
    with application() as app:
        done = perform(
            LOG_IN.format(url=app.url).replace(
                "token: json.token", "sess: cookie.session, n: header.content-length"
            )
            + f"""
- http: {{get: "{app.url}/cart?${{n}}", headers: {{Cookie: "session=${{sess}}"}}}}
  save: {{total: 'regex.total: (\\d)'}}
- http: {{get: "{app.url}/cart/${{total}}"}}
  expect: {{contains: "/cart/3"}}
""",
            env=ENV,
        )
    assert done.verdict.state is State.UP, done.verdict.summary


def test_nobody_there_and_a_dead_backend() -> None:
    assert perform(f"- http: http://127.0.0.1:{free_port()}/").inner == ("1 http", "refused")
    with nginx(f"location / {{ proxy_pass http://127.0.0.1:{free_port()}; }}") as server:
        done = perform(f"- http: {{get: {server.url}}}")
    assert done.inner == ("1 http", "bad-upstream")
    assert "read the gateway's error log" in done.verdict.next[0]


def test_tls_of_a_private_authority(authority: Authority) -> None:
    with nginx(tls=authority.valid()) as server:
        step = f"- http: {server.url}/"
        assert perform(step, keys=f"tls: {{ca: {authority.file}}}").verdict.state is State.UP
        assert perform(step).inner == ("1 http", "tls-untrusted")
        unverified = perform(step, keys="tls: {verify: false}").verdict
    assert unverified.summary.endswith("(the certificate was not verified, as configured)")


def test_a_saved_value_that_breaks_a_header_is_refused() -> None:
    with nginx("""location / { return 200 '{"x": "a\\\\r\\\\nHost: evil"}'; }""") as server:
        done = perform(
            f"""
- http: {server.url}/
  save: {{x: json.x}}
- http: {{get: {server.url}/, headers: {{X-It: "${{x}}"}}}}
"""
        )
    assert done.inner == ("2 http", "wrong-answer")
    assert "has characters that HTTP forbids" in done.verdict.summary


def test_a_password_isnt_sent_in_clear_text_where_tls_is_asked_for(authority: Authority) -> None:
    with nginx("return 200 $request_method;", tls=authority.valid()) as secure:
        away = says(308, b"", f"Location: {secure.url}/login")
        with fake_http(away) as plain:
            step = f"- http: {{post: '{plain.url}/login', body: sesame-word}}\n  expect: {{contains: POST}}"
            done = perform(step, keys=f"tls: {{ca: {authority.file}}}")
            assert [asked(request)[0] for request in plain.requests] == ["OPTIONS"]
    # Another port is another server: what is meant for one isn't sent to the other.
    assert done.inner == ("1 http", "wrong-answer")
    assert "sesame-word" not in repr(done.look)


def test_through_a_proxy_and_with_a_token(authority: Authority) -> None:
    def issue(request: bytes) -> bytes:
        return says(405, b"") if asked(request)[0] == "OPTIONS" else says(200, {"access_token": "t0ken-word"})

    def serve(request: bytes) -> bytes:
        return (
            says(200, b"ready")
            if b"Bearer t0ken-word" in request and b"X-Who: me" in request
            else says(401, b"")
        )

    with fake_http(issue) as issuer, fake_http(serve) as shop, fake_proxy() as proxy:
        oauth2 = f"{{token_url: '{issuer.url}/t', client_id: probe, client_secret: sesame-word}}"
        http = f"http: {{proxy: '{proxy.url}', headers: {{X-Who: me}}, oauth2: {oauth2}}}"
        step = f"- http: {shop.url}/\n  expect: {{contains: ready}}\n"
        done = perform(step * 2, keys=http)
        assert done.verdict.state is State.UP, done.verdict.summary
        assert [asked(request)[0] for request in issuer.requests] == ["OPTIONS", "POST"], (
            "once for both steps"
        )
        assert len(proxy.heads) >= 3
    assert "-word" not in repr(done.verdict)


def test_a_status_that_is_expected_is_no_failure() -> None:
    with application() as app:
        forbidden = f"- http: {app.url}/cart\n  expect: {{status: 403}}\n"
        missing = f"- http: {app.url}/nowhere\n  expect: {{status: '400-499'}}"
        done = perform(forbidden + missing)
    assert done.verdict.state is State.UP, done.verdict.summary


def test_a_login_that_is_demanded_of_nobody_is_a_fact() -> None:
    with application() as app:
        done = perform(f"- http: {app.url}/cart")
        assert done.verdict.state is State.UP
        assert done.look.observations[0].facts["login"] == "demanded"
    body = """
        location /in { add_header Set-Cookie "session=over; Path=/"; return 200; }
        location / { return 401; }"""
    with nginx(body) as server:
        over = perform(f"- http: {server.url}/in\n- http: {server.url}/cart")
    assert over.inner == ("2 http", "login-refused")
