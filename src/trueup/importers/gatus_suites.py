"""Gatus's suites as journeys: its endpoints are steps, what it stores is saved."""

import re
from collections.abc import Mapping
from typing import Any, Final

from trueup.importers.carried import Carried, Reference, escaped, lasting, named
from trueup.importers.credentials import body_of
from trueup.importers.gatus_conditions import Conditions
from trueup.importers.gatus_endpoints import unless_enabled
from trueup.importers.go_durations import go_duration_s
from trueup.importers.lenient import listed, mapping

_EVERY_S: Final = 600.0
_TIMEOUT_S: Final = 300.0
_CONTEXT: Final = re.compile(r"\[CONTEXT\]\.(\w+)", re.ASCII)
_STORED: Final = re.compile(r"\[BODY\]\.?(.+)", re.ASCII)
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})


def carry_suite(carried: Carried, written: Mapping[str, Any]) -> None:
    """One suite."""
    name = str(written.get("name"))
    suite = _Suite(carried, name, mapping(written.get("context")))
    steps = [step for one in listed(written.get("endpoints")) if (step := suite.step(mapping(one)))]
    if not steps:
        carried.leave(f'suite "{name}"', "none of its endpoints can be a step")
        return
    keys: dict[str, Any] = {
        "every": lasting(go_duration_s(written.get("interval")) or _EVERY_S),
        "timeout": lasting(go_duration_s(written.get("timeout")) or _TIMEOUT_S),
        **unless_enabled(written),
        "steps": steps,
    }
    if written.get("group"):
        keys = {"tags": [named(str(written["group"]))], **keys}
    carried.journeys[carried.name_for(name)] = keys


class _Suite:
    def __init__(self, carried: Carried, name: str, context: Mapping[str, Any]) -> None:
        self._carried = carried
        self._name = name
        self._context = context

    def step(self, written: Mapping[str, Any]) -> dict[str, Any] | None:
        url, name = self._text(written.get("url") or ""), str(written.get("name"))
        method = str(written.get("method") or "GET").lower()
        if not url.startswith(("http://", "https://")) or method not in _METHODS:
            self._carried.leave(
                f'endpoint "{name}" of the suite "{self._name}"', "steps of other kinds are written by hand"
            )
            return None
        http: dict[str, Any] = {method: url}
        if written.get("headers"):
            http["headers"] = {key: self._text(value) for key, value in mapping(written["headers"]).items()}
        if written.get("body"):
            http |= self._body(written["body"])
        conditions = Conditions("http", lambda what, why: self._carried.leave(f'{what} of "{name}"', why))
        for condition in listed(written.get("conditions")):
            conditions.read(self._text(str(condition)) if "[CONTEXT]" in str(condition) else str(condition))
        step: dict[str, Any] = {"name": name, "http": http}
        step |= {key: conditions.keys[key] for key in ("expect", "slow") if key in conditions.keys}
        saved = self._saved(mapping(written.get("store")), name)
        step |= {"save": saved} if saved else {}
        return step | ({"always": True} if written.get("always-run") else {})

    def _body(self, body: Any) -> dict[str, Any]:
        return body_of(self._carried, self._name, self._text(body))

    def _saved(self, store: Mapping[str, Any], step: str) -> dict[str, str]:
        saved = {}
        for name, source in store.items():
            match = _STORED.fullmatch(str(source))
            if match is None:
                self._carried.leave(f'store.{name} of "{step}"', f"{source} can't be saved")
            else:
                saved[name] = "json." + re.sub(r"\[(\d+)\]", r".\1", match[1]).lstrip(".")
        return saved

    def _text(self, value: Any) -> str:
        """A text with what the suite's context has, and what steps have stored, in their places."""
        text = str(value)
        if "[CONTEXT]" not in text:
            return value if isinstance(value, str) else text
        literal = text if isinstance(value, Reference) else escaped(text)
        return Reference(_CONTEXT.sub(self._word, literal))

    def _word(self, match: re.Match[str]) -> str:
        known = self._context.get(match[1])
        return "${" + match[1] + "}" if known is None else escaped(str(known))
