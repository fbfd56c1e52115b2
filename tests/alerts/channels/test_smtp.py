"""Mail: what a real server takes, what a fake one's answers mean, and what's in it."""

import asyncio
import base64
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email import message_from_string
from email.policy import default
from email.utils import parsedate_to_datetime

import pytest

from tests.alerts.channels.fake_mail import FakeMail, fake_mail
from tests.alerts.made import NOW, FakeClock, channel, parcel, row
from tests.beds.certificates import Authority
from tests.beds.deadline import wait_until
from tests.beds.postfix import postfix
from tests.beds.server import LOOPBACK, Server, free_port
from trueup.alerts.channels import smtp as module
from trueup.alerts.channels.registry import sender_for
from trueup.alerts.channels.smtp import SmtpSender, mail_of
from trueup.alerts.mailbox import Mailbox
from trueup.alerts.sender import Outcome, Parcel, Taken

OPS = Mailbox("mail.example", 25, "insecure", ("trueup", "trueup@shop.example"), (("", "ops@example.org"),))
SINCE = NOW - timedelta(minutes=3)


@pytest.fixture(scope="module")
def bed(authority: Authority) -> Iterator[Server]:
    with postfix("submission", tls=authority.valid()) as server:
        yield server


def sent_to(url: str, *parcels: Parcel) -> list[Outcome]:
    async def send() -> list[Outcome]:
        sender = SmtpSender(channel(url), FakeClock())
        return [await sender.send(one) for one in parcels or (parcel(row()),)]

    return asyncio.run(send())


def faked(
    replies: Mapping[str, str], query: str = "to=ops@example.org", *parcels: Parcel, user: str = ""
) -> tuple[list[Outcome], FakeMail]:
    async def send() -> tuple[list[Outcome], FakeMail]:
        async with fake_mail(replies) as server:
            to = f"mailto://{user}{LOOPBACK}:{server.port}?{query}"
            sender = SmtpSender(channel(to), FakeClock())
            return [await sender.send(one) for one in parcels or (parcel(row()),)], server

    return asyncio.run(send())


