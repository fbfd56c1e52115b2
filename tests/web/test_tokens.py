"""Tokens, for admins."""

from tests.web.asking import FAR, as_asker, ask, doorman
from tests.web.fake_accounts import FakeAccounts
from tests.web.scripted import plain
from trueup.web.api import application


def test_a_token_is_made_shown_once_and_revoked() -> None:
    app = application(plain("up"), doorman(FakeAccounts("admin")))
    made = ask(app, "/api/v1/tokens", "POST", {"scope": "read"}, **as_asker("admin"))
    assert made.status == 201
    word = made.json["token"]
    assert ask(app, "/api/v1/targets", host=FAR, authorization=f"Bearer {word}").status == 200
    assert word not in ask(app, "/api/v1/tokens", **as_asker("admin")).text
    path = f"/api/v1/tokens/{made.json['id']}"
    assert ask(app, path, "DELETE", **as_asker("admin")).status == 200
    assert ask(app, "/api/v1/targets", host=FAR, authorization=f"Bearer {word}").status == 401
    assert ask(app, "/api/v1/tokens/none", "DELETE", **as_asker("admin")).status == 404


def test_a_form_shows_the_word_on_a_page() -> None:
    headers = as_asker("admin")
    form = {"csrf": headers.pop("x-trueup-csrf"), "scope": "agent", "host": "db-1"}
    answer = ask(application(plain(), doorman()), "/api/v1/tokens", "POST", form=form, **headers)
    assert answer.status == 200
    assert "agent:db-1" in answer.text
    assert "tu_new" in answer.text
