"""What Docker and Podman say of containers: the Docker Engine API, 1.24 and later. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from trueup.host.facts import Container, PortMapping, Transport
from trueup.host.traces import LogLine
from trueup.host.unreadable import HostUnreadable, Reason

_FRAME_BYTES: Final = 8
_STREAMS: Final = {1: "stdout", 2: "stderr"}
_LINE_CHARS_MAX: Final = 2000
_RUNS: Final = frozenset({"running", "paused"})
_PODMANS: Final = {"stopped": "exited", "configured": "created", "initialized": "created"}
"""Podman's words, and Docker's for the same."""
_ENDS: Final = frozenset({"die", "died"})
_YEAR_1: Final = 1


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One line of ``/events``: ``action`` is die, oom, start, pause, ``health_status: unhealthy``, ..."""

    action: str
    container_id: str
    name: str
    at: datetime
    exit_code: int | None


def parse_json(body: bytes, what: str) -> Any:
    """Raises:
    HostUnreadable: not JSON.
    """
    try:
        return json.loads(body)
    except ValueError as error:
        raise HostUnreadable(what, f"not JSON: {error}", Reason.MALFORMED) from error


def parse_ids(listed: Any) -> tuple[str, ...]:
    """The ids of ``/containers/json``.

    Raises:
        HostUnreadable: not a list of containers.
    """
    try:
        return tuple(str(one["Id"]) for one in listed)
    except (TypeError, KeyError) as error:
        raise HostUnreadable("containers", f"unlike a list: {error!r}", Reason.MALFORMED) from error


def parse_container(said: Any, engine: str) -> Container:
    """One container, of ``/containers/ID/json``.

    Raises:
        HostUnreadable: a part that every engine gives is missing or of another type.
    """
    try:
        return _container(said, engine)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise HostUnreadable("container", f"unlike an inspection: {error!r}", Reason.MALFORMED) from error


def _container(said: Mapping[str, Any], engine: str) -> Container:
    state, host, config = said["State"], said["HostConfig"], said["Config"]
    health = state.get("Health") or {}
    healthy = health.get("Status") or "none"
    status = _PODMANS.get(state["Status"], state["Status"])
    checks = health.get("Log") or []
    return Container(
        engine=engine,
        id=said["Id"],
        name=said["Name"].removeprefix("/"),
        image=config.get("Image") or said["Image"],
        state=status,
        health=None if healthy == "none" else healthy,
        health_output=_last_lines(checks[-1].get("Output", "")) if checks else None,
        health_failures=health.get("FailingStreak") or 0,
        exit_code=None
        if state["Status"] in _RUNS or _moment(state["StartedAt"]) is None
        else state["ExitCode"],
        out_of_memory=bool(state["OOMKilled"]),
        error=state.get("Error") or "",
        restarts=said.get("RestartCount") or 0,
        restart_policy=(host.get("RestartPolicy") or {}).get("Name") or "",
        pid=state["Pid"] or None,
        started_at=_moment(state["StartedAt"]),
        finished_at=_moment(state["FinishedAt"]),
        ports=_ports((said.get("NetworkSettings") or {}).get("Ports") or host.get("PortBindings") or {}),
        network_mode=host.get("NetworkMode") or "",
        compose_service=(config.get("Labels") or {}).get("com.docker.compose.service"),
        memory_bytes_max=host.get("Memory") or None,
        tty=bool(config.get("Tty")),
    )


def _ports(said: Mapping[str, Any]) -> tuple[PortMapping, ...]:
    # A port and its bindings, each with a HostIp and a HostPort; null where it is only exposed.
    found = []
    for key, bindings in said.items():
        port, _, transport = key.partition("/")
        if transport not in ("tcp", "udp"):
            continue  # sctp
        inner = int(port), Transport(transport)
        if not bindings:
            found.append(PortMapping(None, None, *inner))
        for binding in bindings or ():
            outer = int(binding["HostPort"]) if binding.get("HostPort") else None
            found.append(PortMapping(binding.get("HostIp") or "0.0.0.0", outer, *inner))
    return tuple(found)


def _moment(text: str) -> datetime | None:
    moment = datetime.fromisoformat(text)
    return None if moment.year == _YEAR_1 else moment.astimezone(UTC)


def _last_lines(text: str) -> str:
    return text.strip()[-_LINE_CHARS_MAX:]


def parse_event(line: bytes) -> EngineEvent | None:
    """One line of ``/events``; None for what isn't a container's.

    Raises:
        HostUnreadable: not an event.
    """
    said = parse_json(line, "container events")
    try:
        if said.get("Type", "container") != "container":
            return None
        attributes = said["Actor"].get("Attributes") or {}
        # Podman names it containerExitCode, and has it in every event.
        exit_code = attributes.get("exitCode") or attributes.get("containerExitCode")
        action = said["Action"]
        return EngineEvent(
            action="die" if action in _ENDS else action,
            container_id=said["Actor"]["ID"],
            name=attributes.get("name", ""),
            at=datetime.fromtimestamp(said["timeNano"] / 1e9, UTC),
            exit_code=int(exit_code) if exit_code and action in _ENDS else None,
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise HostUnreadable("container events", f"unlike an event: {error!r}", Reason.MALFORMED) from error


def parse_log(body: bytes, *, tty: bool) -> tuple[LogLine, ...]:
    """Lines of ``/containers/ID/logs?timestamps=1``, in the order of time; a cut last frame is left out.

    Without a terminal each write is framed by a stream number, three zeros and a length.
    """
    lines = [
        _line(text, source)
        for source, part in ([(None, body)] if tty else _frames(body))
        for text in part.decode(errors="replace").splitlines()
    ]
    return tuple(sorted(lines, key=lambda line: line.at or _EPOCH))


def _frames(body: bytes) -> Iterator[tuple[str | None, bytes]]:
    offset = 0
    while offset + _FRAME_BYTES <= len(body):
        length = int.from_bytes(body[offset + 4 : offset + _FRAME_BYTES])
        end = offset + _FRAME_BYTES + length
        if end <= len(body):
            yield _STREAMS.get(body[offset]), body[offset + _FRAME_BYTES : end]
        offset = end


def _line(text: str, source: str | None) -> LogLine:
    stamp, _, rest = text.partition(" ")
    try:
        at = datetime.fromisoformat(stamp).astimezone(UTC)
    except ValueError:
        return LogLine(None, text[:_LINE_CHARS_MAX], source=source)
    return LogLine(at, rest[:_LINE_CHARS_MAX], source=source)


_EPOCH: Final = datetime.fromtimestamp(0, UTC)
