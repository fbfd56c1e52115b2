"""What is a secret of a journey, and in which forms it's known."""

import base64

from tests.config.written import loaded
from trueup.domain.journey import Save, SaveFrom
from trueup.domain.secret import Secret, hide
from trueup.journeys.hiding import Hidden, is_secret, secrets_of

JOURNEY = """
journeys:
  checkout:
    steps:
      - http:
          post: http://probe:in-url-word@127.0.0.1/
          headers: {Accept: text/html-word, X-Api: header-word, Authorization: "Bearer bearer-word"}
          form: {user: ordinary, password: form-word}
      - http: {post: "http://127.0.0.1/", json: {note: ordinary, auth: {pin: json-word}}}
      - redis: {at: redis://127.0.0.1, login: {user: probe, password: login-word}}
      - browser: [{open: "http://127.0.0.1"}, {fill: {"#password": fill-word, "#q": ordinary}}]
"""


def hidden() -> Hidden:
    (journey,) = loaded(JOURNEY, {}).journeys.values()
    found = Hidden()
    found.add(secrets_of(journey))
    return found


def test_what_is_secret_and_what_is_not() -> None:
    forms = hidden().forms
    for word in ("in-url", "header", "bearer", "form", "json", "login", "fill"):
        assert hide(f"it says {word}-word!", forms) == "it says ***!"
    for word in ("ordinary", "text/html-word", "checkout"):
        assert hide(word, forms) == word


def test_forms() -> None:
    found = Hidden()
    found.add([Secret('a b/"ö')])
    for form in ("a%20b%2F%22%C3%B6", "a%20b%2f%22%c3%b6", "a+b%2F%22%C3%B6", 'a b/\\"ö', 'a b/\\\\\\"ö'):
        assert hide(f"<{form}>", found.forms) == "<***>", form
    assert hide(base64.b64encode('a b/"ö'.encode()).decode(), found.forms) == "***"
    assert hide("a b/&quot;ö", found.forms) == "***"


def test_a_login_as_basic_and_as_sasl() -> None:
    forms = hidden().forms
    for word in ("probe:in-url-word", "probe:login-word", "\0probe\0login-word"):
        assert hide(base64.b64encode(word.encode()).decode(), forms) == "***"


def test_saved_values_that_are_secret() -> None:
    assert is_secret(Save("x", SaveFrom.COOKIE, "lang"))
    assert is_secret(Save("token", SaveFrom.REGEX, "a"))
    assert is_secret(Save("x", SaveFrom.JSON, "access_token"))
    assert not is_secret(Save("cart", SaveFrom.JSON, "cart.id"))
