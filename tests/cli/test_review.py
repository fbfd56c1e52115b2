import asyncio
import json
from email import message_from_string
from email.policy import default
from pathlib import Path

import pytest

from tests.alerts.channels.fake_mail import FakeMail, fake_mail
from tests.beds.redis import redis
from tests.beds.server import LOOPBACK, free_port
from tests.cli.monitor import Monitor, monitor
from tests.cli.trueup import trueup


def test_the_review_of_a_running_monitor(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fake_mail() as mail:
            await asyncio.to_thread(reviewed, tmp_path, mail)

    asyncio.run(scenario())


def reviewed(folder: Path, mail: FakeMail) -> None:
    quick = "every: 1s, confirm: {failures: 2, apart: 200ms}"
    with redis() as server:
        configuration = f"""
services:
  cache: {{at: 'tcp://{LOOPBACK}:{server.port}', {quick}}}
  gone: {{at: 'redis://{LOOPBACK}:{free_port()}', alert: [], {quick}}}
channels:
  ops: mailto://{LOOPBACK}:{mail.port}?to=ops@example.org&from=trueup@shop.example
  hook: http://{LOOPBACK}:{free_port()}/
"""
        with monitor(folder, configuration) as running:
            running.until(lambda: bool(running.incidents()))
            as_json_and_page(running, folder / "review.html")
            as_text_and_mail(running, str(folder / "trueup.yaml"), mail)


def as_json_and_page(running: Monitor, page: Path) -> None:
    done = trueup("review", "--since", "1h", "--json", "--html", str(page), "--url", running.url)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(one["target"], one["cause"]) for one in found["roots"]] == [("gone", "refused")]
    assert found["roots"][0]["open"]
    assert [one["target"] for one in found["coverage"]["port_alone"]] == ["cache"]
    assert found["coverage"]["channels"]
    assert found["coverage"]["silent"] is None
    assert page.read_text().startswith("<!doctype html>")


def as_text_and_mail(running: Monitor, config: str, mail: FakeMail) -> None:
    words = ("review", "--since", "1h", "--url", running.url, "-c", config)
    done = trueup(*words, "--mail", "ops")
    assert done.returncode == 0, done.stderr
    assert "gone: refused" in done.stdout
    assert "gone alerts nobody" in done.stdout
    assert "\x1b" not in done.stdout
    letter = message_from_string(mail.mails[0], policy=default)
    assert letter["To"] == "ops@example.org"
    assert letter["Subject"].strip().startswith("trueup review: 1 h: 1 incident from 1 root")
    body = letter.get_body()
    assert body is not None
    assert "gone: refused" in body.get_content()
    (page,) = letter.iter_attachments()
    assert page.get_filename() == "review.html"
    other = trueup(*words, "--mail", "hook")
    assert other.returncode == 64
    assert "those are: ops" in other.stderr


def test_without_a_monitor() -> None:
    done = trueup("review", "--url", f"http://{LOOPBACK}:{free_port()}")
    assert done.returncode == 70
    assert "no monitor answers" in done.stderr


@pytest.mark.parametrize(
    "words", [["--since", "7"], ["--since", "5s"], ["--since", "never"], ["--mail", "ops"]]
)
def test_wrong_usage(words: list[str]) -> None:
    done = trueup("review", *words)
    assert done.returncode == 64
    assert words[0] in done.stderr
