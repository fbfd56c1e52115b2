import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled, Read, TooLong
from trueup.probes.mysqlwire import (
    CLIENT_CONNECT_WITH_DB,
    CLIENT_SSL,
    GREETING,
    PACKET,
    Result,
    ResultRead,
    ServerError,
    login,
    packet,
    parse_error,
    parse_greeting,
    parse_result,
    tls_request,
)

MARIADB = (
    b"d\0\0\0\x0a5.5.5-10.11.19-MariaDB-0+deb12u1\0\x07\0\0\0vk8t_aH%\0\xfe\xf7\x08\x02\0\xff\x81\x15"
    b"\0\0\0\0\0\0\x1d\0\0\0{aRXA}rFEeN7\0mysql_native_password\0"
)
"""What MariaDB 10.11 of Debian 12 greeted with."""

EOF = packet(9, b"\xfe\0\0\2\0")


def lenenc(*values: bytes | None) -> bytes:
    return b"".join(b"\xfb" if one is None else bytes([len(one)]) + one for one in values)


def column(name: str) -> bytes:
    return lenenc(b"def", b"", b"", b"", name.encode(), b"") + b"\x0c" + bytes(12)


def result(columns: list[str], *rows: tuple[bytes | None, ...]) -> bytes:
    body = [bytes([len(columns)]), *map(column, columns), EOF[4:], *(lenenc(*row) for row in rows), EOF[4:]]
    return b"".join(packet(number + 1, payload) for number, payload in enumerate(body))


def measured(frame: Read, said: bytes) -> int | None:
    return frame.complete(bytearray(said), ended=False)


def test_a_real_greeting() -> None:
    assert measured(GREETING, MARIADB) == len(MARIADB)
    assert measured(GREETING, MARIADB[:-1]) is None
    greeting = parse_greeting(MARIADB[4:])
    assert greeting.version == "10.11.19-MariaDB-0+deb12u1"
    assert (greeting.is_mariadb, greeting.offers_tls) == (True, False)
    assert greeting.plugin == "mysql_native_password"
    assert greeting.nonce == b"vk8t_aH%{aRXA}rFEeN7"


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-", b"220 x", b"INFO {", b"\x05\0\0\0\x0b", b"\0\0\0", b"\x05\0\0\1"]
)
def test_what_no_server_greets_with_is_garbled(said: bytes) -> None:
    with pytest.raises(Garbled):
        measured(GREETING, said)


def test_what_we_say() -> None:
    said = login("me", b"\1\2", "plugin", "shop", tls=True)
    assert said[32:] == b"me\0\2\1\2shop\0plugin\0"
    flags = int.from_bytes(said[:4], "little")
    assert flags & CLIENT_SSL
    assert flags & CLIENT_CONNECT_WITH_DB
    assert not int.from_bytes(login("me", b"", "p", "", tls=False)[:4], "little") & CLIENT_CONNECT_WITH_DB
    assert tls_request() == login("me", b"", "p", "", tls=True)[:32]


def test_an_error_with_and_without_a_sqlstate() -> None:
    assert parse_error(b"\xff\x15\x04#28000Access denied") == ServerError(1045, "Access denied")
    assert parse_error(b"\xff\x10\x04Too many connections") == ServerError(1040, "Too many connections")
    with pytest.raises(Garbled):
        parse_error(b"\xff\x15")


def test_a_result_is_read_to_its_end() -> None:
    said = result(["a", "b"], (b"1", None), (b"", b"x" * 200))
    for size in range(len(said)):
        assert measured(ResultRead(), said[:size]) is None
    assert measured(ResultRead(), said + b"more") == len(said)
    assert parse_result(said) == Result(("a", "b"), ((b"1", None), (b"", b"x" * 200)))


def test_long_values_and_an_empty_result() -> None:
    long = b"y" * 70_000
    row = b"\xfd" + len(long).to_bytes(3, "little") + long + b"\xfc\2\0ab"
    head = result(["a", "b"])[: -len(EOF)]
    found = parse_result(head + packet(7, row) + EOF)
    assert found == Result(("a", "b"), ((long, b"ab"),))
    assert parse_result(result(["a"])) == Result(("a",), ())


def test_what_is_no_rows() -> None:
    done = packet(1, b"\0\1\0\2\0\0\0")
    assert measured(ResultRead(), done) == len(done)
    assert parse_result(done) == Result()
    failed = result(["a"], (b"1",))[: -len(EOF)] + packet(5, b"\xff\xb5\x05late")
    assert measured(ResultRead(), failed) == len(failed)
    assert parse_result(failed) == ServerError(1461, "late")


def test_a_server_that_asks_for_a_file_gets_nothing() -> None:
    with pytest.raises(Garbled):
        measured(ResultRead(), packet(1, b"\xfb/etc/passwd"))


def test_too_much_is_not_waited_for() -> None:
    with pytest.raises(TooLong):
        measured(ResultRead(), b"\xff\xff\xff\1")
    with pytest.raises(Garbled):
        measured(PACKET, b"\xff\xff\xff\1")


@pytest.mark.parametrize("row", [b"\x05abc", b"\xfc\xff\xffa", b"\xff"])
def test_a_value_that_claims_more_than_it_has(row: bytes) -> None:
    with pytest.raises(Garbled):
        parse_result(result(["a"])[: -len(EOF)] + packet(5, b"\1a" + row) + EOF)


@given(st.binary(max_size=400))
def test_nothing_that_is_said_raises_anything_else(said: bytes) -> None:
    for act in (
        lambda: measured(GREETING, said),
        lambda: measured(PACKET, said),
        lambda: measured(ResultRead(), said),
        lambda: parse_greeting(said),
        lambda: parse_error(said),
        lambda: parse_result(said),
    ):
        try:
            act()
        except (Garbled, TooLong):
            continue
