"""Mail, over a server that takes it.

`mailtos://USER:PASSWORD@HOST?to=ADDRESS` hands it in by STARTTLS on port 587, which the server must offer,
with a certificate that's verified; `&mode=ssl` speaks TLS from the beginning, on port 465. `mailto://` uses
port 25, and TLS only where it's offered, without verifying it. `&smtp=` names the server where the sender's
address is of another host; `&from=`, `&name=`, `&cc=`, `&bcc=` and `&reply=` are what they say. All mails
of an incident are one thread, and a mail that's sent again has the same Message-ID. What a server refuses
for now (4xx) or for good (5xx) is tried again, for a day; those of several addressees who have it don't get
it twice.
"""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from hashlib import sha256
from typing import Any, Final

from trueup.alerts.mailbox import (
    Mailbox,
    Named,
    mailbox_by_apprise,
    needs_apprise,
    read_mailbox,
    this_host,
)
from trueup.alerts.sender import ChannelKind, Outcome, Parcel, Taken
from trueup.alerts.threads import on_a_thread
from trueup.alerts.wording import lines, title
from trueup.domain.alert import Alert, EventKind
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock, timestamp
from trueup.domain.printable import printable
from trueup.domain.target import TlsSettings
from trueup.domain.understood import NotUnderstood
from trueup.engine.tls import context_for

DEADLINE_S: Final = 25.0
STEP_S: Final = 10.0
_OF_THE_SERVER: Final = frozenset({530, 534, 535, 538, 454})
"""It wants a login, or doesn't take ours: whatever else waits would be refused too."""


class SmtpSender:
    """One mailbox. A connection is made for each mail."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        """Raises:
        NotUnderstood: only Apprise can send to this URL.
        """
        self._channel = channel
        self._clock = clock
        self._mailbox = None if needs_apprise(channel) else read_mailbox(channel)
        self._parcel: tuple[str, ...] = ()
        self._have: set[str] = set()

    async def send(self, parcel: Parcel) -> Outcome:
        ids = tuple(alert.id for alert in parcel.alerts)
        if ids != self._parcel:
            self._parcel, self._have = ids, set()
        talk = _Talk()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await on_a_thread(lambda: self._send(talk, parcel))
        except TimeoutError:
            talk.hang_up()
            words = f"not done within {DEADLINE_S:g} s"
            return Outcome(Taken.LATER, words, is_uncertain=talk.is_handing_over)

    async def close(self) -> None:
        """It holds nothing."""

    def _send(self, talk: "_Talk", parcel: Parcel) -> Outcome:
        try:
            self._mailbox = self._mailbox or mailbox_by_apprise(self._channel)
        except NotUnderstood as error:
            return Outcome(Taken.REFUSED, str(error))
        mail = mail_of(parcel, self._mailbox, self._clock.now())
        outcome, have = talk.hand_in(
            self._mailbox, mail, [one for one in self._mailbox.addresses if one not in self._have]
        )
        self._have |= set(have)
        if outcome.taken is Taken.SENT:
            self._parcel = ()
        return outcome


class _Talk:
    """One conversation with a server, on a thread; ``hang_up`` may be called from another."""

    def __init__(self) -> None:
        self.smtp: smtplib.SMTP | None = None
        self.is_handing_over = False

    def hang_up(self) -> None:
        connection = getattr(self.smtp, "sock", None)
        with suppress(OSError):
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)

    def hand_in(
        self, mailbox: Mailbox, mail: EmailMessage, addresses: Sequence[str]
    ) -> tuple[Outcome, Sequence[str]]:
        """What came of it, and who has the mail now."""
        try:
            return self._mail(self._connect(mailbox), mailbox, mail, addresses)
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error), ()
        except smtplib.SMTPNotSupportedError:
            return Outcome(Taken.LATER, "the server offers no STARTTLS, or no login that we know"), ()
        except (smtplib.SMTPException, OSError, ValueError) as error:
            words = _why(error)
        finally:
            self._leave()
        return Outcome(Taken.LATER, words, is_uncertain=self.is_handing_over), ()

    def _connect(self, mailbox: Mailbox) -> smtplib.SMTP:
        name = this_host()
        verified = context_for(TlsSettings(verify=mailbox.verify), ())
        smtp: smtplib.SMTP
        if mailbox.mode == "ssl":
            smtp = _WithTls(self, mailbox, local_hostname=name, timeout=STEP_S, context=verified)
        else:
            smtp = _Plain(self, mailbox, local_hostname=name, timeout=STEP_S)
        smtp.ehlo_or_helo_if_needed()
        if mailbox.mode == "starttls":
            smtp.starttls(context=verified)
        elif mailbox.mode == "insecure" and smtp.has_extn("starttls"):
            smtp.starttls(context=context_for(None, ()))
        smtp.ehlo_or_helo_if_needed()
        if mailbox.user is not None and mailbox.password is not None:
            smtp.login(mailbox.user, mailbox.password.reveal())
        return smtp

    def _mail(
        self, smtp: smtplib.SMTP, mailbox: Mailbox, mail: EmailMessage, addresses: Sequence[str]
    ) -> tuple[Outcome, Sequence[str]]:
        code, said = smtp.mail(mailbox.sender[1])
        if code != 250:
            return _refused(code, said), ()
        answers = {address: smtp.rcpt(address) for address in addresses}
        taken = [address for address, (code, _) in answers.items() if code in (250, 251)]
        refused = [_refused(*answer) for address, answer in answers.items() if address not in taken]
        if not taken:
            return _worst(refused), ()
        self.is_handing_over = True
        code, said = smtp.data(mail.as_bytes())
        self.is_handing_over = False
        if code != 250:
            return _refused(code, said), ()
        return (_worst(refused) if refused else Outcome(Taken.SENT, _line(code, said))), taken

    def _leave(self) -> None:
        """Without waiting for an answer to the farewell."""
        if self.smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self.smtp.putcmd("quit")
            self.smtp.close()


class _Plain(smtplib.SMTP):
    """Known to its talk before it connects, so that it can be hung up at any time."""

    def __init__(self, talk: _Talk, mailbox: Mailbox, **settings: Any) -> None:
        talk.smtp = self
        super().__init__(mailbox.host, mailbox.port, **settings)


class _WithTls(smtplib.SMTP_SSL):
    """The same, with TLS from the beginning."""

    def __init__(self, talk: _Talk, mailbox: Mailbox, **settings: Any) -> None:
        talk.smtp = self
        super().__init__(mailbox.host, mailbox.port, **settings)


def hand_in(channel: Channel, compose: Callable[[Mailbox], EmailMessage]) -> Outcome:
    """Hand in one mail that is no alert, to all addressees. It waits for the server: not on the loop.

    Raises:
        NotUnderstood: the channel's URL names no mailbox.
    """
    mailbox = mailbox_by_apprise(channel) if needs_apprise(channel) else read_mailbox(channel)
    outcome, _ = _Talk().hand_in(mailbox, compose(mailbox), mailbox.addresses)
    return outcome


def headed(mailbox: Mailbox, subject: str, now: datetime) -> EmailMessage:
    """A mail without a body: from whom, to whom, what about, when."""
    mail = EmailMessage()
    mail["From"] = formataddr(mailbox.sender)
    mail["To"] = _list_of(mailbox.to)
    for name, people in (("Cc", mailbox.cc), ("Reply-To", mailbox.reply_to)):
        if people:
            mail[name] = _list_of(people)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(now)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's away message comes back
    return mail


def mail_of(parcel: Parcel, mailbox: Mailbox, now: datetime) -> EmailMessage:
    """The mail, but for its addressees' envelopes: the same parcel gives the same Message-ID."""
    mail = headed(mailbox, title(parcel), now)
    host = mailbox.sender[1].rpartition("@")[2]
    own, thread = _message_ids(parcel, host)
    mail["Message-ID"] = own
    if thread != own:
        mail["In-Reply-To"] = mail["References"] = thread
    for name, value in mailbox.headers.items():
        if name not in mail:
            mail[name] = value
    mail.set_content("\n".join(lines(parcel)) + "\n", charset="utf-8", cte="quoted-printable")
    return mail


