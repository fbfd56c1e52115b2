"""Monit: its control file and the files that it includes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from trueup.host.paths import is_folder
from trueup.importers.carried import Carried, Found, lasting
from trueup.importers.channel_forms import Forms
from trueup.importers.importer import Importer
from trueup.importers.monit_ports import PortTest, port_test
from trueup.importers.monit_services import asked_by
from trueup.importers.monit_statements import ControlFile, MonitCheck, Statement, control_file
from trueup.importers.monit_words import words_of

_DAEMON_S: Final = 30.0
_UNIT: Final = re.compile(
    r"(?:systemctl\s+(?:--\S+\s+)*start\s+(\S+)|/etc/(?:rc\.d/)?init\.d/(\S+)\s+start|service\s+(\S+)\s+start)"
)
WITHOUT: Final = {
    "file": "files aren't watched",
    "directory": "directories aren't watched",
    "fifo": "named pipes aren't watched",
    "filesystem": "a full disk shows in what it breaks; the agent's report has it as evidence",
    "device": "a full disk shows in what it breaks; the agent's report has it as evidence",
    "program": "a journey runs it: steps: [{command: [PROGRAM]}], with monitor: {allow_commands: true}",
    "system": "load and memory are evidence for why a service fails, not targets of their own",
    "network": "interfaces aren't watched: what can't be reached shows it",
}
_AT_ONCE: Final = (
    "Monit alerts at the first failure where no cycles are named; here two failures 30s apart confirm "
    "a state. As it was: confirm: {failures: 1}"
)
_CLOSED: Final = (
    '"if succeeded port" became internal: true: these must not be reachable from where this monitor runs, '
    "and location: {outside: true} says that it looks from outside; what is reached is exposed"
)
_RESTARTS: Final = "nothing is started, stopped or restarted: trueup tells, systemd restarts (Restart=)"


def read(files: Sequence[Path], _env: Mapping[str, str]) -> Carried:
    """All that the files hold.

    Raises:
        Malformed: one isn't Monit's.
    """
    carried = Carried("monit")
    for given in files:
        path = given / "monitrc" if is_folder(given) else given
        control = control_file(words_of(path), path)
        cycle_s = _settings(carried, control)
        for check in control.checks:
            carried.attempt(f'"{check.name}" ({check.kind})', _Check(carried, check, cycle_s).carry)
        if not control.checks:
            carried.note(f"{path} has no checks")
    return carried


def _settings(carried: Carried, control: ControlFile) -> float:
    """The length of a cycle in seconds; where alerts go becomes a channel."""
    cycle_s, sender = _DAEMON_S, ""
    server: Statement = []
    alerts: list[Statement] = []
    for setting in control.settings:
        first = setting[0].lower if setting else ""
        if first == "daemon":
            cycle_s = next((float(word.text) for word in setting if word.text.isdecimal()), cycle_s)
        elif first == "mailserver":
            server = setting[1:]
        elif first == "mail-format":
            sender = next((word.text for word in setting if "@" in word.text and "$" not in word.text), "")
            carried.leave("set mail-format", "but for its sender: what a message says is trueup's own")
        elif first == "alert" and len(setting) > 1:
            alerts.append(setting)
        elif first == "mmonit":
            carried.leave("set mmonit", "events go to channels:")
    if alerts:
        _carry_mail(carried, server, sender, [_recipient(carried, alert) for alert in alerts])
    return cycle_s


def _recipient(carried: Carried, alert: Statement) -> str:
    to, *options = (word.text for word in alert[1:])
    lowers = [option.lower() for option in options]
    if "reminder" in lowers:
        carried.leave(f"reminder of the alert to {to}", "reminders are the tier's; see tiers: {2: {remind:}}")
    if "{" in options:
        carried.leave(
            f"events of the alert to {to}",
            "an incident is told from its beginning to its end, whatever it is",
        )
    return to


def _carry_mail(carried: Carried, server: Statement, sender: str, recipients: list[str]) -> None:
    host = server[0].text if server else "localhost"
    port = user = password = ""
    secure = False
    for place, word in enumerate(server[1:], start=1):
        following = server[place + 1].text if place + 1 < len(server) else ""
        if word.text == ",":
            carried.note("of Monit's mail servers the first is the channel's; write the others as channels")
            break
        port = following if word.lower == "port" else port
        user = following if word.lower == "username" else user
        password = following if word.lower == "password" else password
        secure |= word.lower in {"ssl", "tls", "sslauto", "tlsv1", "tlsv11", "tlsv12", "tlsv13"}
    name = carried.name_for("mail")
    channel = Forms(carried, name).mail(
        host, port, sender or f"monit@{host}", ",".join(dict.fromkeys(recipients)), user, password, tls=secure
    )
    if channel is not None:
        carried.channels[name] = channel


class _Check:
    """One check of Monit while it's carried over."""

    def __init__(self, carried: Carried, check: MonitCheck, cycle_s: float) -> None:
        self._carried = carried
        self._check = check
        self._cycle_s = cycle_s
        self._what = f'"{check.name}" ({check.kind})'

    def carry(self) -> None:
        check = self._check
        if check.kind in WITHOUT:
            self._carried.leave(self._what, WITHOUT[check.kind])
            return
        tests = list(self._tests())
        found = [asked for test in tests if (asked := self._asked(test)) is not None]
        for place, (at, keys, test) in enumerate(found):
            key = check.name if place == 0 else f"{check.name}#{place}"
            alone = len(found) == 1 or (place == 0 and check.kind == "process")
            name = check.name if alone else f"{check.name}-{at.partition('://')[0].removesuffix('+unix')}"
            full = {**self._common(), **keys, **self._confirmed(test)}
            self._carried.checks.append(Found(key, name, [at], full, self._needs()))
        if not found and check.kind == "process":
            unit = self._unit()
            known = f", and unit: {unit}" if unit else ""
            self._carried.leave(self._what, f"it tests no port: write a service with its address{known}")
        elif not found and not tests:
            self._carried.leave(self._what, "it tests neither a port nor a ping")

    def _tests(self) -> Iterator[PortTest]:
        for statement in self._check.statements:
            first = statement[0].lower
            if first == "if":
                test = port_test(statement)
                if test is not None:
                    yield test
                elif self._check.kind in {"process", "host"}:
                    self._leave_test(statement)
            elif first == "alert":
                self._carried.leave(
                    f"alert of {self._what}", "write a channel, and alert: [NAME] at the service"
                )
            elif first in {"mode", "onreboot"}:
                self._carried.leave(f"{first} of {self._what}", _RESTARTS)
            elif first in {"every", "not"} and _cycles(statement) is None:
                self._carried.leave(
                    f"every of {self._what}", "looks come in intervals; for quiet hours see maintenance:"
                )

    def _leave_test(self, statement: Statement) -> None:
        words = " ".join(word.text for word in statement)
        condition = words.partition(" then ")[0].removeprefix("if ").removeprefix("IF ")
        self._carried.leave(
            f'"{condition}" of {self._what}', "what a process uses and how it changes is evidence, no target"
        )

    def _asked(self, test: PortTest) -> tuple[str, dict[str, Any], PortTest] | None:
        host = test.host or (_address(self._check) if self._check.kind == "host" else "127.0.0.1")
        if host == "localhost":
            host = "127.0.0.1"
        asked = asked_by(self._carried, self._check.name, test, host)
        if asked is None:
            return None
        at, keys = asked
        if not test.wanted:
            if test.ping:
                self._carried.leave(
                    f"ping of {self._what}", "that a host answers no ping is nothing to watch"
                )
                return None
            keys["internal"] = True
            self._carried.note(_CLOSED)
        return at, keys, test

    def _common(self) -> dict[str, Any]:
        keys: dict[str, Any] = {"every": lasting(self._cycle_s)}
        for statement in self._check.statements:
            if statement[0].lower == "every" and (cycles := _cycles(statement)):
                keys["every"] = lasting(self._cycle_s * cycles)
        groups = [one[1].text for one in self._check.statements if one[0].lower == "group" and len(one) > 1]
        keys |= {"tags": groups} if groups else {}
        unit = self._unit()
        return keys | ({"unit": unit} if unit else {})

    def _confirmed(self, test: PortTest) -> dict[str, Any]:
        failures, _ = test.cycles
        if failures < 2:
            self._carried.note(_AT_ONCE)
            return {}
        if test.cycles[1] > failures:
            self._carried.note("of N times within M cycles N became confirm: failures in a row")
        return {"confirm": {"failures": failures, "apart": lasting(self._cycle_s)}}

    def _unit(self) -> str | None:
        """The unit, where its start program says which."""
        for statement in self._check.statements:
            if statement[0].lower != "start":
                continue
            words = " ".join(word.text for word in statement)
            match = _UNIT.search(words)
            if match is not None and self._check.kind == "process":
                name = next(one for one in match.groups() if one)
                return name if "." in name else f"{name}.service"
        return None

    def _needs(self) -> list[str]:
        needs = []
        for statement in self._check.statements:
            if statement[0].lower in {"depends", "depend"}:
                needs += [word.text for word in statement[1:] if word.text != "," and word.lower != "on"]
        return needs


def _address(check: MonitCheck) -> str:
    lowers = [word.lower for word in check.head]
    place = lowers.index("address") + 1 if "address" in lowers else 0
    return check.head[place].text if place < len(check.head) else check.name


def _cycles(statement: Statement) -> int | None:
    if len(statement) > 1 and statement[1].text.isdecimal() and not statement[1].quoted:
        return int(statement[1].text)
    return None


IMPORTER = Importer("monit", "Monit", "its control file", read)
