"""LDAP's search filters: RFC 4515's own examples, and whatever else is written in their place."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.domain.address import AddressError
from trueup.probes import ber
from trueup.probes.ldap_filter import DEPTH_MAX, EVERY_ENTRY, parse_filter


def of(tag: int, *parts: bytes | str) -> bytes:
    return ber.element(
        tag, *(part if isinstance(part, bytes) else ber.octets(part.encode()) for part in parts)
    )


def pieces(**by_kind: str) -> bytes:
    """The SEQUENCE of a substring filter, in the order given."""
    tags = {"initial": 0x80, "any": 0x81, "more": 0x81, "final": 0x82}
    return ber.element(
        ber.SEQUENCE, *(ber.octets(word.encode(), tags[kind]) for kind, word in by_kind.items())
    )


BABS = of(0xA3, "cn", "Babs Jensen")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(objectClass=*)", EVERY_ENTRY),
        ("(cn=Babs Jensen)", BABS),
        ("cn=Babs Jensen", BABS),
        ("(!(cn=Tim Howes))", of(0xA2, of(0xA3, "cn", "Tim Howes"))),
        (
            "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
            of(
                0xA0,
                of(0xA3, "objectClass", "Person"),
                of(0xA1, of(0xA3, "sn", "Jensen"), of(0xA4, "cn", pieces(initial="Babs J"))),
            ),
        ),
        ("(o=univ*of*mich*)", of(0xA4, "o", pieces(initial="univ", any="of", more="mich"))),
        ("(mail=*@example.test)", of(0xA4, "mail", pieces(final="@example.test"))),
        ("(seeAlso=)", of(0xA3, "seeAlso", "")),
        ("(age>=18)", of(0xA5, "age", "18")),
        ("(age<=18)", of(0xA6, "age", "18")),
        ("(cn~=Babs)", of(0xA8, "cn", "Babs")),
        ("(cn;lang-de=Ann)", of(0xA3, "cn;lang-de", "Ann")),
        (r"(o=Parens R Us \28for all\29)", of(0xA3, "o", "Parens R Us (for all)")),
        (r"(cn=*\2A*)", of(0xA4, "cn", pieces(any="*"))),
        (r"(filename=C:\5cMyFile)", of(0xA3, "filename", "C:\\MyFile")),
        (r"(sn=Lu\c4\8di\c4\87)", of(0xA3, "sn", "Lučić")),
        ("(sn=Lučić)", of(0xA3, "sn", "Lučić")),
        (r"(bin=\00\00\00\04)", of(0xA3, "bin", ber.octets(b"\0\0\0\4"))),
        ("(1.3.6.1.4.1.1466.0=x)", of(0xA3, "1.3.6.1.4.1.1466.0", "x")),
        (
            "(cn:caseExactMatch:=Fred)",
            of(0xA9, b"\x81\x0ecaseExactMatch", b"\x82\x02cn", b"\x83\x04Fred"),
        ),
        ("(cn:=Betty)", of(0xA9, b"\x82\x02cn", b"\x83\x05Betty")),
        ("(sn:dn:2.4.6:=B)", of(0xA9, b"\x81\x052.4.6", b"\x82\x02sn", b"\x83\1B\x84\1\xff")),
        ("(:1.2.3:=W)", of(0xA9, b"\x81\x051.2.3", b"\x83\1W")),
        ("(& (a=1) (b=2) )", of(0xA0, of(0xA3, "a", "1"), of(0xA3, "b", "2"))),
    ],
)
def test_what_a_filter_becomes(text: str, expected: bytes) -> None:
    assert parse_filter(text).hex() == expected.hex()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a comparison is"),
        ("(uid=ann", "no ) closes"),
        ("(uid=ann))", "goes on after"),
        ("(uid=ann)(mail=*)", "goes on after"),
        ("(&)", "nothing stands after &"),
        ("(&uid=ann)", "nothing stands after &"),
        ("(!uid=ann)", "begins with ("),
        ("(uid ann)", "a comparison is"),
        ("(=ann)", "a comparison is"),
        ("(:=ann)", "a comparison is"),
        ("(uid=a(n)n)", "no ) closes"),
        (r"(uid=\zz)", "hexadecimal"),
        (r"(uid=a\2)", "hexadecimal"),
        ("(uid=**)", "one star"),
        ("(age>=*)", r"\2a"),
        ("(!" * 30 + "(a=1)" + ")" * 30, f"{DEPTH_MAX} parentheses"),
    ],
)
def test_what_is_no_filter(text: str, problem: str) -> None:
    with pytest.raises(AddressError) as raised:
        parse_filter(text)
    assert problem in raised.value.problem


@given(st.text(alphabet="()&|!=*\\:<>~a1é;. ", max_size=60))
def test_any_text_is_a_filter_or_is_told_why_not(text: str) -> None:
    with contextlib.suppress(AddressError):
        assert len(list(ber.Element(ber.SEQUENCE, parse_filter(text)).parts())) == 1
