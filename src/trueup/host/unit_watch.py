"""Changes of units, as systemd tells them: org.freedesktop.systemd1(5), Subscribe and PropertiesChanged."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trueup.host.systemd import unit_of_path
from trueup.host.systemd_bus import ADD_MATCH, MANAGER_PATH, SystemdBus, manager

if TYPE_CHECKING:
    from dbus_fast import Message

_MATCH: Final = (
    "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',"
    "member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit',"
    "arg0='org.freedesktop.systemd1.Unit'"
)
_TYPES: Final = (".service", ".socket")


@dataclass(frozen=True, slots=True)
class UnitChange:
    """``has_job``: something is queued for it (a start, a stop, a restart), so that nothing is final."""

    unit: str
    active_state: str
    sub_state: str
    has_job: bool


class UnitChanges:
    """Calls ``changed`` with each change of a service or socket, and ``lost`` once when the bus goes away.

    The bus is a connection of its own. Opened with ``open``; ended with ``close``.
    """

    def __init__(
        self, bus: SystemdBus, changed: Callable[[UnitChange], None], lost: Callable[[], None]
    ) -> None:
        self._bus = bus
        self._changed = changed
        self._lost = lost
        self._last: dict[str, UnitChange] = {}
        self._end: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Raises:
        HostUnreadable: there's no bus, or no systemd on it.
        """
        connection = await self._bus.connect()
        connection.add_message_handler(self._take)
        await self._bus.call(ADD_MATCH, "s", _MATCH)
        await self._bus.call(manager("Subscribe"))
        self._end = asyncio.create_task(self._tell_end())

    def close(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self._bus.close()

    async def _tell_end(self) -> None:
        connection = await self._bus.connect()
        with contextlib.suppress(OSError, EOFError):  # however it went, it's gone
            await connection.wait_for_disconnect()  # type: ignore[no-untyped-call]  # the library's
        self._lost()

    def _take(self, message: "Message") -> None:
        if message.member == "PropertiesChanged" and message.path and message.path.startswith(MANAGER_PATH):
            self._tell(unit_of_path(message.path), message.body[1])

    def _tell(self, unit: str, said: dict[str, Any]) -> None:
        if "ActiveState" not in said or not unit.endswith(_TYPES):
            return
        change = UnitChange(
            unit,
            active_state=said["ActiveState"].value,
            sub_state=said["SubState"].value,
            has_job=bool(said["Job"].value[0]),
        )
        if self._last.get(unit) != change:  # systemd tells several times what is the same to us
            self._last[unit] = change
            self._changed(change)
