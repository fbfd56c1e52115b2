"""Signing in and out."""

from http.cookies import SimpleCookie

import pytest

from tests.web.asking import FAR, ask, doorman
from tests.web.fake_accounts import PASSWORD, FakeAccounts
from tests.web.scripted import plain
from trueup.web.access import csrf_of
from trueup.web.accounts import Person, Role
from trueup.web.api import application


def test_a_session_is_a_strict_cookie_and_ends_when_one_leaves() -> None:
    accounts = FakeAccounts("editor")
    app = application(plain("up"), doorman(accounts))
    form = {"name": "editor", "password": PASSWORD, "next": "/incidents"}
    answer = ask(app, "/login", "POST", form=form, host=FAR)
    assert (answer.status, answer.headers["location"]) == (303, "/incidents")
    cookie = SimpleCookie(answer.headers["set-cookie"])["trueup_session"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["secure"]) == (True, "lax", "")
    held = f"trueup_session={cookie.value}"
    assert ask(app, "/api/v1/targets", host=FAR, cookie=held).status == 200
    csrf = csrf_of(cookie.value)
    assert ask(app, "/logout", "POST", host=FAR, cookie=held, x_trueup_csrf=csrf).status == 303
    assert ask(app, "/api/v1/targets", host=FAR, cookie=held).status == 401


def test_who_was_signed_out_meanwhile_comes_back_to_the_page_that_they_were_on() -> None:
    app = application(plain("up"), doorman(FakeAccounts("editor")))
    form = {"csrf": "old", "back": "/targets/t0?range=week"}
    answer = ask(app, "/api/v1/targets/t0/check", "POST", form=form, host=FAR)
    assert answer.status == 401
    assert 'href="/login?next=%2Ftargets%2Ft0%3Frange%3Dweek"' in answer.text
    form["back"] = "https://evil.example/"
    assert 'href="/login?next=%2F"' in ask(app, "/api/v1/targets/t0/check", "POST", form=form, host=FAR).text


def test_a_long_name_signs_in() -> None:
    accounts = FakeAccounts("editor")
    accounts.people["x" * 128] = (PASSWORD, Person("x" * 128, Role.VIEWER))
    app = application(plain("up"), doorman(accounts))
    form = {"name": "x" * 128, "password": PASSWORD}
    assert ask(app, "/login", "POST", form=form, host=FAR).status == 303


def test_under_tls_the_cookie_is_secure() -> None:
    from ipaddress import ip_network

    app = application(plain(), doorman(FakeAccounts("admin"), trusted_proxies=(ip_network("127.0.0.0/8"),)))
    form = {"name": "admin", "password": PASSWORD}
    answer = ask(app, "/login", "POST", form=form, host=FAR, x_forwarded_proto="https")
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("password", ["wrong", "", "x" * 2000])
def test_a_wrong_password_is_told_as_a_wrong_name_is(password: str) -> None:
    app = application(plain(), doorman(FakeAccounts("editor")))
    answers = [
        ask(app, "/login", "POST", form={"name": name, "password": password}, host=FAR)
        for name in ("editor", "nobody")
    ]
    assert [one.status for one in answers] == [401, 401]
    assert answers[0].body == answers[1].body
    assert "set-cookie" not in answers[0].headers


def test_a_sixth_try_in_a_minute_is_not_heard() -> None:
    accounts = FakeAccounts("editor", "viewer")
    app = application(plain(), doorman(accounts))
    wrong = {"name": "editor", "password": "guess"}
    statuses = [ask(app, "/login", "POST", form=wrong, host=FAR).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert accounts.verified == 5
    right = {"name": "editor", "password": PASSWORD}
    late = ask(app, "/login", "POST", form=right, host=FAR)
    assert (late.status, int(late.headers["retry-after"]) > 0) == (429, True)
    assert ask(app, "/login", "POST", form=right, host=FAR, client="192.0.2.7").status == 303
    assert ask(app, "/login", "POST", form=right | {"name": "viewer"}, host=FAR).status == 303


def test_another_site_cannot_sign_somebody_in() -> None:
    app = application(plain(), doorman(FakeAccounts("editor")))
    form = {"name": "editor", "password": PASSWORD}
    assert ask(app, "/login", "POST", form=form, host=FAR, origin="https://evil.example").status == 403


def test_the_next_page_is_one_of_ours() -> None:
    app = application(plain(), doorman(FakeAccounts("editor")))
    form = {"name": "editor", "password": PASSWORD, "next": "//evil.example/"}
    assert ask(app, "/login", "POST", form=form, host=FAR).headers["location"] == "/"


def test_where_nobody_has_an_account_signing_in_begins_with_setting_up() -> None:
    app = application(plain(), doorman(FakeAccounts()))
    assert ask(app, "/login", host=FAR).headers["location"] == "/setup"
