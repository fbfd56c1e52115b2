"""Prometheus's alerting rules about probes: how long before one fires, and how much it matters."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trueup.importers.carried import Carried, lasting
from trueup.importers.go_durations import go_duration_s
from trueup.importers.lenient import listed, mapping
from trueup.importers.yaml_files import read_yaml

_OF_JOB: Final = re.compile(r'job(=~?)"([^"]*)"')
_SLOW: Final = re.compile(r"(?:probe_duration_seconds|probe_http_duration_seconds)[^>]*>\s*([0-9.]+)")
_EXPIRES: Final = re.compile(r"probe_ssl_earliest_cert_expiry.*?<\s*([0-9.\s*]+)", re.DOTALL)
_HIGHEST: Final = frozenset({"critical", "page", "emergency", "disaster"})
_LOWEST: Final = frozenset({"info", "none", "low", "ticket"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``job`` is a pattern, or None for all jobs."""

    job: str | None
    expression: str
    for_s: float
    severity: str
    runbook: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules about probes."""

    rules: list[Rule]

    def policy(self, job: str, every_s: float) -> dict[str, Any]:
        """What they come to for a job: ``tier``, ``confirm``, ``runbook``, ``slow``, and ``tls`` where that
        is spoken.
        """
        keys: dict[str, Any] = {}
        for rule in self.rules:
            if rule.job is not None and not re.fullmatch(rule.job, job):
                continue
            slow, expires = _SLOW.search(rule.expression), _EXPIRES.search(rule.expression)
            if "probe_success" in rule.expression and "confirm" not in keys:
                failures = int(rule.for_s // every_s) + 1
                keys["confirm"] = {
                    "failures": max(failures, 2),
                    "apart": lasting(min(every_s, rule.for_s or 30)),
                }
                keys |= _tier(rule.severity)
                keys |= {"runbook": rule.runbook} if rule.runbook else {}
            elif slow and "slow" not in keys:
                keys["slow"] = lasting(float(slow[1]))
            elif expires and "tls" not in keys and (left_s := _product(expires[1])):
                keys["tls"] = {"expires_within": lasting(left_s)}
        return keys


def rules_of(carried: Carried, config: Mapping[str, Any], path: Path) -> Rules:
    """The rules about probes in the files that a ``prometheus.yml`` names; those that aren't there are noted.

    Raises:
        Malformed: a file isn't YAML.
    """
    found = []
    for pattern in listed(config.get("rule_files")):
        whole = path.parent / str(pattern)
        files = sorted(whole.parent.glob(whole.name))
        if not files:
            carried.note(f"{pattern} isn't there: what its rules say of for: and severity isn't carried over")
        for file in files:
            found += list(_of_file(read_yaml(file)))
    return Rules(found)


def _of_file(written: Any) -> Iterator[Rule]:
    for group in listed(mapping(written).get("groups")):
        for one in listed(mapping(group).get("rules")):
            rule = mapping(one)
            expression = str(rule.get("expr") or "")
            if "alert" not in rule or "probe_" not in expression:
                continue
            job = _OF_JOB.search(expression)
            pattern = None if job is None else job[2] if job[1] == "=~" else re.escape(job[2])
            severity = str(mapping(rule.get("labels")).get("severity") or "")
            runbook = str(mapping(rule.get("annotations")).get("runbook_url") or "")
            yield Rule(
                pattern,
                expression,
                go_duration_s(rule.get("for")) or 0.0,
                severity.lower(),
                runbook if "{{" not in runbook else "",
            )


def _tier(severity: str) -> dict[str, int]:
    if severity in _HIGHEST:
        return {"tier": 1}
    return {"tier": 3} if severity in _LOWEST else {}


def _product(text: str) -> float:
    """``86400 * 14``."""
    product = 1.0
    for factor in text.split("*"):
        try:
            product *= float(factor)
        except ValueError:
            return 0.0
    return product
