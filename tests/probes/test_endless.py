"""The right service, whose answer never ends: it's that service's trouble, and no stranger's."""

import pytest

from tests.playbook import address, play
from trueup.domain.causes import Cause
from trueup.probes.registry import probe_for


@pytest.mark.parametrize(
    ("scheme", "greeting", "endless"),
    [
        ("ftp", b"220 (vsFTPd 3.0.3)\r\n", b"211-Features"),
        ("imap", b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1"),
        ("pop3", b"+OK ready\r\n", b"+OK more"),
        ("smtp", b"220 mail.example ESMTP\r\n", b"250-mail.example"),
    ],
)
def test_it_is_told_with_how_the_answer_begins(scheme: str, greeting: bytes, endless: bytes) -> None:
    probe = probe_for(scheme)
    conversation = probe.conversation(probe.options(address(f"{scheme}://127.0.0.1")))
    answer = play(conversation, [greeting, endless + b"x" * 100_000]).settled
    assert answer.cause is Cause.ERROR_ANSWER
    assert f"doesn't end; it begins '{endless.decode()}x" in answer.detail
    assert len(answer.detail) < 200