def test_a_real_server_takes_it_by_starttls(
    bed: Server, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    (outcome,) = sent_to(f"mailtos://localhost:{bed.port}?to=ops@localhost&from=trueup@shop.example")
    assert outcome.taken is Taken.SENT, outcome
    assert outcome.said.startswith("250 2.0.0 Ok: queued as ")
    number = outcome.said.rpartition(" ")[2]
    wait_until(lambda: f"{number}: removed" in bed.log(), "the mail is delivered")
    log = bed.log()
    assert f"{number}: message-id=<trueup.incident.17@shop.example>" in log
    assert f"{number}: from=<trueup@shop.example>" in log


def test_a_certificate_that_isnt_trusted_is_refused_unless_one_says_so(bed: Server) -> None:
    to = f"mailtos://localhost:{bed.port}?to=ops@localhost&from=trueup@shop.example"
    (outcome,) = sent_to(to)
    assert outcome.taken is Taken.LATER
    assert outcome.said.startswith("its certificate isn't accepted: ")
    assert sent_to(f"{to}&verify=no")[0].taken is Taken.SENT


def test_mailto_uses_tls_where_its_offered_without_trusting_it(bed: Server) -> None:
    (outcome,) = sent_to(f"mailto://localhost:{bed.port}?to=ops@localhost&from=trueup@shop.example")
    assert outcome.taken is Taken.SENT  # this server takes nothing without TLS


def test_tls_from_the_beginning(authority: Authority) -> None:
    with postfix("smtps", tls=authority.valid()) as server:
        to = f"mailtos://localhost:{server.port}?to=ops@localhost&mode=ssl&verify=no&from=t@shop.example"
        assert sent_to(to)[0].taken is Taken.SENT


def test_what_a_real_server_wont_relay_is_refused(bed: Server) -> None:
    (outcome,) = sent_to(f"mailto://localhost:{bed.port}?to=a@elsewhere.example&from=t@shop.example")
    assert outcome.taken is Taken.REFUSED
    assert outcome.said.startswith("554 5.7.1 <a@elsewhere.example>: Relay access denied")


def test_without_the_starttls_that_was_asked_for_nothing_is_said() -> None:
    async def send() -> tuple[Outcome, FakeMail]:
        async with fake_mail() as server:
            sender = SmtpSender(channel(f"mailtos://ops:s3cret@{LOOPBACK}:{server.port}"), FakeClock())
            return await sender.send(parcel(row())), server

    outcome, server = asyncio.run(send())
    assert outcome == Outcome(Taken.LATER, "the server offers no STARTTLS, or no login that we know")
    assert not server.said("AUTH")
    assert not server.said("MAIL")


def test_a_login_is_given() -> None:
    (outcome,), server = faked({}, user="ops:s3cret@")
    assert outcome == Outcome(Taken.SENT, "250 2.0.0 Ok: queued as FAKE")
    assert base64.b64decode(server.said("AUTH")[0].split(" ")[2]) == b"\0ops\0s3cret"


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ({"MAIL": "451 4.3.0 later"}, Outcome(Taken.LATER, "451 4.3.0 later")),
        ({"MAIL": "550 5.7.1 no"}, Outcome(Taken.REFUSED, "550 5.7.1 no")),
        ({"MAIL": "530 5.7.0 login first"}, Outcome(Taken.LATER, "530 5.7.0 login first")),
        ({"RCPT": "450 4.2.0 greylisted"}, Outcome(Taken.LATER, "450 4.2.0 greylisted")),
        ({"RCPT": "550 5.1.1 nobody here"}, Outcome(Taken.REFUSED, "550 5.1.1 nobody here")),
        ({"DATA": "452 4.3.1 full"}, Outcome(Taken.LATER, "452 4.3.1 full")),
        ({".": "554 5.6.0 spam"}, Outcome(Taken.REFUSED, "554 5.6.0 spam")),
        ({".": "451 4.3.0 queue"}, Outcome(Taken.LATER, "451 4.3.0 queue")),
        ({".": ""}, Outcome(Taken.LATER, "the server hung up", is_uncertain=True)),
        ({"MAIL": ""}, Outcome(Taken.LATER, "the server hung up")),
        ({"EHLO": "", "HELO": ""}, Outcome(Taken.LATER, "the server hung up")),
        ({"RCPT": "550 \x1b[2Jno"}, Outcome(Taken.REFUSED, "550 \\x1b[2Jno")),
    ],
)
def test_what_a_server_says_is_what_it_means(replies: Mapping[str, str], outcome: Outcome) -> None:
    assert faked(replies)[0] == [outcome]


def test_a_login_that_isnt_accepted() -> None:
    (outcome,), server = faked({"AUTH": "535 5.7.8 no"}, user="ops:s3cret@")
    assert outcome == Outcome(Taken.LATER, "535 5.7.8 no")
    assert not server.said("MAIL")


@pytest.mark.parametrize("silent", ["EHLO", "."])
def test_a_server_that_hangs_is_hung_up(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.5)
    ((outcome,), _) = faked({silent: "…"})
    assert outcome == Outcome(Taken.LATER, "not done within 0.5 s", is_uncertain=silent == ".")


def test_a_step_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP_S", 0.2)
    assert faked({"MAIL": "…"})[0] == [Outcome(Taken.LATER, "no answer within 0.2 s")]


def test_nobody_there() -> None:
    (outcome,) = sent_to(f"mailto://{LOOPBACK}:{free_port()}?to=ops@example.org")
    assert outcome == Outcome(Taken.LATER, "Connection refused")


def test_who_has_it_doesnt_get_it_again() -> None:
    one = parcel(row())
    replies = {"RCPT TO:<b@example.org>": "450 4.2.0 greylisted"}
    query = "to=a@example.org,b@example.org&cc=c@example.org"
    outcomes, server = faked(replies, query, one, one)
    assert [outcome.said for outcome in outcomes] == ["450 4.2.0 greylisted"] * 2
    assert server.said("RCPT") == [
        *(f"RCPT TO:<{name}@example.org>" for name in "abc"),
        "RCPT TO:<b@example.org>",
    ]


