"""Apprise's mail URLs, as we read them and as Apprise itself does."""

from typing import Any

import pytest

from tests.alerts.made import channel
from trueup.alerts.mailbox import Mailbox, mailbox_by_apprise, needs_apprise, read_mailbox, this_host
from trueup.domain.secret import Secret
from trueup.domain.understood import NotUnderstood

AS_APPRISE_READS_THEM = [
    "mailtos://user:secret@smtp.example?to=ops@example.org",
    "mailtos://user:secret@smtp.example",
    "mailtos://user:p%40ss@smtp.example:2587/a@example.org/b@example.org",
    "mailto://localhost:25/a@example.org/c@example.org?from=Shop<t@shop.example>",
    "mailtos://user:secret@smtp.example?mode=ssl&to=ops@example.org",
    "mailto://127.0.0.1:2525?to=ops@example.org&from=t@shop.example",
    "mailtos://ops:x@shop.example?smtp=relay.example&cc=a@example.org,b@example.org&bcc=d@example.org",
    "mailtos://ops:x@shop.example?from=alerts@shop.example&name=Shop&reply=help@shop.example",
    "mailto://ops@shop.example?mode=starttls&verify=no",
    "mailtos://ops:x@shop.example?format=text&tz=UTC&retry=3",
]


@pytest.mark.parametrize("url", AS_APPRISE_READS_THEM)
def test_it_is_read_as_apprise_reads_it(url: str) -> None:
    ours, theirs = read_mailbox(channel(url)), mailbox_by_apprise(channel(url))
    for name in ("host", "port", "mode", "user", "password", "to", "cc", "bcc", "reply_to", "verify"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.sender[1] == theirs.sender[1]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "mailto://127.0.0.1:2525?to=ops@example.org",
            {"sender": ("trueup", f"trueup@{this_host()}"), "to": (("", "ops@example.org"),), "port": 2525},
        ),
        ("mailtos://smtp.example?user=a@shop.example&pass=x", {"sender": ("trueup", "a@shop.example")}),
        ("mailto://ops@127.0.0.1:2525", {"sender": ("trueup", f"ops@{this_host()}"), "user": "ops"}),
        ("mailto://[::1]:25?to=a@example.org", {"host": "::1", "port": 25}),
        (
            "mailtos://u:s3cret@mail?to=a@example.org",
            {"sender": ("trueup", "u@mail"), "password": Secret("s3cret")},
        ),
        ("mailto://mail?to=Anna%20<a@example.org>", {"to": (("Anna", "a@example.org"),)}),
        (
            "mailto://mail?to=a@example.org%20b@example.org",
            {"to": (("", "a@example.org"), ("", "b@example.org"))},
        ),
        ("mailto://mail?to=a@example.org&%2BX-Team=ops", {"headers": {"X-Team": "ops"}}),
    ],
)
def test_what_apprise_doesnt_read_works_too(url: str, said: dict[str, Any]) -> None:
    read = read_mailbox(channel(url))
    assert {name: getattr(read, name) for name in said} == said


@pytest.mark.parametrize(
    "url",
    [
        "mailto://",
        "mailto://mail?to=nobody",
        "mailto://mail?to=a@b@c",
        "mailto://mail?mode=magic",
        "mailto://mail?port=0",
        "mailto://mail?from=a%20b@example.org",
        "mailto://mail?to=a@example.org&%2BX-A=b%0aBcc:c",
        "mailto://mail?to=a@example.org&%2BX:A=b",
        "mailto://mail?to=a@example.org&wkd=yes",
    ],
)
def test_what_is_no_mailbox(url: str) -> None:
    with pytest.raises(NotUnderstood):
        read_mailbox(channel(url))


def test_a_providers_server_is_called_as_apprise_knows() -> None:
    one = channel("mailtos://ops:secret@gmail.com")
    assert needs_apprise(one)
    assert not needs_apprise(channel("mailtos://ops:secret@gmail.com?smtp=smtp.gmail.com"))
    assert not needs_apprise(channel("mailtos://ops:secret@mail.example"))
    assert mailbox_by_apprise(one) == Mailbox(
        "smtp.gmail.com",
        587,
        "starttls",
        ("trueup", "ops@gmail.com"),
        (("", "ops@gmail.com"),),
        user="ops@gmail.com",
        password=Secret("secret"),
    )


def test_everybody_gets_it_once() -> None:
    read = read_mailbox(
        channel("mailto://mail?to=a@example.org&cc=a@example.org,b@example.org&bcc=c@example.org")
    )
    assert read.addresses == ("a@example.org", "b@example.org", "c@example.org")
