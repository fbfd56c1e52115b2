"""The parts of an agent: what waits for the monitor, and how refusals are met."""

import asyncio
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trueup.app import agent as module
from trueup.app.agent import WAITING_MAX, Agent, Duty, Waiting
from trueup.app.agent_link import Away, Link, Refused
from trueup.host.survey import Interests

KEY: Final = Ed25519PrivateKey.generate()


def test_the_newest_wait_as_far_as_there_is_room() -> None:
    async def story() -> None:
        waiting = Waiting()
        for number in range(WAITING_MAX + 3):
            waiting.put(b"%d" % number)
        assert len(waiting) == WAITING_MAX
        assert await waiting.first() == b"3"
        waiting.put(bytes(module.WAITING_BYTES_MAX))
        assert len(waiting) == 1
        waiting.done(b"3")  # dropped meanwhile
        assert len(waiting) == 1

    asyncio.run(story())


class FakeLink(Link):
    """Answers as it's told, in order; then takes everything."""

    answers: list[Exception]
    sent: list[bytes]

    def send(self, key: Ed25519PrivateKey, body: bytes) -> None:
        self.sequence += 1
        if self.answers:
            raise self.answers.pop(0)
        self.sent.append(body)


@pytest.mark.parametrize(
    ("answers", "sent"),
    [
        ([], [b"a", b"b"]),
        ([Away("gone"), Away("gone")], [b"a", b"b"]),
        ([Refused(409, "replayed", 10**15)], [b"a", b"b"]),
        ([Refused(400, "malformed", None)], [b"b"]),
        ([Refused(401, "who", None)], [b"a", b"b"]),
    ],
)
def test_what_is_away_is_tried_again_and_what_is_refused_is_not(
    answers: list[Exception], sent: list[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "BACK_OFF_S", (0.01,))
    monkeypatch.setattr(module, "GAP_S", 0.01)

    async def story() -> None:
        agent = Agent(Duty("http://127.0.0.1:1", tmp_path / "token", "db-1", Interests()))
        link = FakeLink("http://127.0.0.1:1", "db-1")
        link.answers, link.sent = list(answers), []
        agent._link = link
        agent._waiting.put(b"a")
        agent._waiting.put(b"b")
        sending = asyncio.ensure_future(agent._send(KEY))
        async with asyncio.timeout(20):
            while len(link.sent) < len(sent):  # noqa: ASYNC110 - a thread sends
                await asyncio.sleep(0.01)
        assert link.sent == sent
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(story())