def test_the_mail_has_what_one_needs_at_night() -> None:
    one = row(
        next=("Look for idle sessions",),
        impact=("checkout", "shop-web"),
        blame="storage",
        url="https://t.example/i/17",
        since=SINCE,
        tier=1,
    )
    mail = mail_of(parcel(one), OPS, NOW)
    assert mail["Subject"] == "DOWN: shop-17: overloaded"
    assert mail["From"] == "trueup <trueup@shop.example>"
    assert mail["To"] == "ops@example.org"
    assert parsedate_to_datetime(mail["Date"]) == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == [
        "PostgreSQL answers but takes no more clients",
        "Because of: storage",
        "Next: Look for idle sessions",
        "Impact: checkout, shop-web",
        "incident 17, tier 1, service layer, since 2026-11-24 09:57:00 UTC",
        "https://t.example/i/17",
    ]


def test_an_incidents_mails_are_one_thread() -> None:
    opened, changed, closed = (
        mail_of(parcel(row(event, since=SINCE)), OPS, NOW) for event in ("opened", "changed", "closed")
    )
    thread = "<trueup.incident.17.2026-11-24T09-57-00-000Z@shop.example>"
    assert (opened["Message-ID"], opened["In-Reply-To"]) == (thread, None)
    assert changed["In-Reply-To"] == closed["In-Reply-To"] == closed["References"] == thread
    assert closed["Message-ID"] == "<trueup.17-closed@shop.example>"
    merged = mail_of(parcel(row("opened", since=SINCE), row("closed", since=SINCE)), OPS, NOW)
    assert merged["Message-ID"] == thread


def test_a_mail_of_many_and_a_test_have_ids_of_their_own() -> None:
    many = mail_of(parcel(row(incident=1), row(incident=2)), OPS, NOW)
    again = mail_of(parcel(row(incident=1), row(incident=2)), OPS, NOW + timedelta(hours=1))
    assert many["Message-ID"] == again["Message-ID"]
    test = mail_of(parcel(row("test", 0)), OPS, NOW)
    assert (test["Message-ID"], test["In-Reply-To"]) == ("<trueup.0-test@shop.example>", None)


def test_no_target_can_write_a_header_or_a_line_of_smtp() -> None:
    one = row(
        target="x\r\nBcc: a@b.example", summary="y\r\n.\r\nMAIL FROM:<evil@x.example>\u202e", id="1\r\nX: y"
    )
    (outcome,), server = faked({}, "to=ops@example.org", parcel(one))
    assert outcome.taken is Taken.SENT
    assert len(server.said("MAIL")) == len(server.said("RCPT")) == 1
    mail = message_from_string(server.mails[0], policy=default)
    assert mail["Bcc"] is None
    assert mail["X"] is None
    assert mail["Subject"] == "DOWN: x\\r\\nBcc: a@b.example: overloaded"
    assert "y\\r\\n.\\r\\nMAIL FROM:<evil@x.example>\\u202e" in mail.get_content()


def test_blind_copies_stay_blind_and_headers_of_ones_own_go_with_it() -> None:
    query = "to=ops@example.org&bcc=boss@example.org&reply=r@example.org&%2BX-Team=ops&%2BSubject=mine"
    _, server = faked({}, query)
    assert server.said("RCPT")[1] == "RCPT TO:<boss@example.org>"
    mail = message_from_string(server.mails[0], policy=default)
    assert "boss" not in server.mails[0]
    assert (mail["Reply-To"], mail["X-Team"]) == ("r@example.org", "ops")
    assert mail["Subject"] == "DOWN: shop-17: overloaded"


def test_letters_of_all_languages_arrive() -> None:
    _, server = faked(
        {}, "to=ops@example.org&name=M%C3%BCller", parcel(row(target="kasse-köln", summary="größer 🔥"))
    )
    mail = message_from_string(server.mails[0], policy=default)
    assert "kasse-köln" in mail["Subject"]
    assert "größer 🔥" in mail.get_content()
    assert mail["From"].startswith("Müller <")


def test_what_it_cant_read_goes_to_apprise() -> None:
    assert sender_for(channel("mailtos://u:p@smtp.example?pgp=encrypt"), FakeClock())[0].name == "apprise"
    assert sender_for(channel("mailtos://u:p@smtp.example"), FakeClock())[0].name == "smtp"
