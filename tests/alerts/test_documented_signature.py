"""What the how-to page shows works on what trueup really sends."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.channels.sending import sent
from tests.alerts.made import NOW, FakeClock, channel, row
from tests.alerts.receiver import Request, answers
from trueup.alerts.channels.webhook import WebhookSender
from trueup.domain.secret import Secret

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "verify-a-signature.md"
SENT_S = NOW.timestamp()


@pytest.fixture(scope="module")
def request_() -> Request:
    def make(url: str) -> WebhookSender:
        return WebhookSender(channel(url, secret=Secret("s3cret")), FakeClock())

    return sent(make, row(summary="größer 🔥"), how=answers(200))


def snippet(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("body", "secret", "later_s", "is_ours"),
    [
        (b"", "s3cret", 1, True),
        (b" ", "s3cret", 1, False),
        (b"", "other", 1, False),
        (b"", "s3cret", 999, False),
    ],
)
def test_in_python(request_: Request, body: bytes, secret: str, later_s: float, is_ours: bool) -> None:
    names: dict[str, Any] = {}
    exec(snippet("python"), names)
    header = request_.headers["x-trueup-signature"]
    assert names["is_from_trueup"](header, request_.body + body, secret, SENT_S + later_s) is is_ours
    assert names["is_from_trueup"]("nonsense", request_.body, secret, SENT_S) is False


@pytest.mark.parametrize(("more", "status"), [(b"", 0), (b" ", 1)])
def test_in_a_shell(request_: Request, more: bytes, status: int, tmp_path: Path) -> None:
    assert shutil.which("openssl")
    (tmp_path / "body").write_bytes(request_.body + more)
    header = request_.headers["x-trueup-signature"]
    env = {"header": header, "secret": "s3cret", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", snippet("sh")], cwd=tmp_path, env=env, check=False)
    assert done.returncode == status
