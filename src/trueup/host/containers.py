"""Reads Docker and Podman over their sockets."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from trueup.host.engine_json import (
    EngineEvent,
    parse_container,
    parse_event,
    parse_ids,
    parse_json,
    parse_log,
)
from trueup.host.facts import Container
from trueup.host.traces import LogExcerpt
from trueup.host.unix_http import Response, following, get
from trueup.host.unreadable import HostUnreadable, Reason

_INSPECTIONS_AT_ONCE: Final = 8
_LOG_BYTES_MAX: Final = 256 * 1024
_LOG_TIMEOUT_S: Final = 5.0
# Health checks make three exec events each; these are the ones that say something.
_ACTIONS: Final = ("create", "start", "die", "oom", "pause", "unpause", "destroy", "health_status", "rename")


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine's socket that is there."""

    name: str
    socket_path: str


def engines(environment: Mapping[str, str], root: str = "/") -> tuple[Engine, ...]:
    """The engines of this machine and user, each once; Podman often answers at Docker's place as well."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    named = environment.get("DOCKER_HOST", "")
    candidates = [
        *([("docker", named.removeprefix("unix://"))] if named.startswith("unix://") else []),
        ("docker", f"{root}run/docker.sock"),
        ("docker", f"{root}var/run/docker.sock"),
        ("podman", f"{root}run/podman/podman.sock"),
        *(
            [("docker", f"{runtime}/docker.sock"), ("podman", f"{runtime}/podman/podman.sock")]
            if runtime
            else []
        ),
    ]
    found: dict[str, Engine] = {}
    for name, path in candidates:
        real = os.path.realpath(path)
        if os.path.exists(real):  # noqa: PTH110 - a path is text throughout this floor
            found.setdefault(real, Engine("podman" if "podman" in real else name, real))
    return tuple(found.values())


class Containers:
    """Reads one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def read(self) -> tuple[Container, ...]:
        """All containers, running or not.

        Raises:
            HostUnreadable: the engine can't be reached (reason ``absent``: its socket is left, it isn't
                running), or answers what isn't understood.
        """
        listed = self._json(await self._get("/containers/json?all=1"))
        gate = asyncio.Semaphore(_INSPECTIONS_AT_ONCE)

        async def one(container_id: str) -> Container | None:
            async with gate:
                try:
                    return await self.inspect(container_id)
                except HostUnreadable as error:
                    if error.reason is Reason.ABSENT:
                        return None  # removed meanwhile
                    raise

        try:
            async with asyncio.TaskGroup() as group:
                found = [group.create_task(one(container_id)) for container_id in parse_ids(listed)]
        except* HostUnreadable as errors:
            raise errors.exceptions[0] from None
        return tuple(container for task in found if (container := task.result()) is not None)

    async def inspect(self, name: str) -> Container:
        """One container, by name or id.

        Raises:
            HostUnreadable: there's none (reason ``absent``); or as ``read``.
        """
        said = self._json(await self._get(f"/containers/{quote(name, safe='')}/json"))
        return parse_container(said, self.engine.name)

    async def log(self, container: Container, count: int = 20) -> LogExcerpt:
        """The last lines that it wrote.

        Raises:
            HostUnreadable: as ``inspect``; its log driver keeps nothing to read.
        """
        response = await get(
            self.engine.socket_path,
            f"/containers/{container.id}/logs?stdout=1&stderr=1&timestamps=1&tail={count}",
            size_bytes_max=_LOG_BYTES_MAX,
            keep_cut=True,
            timeout_s=_LOG_TIMEOUT_S,
        )
        self._must_be_ok(response)
        return LogExcerpt(container.name, parse_log(response.body, tty=container.tty)[-count:])

    @contextlib.asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
        """What happens to containers, as it happens. Ends when the engine ends.

        Raises:
            HostUnreadable: as ``read``, on entering or between events.
        """
        filters: dict[str, Sequence[str]] = {"type": ["container"]}
        if self.engine.name == "docker":  # Podman has other names, and refuses those it doesn't know
            filters["event"] = _ACTIONS
        target = f"/events?filters={quote(json.dumps(filters))}"
        async with following(self.engine.socket_path, target) as lines:
            yield _events(lines)

    async def _get(self, target: str) -> Response:
        response = await get(self.engine.socket_path, target)
        self._must_be_ok(response)
        return response

    def _must_be_ok(self, response: Response) -> None:
        status = response.head.status
        if status == 200:
            return
        reasons = {404: Reason.ABSENT, 403: Reason.PERMISSION, 501: Reason.UNSUPPORTED}
        said = response.body.decode(errors="replace")[:200].strip()
        why = f"answered {status}: {said}"
        raise HostUnreadable(self.engine.name, why, reasons.get(status, Reason.FAILED))

    def _json(self, response: Response) -> object:
        return parse_json(response.body, self.engine.name)


async def _events(lines: AsyncIterator[bytes]) -> AsyncIterator[EngineEvent]:
    async for line in lines:
        event = parse_event(line) if line.strip() else None
        if event is not None and not event.action.startswith("exec"):
            yield event
