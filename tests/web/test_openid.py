"""Signing in by an OpenID provider."""

import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from tests.web.asking import FAR, Answer, ask, doorman
from tests.web.fake_accounts import FakeAccounts
from tests.web.fake_openid import CLIENT, SECRET, FakeProvider, provider
from tests.web.scripted import plain
from trueup.domain.address import Address
from trueup.domain.oidc import Oidc
from trueup.domain.secret import Secret
from trueup.web.accounts import Person, Role
from trueup.web.api import application
from trueup.web.openid import claims_of, person_of
from trueup.web.refusal import Refusal


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with provider() as found:
        yield found


def oidc(issuer: str = "https://id.example", **let_in: tuple[str, ...]) -> Oidc:
    return Oidc(Address("http", "id.example", issuer), CLIENT, Secret(SECRET), **let_in)


class OpenAccounts(FakeAccounts):
    """Sessions of people who have no account here."""

    def begin_session(self, person: Person, now: Any) -> str:
        self.people[person.name] = ("", person)
        return super().begin_session(person, now)


def signing_in(fake: FakeProvider, accounts: FakeAccounts, **changed: str) -> tuple[Any, Answer]:
    app = application(plain("up"), doorman(accounts), oidc=oidc(fake.issuer, editors=("ann@example.org",)))
    out = ask(app, "/login/provider?next=/incidents", host=FAR)
    assert out.status == 303, out.text
    cookie = SimpleCookie(out.headers["set-cookie"])["trueup_errand"].value
    query = changed.get("query") or fake.authorize(out.headers["location"])
    headers = {"host": FAR, "cookie": changed.get("cookie", f"trueup_errand={cookie}")}
    return app, ask(app, f"/login/provider/back?{query}", **headers)


def test_who_signs_in_there_has_a_session_here(fake: FakeProvider) -> None:
    accounts = OpenAccounts()
    app, answer = signing_in(fake, accounts)
    assert (answer.status, answer.headers["location"]) == (303, "/incidents")
    assert accounts.people["ann@example.org"][1].role is Role.EDITOR
    session = next(word for word in accounts.sessions if "ann" in word)
    assert ask(app, "/api/v1/targets", host=FAR, cookie=f"trueup_session={session}").status == 200


def test_the_login_page_offers_it_though_nobody_has_an_account() -> None:
    app = application(plain(), doorman(FakeAccounts()), oidc=oidc())
    assert "Sign in with id.example" in ask(app, "/login", host=FAR).text


@pytest.mark.parametrize(
    "changed",
    [{"cookie": "trueup_errand=other"}, {"cookie": "a=b"}, {"query": "state=x&code=y"}, {"query": "code=y"}],
)
def test_an_errand_of_somebody_else_is_none(fake: FakeProvider, changed: dict[str, str]) -> None:
    accounts = OpenAccounts()
    _, answer = signing_in(fake, accounts, **changed)
    assert (answer.status, accounts.sessions) == (400, {})


def test_a_code_is_good_once(fake: FakeProvider) -> None:
    app = application(plain("up"), doorman(OpenAccounts()), oidc=oidc(fake.issuer, viewers=("*",)))
    out = ask(app, "/login/provider", host=FAR)
    cookie = SimpleCookie(out.headers["set-cookie"])["trueup_errand"].value
    path = f"/login/provider/back?{fake.authorize(out.headers['location'])}"
    answers = [ask(app, path, host=FAR, cookie=f"trueup_errand={cookie}").status for _ in range(2)]
    assert answers == [303, 400]


def test_a_provider_that_describes_itself_as_another_is_not_used(fake: FakeProvider) -> None:
    fake.described_as = "https://evil.example"
    try:
        app = application(plain(), doorman(FakeAccounts()), oidc=oidc(fake.issuer))
        assert ask(app, "/login/provider", host=FAR).status == 502
    finally:
        fake.described_as = None


def test_a_provider_that_is_gone_is_said() -> None:
    app = application(plain(), doorman(FakeAccounts()), oidc=oidc("http://127.0.0.1:1"))
    assert ask(app, "/login/provider", host=FAR).status == 502


# ---- tokens -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"aud": "other"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
    ],
)
def test_a_token_for_somebody_else_is_worth_nothing(fake: FakeProvider, changed: dict[str, Any]) -> None:
    good = fake.token(nonce="n")
    assert claims_of(good, fake.keys(), fake.issuer, CLIENT, "n")["email"] == "ann@example.org"
    bad = fake.token(**{"nonce": "n"} | changed)
    with pytest.raises(Refusal):
        claims_of(bad, fake.keys(), fake.issuer, CLIENT, "n")


def test_a_token_that_others_signed_or_nobody(fake: FakeProvider) -> None:
    other = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256"})
    unsigned = "eyJhbGciOiJub25lIn0." + fake.token(nonce="n").split(".")[1] + "."
    for token in (fake.token(other, nonce="n"), unsigned, "nonsense", None, 7):
        with pytest.raises(Refusal):
            claims_of(token, fake.keys(), fake.issuer, CLIENT, "n")


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "Ann@example.org", "email_verified": True}, Role.ADMIN),
        ({"email": "ann@example.org"}, Role.VIEWER),
        ({"email": "ann@example.org", "email_verified": "true"}, Role.VIEWER),
        ({"groups": ["ops"]}, Role.EDITOR),
        ({"groups": "ops"}, Role.VIEWER),
        ({"groups": ["ops", "root"]}, Role.ADMIN),
    ],
)
def test_the_highest_role_counts_and_only_what_is_verified(claims: dict[str, Any], role: Role) -> None:
    rules = oidc(admins=("ann@example.org", "root"), editors=("ops",), viewers=("*",))
    assert person_of({"sub": "1", **claims}, rules).role is role


def test_who_is_not_named_stays_out() -> None:
    with pytest.raises(Refusal) as refused:
        person_of({"sub": "1", "email": "eve@example.org", "email_verified": True}, oidc(admins=("ann",)))
    assert refused.value.status == 403
