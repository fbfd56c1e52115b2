"""A document of our own in MongoDB: written to a majority, read back and deleted.

https://www.mongodb.com/docs/manual/reference/write-concern/
"""

from collections.abc import Generator, Mapping
from typing import Any, Final

from trueup.conversation import Answer, Ask, Nonce, Step, fails, ready
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes.mongowire import command, parse, replies

COLLECTION: Final = "trueup_probe"
MAJORITY_MS: Final = 2000
"""How long a majority may take to confirm a write. A server that isn't told goes on waiting."""

Document = Mapping[str, Any]


def round_trip(database: str) -> Generator[Step, bytes, Answer | Document]:
    """The function layer's answer, or the error that came instead of one."""
    token = (yield Nonce(8)).hex()
    written = yield from _ask(
        database,
        {
            "insert": COLLECTION,
            "documents": [{"_id": token}],
            "writeConcern": {"w": "majority", "wtimeout": MAJORITY_MS},
        },
    )
    if (error := _error_of_write(written)) is not None and not _is_there(written):
        return error
    if error is None:
        found = yield from _ask(database, {"find": COLLECTION, "filter": {"_id": token}, "limit": 1})
    deleted = yield from _ask(
        database, {"delete": COLLECTION, "deletes": [{"q": {"_id": token}, "limit": 1}]}
    )
    if error is not None:
        return error
    if not found.get("ok"):
        return found
    if _first(found) != {"_id": token}:
        return fails(Cause.WRONG_ANSWER, "what was written isn't read back", layer=Layer.FUNCTION)
    return _error_of_write(deleted) or ready(
        "wrote to a majority, read and deleted a document", layer=Layer.FUNCTION
    )


def _ask(database: str, document: Document) -> Generator[Step, bytes, Document]:
    return parse((yield Ask(command(10, document, database), replies(1))))[0]


def _error_of_write(reply: Document) -> Document | None:
    """An error of the command, of its one write, or of the majority that should have confirmed it."""
    if not reply.get("ok"):
        return reply
    errors = reply.get("writeErrors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return {**errors[0], "ok": 0}
    unconfirmed = reply.get("writeConcernError")
    return {**unconfirmed, "ok": 0} if isinstance(unconfirmed, dict) else None


def _is_there(reply: Document) -> bool:
    """Whether it's written on the primary, confirmed or not."""
    return reply.get("n") == 1


def _first(found: Document) -> Any:
    cursor = found.get("cursor")
    batch = cursor.get("firstBatch") if isinstance(cursor, dict) else None
    return batch[0] if isinstance(batch, list) and batch else None
