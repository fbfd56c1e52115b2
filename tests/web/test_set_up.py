"""The first account."""

import re

import pytest

from tests.web.asking import FAR, Answer, ask, doorman
from tests.web.fake_accounts import FakeAccounts
from tests.web.scripted import ScriptedMonitor, named, plain
from trueup.store.failure import Reason, StoreFailed
from trueup.web.api import application

GOOD = {"word": "console-word", "name": "ann", "password": "a long enough one"}


def first(accounts: FakeAccounts, **changed: str) -> Answer:
    app = application(plain(), doorman(accounts))
    return ask(app, "/setup", "POST", form=GOOD | changed, host=FAR)


def test_who_reads_the_console_becomes_the_admin() -> None:
    accounts = FakeAccounts()
    answer = first(accounts)
    assert (answer.status, answer.headers["location"]) == (303, "/welcome")
    assert accounts.people["ann"][1].role.word == "admin"
    assert "trueup_session=" in answer.headers["set-cookie"]


@pytest.mark.parametrize("changed", [{"word": "guess"}, {"word": ""}, {"password": "short"}, {"name": ""}])
def test_others_do_not(changed: dict[str, str]) -> None:
    accounts = FakeAccounts()
    answer = first(accounts, **changed)
    assert (answer.status, accounts.people) == (400, {})
    assert 'role="alert"' in answer.text


def test_the_word_is_good_once() -> None:
    accounts = FakeAccounts()
    app = application(plain(), doorman(accounts))
    assert ask(app, "/setup", "POST", form=GOOD, host=FAR).status == 303
    accounts.people.clear()
    assert ask(app, "/setup", "POST", form=GOOD | {"name": "eve"}, host=FAR).status == 400


def test_the_word_is_worth_nothing_where_somebody_has_an_account() -> None:
    accounts = FakeAccounts("admin")
    assert first(accounts).status == 409
    assert "ann" not in accounts.people
    app = application(plain(), doorman(accounts))
    assert ask(app, "/setup", host=FAR).headers["location"] == "/login"


def test_a_store_that_fails_is_said() -> None:
    class Failing(FakeAccounts):
        def set_up(self, word: str, name: str, password: str, now: object) -> None:
            raise StoreFailed(Reason.FULL, "secret path")

    answer = first(Failing())
    assert answer.status == 503
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/setup", "/login"])
def test_a_name_may_be_written_as_long_as_it_may_be(path: str) -> None:
    accounts = FakeAccounts("admin") if path == "/login" else FakeAccounts()
    answer = ask(application(plain(), doorman(accounts)), path, host=FAR)
    assert answer.status == 200
    assert re.search(r'<input name="name"[^>]* maxlength="128"', answer.text)


def test_one_thing_is_one_thing() -> None:
    app = application(ScriptedMonitor(*named(["alone"])), doorman(FakeAccounts("admin")))
    assert "trueup watches 1 thing here" in ask(app, "/welcome", cookie="trueup_session=session-admin").text
    assert "1 target needs nothing" in ask(app, "/map", cookie="trueup_session=session-admin").text
