"""A comparison as JUnit XML, as pipelines read it: a case for each thing that was there, or is. Pure."""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from trueup.domain.printable import printable
from trueup.reports.compared_listeners import place
from trueup.reports.differences import Difference, Differences
from trueup.reports.snapshot import Document


def junit(before: Document, differences: Differences) -> str:
    """The whole file. Each difference is a failure, of its kind; what could not be told is an error."""
    failures = {(one.what, one.name): (kind, one) for kind, one in differences.by_kind()}
    cases = dict.fromkeys([*_cases(before), *failures])
    errors = len(differences.unknown)
    counts = f'tests="{len(cases) + errors}" failures="{len(failures)}" errors="{errors}"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuite name="trueup verify" {counts}>']
    for what, name in cases:
        lines += _case(what, name, failures.get((what, name)))
    for words in differences.unknown:
        lines.append(f'  <testcase classname="unknown" name={_attribute(words)}>')
        lines.append(f"    <error message={_attribute(words)}/>")
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>", ""])


def _cases(before: Document) -> Iterator[tuple[str, str]]:
    for unit in before["units"]:
        yield "unit", unit["name"]
    for container in before["containers"]:
        yield "container", container["name"]
    for listener in before["listeners"]:
        yield "listener", place(listener)
    for certificate in before["certificates"]:
        yield "certificate", certificate["at"]
    for target in before["targets"]:
        yield "target", target["name"]


def _case(what: str, name: str, failure: tuple[str, Difference] | None) -> Iterator[str]:
    opening = f'  <testcase classname="{what}" name={_attribute(name)}'
    if failure is None:
        yield opening + "/>"
        return
    kind, one = failure
    yield opening + ">"
    body = escape(printable("; ".join(one.next), 1000))
    yield f'    <failure type="{kind}" message={_attribute(one.says)}>{body}</failure>'
    yield "  </testcase>"


def _attribute(text: str) -> str:
    return quoteattr(printable(text, 1000))
