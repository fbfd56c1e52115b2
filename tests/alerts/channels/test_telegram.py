"""A fake of Telegram's bot API, for the real one can't be had: what is asked, and what its answers mean."""

from typing import Any

import pytest

from tests.alerts.channels.sending import Make, sent, tried
from tests.alerts.made import FakeClock, channel, parcel, row
from tests.alerts.receiver import How, answers
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.channels.telegram import CHARS_MAX, TelegramSender
from trueup.alerts.sender import Outcome, Taken

OK = answers(200, {"ok": True, "result": {"message_id": 1}})


def telegram(to: str = "tgram://123:t0ken/-100500") -> Make:
    return lambda url: TelegramSender(channel(to), FakeClock(), api=url)


def no(status: int, code: int | None = None, description: str = "why", **parameters: Any) -> How:
    said: dict[str, Any] = {"ok": False, "description": description}
    said |= {"error_code": code} if code is not None else {}
    return answers(status, said | ({"parameters": parameters} if parameters else {}))


def later(said: str) -> Outcome:
    return Outcome(Taken.LATER, said)


NO_ANSWER = Outcome(Taken.LATER, "200 OK, but no answer of Telegram's", is_uncertain=True)


def test_a_message_goes_to_the_chat_without_markup() -> None:
    request = sent(telegram(), row(summary="<b>*x*</b> [a](http://evil)"), how=OK)
    assert request.path == "/bot123:t0ken/sendMessage"
    assert "parse_mode" not in request.json
    assert request.json["chat_id"] == -100500
    assert request.json["text"].startswith("DOWN: shop-17: overloaded\n\n<b>*x*</b> [a](http://evil)\n")
    assert request.json["link_preview_options"] == {"is_disabled": True}


@pytest.mark.parametrize(
    ("to", "token", "chat"),
    [
        ("tgram://token/chat", "token", "@chat"),
        ("tgram://123:t0ken/@ops", "123:t0ken", "@ops"),
        ("tgram://bot123:t0ken/5", "123:t0ken", 5),
        ("tgram://123/t0ken/5", "123:t0ken", 5),
        ("tgram://123%3At0ken/5", "123:t0ken", 5),
        ("tgram://123:t0ken/?to=5", "123:t0ken", 5),
    ],
)
def test_the_ways_to_write_it(to: str, token: str, chat: str | int) -> None:
    request = sent(telegram(to), row(), how=OK)
    assert (request.path, request.json["chat_id"]) == (f"/bot{token}/sendMessage", chat)


def test_a_topic_and_silence() -> None:
    request = sent(telegram("tgram://123:t0ken/5:77?silent=yes&preview=yes"), row(), how=OK)
    assert (request.json["message_thread_id"], request.json["disable_notification"]) == (77, True)
    assert request.json["link_preview_options"] == {"is_disabled": False}
    assert sent(telegram("tgram://123:t0ken/5?topic=8"), row(), how=OK).json["message_thread_id"] == 8


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (no(200, 500), later("Telegram: why")),
        (no(200), later("Telegram: why")),
        (no(400, 400, "chat not found"), Outcome(Taken.REFUSED, "Telegram: chat not found")),
        (no(401, 401, "Unauthorized"), later("Telegram: Unauthorized")),
        (no(429, 429, "Too Many", retry_after=31), Outcome(Taken.LATER, "Telegram: Too Many", 31.0)),
        (answers(200, b"<html>"), NO_ANSWER),
        (answers(200, [1]), NO_ANSWER),
        (answers(502, b"<html>"), later("502 Bad Gateway: <html>")),
    ],
)
def test_what_it_says_counts_rather_than_its_status(how: How, outcome: Outcome) -> None:
    assert tried(telegram(), how)[0] == [outcome]


def test_a_group_that_moved_is_followed() -> None:
    one = parcel(row())
    outcomes, requests = tried(telegram(), no(400, 400, migrate_to_chat_id=-777), OK, parcels=(one, one))
    assert [outcome.taken for outcome in outcomes] == [Taken.LATER, Taken.SENT]
    assert requests[1].json["chat_id"] == -777


def test_a_long_message_is_cut_between_lines() -> None:
    one = row(summary="🔥" * 3000, next=["next step"] * 500)
    words = sent(telegram(), one, how=OK).json["text"]
    assert len(words.encode("utf-16-le")) // 2 <= CHARS_MAX
    assert words.endswith("more lines")


def test_each_chat_gets_it_once_also_where_another_fails() -> None:
    one = parcel(row())
    make = telegram("tgram://123:t0ken/1/2/3")
    outcomes, requests = tried(make, OK, no(500, 500), OK, OK, parcels=(one, one))
    assert [outcome.taken for outcome in outcomes] == [Taken.LATER, Taken.SENT]
    assert [request.json["chat_id"] for request in requests] == [1, 2, 3, 2]


@pytest.mark.parametrize(
    "to", ["tgram://123:t0ken", "tgram://me@123:t0ken/5", "tgram://123:t0ken/5?album=yes"]
)
def test_what_it_cant_read_goes_to_apprise(to: str) -> None:
    kind, _ = sender_for(channel(to), FakeClock())
    assert kind.name == "apprise"


def test_a_chat_gets_a_message_a_second() -> None:
    kind, _ = sender_for(channel("tgram://123:t0ken/5"), FakeClock())
    assert (kind.name, kind.apart_s, kind.is_exact) == ("telegram", 1.0, False)
