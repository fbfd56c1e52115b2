"""A document of our own in MongoDB, against a script."""

from typing import Any

import pytest

from tests.playbook import NONCE, Played, address, play
from trueup.conversation import Break, Closed, Quiet
from trueup.domain.causes import Cause
from trueup.domain.states import Layer
from trueup.probes.bson import encode
from trueup.probes.mongodb import Options, conversation
from trueup.probes.mongowire import command

from .test_mongodb import ALONE, AT, HIDDEN, ORPHAN, PONG, PRIMARY, REPLICA, SHOWN

TOKEN = NONCE[:8].hex()
HEALTHY = [command(1, PRIMARY) + PONG, SHOWN]


def said(**document: Any) -> bytes:
    return command(1, {"ok": 1, **document})


def found(*documents: dict[str, Any]) -> bytes:
    return said(cursor={"id": 0, "ns": "shop.trueup_probe", "firstBatch": list(documents)})


def failed(code: int) -> dict[str, Any]:
    return {"code": code, "codeName": "Name", "errmsg": "as it says"}


WRITTEN = said(n=1)
READ_BACK = found({"_id": TOKEN})


def trip(*says: bytes | Break, url: str = "mongodb://127.0.0.1/shop") -> Played:
    return play(conversation(Options(address(url), roundtrip=True)), [*HEALTHY, *says])


@pytest.mark.parametrize("chunk", [None, 1])
def test_a_document_is_written_to_a_majority_and_read(chunk: int | None) -> None:
    options = Options(AT, roundtrip=True)
    says = [*HEALTHY, WRITTEN, READ_BACK, WRITTEN]
    played = play(conversation(options), says, chunk=chunk)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, None)
    assert encode({"w": "majority", "wtimeout": 2000}) in played.sent
    assert encode({"q": {"_id": TOKEN}, "limit": 1}) in played.sent
    assert b"\x02$db\0\x07\0\0\0trueup\0" in played.sent
    assert [mark.layer for mark in played.marks] == [Layer.SERVICE]


def test_it_is_done_in_the_database_of_the_address() -> None:
    played = trip(WRITTEN, READ_BACK, WRITTEN)
    assert b"\x02$db\0\x05\0\0\0shop\0" in played.sent


@pytest.mark.parametrize(
    ("says", "layer", "cause"),
    [
        ([command(1, {"ok": 0, **failed(13)})], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([command(1, {"ok": 0, **failed(10107)})], Layer.FUNCTION, Cause.READ_ONLY),
        ([command(1, {"ok": 0, **failed(91)})], Layer.SERVICE, Cause.STARTING_UP),
        ([said(n=0, writeErrors=[failed(14031)])], Layer.FUNCTION, Cause.DISK_FULL),
        ([said(n=0, writeErrors=[{"errmsg": "x"}])], Layer.FUNCTION, Cause.ERROR_ANSWER),
        ([said(n=1, writeConcernError=failed(64)), WRITTEN], Layer.SERVICE, Cause.REPLICATION),
        ([said(n=1, writeConcernError=failed(100)), WRITTEN], Layer.SERVICE, Cause.NO_QUORUM),
        ([WRITTEN, command(1, {"ok": 0, **failed(13)}), WRITTEN], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([WRITTEN, found(), WRITTEN], Layer.FUNCTION, Cause.WRONG_ANSWER),
        ([WRITTEN, said(), WRITTEN], Layer.FUNCTION, Cause.WRONG_ANSWER),
        ([WRITTEN, found({"_id": "other"}), WRITTEN], Layer.FUNCTION, Cause.WRONG_ANSWER),
        ([WRITTEN, READ_BACK, command(1, {"ok": 0, **failed(13)})], Layer.FUNCTION, Cause.LOGIN_REFUSED),
        ([Quiet(final=True)], Layer.FUNCTION, Cause.SLOW),
    ],
)
def test_a_write_that_fails(says: list[bytes | Break], layer: Layer, cause: Cause) -> None:
    settled = trip(*says).settled
    assert (settled.layer, settled.cause) == (layer, cause)


def test_what_no_majority_has_confirmed_is_deleted_too() -> None:
    played = trip(said(n=1, writeConcernError=failed(64)), WRITTEN)
    assert b"\x02delete\0" in played.sent


def test_closing_in_the_middle_is_left_to_the_engine() -> None:
    assert isinstance(trip(WRITTEN, Closed()).broke, Closed)


@pytest.mark.parametrize(
    "hello", [REPLICA, {**ALONE, "isWritablePrimary": False, "arbiterOnly": True, "primary": "a:1"}]
)
def test_what_takes_no_writes_is_not_written_to(hello: dict[str, Any]) -> None:
    says = [command(1, hello) + PONG, SHOWN]
    played = play(conversation(Options(AT, roundtrip=True)), says)
    assert (played.settled.layer, played.settled.cause) == (Layer.FUNCTION, Cause.READ_ONLY)
    assert b"insert" not in played.sent


def test_an_orphan_is_told_first() -> None:
    says = [command(1, ORPHAN) + PONG, SHOWN]
    assert play(conversation(Options(AT, roundtrip=True)), says).settled.cause is Cause.NO_QUORUM


def test_without_the_login_that_is_demanded_it_can_not_be() -> None:
    says = [command(1, ALONE) + PONG, HIDDEN]
    assert play(conversation(Options(AT, roundtrip=True)), says).settled.cause is Cause.LOGIN_REFUSED
