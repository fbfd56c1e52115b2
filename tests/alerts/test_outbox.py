"""The worker: channels in their own time, rows recorded before and after, nothing lost by a failure."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.alerts.made import LATER, NOW, SENT, FakeClock, FakeSender, channel, ids, kind, row
from trueup.alerts import outbox as module
from trueup.alerts.outbox import Outbox
from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Sender, Taken
from trueup.domain.alert import Delivery, Notification
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock


@dataclass
class HangingSender(FakeSender):
    """Answers when it's let go."""

    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, parcel: Parcel) -> Outcome:
        self.sent.append(parcel)
        await self.go.wait()
        return SENT


class BrokenSender(FakeSender):
    async def send(self, parcel: Parcel) -> Outcome:
        self.sent.append(parcel)
        raise RuntimeError("fake://token/chat is odd")


@dataclass
class Story:
    """An outbox at work, and what the evaluator heard of it."""

    outbox: Outbox
    clock: FakeClock
    senders: dict[str, FakeSender]
    heard: list[Notification]

    async def until(self, seen: Callable[[], object]) -> None:
        """Until something is so; the loop turns, and no time passes on the story's clock."""
        async with asyncio.timeout(20):
            while not seen():  # noqa: ASYNC110 - there's no event for what a test waits for
                await asyncio.sleep(0.002)

    async def pass_s(self, seconds: float) -> None:
        self.clock.pass_s(seconds)
        self.outbox.look_at_clock()

    async def heard_more_than(self, count: int) -> None:
        await self.until(lambda: len(self.heard) > count)

    async def sent_more_than(self, sender: FakeSender, count: int) -> None:
        await self.until(lambda: len(sender.sent) > count)

    async def turn(self) -> None:
        """Let everybody do what they would do now."""
        for _ in range(50):
            await asyncio.sleep(0)

    def last(self, alert_id: str, of: str = "pager") -> Notification:
        return [one for one in self.heard if (one.alert.id, one.channel) == (alert_id, of)][-1]


@asynccontextmanager
async def story(
    senders: Mapping[str, FakeSender], before_send: Any = None, kinds: Mapping[str, ChannelKind] = {}
) -> AsyncIterator[Story]:
    """Channels by name; each has its name as its URL's host."""
    by_url: dict[str, FakeSender] = {f"fake://{name}": sender for name, sender in senders.items()}
    clock = FakeClock()
    heard: list[Notification] = []

    def sender_for(one: Channel, _: Clock) -> tuple[ChannelKind, Sender]:
        url = one.to.reveal()
        name = url.removeprefix("fake://").partition("/")[0]
        return kinds.get(name, kind(is_exact=True)), by_url.setdefault(url, FakeSender())

    outbox = Outbox(
        {name: channel(f"fake://{name}") for name in senders},
        clock,
        heard.append,
        before_send,
        sender_for=sender_for,
    )
    running = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    try:
        yield Story(outbox, clock, by_url, heard)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_what_is_put_is_sent_and_told() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender()}) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            assert (one.heard[0].delivery, one.heard[0].result) == (Delivery.SENT, "200 OK")
            health = one.outbox.health()["pager"]
            assert (health.last_success_at, health.said, health.waiting) == (NOW, "200 OK", 0)
            assert one.outbox.waiting() == 0
        assert one.senders["fake://pager"].closed

    asyncio.run(tell())


def test_a_row_is_recorded_as_sending_before_it_is_sent() -> None:
    order: list[str] = []

    class Watching(FakeSender):
        async def send(self, parcel: Parcel) -> Outcome:
            order.append("sent")
            return await super().send(parcel)

    async def record(one: Notification) -> None:
        order.append(one.delivery.value)

    async def tell() -> None:
        async with story({"pager": Watching()}, record) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)

    asyncio.run(tell())
    assert order == ["sending", "sent"]


