"""A mail's round trip: handed in by SMTP, looked for by IMAP or POP3 until it's there, and deleted."""

import asyncio
from collections.abc import Generator
from dataclasses import replace
from typing import Any, Final

from trueup.checks.check import Check
from trueup.conversation import Answer, Conversation
from trueup.conversation import Step as Turn
from trueup.domain.address import Address
from trueup.domain.causes import Cause
from trueup.domain.journey import MailRoundTrip, Step
from trueup.domain.states import Outcome
from trueup.domain.target import Login, Target
from trueup.engine.transcript import Transcript
from trueup.journeys.looks import look_as_step
from trueup.journeys.walk import StepResult, Walk
from trueup.probes import imap, imap_letter, pop3, pop3_letter, smtp
from trueup.probes.credentials import login_of
from trueup.probes.letter import Letter
from trueup.probes.probe import Probe

FIRST_WAIT_S: Final = 0.1
WAIT_S_MAX: Final = 3.0
"""Between two looks into the mailbox; the first come quicker, since most mail does."""
LOOK_S_MIN: Final = 1.0
"""A look takes as long as it takes, also the last one, whose mail may have come at the last moment."""
TRANSCRIPTS_MAX: Final = 4
NOBODY: Final = "trueup"
GOOD: Final = (Outcome.PASS, Outcome.SLOW)


async def perform_mail(walk: Walk, step: Step, timeout_s: float) -> StepResult:
    """Send it, and find it ``within`` its time, which the step's own bounds."""
    trip = step.action
    assert isinstance(trip, MailRoundTrip)
    began_s = walk.clock.monotonic_s()
    ends_s = began_s + timeout_s
    letter = _letter(walk, trip)
    sent = await _send(walk, trip, letter, timeout_s)
    if sent.outcome not in GOOD:
        return replace(sent, about=trip.send.text, address=trip.send)
    sent_s = walk.clock.monotonic_s()
    found = await _find(walk, trip, letter, min(ends_s, sent_s + trip.within_s))
    took_s = walk.clock.monotonic_s() - began_s
    transcripts = (*sent.transcripts, *found.transcripts)
    took_ms = round(took_s * 1000, 3)
    if found.outcome not in GOOD:
        return replace(
            found, about=trip.receive.text, address=trip.receive, took_ms=took_ms, transcripts=transcripts
        )
    if not found.facts.get("found"):
        return _lost(trip, letter, walk.clock.monotonic_s() - sent_s, took_ms, transcripts)
    about = f"{trip.send.text} to {trip.receive.text}"
    detail = f"sent, found after {took_ms:.0f} ms, and deleted"
    return StepResult(
        found.outcome, detail, found.cause, about=about, took_ms=took_ms, transcripts=transcripts
    )


def _lost(
    trip: MailRoundTrip,
    letter: Letter,
    waited_s: float,
    took_ms: float,
    transcripts: tuple[Transcript, ...],
) -> StepResult:
    to = letter.recipient.decode()
    seen = f"it was taken, and isn't in {trip.mailbox} {waited_s:.1f} s later"
    return StepResult(
        Outcome.FAIL,
        f"the mail to {to} is lost or late: {seen}",
        Cause.SILENT,
        about=f"{trip.send.text} to {trip.receive.text}",
        expected=f"the mail to {to} in {trip.mailbox} within {trip.within_s:g} s",
        seen=seen,
        took_ms=took_ms,
        facts={"message_id": letter.message_id},
        transcripts=transcripts,
    )


def _letter(walk: Walk, trip: MailRoundTrip) -> Letter:
    word = walk.engine.nonce(12).hex()
    to = trip.to or _mailbox_of(trip.receive, trip.login)
    sender = trip.from_ or _mailbox_of(trip.send, trip.login)
    return Letter(_plain(sender), _plain(to), word, walk.clock.now())


def _mailbox_of(address: Address, login: Login | None) -> str:
    """The mailbox of the user of the login; at the host that is asked, where he names none."""
    found = login_of(address, None) or login
    user = (found.user if found is not None else None) or NOBODY
    return user if "@" in user else f"{user}@{_domain(address.host)}"


def _domain(host: str) -> str:
    """An address stands in brackets where a name is expected (RFC 5321, 4.1.3)."""
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


def _plain(mailbox: str) -> bytes:
    """Without what would end its command."""
    return "".join(char for char in mailbox if char > " " and char not in "<>\x7f").encode()


async def _send(walk: Walk, trip: MailRoundTrip, letter: Letter, timeout_s: float) -> StepResult:
    def conversation(options: smtp.Options) -> Conversation:
        return smtp.conversation(options, letter)

    check = _check(walk, smtp.PROBE, trip.send, trip.login, timeout_s)
    check = replace(check, probe=replace(smtp.PROBE, conversation=conversation))
    return await look_as_step(walk, check, f"a mail to {letter.recipient.decode()} is taken")


async def _find(walk: Walk, trip: MailRoundTrip, letter: Letter, ends_s: float) -> StepResult:
    """Look until it's there or the time is over. A mailbox in use is looked into again."""
    is_imap = trip.receive.scheme in imap.SCHEMES
    probe = imap.PROBE if is_imap else pop3.PROBE

    def inside() -> Generator[Turn, bytes, Answer]:
        if is_imap:
            return imap_letter.find(letter, trip.mailbox, walk.clock.now())
        return pop3_letter.find(letter)

    def conversation(options: Any) -> Conversation:
        return imap.conversation(options, inside) if is_imap else pop3.conversation(options, inside)

    wait_s, transcripts = FIRST_WAIT_S, list[Transcript]()
    while True:
        left_s = ends_s - walk.clock.monotonic_s()
        check = _check(walk, probe, trip.receive, trip.login, max(LOOK_S_MIN, left_s))
        check = replace(check, probe=replace(probe, conversation=conversation))
        result = await look_as_step(walk, check, f"the mail is looked for in {trip.mailbox}")
        transcripts = [*transcripts, *result.transcripts][-TRANSCRIPTS_MAX:]
        left_s = ends_s - walk.clock.monotonic_s()
        again = result.facts.get("found") is False or result.cause is Cause.OVERLOADED
        if left_s <= 0 or not again:
            return replace(result, transcripts=tuple(transcripts))
        await asyncio.sleep(min(wait_s, left_s))
        wait_s = min(WAIT_S_MAX, wait_s * 1.5)


def _check(walk: Walk, probe: Probe, address: Address, login: Login | None, timeout_s: float) -> Check:
    """The journey's ``tls`` holds where TLS is verified anyhow; TLS offered in passing stays so."""
    verified = probe.schemes[address.scheme].tls or address.scheme == "submission"
    tls = walk.tls if verified else None
    options = probe.options(address, login=login_of(address, None) or login, tls=tls)
    return Check(Target(address.text, at=(address,)), address, probe, options, tls, timeout_s)
