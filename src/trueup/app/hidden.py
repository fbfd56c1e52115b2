"""Secrets of targets, kept out of what is said of them: a peer may send back what it was sent."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from trueup.app.watched import Watched
from trueup.domain.journey import Journey
from trueup.domain.secret import Secret, hide, hide_in, secrets_in
from trueup.domain.verdict import Verdict
from trueup.journeys.hiding import forms_of, secrets_of
from trueup.monitor.holding import Needs


class Hidden:
    """By a target's name: its own secrets, and those of what it needs, whose words it may quote."""

    def __init__(self, watched: Watched, needs: Needs) -> None:
        self._watched, self._needs = watched, needs
        self._known: dict[str, tuple[Secret, ...]] = {}

    def text(self, name: str, text: str) -> str:
        """A sentence about a target."""
        return hide(text, self._of(name))

    def value(self, name: str, value: Any) -> Any:
        """JSON about a target."""
        return hide_in(value, self._of(name))

    def verdict(self, verdict: Verdict) -> Verdict:
        """A verdict whose sentence and advice may be told."""
        secrets = self._of(verdict.target)
        if not secrets:
            return verdict
        steps = hide_in(list(verdict.next), secrets)
        return replace(verdict, summary=hide(verdict.summary, secrets), next=tuple(steps))

    def _of(self, name: str) -> tuple[Secret, ...]:
        known = self._known.get(name)
        if known is None:
            names = (name, *self._needs.of(name))
            asked = [one for each in names for one in self._watched.asked_of(each)]
            known = self._known[name] = tuple({secret for one in asked for secret in _told(one)})
        return known


def _told(asked: object) -> Iterable[Secret]:
    """A journey holds words as secrets that aren't: whatever else a form is filled with."""
    return secrets_of(asked) if isinstance(asked, Journey) else forms_of(secrets_in(asked))
