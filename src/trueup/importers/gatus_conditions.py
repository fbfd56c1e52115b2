"""Gatus's conditions as what a service is expected to answer. https://github.com/TwiN/gatus#conditions"""

import re
from collections.abc import Callable
from typing import Any, Final

from trueup.importers.carried import Reference, in_escapes, lasting
from trueup.importers.go_durations import go_duration_s
from trueup.importers.lenient import scalar

_CONDITION: Final = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*", re.DOTALL)
_BODY: Final = re.compile(r"\[BODY\]\.?((?:[\w$-]+|\[\d+\])(?:\.[\w$-]+|\[\d+\])*)", re.ASCII)
_STATUSES: Final = {"<": (100, -1), "<=": (100, 0), ">": (1, 599), ">=": (0, 599)}
NO_WORD: Final = "there is no word for it here"
_NOT_FAILING: Final = "over it, a target is degraded here and not down"


class Conditions:
    """What the conditions of one endpoint come to. ``keys`` are those of the service.

    ``kind`` is the scheme that it's asked by; ``leave`` notes a condition that can't be said.
    """

    def __init__(self, kind: str, leave: Callable[[str, str], None]) -> None:
        self.keys: dict[str, Any] = {}
        self.notes: list[str] = []
        self._kind = kind
        self._leave = leave

    def read(self, condition: str) -> None:
        """Take one in."""
        match = _CONDITION.fullmatch(condition)
        if match is None or not self._take(match[1], match[2], _same_kind(condition, match[3])):
            self._leave(f"condition {condition}", NO_WORD)

    def _expect(self, key: str, value: Any) -> bool:
        self.keys.setdefault("expect", {})[key] = value
        return True

    def _take(self, what: str, how: str, value: str) -> bool:
        if what == "[CONNECTED]":
            return how == "==" and value == "true"
        if what == "[STATUS]":
            return self._status(how, value)
        if what == "[RESPONSE_TIME]" and how in {"<", "<="} and value.isdecimal():
            self.keys["slow"] = lasting(int(value) / 1000)
            self.notes.append(f"[RESPONSE_TIME] became slow: {_NOT_FAILING}")
            return True
        if what == "[CERTIFICATE_EXPIRATION]" and how in {">", ">="} and (left_s := go_duration_s(value)):
            self.keys["tls"] = {"expires_within": lasting(left_s)}
            return True
        if what == "[DNS_RCODE]" and how == "==" and self._kind == "dns":
            return value == "NOERROR" or self._expect("rcode", value)
        if what == "[BODY]":
            return self._body(how, value)
        path = _BODY.fullmatch(what)
        if path is not None and how == "==" and self._kind == "http" and not _is_call(value):
            return self._json(path[1], value)
        return False

    def _status(self, how: str, value: str) -> bool:
        if self._kind == "ssh":
            return False
        statuses: list[Any] = []
        if how == "==":
            for one in _alternatives(value):
                pattern = re.fullmatch(r"pat\(([1-5])(?:\*|\?\?)\)", one)
                if pattern:
                    statuses.append(f"{pattern[1]}00-{pattern[1]}99")
                elif one.isdecimal():
                    statuses.append(int(one))
                else:
                    return False
        elif how in _STATUSES and value.isdecimal():
            first, last = _STATUSES[how]
            bound = int(value)
            low, high = (first, bound + last) if how[0] == "<" else (bound + first, last)
            statuses = [f"{low}-{high}"]
        else:
            return False
        known = self.keys.get("expect", {}).get("status")
        if known is not None:  # all conditions must hold
            statuses = _in_both(known if isinstance(known, list) else [known], statuses)
        if not statuses:
            return False
        return self._expect("status", statuses if len(statuses) > 1 else statuses[0])

    def _body(self, how: str, value: str) -> bool:
        pattern = re.fullmatch(r"pat\((.*)\)", value, re.DOTALL)
        if self._kind == "dns":
            if how != "==" or value.startswith("any("):
                return False
            return (not pattern[1].strip("*.?")) if pattern else self._expect("records", [value])
        if self._kind not in {"http", "tcp", "udp", "ws"} or (how == "!=" and self._kind != "http"):
            return False
        if pattern is None:
            if how != "==" or not value or _is_call(value):
                return False
            self.notes.append(f"an equal [BODY] became contains: {value!s}")
            return self._contains("contains", [value])
        parts = [part for part in pattern[1].split("*") if part]
        if how == "!=" and len(parts) != 1:
            return False
        return self._contains("contains" if how == "==" else "not_contains", parts) if parts else True

    def _contains(self, key: str, parts: list[str]) -> bool:
        known = self.keys.get("expect", {}).get(key, [])
        texts = [*(known if isinstance(known, list) else [known]), *parts]
        if self._kind != "http" and len(texts) > 1:
            return False
        if self._kind in {"tcp", "udp"}:
            texts = [in_escapes(text) for text in texts]
        return self._expect(key, texts if len(texts) > 1 else texts[0])

    def _json(self, path: str, value: str) -> bool:
        expected = value if isinstance(value, Reference) else scalar(value)
        return self._expect("json", {**self.keys.get("expect", {}).get("json", {}), path: expected})


def _same_kind(whole: str, part: str) -> str:
    return Reference(part) if isinstance(whole, Reference) else part


def _is_call(value: str) -> bool:
    return bool(re.match(r"(pat|any|len|has|age)\(", value)) or value.startswith("[")


def _in_both(some: list[Any], others: list[Any]) -> list[Any]:
    """The statuses that are among both, with ranges where they follow each other."""
    both = sorted(_each(some) & _each(others))
    runs: list[list[int]] = []
    for one in both:
        if runs and runs[-1][-1] == one - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]


def _each(statuses: list[Any]) -> set[int]:
    ranges = (str(one).partition("-") for one in statuses)
    return {one for low, _, high in ranges for one in range(int(low), int(high or low) + 1)}


def _alternatives(value: str) -> list[str]:
    match = re.fullmatch(r"any\((.*)\)", value, re.DOTALL)
    return [one.strip() for one in match[1].split(",")] if match else [value]
