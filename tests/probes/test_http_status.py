"""The status rules, word for word."""

import pytest

from trueup.domain.causes import Cause
from trueup.probes.http_message import Response
from trueup.probes.http_status import STATUSES, judge_status, login_demanded


def response(status: int, head: bytes = b"") -> Response:
    answer = Response("HEAD")
    assert answer.complete(bytearray(b"HTTP/1.1 %d Word\r\n%b\r\n" % (status, head)), ended=False)
    return answer


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_every_status_has_its_cause(status: int) -> None:
    cause, meaning = STATUSES[status]
    answer = judge_status(response(status))
    if cause is None:
        assert answer is None
        assert login_demanded(response(status)).facts["login"] == "demanded"
    else:
        assert answer is not None
        assert (answer.cause, answer.facts["status"]) == (cause, status)
        assert answer.detail == f"HTTP {status} Word: {meaning}"


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        *[(status, None) for status in (101, 200, 299, 304, 399)],
        *[(status, Cause.WRONG_ANSWER) for status in (418, 499)],
        *[(status, Cause.ERROR_ANSWER) for status in (520, 599, 999)],
    ],
)
def test_every_class_of_statuses_has_its_cause(status: int, cause: Cause | None) -> None:
    answer = judge_status(response(status))
    assert (answer.cause if answer else None) is cause


def test_the_contracts_words_for_overload() -> None:
    for status, head, cause in [
        (429, b"", Cause.OVERLOADED),
        (503, b"Retry-After: 120\r\n", Cause.OVERLOADED),
        (503, b"", Cause.BAD_UPSTREAM),
        (502, b"Retry-After: 120\r\n", Cause.BAD_UPSTREAM),
    ]:
        answer = judge_status(response(status, head))
        assert answer is not None
        assert answer.cause is cause
        assert answer.facts.get("retry_after") == ("120" if head else None)