def _message_ids(parcel: Parcel, host: str) -> tuple[str, str]:
    """The mail's own, and its thread's: that of the mail which said that the incident opened."""
    alerts = parcel.alerts
    if len(alerts) > 1:
        mark = sha256("\n".join(alert.id for alert in alerts).encode()).hexdigest()[:24]
        return f"<trueup.{mark}@{host}>", f"<trueup.{mark}@{host}>"
    alert = alerts[0]
    own = f"<trueup.{_word(alert.id)}@{host}>"
    if alert.event in (EventKind.TEST, EventKind.UNDELIVERED):
        return own, own
    thread = f"<trueup.incident.{_thread(alert)}@{host}>"
    return (thread if parcel.begins(alert) else own), thread


def _thread(alert: Alert) -> str:
    since = f".{_word(timestamp(alert.since))}" if alert.since else ""
    return f"{alert.incident}{since}"


def _word(text: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in text)


def _list_of(people: Sequence[Named]) -> str:
    return ", ".join(formataddr(one) for one in people)


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPServerDisconnected):  # smtplib's word for a time-out too
        return _why(error.__context__) if isinstance(error.__context__, OSError) else "the server hung up"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate isn't accepted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"no answer within {STEP_S:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _refused(code: int, said: bytes | str) -> Outcome:
    """4xx is for now; 5xx is about this mail, unless it's about who we are."""
    is_ours = 500 <= code < 600 and code not in _OF_THE_SERVER
    return Outcome(Taken.REFUSED if is_ours else Taken.LATER, _line(code, said))


def _line(code: int, said: bytes | str) -> str:
    return f"{code} {printable(said)}" if code > 0 else printable(said)


def _worst(refused: Sequence[Outcome]) -> Outcome:
    return min(refused, key=lambda outcome: outcome.taken is not Taken.LATER)


KIND: Final = ChannelKind("smtp", "Mail", ("mailto", "mailtos"), SmtpSender)
