"""A document's round trip through a search cluster, against a script."""

import re
from collections.abc import Generator

import pytest

from tests.beds.fake_http import says
from tests.playbook import NONCE, Played, play
from trueup.conversation import Answer, Step
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes.http_api import Api
from trueup.probes.http_peer import Origin, Peer
from trueup.probes.search_cluster import judge_error
from trueup.probes.search_round_trip import round_trip

TOKEN = NONCE[:8].hex()
OK, MADE = says(200, {"acknowledged": True}), says(201, {"result": "created"})
FOUND = says(200, {"found": True, "_source": {"token": TOKEN}})
READ_ONLY = says(403, {"error": {"type": "cluster_block_exception", "reason": "index read-only (api)"}})


def look(*script: bytes) -> Played:
    def talk() -> Generator[Step, bytes, Answer]:
        return (
            yield from round_trip(Api("elasticsearch", Peer(Origin("http", "a", 9200)), None), judge_error)
        )

    return play(talk(), script)


def test_there_and_back() -> None:
    played = look(OK, MADE, FOUND, OK)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    index = f"/trueup-probe-{TOKEN}"
    lines = re.findall(rb"(PUT|GET|DELETE) (\S+) HTTP/1.1\r\n", played.sent)
    assert [(method.decode(), path.decode()) for method, path in lines] == [
        ("PUT", index),
        ("PUT", f"{index}/_doc/1"),
        ("GET", f"{index}/_doc/1"),
        ("DELETE", index),
    ]


@pytest.mark.parametrize(
    ("script", "cause", "words"),
    [
        ([READ_ONLY], Cause.READ_ONLY, "an index can't be made"),
        ([says(429, b"")], Cause.OVERLOADED, "an index can't be made"),
        ([says(302, b"")], Cause.ERROR_ANSWER, "an index can't be made"),
        ([OK, READ_ONLY, OK], Cause.READ_ONLY, "a write is refused"),
        ([OK, MADE, says(404, {}), OK], Cause.WRONG_ANSWER, "isn't read back"),
        ([OK, MADE, says(200, b"x"), OK], Cause.WRONG_ANSWER, "isn't read back"),
        ([OK, MADE, FOUND, READ_ONLY], Cause.READ_ONLY, "can't be deleted"),
    ],
)
def test_what_goes_wrong(script: list[bytes], cause: Cause, words: str) -> None:
    played = look(*script)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, cause)
    assert words in played.settled.detail
    assert (b"DELETE" in played.sent) == (len(script) > 1), "an index that was made is deleted"
