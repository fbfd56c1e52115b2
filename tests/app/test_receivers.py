"""A whole monitor and receivers that refuse, ask for patience, hang or hang up: nothing is lost by them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.beds.deadline import wait_until
from tests.beds.fake_http import FakeHttp, Reply, asked, fake_http, says
from tests.beds.redis import redis
from tests.beds.server import LOOPBACK, free_port
from tests.cli.monitor import monitor

QUICK = "tiers: {2: {every: 1s, confirm: {failures: 2, apart: 300ms}, recover: 2}}\n"
OK = says(200, {})


def at_first(*answers: bytes) -> Callable[[bytes], bytes]:
    """These to who sends something, one after the other, and then success."""
    left = list(answers)
    return lambda request: left.pop(0) if left and request.startswith(b"POST ") else OK


@contextmanager
def receivers(**replies: Reply) -> Iterator[dict[str, FakeHttp]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(fake_http(reply)) for name, reply in replies.items()}


def heard(receiver: FakeHttp) -> list[dict[str, Any]]:
    """What it was sent; others may knock at every door of this machine, to see who is there."""
    return [json.loads(body) for method, _, body in map(asked, receiver.requests) if method == "POST"]


def test_nothing_is_lost_by_receivers_that_fail_and_none_delays_another(tmp_path: Path) -> None:
    over = threading.Event()

    def hanging(_: bytes) -> bytes:
        over.wait(60)
        return OK

    port = free_port()
    with receivers(
        well=OK,
        sick=at_first(says(500, {})),
        busy=at_first(says(429, {}, "Retry-After: 1")),
        gone=at_first(b""),
        wrong=at_first(says(404, {})),
        hanging=hanging,
    ) as all_of_them:
        urls = ", ".join(f"{name}: '{one.url}/hook'" for name, one in all_of_them.items())
        configuration = QUICK + (f"channels: {{{urls}}}\nservices: {{cache: 'redis://{LOOPBACK}:{port}'}}\n")
        with monitor(tmp_path, configuration) as ran:
            wait_until(lambda: heard(all_of_them["well"]), "the receiver that is well is told", timeout_s=30)
            wait_until(lambda: heard(all_of_them["hanging"]), "the one that hangs is too", timeout_s=30)
            with redis(port=port):
                wait_until(lambda: len(heard(all_of_them["well"])) == 2, "and of the end", timeout_s=30)
                still_told = {one["event"] for one in heard(all_of_them["hanging"])}
                over.set()
                assert still_told == {"opened"}
                ran.until(lambda: all(one["sent_at"] for one in ran.incidents()[0]["notifications"]))
            (incident,) = ran.incidents()
    assert len(incident["notifications"]) == 2 * len(all_of_them)
    assert {one["result"] for one in incident["notifications"]} == {"200 OK"}
    for name, receiver in all_of_them.items():
        events = heard(receiver)
        assert list(dict.fromkeys(one["event"] for one in events)) == ["opened", "closed"], name
        assert len({one["id"] for one in events}) == 2, name
        if name != "hanging":  # on a busy machine it may have been given up and tried again
            assert len(events) == (2 if name == "well" else 3), name
