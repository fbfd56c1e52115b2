"""A document of our own, written to a search cluster, read back and deleted with its index."""

from collections.abc import Callable, Generator
from typing import Final

from trueup.conversation import Answer, Nonce, Step, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes.http_api import Api, document_of, object_in
from trueup.probes.http_message import Response
from trueup.probes.http_status import judge_status

ONE_SHARD: Final = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}

Judge = Callable[[Response], Answer | None]


def round_trip(api: Api, judge_error: Judge) -> Generator[Step, bytes, Answer]:
    """Make an index that nobody else has, use it, and delete it whatever came of it."""
    token = (yield Nonce(8)).hex()
    index = f"/trueup-probe-{token}"
    made = yield from api.ask(index, method="PUT", document=ONE_SHARD, with_login=True)
    if made.status not in (200, 201):
        return _refused("an index can't be made", made, judge_error)
    answer = yield from _write_and_read(api, index, token, judge_error)
    deleted = yield from api.ask(index, method="DELETE", with_login=True)
    if answer.cause is None and deleted.status != 200:
        return _refused("our index can't be deleted", deleted, judge_error)
    return answer


def _write_and_read(api: Api, index: str, token: str, judge_error: Judge) -> Generator[Step, bytes, Answer]:
    written = yield from api.ask(f"{index}/_doc/1", method="PUT", document={"token": token}, with_login=True)
    if written.status not in (200, 201):
        return _refused("a write is refused", written, judge_error)
    read = yield from api.ask(f"{index}/_doc/1", with_login=True)
    if object_in(document_of(read) or {}, "_source").get("token") != token:
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION)
    return ready("wrote, read and deleted a document", layer=Layer.FUNCTION)


def _refused(what: str, response: Response, judge_error: Judge) -> Answer:
    failed = judge_error(response) or judge_status(response)
    if failed is None or failed.cause is None:
        return fails(Cause.ERROR_ANSWER, f"{what}: {response.line}", layer=Layer.FUNCTION)
    return fails(failed.cause, f"{what}: {failed.detail}", layer=Layer.FUNCTION, **failed.facts)
