"""``trueup review``: the week, by a running monitor."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from trueup.cli.commands import FAILED
from trueup.cli.configured import load_or_say
from trueup.cli.monitor_api import MonitorApi, in_url, monitor_at, with_monitor
from trueup.cli.report import is_coloured
from trueup.domain.printable import printable

if TYPE_CHECKING:
    from email.message import EmailMessage

    from trueup.alerts.mailbox import Mailbox
    from trueup.config import Configuration
    from trueup.domain.channel import Channel
    from trueup.reports.material import Material
    from trueup.reports.review import Review

_POINTS: Final = 168
"""A history is cut into so many: for a week, hours."""


@click.command(epilog="Example: trueup review --since 7d --html review.html")
@click.option("--since", default="7d", show_default=True, metavar="7d", help="How much of the past.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with plots too.")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The monitor's configuration: its business hours, and who alerts nobody.",
)
@click.option("--mail", metavar="CHANNEL", help="Send it too, to this mail channel of the configuration.")
@with_monitor
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def COMMAND(  # noqa: N802 - what a command's file exports
    since: str, html: Path | None, config: Path | None, mail: str | None, url: str, *, as_json: bool
) -> int:
    """Say what the past days taught: what was really broken, what was noise, what only a deeper look saw,
    what gets slower, which certificates run out, what nobody covers, and which lines would help.

    Exit status: 0, 64 for wrong usage, 70 where no monitor is reached or the mail isn't taken.
    """
    from trueup.reports.review import document, review

    configuration = load_or_say(config) if config is not None else None
    channel = _mail_channel(configuration, mail) if mail is not None else None
    until_at = datetime.now(UTC)
    since_at = until_at - timedelta(seconds=_seconds(since))
    found = review(_material(monitor_at(url), since_at, until_at, configuration))
    if html is not None:
        from trueup.reports.review_page import page

        html.write_text(page(found), encoding="utf-8")
        click.echo(f"wrote {html}", err=True)
    if as_json:
        click.echo(json.dumps(document(found), indent=2))
    else:
        _print(found)
    return 0 if channel is None else _send(channel, found)


def _print(found: "Review") -> None:
    from trueup.reports.review_text import text_lines

    for line in text_lines(found):
        is_title = line and not line.startswith(" ")
        click.echo(click.style(line, bold=True) if is_title else line, color=is_coloured())


def _mail_channel(configuration: "Configuration | None", name: str) -> "Channel":
    if configuration is None:
        raise click.UsageError("--mail wants the configuration that has the channel; add -c FILE")
    channel = configuration.channels.get(name)
    if channel is None or channel.scheme not in {"mailto", "mailtos"}:
        mails = [known for known, one in configuration.channels.items() if one.scheme.startswith("mailto")]
        hint = (
            f"those are: {', '.join(mails)}" if mails else "it has none; write mailtos://USER:PASSWORD@HOST"
        )
        raise click.UsageError(f"{name!r} is no mail channel of the configuration; {printable(hint)}")
    return channel


def _send(channel: "Channel", found: "Review") -> int:
    """As text, with the page beside it."""
    from trueup.alerts.channels.smtp import hand_in, headed
    from trueup.alerts.sender import Taken
    from trueup.reports.reading import headline
    from trueup.reports.review_page import page
    from trueup.reports.review_text import text_lines

    def composed(mailbox: "Mailbox") -> "EmailMessage":
        letter = headed(mailbox, printable(f"trueup review: {headline(found)}", 200), found.until_at)
        letter.set_content("\n".join(text_lines(found)) + "\n", charset="utf-8", cte="quoted-printable")
        letter.add_attachment(page(found), subtype="html", filename="review.html", cte="base64")
        return letter

    outcome = hand_in(channel, composed)
    taken = outcome.taken is Taken.SENT
    click.echo(f"mail: {printable(outcome.said)}", err=True)
    return 0 if taken else FAILED


def _seconds(text: str) -> float:
    from trueup.domain.duration import DurationError, parse_duration

    try:
        seconds = parse_duration(text)
    except DurationError as error:
        raise click.BadParameter(str(error), param_hint="--since") from error
    if seconds < 60:
        raise click.BadParameter("in less than a minute nothing is learnt; write 7d", param_hint="--since")
    return seconds


def _material(
    api: MonitorApi, since_at: datetime, until_at: datetime, configuration: "Configuration | None"
) -> "Material":
    from trueup.domain.clock import timestamp
    from trueup.reports.material import Material

    since = in_url(timestamp(since_at))
    step_s = max(60, round((until_at - since_at).total_seconds() / _POINTS))
    targets = list(api.targets())
    asked = f"history?since={since}&step={step_s}s"
    written: dict[str, Any] = {}
    if configuration is not None:
        policies = configuration.policies.items()
        written = {
            "hours": configuration.business_hours,
            "silent": frozenset(name for name, policy in policies if policy.alert == ()),
        }
    return Material(
        since_at=since_at,
        until_at=until_at,
        targets=targets,
        incidents=list(api.pages(f"/api/v1/incidents?since={since}&limit=500", "incidents")),
        histories={
            one["name"]: api.read(f"/api/v1/targets/{in_url(one['name'])}/{asked}") for one in targets
        },
        machines=api.read("/api/v1/machines")["machines"],
        channels=[one["name"] for one in api.read("/api/v1/channels")["channels"]],
        **written,
    )
