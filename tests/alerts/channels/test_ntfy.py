"""A fake of ntfy, which the distributions don't have: what is published, and where."""

import pytest

from tests.alerts.channels.sending import Make, sent, tried
from tests.alerts.made import FakeClock, channel, parcel, row
from tests.alerts.receiver import answers
from trueup.alerts.channels.ntfy import BYTES_MAX, CLOUD, NtfySender
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.sender import Taken
from trueup.domain.states import State

OK = answers(200, {"id": "x", "event": "message"})


def ntfy(to: str = "ntfy://ops") -> Make:
    return lambda url: NtfySender(channel(to), FakeClock(), api=url)


def test_a_message_is_published() -> None:
    request = sent(ntfy(), row(url="https://t.example/17"), how=OK)
    assert request.json | {"message": ""} == {
        "topic": "ops",
        "title": "DOWN: shop-17: overloaded",
        "message": "",
        "priority": 4,
        "tags": ["rotating_light"],
        "click": "https://t.example/17",
    }
    assert request.json["message"].startswith("PostgreSQL answers but takes no more clients\n")
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("one", "priority", "tag"),
    [
        (row(tier=1), 5, "rotating_light"),
        (row(state=State.DEGRADED), 4, "warning"),
        (row("closed", tier=1), 3, "white_check_mark"),
        (row("test", 0, state=State.UP), 3, "white_check_mark"),
    ],
)
def test_the_priority_follows_state_and_tier(one: object, priority: int, tag: str) -> None:
    request = sent(ntfy(), one, how=OK)  # type: ignore[arg-type]
    assert (request.json["priority"], request.json["tags"]) == (priority, [tag])


@pytest.mark.parametrize(
    ("to", "server", "topics"),
    [
        ("ntfy://ops", CLOUD, ["ops"]),
        ("ntfys://ntfy.sh/ops", CLOUD, ["ops"]),
        ("ntfy://localhost:8080/ops", "http://localhost:8080", ["ops"]),
        ("ntfys://push.example/a/b", "https://push.example", ["a", "b"]),
        ("ntfy://[::1]:80/ops", "http://[::1]:80", ["ops"]),
        ("ntfys://push.example?to=a,b", "https://push.example", ["a", "b"]),
    ],
)
def test_where_it_goes(to: str, server: str, topics: list[str]) -> None:
    sender = NtfySender(channel(to), FakeClock())
    assert (sender._url, list(sender._topics._names)) == (server, topics)


@pytest.mark.parametrize(
    ("to", "authorization"),
    [
        ("ntfy://tk_abc@h/ops", "Bearer tk_abc"),
        ("ntfy://h/ops?token=abc", "Bearer abc"),
        ("ntfy://abc@h/ops?auth=token", "Bearer abc"),
        ("ntfy://ops:s3cret@h/ops", "Basic b3BzOnMzY3JldA=="),
    ],
)
def test_who_publishes(to: str, authorization: str) -> None:
    assert sent(ntfy(to), row(), how=OK).headers["authorization"] == authorization


def test_ones_own_priority_and_tags() -> None:
    request = sent(ntfy("ntfy://ops?priority=high&tags=fire,db&click=https://a.example"), row(), how=OK)
    assert (request.json["priority"], request.json["tags"]) == (4, ["fire", "db", "rotating_light"])
    assert request.json["click"] == "https://a.example"


def test_a_message_has_its_limit() -> None:
    request = sent(ntfy(), row(summary="ü" * 5000, next=("ü" * 900,) * 9), how=OK)
    assert len(request.json["message"].encode()) <= BYTES_MAX


def test_several_topics_each_get_it() -> None:
    _, requests = tried(ntfy("ntfy://h/a/b"), OK, parcels=(parcel(row()),))
    assert [request.json["topic"] for request in requests] == ["a", "b"]


def test_what_is_refused_is_said() -> None:
    (outcome,), _ = tried(ntfy(), answers(400, {"code": 40009, "error": "invalid topic"}))
    assert outcome.taken is Taken.REFUSED
    assert "invalid topic" in outcome.said


@pytest.mark.parametrize(
    "to", ["ntfy://ops?priority=9", "ntfy://ops?priority=12", "ntfy://h/ops?delay=5m", "ntfy://h:0/ops"]
)
def test_what_it_cant_read_goes_to_apprise(to: str) -> None:
    assert sender_for(channel(to), FakeClock())[0].name == "apprise"
