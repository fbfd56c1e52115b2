import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.conversation import Garbled, Read, TooLong
from trueup.probes.pgwire import (
    FIRST_MESSAGES,
    TLS_ANSWER,
    Through,
    authentication,
    error_before_protocol,
    error_in,
    message,
    parameters,
    parse,
    query,
    rows_of,
    startup,
)

ERROR = message(b"E", b"SFEHLER\0VERROR\0C42P01\0MKeine solche Tabelle\0RparserOpenTable\0\0")


def measured(frame: Read, said: bytes) -> int | None:
    return frame.complete(bytearray(said), ended=False)


def test_what_we_say() -> None:
    assert query("select 1") == b"Q\0\0\0\x0dselect 1\0"
    asked = startup("me", "shop")
    assert int.from_bytes(asked[:4], "big") == len(asked)
    assert asked[4:8] == b"\0\x03\0\0"
    assert b"\0user\0me\0database\0shop\0"[1:] in asked
    assert asked.endswith(b"\0\0")


def test_messages_are_read_through_the_last_one_asked_for() -> None:
    said = message(b"D", b"ab") + message(b"Z", b"I") + b"more"
    for size in range(len(said) - 4):
        assert measured(Through(b"Z"), said[:size]) is None
    assert measured(Through(b"Z"), said) == len(said) - 4
    assert [one.kind for one in parse(said[:-4])] == [b"D", b"Z"]


@pytest.mark.parametrize("said", [b"H", b"R\0\0\0\x03", b"R\x7f\xff\xff\xff", b"Z\0\0\0\x05I"])
def test_what_no_server_begins_with_is_garbled(said: bytes) -> None:
    with pytest.raises((Garbled, TooLong)):
        measured(FIRST_MESSAGES, said)


def test_a_postmaster_that_can_not_fork_speaks_an_older_tongue() -> None:
    said = b"Ecould not fork new process for connection: Cannot allocate memory\n\0"
    assert measured(FIRST_MESSAGES, said) == len(said)
    assert measured(TLS_ANSWER, said[:-1]) is None
    words = error_before_protocol(said)
    assert words is not None
    assert words.startswith("could not fork")
    assert error_before_protocol(ERROR) is None
    with pytest.raises(Garbled):
        measured(FIRST_MESSAGES, b"ERROR\r\n")  # memcached


def test_the_answer_to_a_request_for_tls() -> None:
    assert measured(TLS_ANSWER, b"S") == 1
    assert measured(TLS_ANSWER, b"N") == 1
    assert measured(TLS_ANSWER, b"SSH-2.0-x\r\n") == 11
    assert measured(TLS_ANSWER, ERROR) == len(ERROR)
    with pytest.raises(Garbled):
        measured(TLS_ANSWER, b"HTTP/1.1 400")


def test_an_error_is_read_by_what_no_language_changes() -> None:
    error = error_in(parse(ERROR))
    assert error is not None
    assert (error.severity, error.sqlstate) == ("ERROR", "42P01")
    assert error.spoken == "ERROR 42P01: Keine solche Tabelle"
    assert error_in(parse(message(b"Z", b"I"))) is None


def test_rows() -> None:
    old = message(b"T", b"") + message(b"D", b"\0\1" + b"\0\0\0\1" + b"9")
    new = message(b"T", b"") + message(b"D", b"\0\2" + b"\0\0\0\1" + b"5" + b"\xff\xff\xff\xff")
    assert rows_of(parse(old + new)) == [[b"5", None]]


@pytest.mark.parametrize("body", [b"\0\1", b"\0\1\0\0\0\5ab", b"\0\1\xff\xff\xff\xfe", b"\xff\xff\0\0"])
def test_a_row_that_claims_more_than_it_has(body: bytes) -> None:
    with pytest.raises(Garbled):
        rows_of(parse(message(b"D", body)))


def test_parameters() -> None:
    said = message(b"S", b"server_version\x0015.3\0") + message(b"S", b"odd")
    assert parameters(parse(said)) == {"server_version": "15.3", "odd": ""}


@given(st.binary(max_size=400))
def test_nothing_that_is_said_raises_anything_else(said: bytes) -> None:
    for frame in (FIRST_MESSAGES, TLS_ANSWER, Through(b"ZE")):
        _quietly(lambda frame=frame: measured(frame, said))
    _quietly(lambda: [error_in(parse(said)), parameters(parse(said)), rows_of(parse(said))])
    _quietly(lambda: authentication(said))
    error_before_protocol(said)


def _quietly(act: object) -> None:
    assert callable(act)
    try:
        act()
    except (Garbled, TooLong):
        return