def test_a_store_that_fails_or_hangs_keeps_no_alert_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORDED_WITHIN_S", 0.01)
    over = asyncio.Event()

    async def record(one: Notification) -> None:
        if one.alert.incident == 1:
            raise OSError(28, "No space left on device")
        await over.wait()

    async def tell() -> None:
        async with story({"pager": FakeSender()}, record) as one:
            one.outbox.put([row(incident=1), row(incident=2)])
            await one.until(lambda: len(one.heard) == 2)
            assert {told.delivery for told in one.heard} == {Delivery.SENT}
            over.set()

    asyncio.run(tell())


def test_a_channel_that_hangs_delays_no_other() -> None:
    async def tell() -> None:
        hanging = HangingSender()
        async with story({"pager": hanging, "mail": FakeSender()}) as one:
            one.outbox.put([row(), row(channel="mail")])
            await one.until(lambda: hanging.sent and one.heard)
            assert [told.channel for told in one.heard] == ["mail"]
            hanging.go.set()
            await one.until(lambda: len(one.heard) == 2)

    asyncio.run(tell())


def test_an_attempt_without_an_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trueup.alerts.attempt.ATTEMPT_S_MAX", 0.02)

    async def tell() -> None:
        async with story({"pager": HangingSender()}) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            assert one.heard[0].result == "no answer within 0.02 s"
            assert one.heard[0].is_repeat

    asyncio.run(tell())


def test_several_attempts_of_a_channel_are_under_way_but_one_of_an_incident() -> None:
    async def tell() -> None:
        hanging = HangingSender()
        async with story({"pager": hanging}, kinds={"pager": kind(is_exact=True, at_once=3)}) as one:
            one.outbox.put(
                [row(incident=1), row("closed", 1), row(incident=2), row(incident=3), row(incident=4)]
            )
            await one.until(lambda: len(hanging.sent) == 3)
            await one.turn()
            assert hanging.events == ["1-opened", "2-opened", "3-opened"]
            hanging.go.set()
            await one.until(lambda: len(one.heard) == 5)
            order = hanging.events
            assert order.index("1-opened") < order.index("1-closed")

    asyncio.run(tell())


def test_a_failure_is_told_and_tried_again_with_the_same_id() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender([LATER, SENT])}) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            health = one.outbox.health()["pager"]
            assert (one.heard[0].attempts, one.heard[0].delivery) == (1, Delivery.WAITING)
            assert (health.is_failing, health.failing_since, health.waiting) == (True, NOW, 1)
            await one.pass_s(6)
            await one.until(lambda: len(one.heard) == 2)
            assert one.senders["fake://pager"].events == ["17-opened", "17-opened"]
            assert (one.heard[1].attempts, one.heard[1].delivery) == (2, Delivery.SENT)
            assert not one.outbox.health()["pager"].is_failing

    asyncio.run(tell())


def test_a_senders_bug_is_a_failure_without_secrets() -> None:
    async def tell() -> None:
        async with story({"pager": BrokenSender()}) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            assert one.heard[0].delivery is Delivery.WAITING
            assert "RuntimeError" in one.heard[0].result
            assert one.outbox.is_turning()

    asyncio.run(tell())


def test_what_a_receiver_says_is_escaped_and_without_the_channels_secrets() -> None:
    async def tell() -> None:
        said = Outcome(Taken.SENT, "\x1b[2Jthanks, fake://pager/s3cret-token/x")
        async with story({"pager": FakeSender()}) as one:
            one.senders["fake://pager/s3cret-token/x"] = FakeSender([said])
            one.outbox.reload({"pager": channel("fake://pager/s3cret-token/x")})
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            assert one.heard[0].result == "\\x1b[2Jthanks, ***"

    asyncio.run(tell())


