"""What an answer is expected to be."""

from typing import Any

import pytest

from trueup.probes.http_expect import Expect, unmet, value_at
from trueup.probes.http_message import BODY_BYTES_MAX, Response


def response(body: bytes, *heads: bytes) -> Response:
    answer = Response()
    head = b"".join(
        line + b"\r\n" for line in (b"HTTP/1.1 200 OK", *heads, b"Content-Length: %d" % len(body))
    )
    assert answer.complete(bytearray(head + b"\r\n" + body), ended=False)
    return answer


@pytest.mark.parametrize(
    ("status", "accepted", "refused"),
    [
        (200, [200], [204, 301]),
        ((200, 204), [200, 204], [201]),
        ("200-299", [200, 299], [300, 199]),
        (("200-204", 401), [203, 401], [205]),
        ((), [], [200]),
    ],
)
def test_statuses(status: Any, accepted: list[int], refused: list[int]) -> None:
    expect = Expect(status=status)
    assert [number for number in accepted + refused if expect.accepts(number)] == accepted


@pytest.mark.parametrize("status", ["ok", 99, 600, "299-200", ("200", "2xx"), "200-", True])
def test_a_status_that_is_none_is_refused_at_once(status: Any) -> None:
    with pytest.raises(ValueError, match="is no status; write 200"):
        Expect(status=status)


def test_a_redirect_is_expected_where_it_is_named() -> None:
    assert Expect(status=301).names_redirect
    assert Expect(status=(200, "300-399")).names_redirect
    assert not Expect(status="200-399").names_redirect
    assert not Expect().names_redirect


@pytest.mark.parametrize(
    ("expect", "problem"),
    [
        (Expect(contains="ready"), None),
        (Expect(contains=("ready", "db")), None),
        (Expect(contains="shop"), "its body doesn't contain 'shop': it begins 'ready, db up'"),
        (Expect(contains=("ready", "shop")), "its body doesn't contain 'shop': it begins 'ready, db up'"),
        (Expect(not_contains="database error"), None),
        (Expect(not_contains=("x!", "db up")), "its body contains 'db up'"),
        (Expect(header={"X-App": "SHOP"}), None),
        (Expect(header={"x-app": "store"}), "its header x-app is 'the shop', not 'store'"),
        (Expect(header={"X-None": "store"}), "it has no header X-None"),
        (Expect(json={"a": 1}), "its body is no JSON: it begins 'ready, db up'"),
    ],
)
def test_text_and_headers(expect: Expect, problem: str | None) -> None:
    assert unmet(expect, response(b"ready, db up", b"X-App: the shop")) == problem


def test_what_begins_a_body_is_escaped_once() -> None:
    said = unmet(Expect(contains="x"), response(b"a\nb"))
    assert said == r"its body doesn't contain 'x': it begins 'a\nb'"


def test_an_empty_body_is_called_so() -> None:
    assert unmet(Expect(contains="x"), response(b"")) == "its body doesn't contain 'x': it's empty"


def test_other_charsets_are_read() -> None:
    body = "schön bereit".encode("latin-1")
    assert (
        unmet(Expect(contains="schön"), response(body, b"Content-Type: text/html; charset=ISO-8859-1"))
        is None
    )
    assert unmet(Expect(contains="schön"), response(body, b"Content-Type: text/html; charset=nonsense"))
    assert unmet(Expect(contains="schön"), response(body))


def test_a_cut_body_says_how_far_it_was_read() -> None:
    answer = Response()
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 999_999
    assert answer.complete(bytearray(said), ended=False)
    assert f"in its first {BODY_BYTES_MAX} bytes" in str(unmet(Expect(contains="end"), answer))
    assert "too long" in str(unmet(Expect(json={"a": 1}), answer))


def test_an_unreadable_body_meets_nothing() -> None:
    coded = response(b"x", b"Content-Encoding: br")
    assert unmet(Expect(contains="x"), coded) == "its body is coded as br, which trueup can't read"
    assert unmet(Expect(header={"content-encoding": "br"}), coded) is None


DOCUMENT = (
    b'{"db": {"status": "up", "n": 1, "ok": true}, "a.b": {"c": [10, {"d": null}]}, "deep": {"x.y": 2}}'
)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("db.status", "up", None),
        ("$.db.status", "up", None),
        ("db.n", 1, None),
        ("db.n", 1.0, None),
        ("db.n", True, "its db.n is 1, not true"),
        ("db.ok", 1, "its db.ok is true, not 1"),
        ("db.ok", True, None),
        ("a.b.c.0", 10, None),
        ("a.b.c[1].d", None, None),
        ("deep.x.y", 2, None),
        ("a.b.c.7", 1, "its JSON has no a.b.c.7"),
        ("a.b.c.x", 1, "its JSON has no a.b.c.x"),
        ("db.status.more", 1, "its JSON has no db.status.more"),
        ("db.status", "down", 'its db.status is "up", not "down"'),
        ("db", "up", 'its db is an object of 3, not "up"'),
        ("a.b.c", [1], "its a.b.c is a list of 2, not a list of 1"),
    ],
)
def test_json_paths(path: str, value: Any, problem: str | None) -> None:
    assert unmet(Expect(json={path: value}), response(DOCUMENT)) == problem


def test_deep_json_is_no_trouble() -> None:
    assert "no JSON" in str(unmet(Expect(json={"a": 1}), response(b"[" * 100_000)))


def test_the_whole_document_has_a_path_too() -> None:
    assert value_at([1, 2], "1") == 2
