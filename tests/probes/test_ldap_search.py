"""What an LDAP address asks for."""

import pytest

from tests.playbook import address
from trueup.domain.address import AddressError
from trueup.probes.ldap import Options
from trueup.probes.ldap_filter import EVERY_ENTRY, parse_filter
from trueup.probes.ldap_search import wanted_of


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/dc=test", "dc=test"),
        ("/dc=test??base", "dc=test"),
        ("/dc=test??sub", "an entry at or below dc=test"),
        ("/dc=test?cn?ONE?(uid=ann)", "(uid=ann) directly below dc=test"),
        ("/dc=test???(uid=ann)", "(uid=ann) at dc=test"),
        ("/??sub?uid=ann", "uid=ann at or below the root entry"),
    ],
)
def test_what_it_is_for(path: str, words: str) -> None:
    wanted = wanted_of(path)
    assert wanted is not None
    assert wanted.words == words


@pytest.mark.parametrize("path", ["", "/", "/?", "/???"])
def test_an_address_that_asks_for_nothing(path: str) -> None:
    assert wanted_of(path) is None


def test_its_parts_are_decoded_apart() -> None:
    wanted = wanted_of(r"/o=a%3fb,dc=test?cn,mail?sub?(cn=%3f%20\28)")
    assert wanted is not None
    assert (wanted.base, wanted.attributes, wanted.scope) == ("o=a?b,dc=test", ("cn", "mail"), "sub")
    assert wanted.filter == parse_filter("(cn=? \\28)")
    everything = wanted_of("/dc=test")
    assert everything is not None
    assert everything.filter == EVERY_ENTRY


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/dc=test??tree", "unknown scope 'tree'"),
        ("/dc=test??sub?(uid=ann", "the filter can't be read"),
        ("/dc=test??sub?(uid=ann)?bindname=cn=ann", "no more than four"),
    ],
)
def test_what_it_cant_ask_for(path: str, problem: str) -> None:
    with pytest.raises(AddressError, match=problem.replace("'", ".").replace("(", "\\(")):
        Options(address(f"ldap://127.0.0.1{path}"))