def test_what_died_is_reported_by_another_channel() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender([LATER]), "mail": FakeSender()}) as one:
            one.outbox.put([row(), row("closed")])
            await one.until(lambda: one.heard)
            while not any(told.delivery is Delivery.DEAD for told in one.heard):
                before = len(one.heard)
                await one.pass_s(1100)
                await one.heard_more_than(before)
            await one.until(lambda: len(one.senders["fake://mail"].sent) == 2)
            assert [one.last(name).delivery for name in ("17-opened", "17-closed")] == [Delivery.DEAD] * 2
            assert one.outbox.health()["pager"].dead == 2
            (report,) = one.senders["fake://mail"].sent[1].alerts
            assert report.event == "undelivered"
            assert report.summary == (
                "channel pager didn't take 2 alerts about shop-17: 500 Internal Server Error"
            )
            assert report.next == ("Mend channel pager, then see: trueup channel test pager",)
            await one.until(lambda: one.last(report.id, "mail").delivery is Delivery.SENT)

    asyncio.run(tell())


def test_a_channel_that_fails_for_long_is_reported_once_and_tried_on() -> None:
    async def tell() -> None:
        senders = {"pager": FakeSender([LATER]), "mail": FakeSender()}
        async with story(senders) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            for _ in range(8):
                before = len(senders["pager"].sent)
                await one.pass_s(1100)
                await one.sent_more_than(senders["pager"], before)
                await one.turn()
            (report,) = senders["mail"].sent
            assert report.alerts[0].summary == (
                "channel pager has taken nothing since 2026-11-24T10:00:00.000Z, "
                "not even the alert 'opened' about shop-17: 500 Internal Server Error"
            )
            assert one.outbox.waiting() == 1

    asyncio.run(tell())


def test_a_channel_that_works_is_asked_to_report_rather_than_one_that_fails() -> None:
    async def tell() -> None:
        senders = {"gone": FakeSender(), "bad": FakeSender([LATER]), "good": FakeSender()}
        async with story(senders) as one:
            one.outbox.put([row(channel="bad"), row(channel="good")])
            await one.until(lambda: len(one.heard) == 2)
            channels = {name: channel(f"fake://{name}") for name in ("bad", "good")}
            one.outbox.put([row(channel="elsewhere")])
            await one.until(lambda: len(senders["good"].sent) == 2)
            assert senders["good"].sent[1].alerts[0].event == "undelivered"
            one.outbox.reload(channels)

    asyncio.run(tell())


def test_a_report_that_dies_is_not_reported_again() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender()}) as one:
            one.outbox.put([row("undelivered", channel="gone"), row("test", channel="gone")])
            assert {told.delivery for told in one.heard} == {Delivery.DEAD}
            assert one.outbox.waiting() == 0

    asyncio.run(tell())


def test_a_receiver_that_forgets_hears_again_what_fires_until_it_ends() -> None:
    async def tell() -> None:
        sender = FakeSender()
        async with story({"am": sender}, kinds={"am": kind(is_exact=True, again_every_s=60.0)}) as one:
            one.outbox.still_firing([row(incident=5, channel="am")])
            await one.until(lambda: len(sender.sent) == 1)
            one.outbox.put([row(channel="am")])
            await one.until(lambda: one.heard)
            await one.pass_s(61)
            await one.until(lambda: len(sender.sent) == 3)
            assert [told.incident for told in sender.sent[2].alerts] == [5, 17]
            assert ids(one.heard) == ["17-opened"]  # saying again is no delivery
            one.outbox.put([row("closed", channel="am"), row("closed", 5, channel="am")])
            await one.until(lambda: len(one.heard) == 3)
            await one.pass_s(61)
            await one.turn()
            assert len(sender.sent) == 5

    asyncio.run(tell())


def test_people_are_not_told_again_what_fires() -> None:
    async def tell() -> None:
        sender = FakeSender()
        async with story({"pager": sender}) as one:
            one.outbox.still_firing([row()])
            await one.pass_s(3600)
            await one.turn()
            assert not sender.sent

    asyncio.run(tell())


def test_a_loop_that_does_not_turn_is_seen() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender()}) as one:
            assert one.outbox.is_turning()
            one.clock.pass_s(module.STUCK_AFTER_S + 1)
            assert not one.outbox.is_turning()
            one.outbox.look_at_clock()
            await one.until(one.outbox.is_turning)
        assert not one.outbox.is_turning()

    asyncio.run(tell())
