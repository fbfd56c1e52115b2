"""A review as people read it: sections of lines, for a terminal and for a page alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trueup.domain.causes import CAUSES
from trueup.domain.duration import words_of
from trueup.reports.coverage import Coverage
from trueup.reports.noise import Noise
from trueup.reports.review import Review
from trueup.reports.roots import Root

_LINES_MAX = 30


@dataclass(frozen=True, slots=True)
class Line:
    """``text`` says it, ``more`` is an aside. ``code`` is a line to copy, ``series`` are numbers to plot."""

    text: str
    more: str = ""
    code: str = ""
    series: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """``nothing`` is what it says where it has no lines."""

    title: str
    nothing: str
    lines: list[Line] = field(default_factory=list)


def headline(found: Review) -> str:
    """The whole in one sentence."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(found.states.items()))
    broken = "no incident"
    if found.incidents:
        broken = f"{_count(found.incidents, 'incident')} from {_count(len(found.roots), 'root')}"
    lasts = words_of((found.until_at - found.since_at).total_seconds())
    return f"{lasts}: {broken}, {_count(found.noise.alerts, 'alert')}; now {states or 'nothing is watched'}"


def sections(found: Review) -> list[Section]:
    """All of it, in the order in which it should be read."""
    return [
        _section("What was broken, by root cause", "Nothing was broken.", map(_root, found.roots)),
        _section("Noise", "Nothing disturbed anybody for little.", _noise(found.noise)),
        _section(
            "What a port alone would have called up",
            "Nothing: whatever broke, its port was closed.",
            (
                Line(
                    f"{one.words}: {_count(one.times, 'time')}",
                    ", ".join(f"{target} ({cause})" for target, cause in one.of),
                )
                for one in found.deeper
            ),
        ),
        _section(
            "Getting slower",
            "Nothing got slower.",
            (
                Line(
                    f"{one.target}, {one.layer}: {one.before_ms:.1f} to {one.after_ms:.1f} ms",
                    f"{one.growth:.1f} times; 95 of 100 within {one.worst_ms:.1f} ms",
                    series=one.series,
                )
                for one in found.drifts
            ),
        ),
        _section(
            "Certificates to come",
            "None runs out within 60 days.",
            (
                Line(f"{one.target}: {one.expires_at:%Y-%m-%d}", _left(one.left.total_seconds()))
                for one in found.certificates
            ),
        ),
        _section("What nobody covers", "Everything that is known is covered.", _coverage(found.coverage)),
        _section(
            "Lines for the configuration",
            "None.",
            (Line(one.why, code=one.line) for one in found.suggestions),
        ),
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _section(title: str, nothing: str, lines: Iterator[Line]) -> Section:
    whole = list(lines)
    shown = whole[:_LINES_MAX]
    if len(whole) > len(shown):
        shown.append(Line(f"and {len(whole) - len(shown)} more"))
    return Section(title, nothing, shown)


def _left(left_s: float) -> str:
    return f"in {words_of(left_s)}" if left_s > 0 else f"ran out {words_of(-left_s)} ago"


def _root(one: Root) -> Line:
    times = len(one.incidents)
    says = next((meaning.says for cause, meaning in CAUSES.items() if cause.value == one.cause), one.summary)
    often = "once" if times == 1 else f"{times} times"
    lasted = f"{often}, {words_of(one.lasted.total_seconds())} in all" if times else "no incident of its own"
    dragged = ", ".join(one.dragged)
    more = f"; with it: {dragged}" if dragged else ""
    is_open = "; not over yet" if one.is_open else ""
    what = f"{one.target}: {one.cause}" if one.cause else one.target
    return Line(f"{what} ({lasted}{is_open}{more})", one.summary if times == 1 else says)


def _noise(noise: Noise) -> Iterator[Line]:
    for flapping in noise.flapping:
        lasted = words_of(flapping.lasted.total_seconds())
        yield Line(f"{flapping.target} flaps", f"{_count(flapping.incidents, 'incident')}, {lasted} in all")
    for blips in noise.blips:
        counts = {"never confirmed": blips.failures, "still being confirmed": blips.pending}
        said = ", ".join(f"{_count(count, 'failure')} {how}" for how, count in counts.items() if count)
        yield Line(f"{blips.target}: {said}", f"of {blips.looks} looks; nobody was alerted")
    if noise.unacknowledged:
        numbers = ", ".join(map(str, noise.unacknowledged[:20]))
        yield Line(f"{_count(len(noise.unacknowledged), 'incident')} told and never acknowledged", numbers)
    for target, count in noise.out_of_hours.items():
        yield Line(f"{target}: {_count(count, 'alert')} out of hours")


def _coverage(found: Coverage) -> Iterator[Line]:
    if not found.has_channels:
        yield Line(
            "There is no channel: nobody is told of anything", code="channels: {pager: tgram://TOKEN/CHAT}"
        )
    for name in found.silent or ():
        yield Line(f"{name} alerts nobody")
    for name in found.never_seen:
        yield Line(f"{name} was never seen", "unknown all the time")
    for alone in found.port_alone:
        yield Line(f"{alone.target} asks a port alone", alone.at)
    for one in found.unwatched:
        owner = f" ({one.owner})" if one.owner else ""
        speaks = f", speaks {one.speaks}" if one.speaks else ""
        yield Line(f"{one.host}: {one.address} port {one.port}{owner} isn't watched{speaks}")
