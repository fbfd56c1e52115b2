"""Channels that are changed, added and removed while alerts wait."""

import asyncio

from tests.alerts.made import LATER, FakeSender, channel, row
from tests.alerts.test_outbox import HangingSender, story
from trueup.domain.alert import Delivery


def test_a_changed_channel_gets_what_waits_at_once() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender([LATER])}) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            one.outbox.reload({"pager": channel("fake://pager/mended")})
            await one.until(lambda: len(one.heard) == 2)
            assert one.heard[1].delivery is Delivery.SENT
            assert one.senders["fake://pager/mended"].events == ["17-opened"]
            await one.until(lambda: one.senders["fake://pager"].closed)

    asyncio.run(tell())


def test_an_unchanged_channel_goes_on_and_a_new_one_begins() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender()}) as one:
            one.outbox.reload({"pager": channel("fake://pager"), "new": channel("fake://new")})
            one.outbox.put([row(), row(channel="new")])
            await one.until(lambda: len(one.heard) == 2)
            assert not one.senders["fake://pager"].closed

    asyncio.run(tell())


def test_what_waits_for_a_channel_that_is_removed_is_reported() -> None:
    async def tell() -> None:
        async with story({"pager": FakeSender([LATER]), "mail": FakeSender()}) as one:
            one.outbox.put([row()])
            await one.until(lambda: one.heard)
            one.outbox.reload({"mail": channel("fake://mail")})
            await one.until(lambda: one.senders["fake://mail"].sent)
            assert one.last("17-opened").delivery is Delivery.DEAD
            assert "no such channel" in one.senders["fake://mail"].sent[0].alerts[0].summary

    asyncio.run(tell())


def test_what_was_under_way_when_the_channel_changed_is_a_repeat() -> None:
    async def tell() -> None:
        hanging = HangingSender()
        async with story({"pager": hanging}) as one:
            one.outbox.put([row()])
            await one.until(lambda: hanging.sent)
            one.outbox.reload({"pager": channel("fake://pager/mended")})
            await one.until(lambda: one.heard)
            assert one.senders["fake://pager/mended"].sent[0].is_repeat

    asyncio.run(tell())
