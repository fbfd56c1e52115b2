"""The LDAP probe with a real slapd, whole and broken."""

from collections.abc import Iterator

import pytest

from tests.beds.certificates import Authority
from tests.beds.server import Server, free_port
from tests.beds.slapd import ADMIN, PASSWORD, SUFFIX, slapd
from tests.probes.performing import answer, perform
from trueup.domain.causes import Cause
from trueup.domain.secret import Secret
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Login, TlsSettings

LOGIN = Login(Secret(PASSWORD), ADMIN)


def test_a_healthy_directory() -> None:
    with slapd() as server:
        assert (answer(server.url).outcome, answer(server.url).facts) == (
            Outcome.PASS,
            {"tls": "not offered"},
        )
        entry = answer(f"{server.url}/{SUFFIX}")
        assert (entry.layer, entry.outcome) == (Layer.FUNCTION, Outcome.PASS)
        nowhere = answer(f"{server.url}/dc=elsewhere,dc=test")
        assert (nowhere.layer, nowhere.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
        malformed = answer(f"{server.url}/example.test")
        assert malformed.cause is Cause.WRONG_ANSWER
        assert "connection lost" not in server.log(), "unbind is how one leaves"


PEOPLE = """
dn: ou=people,{suffix}
objectClass: organizationalUnit
ou: people

dn: uid=ann,ou=people,{suffix}
objectClass: inetOrgPerson
uid: ann
cn: Ann (the first)
sn: Lučić
mail: ann@example.test
roomNumber: 17

dn: uid=ben,ou=people,{suffix}
objectClass: inetOrgPerson
uid: ben
cn: Ben
sn: Berg
"""


@pytest.fixture(scope="module")
def directory() -> Iterator[Server]:
    with slapd(more=PEOPLE.format(suffix=SUFFIX)) as server:
        yield server


@pytest.mark.parametrize(
    "text",
    [
        "(uid=ann)",
        "(uid=*)",
        "(&(objectClass=inetOrgPerson)(|(uid=zoe)(uid=ann))(!(mail=*@elsewhere.test)))",
        "(mail=a*@*.test)",
        r"(cn=Ann \28the*)",
        r"(sn=Lu\c4\8di\c4\87)",
        "(sn=Lučić)",
        "(sn~=Berg)",
        "(uid:caseExactMatch:=ann)",
        "(ou:dn:=people)",
        "(uid=ann)%20",
    ],
)
def test_a_search_that_finds(directory: Server, text: str) -> None:
    found = answer(f"{directory.url}/{SUFFIX}??sub?{text}")
    assert (found.layer, found.outcome) == (Layer.FUNCTION, Outcome.PASS)


@pytest.mark.parametrize("text", ["(uid=zoe)", "(&(uid=ann)(!(mail=*)))", "(uid:caseExactMatch:=ANN)"])
def test_a_search_that_finds_nothing(directory: Server, text: str) -> None:
    found = answer(f"{directory.url}/ou=people,{SUFFIX}?cn,mail?one?{text}")
    assert (found.layer, found.cause) == (Layer.FUNCTION, Cause.WRONG_ANSWER)
    assert f"{text} directly below ou=people" in found.detail


def test_how_far_a_search_goes(directory: Server) -> None:
    ann = "?(uid=ann)"
    assert answer(f"{directory.url}/ou=people,{SUFFIX}??one{ann}").cause is None
    assert answer(f"{directory.url}/{SUFFIX}??one{ann}").cause is Cause.WRONG_ANSWER
    assert answer(f"{directory.url}/uid=ann,ou=people,{SUFFIX}??base{ann}").cause is None
    assert answer(f"{directory.url}/ou=nobody,{SUFFIX}??sub{ann}").facts["code"] == 32


def test_a_search_that_only_users_may_make() -> None:
    rules = "access to attrs=mail by users read by * none\naccess to * by * read"
    with slapd(rules, more=PEOPLE.format(suffix=SUFFIX)) as server:
        by_name, by_mail = (f"{server.url}/{SUFFIX}??sub?({name}=ann*)" for name in ("uid", "mail"))
        assert answer(by_name).cause is None
        assert answer(by_mail).cause is Cause.WRONG_ANSWER
        assert answer(by_mail, login=LOGIN).cause is None


def test_logins() -> None:
    with slapd() as server:
        assert answer(server.url, login=LOGIN).facts["login"] == "accepted"
        wrong = answer(server.url, login=Login(Secret("wrong"), ADMIN))
        assert (wrong.cause, wrong.facts["code"]) == (Cause.LOGIN_REFUSED, 49)


def test_a_login_is_demanded() -> None:
    with slapd("require authc") as server:
        seen = answer(server.url)
        assert (seen.outcome, seen.cause) == (Outcome.PASS, None)
        entry = answer(f"{server.url}/{SUFFIX}")
        assert (entry.layer, entry.cause) == (Layer.FUNCTION, Cause.LOGIN_REFUSED)
        assert answer(f"{server.url}/{SUFFIX}", login=LOGIN).cause is None


def test_an_entry_that_only_users_may_see() -> None:
    with slapd("access to * by users read by anonymous auth") as server:
        assert answer(f"{server.url}/{SUFFIX}").cause in {Cause.LOGIN_REFUSED, Cause.WRONG_ANSWER}
        assert answer(f"{server.url}/{SUFFIX}", login=LOGIN).cause is None


def test_starttls(authority: Authority) -> None:
    with slapd(tls=authority.valid()) as server:
        assert answer(server.url).facts["tls"] == "offered"
        assert answer(server.url, tls=TlsSettings(ca=str(authority.file))).facts["tls"] == "started"
        assert answer(server.url, login=LOGIN).facts["tls"] == "started"
        untrusted = perform(server.url, tls=TlsSettings()).fault
        assert untrusted is not None
        assert untrusted.cause is Cause.TLS_UNTRUSTED
    with slapd() as server:
        assert answer(server.url, tls=TlsSettings()).cause is Cause.WRONG_ANSWER


def test_a_server_that_insists_on_tls(authority: Authority) -> None:
    with slapd("security tls=1", tls=authority.valid()) as server:
        seen = answer(f"{server.url}/{SUFFIX}")
        assert (seen.outcome, seen.cause) == (Outcome.PASS, None)


def test_tls_from_the_first_byte(authority: Authority) -> None:
    with slapd(tls=authority.valid(), from_the_first_byte=True) as server:
        assert answer(server.url, tls=TlsSettings(ca=str(authority.file)), login=LOGIN).cause is None
        plain = perform(server.url.replace("ldaps", "ldap"))
        assert plain.answer is None or plain.answer.cause is Cause.WRONG_SERVICE


@pytest.mark.parametrize("code", ["busy", "unavailable"])
def test_a_directory_that_says_so(code: str) -> None:
    number, cause = {"busy": (51, Cause.OVERLOADED), "unavailable": (52, Cause.ERROR_ANSWER)}[code]
    with slapd(f'moduleload retcode\noverlay retcode\nretcode-item "cn={code}" 0x{number:02x}') as server:
        seen = answer(f"{server.url}/cn={code},{SUFFIX}")
        assert (seen.layer, seen.cause) == (Layer.FUNCTION, cause)


def test_a_proxy_without_its_directory() -> None:
    proxy = (
        f'moduleload back_ldap\ndatabase ldap\nsuffix "dc=behind,dc=test"\nuri ldap://127.0.0.1:{free_port()}'
    )
    with slapd(proxy) as server:
        seen = answer(f"{server.url}/dc=behind,dc=test")
        assert (seen.layer, seen.cause) == (Layer.FUNCTION, Cause.BAD_UPSTREAM)


def test_paused_it_accepts_and_is_silent() -> None:
    with slapd() as server, server.paused():
        fault = perform(server.url, timeout_s=0.5).fault
        assert fault is not None
        assert fault.cause is Cause.SILENT
