"""systemd asked over D-Bus: a millisecond for a unit, and no fork."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from trueup.host.facts import Unit
from trueup.host.systemd import IN_USE, PROPERTIES, object_path, startable, unit_from
from trueup.host.unreadable import HostUnreadable, Reason

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

_SYSTEMD: Final = "org.freedesktop.systemd1"
MANAGER_PATH: Final = "/org/freedesktop/systemd1"
_JOB: Final = "org.freedesktop.systemd1.Job"
_TIMEOUT_S: Final = 2.0
_FILES_WITHIN_S: Final = 15.0
"""systemd reads every unit file and all links to it before it answers: seconds on a busy machine."""

_DENIED: Final = ("AccessDenied", "InteractiveAuthorizationRequired")
_GONE: Final = ("UnknownObject", "UnknownMethod", "UnknownInterface", "NoSuchJob")


@dataclass(frozen=True, slots=True)
class Method:
    destination: str
    path: str
    interface: str
    member: str


ADD_MATCH: Final = Method("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch")


def manager(member: str) -> Method:
    """A method of systemd itself."""
    return Method(_SYSTEMD, MANAGER_PATH, "org.freedesktop.systemd1.Manager", member)


def _property(member: str, path: str) -> Method:
    return Method(_SYSTEMD, path, "org.freedesktop.DBus.Properties", member)


class SystemdBus:
    """A connection of its own to the system's bus; ``close`` ends it.

    ``address`` is a D-Bus address; without one it's DBUS_SYSTEM_BUS_ADDRESS or the usual socket.
    """

    def __init__(self, generated: Callable[[str], bool], address: str | None = None) -> None:
        self._generated = generated
        self._address = address
        self._bus: MessageBus | None = None

    async def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """The units, in this order; one that doesn't exist has the load state ``not-found``.

        Raises:
            HostUnreadable: the bus can't be reached, or systemd doesn't answer on it.
        """
        return tuple([await self._unit(name) for name in names])

    async def matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """The names of units and unit files that match shell patterns; all of them where there are none.

        Raises:
            HostUnreadable: as ``units``.
        """
        loaded = await self.call(manager("ListUnitsByPatterns"), "asas", [], [*patterns])
        listing = manager("ListUnitFilesByPatterns")
        files = await self.call(listing, "asas", [], [*patterns], within_s=_FILES_WITHIN_S)
        return startable([row[0] for row in loaded] + [row[0].rpartition("/")[2] for row in files])

    async def in_use(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Of those that match, the names of the ones that are active or failed.

        Raises:
            HostUnreadable: as ``units``.
        """
        loaded = await self.call(manager("ListUnitsByPatterns"), "asas", [*IN_USE], [*patterns])
        return startable([row[0] for row in loaded])

    async def call(
        self, method: Method, signature: str = "", *arguments: Any, within_s: float = _TIMEOUT_S
    ) -> Any:
        """The one value of a method's answer, unpacked; None where it answers nothing.

        Raises:
            HostUnreadable: the bus can't be reached, or the method's owner doesn't answer, or refuses.
        """
        from dbus_fast import Message, MessageType, unpack_variants

        bus = await self.connect()
        message = Message(
            destination=method.destination,
            path=method.path,
            interface=method.interface,
            member=method.member,
            signature=signature,
            body=[*arguments],
        )
        try:
            async with asyncio.timeout(within_s):
                reply = await bus.call(message)
        except TimeoutError as error:
            self.close()
            raise HostUnreadable("systemd", f"no answer to {method.member}", Reason.TIMEOUT) from error
        except (OSError, EOFError) as error:
            self.close()
            raise HostUnreadable("systemd", f"the bus went away: {error}") from error
        if reply is None:
            raise HostUnreadable("systemd", f"no answer to {method.member}", Reason.TIMEOUT)
        if reply.message_type is MessageType.ERROR:
            raise _refusal(method.member, reply.error_name or "", reply.body)
        return unpack_variants(reply.body[0]) if reply.body else None

    async def connect(self) -> "MessageBus":
        """Raises:
        HostUnreadable: there's no bus, or no library to speak with it.
        """
        if self._bus is not None and self._bus.connected:
            return self._bus
        try:
            from dbus_fast import BusType
            from dbus_fast.aio import MessageBus
            from dbus_fast.errors import AuthError, InvalidAddressError
        except ImportError as error:
            raise HostUnreadable("D-Bus", "dbus-fast isn't installed", Reason.ABSENT) from error
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                self._bus = await MessageBus(self._address, bus_type=BusType.SYSTEM).connect()
        except TimeoutError as error:
            raise HostUnreadable("D-Bus", "no answer", Reason.TIMEOUT) from error
        except OSError as error:
            raise HostUnreadable.of("D-Bus", error) from error
        except (AuthError, InvalidAddressError, EOFError) as error:
            raise HostUnreadable("D-Bus", str(error) or "closed by the bus", Reason.PERMISSION) from error
        return self._bus

    def close(self) -> None:
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    async def _unit(self, name: str) -> Unit:
        # An empty interface name stands for all of them, as systemctl asks.
        said = await self.call(_property("GetAll", object_path(name)), "s", "")
        said = {key: said[key] for key in PROPERTIES if key in said}
        return unit_from(said, job=await self._job(said), generated=self._generated)

    async def _job(self, said: dict[str, Any]) -> str | None:
        number, path = said.get("Job", (0, ""))
        if not number:
            return None
        try:
            kind = await self.call(_property("Get", path), "ss", _JOB, "JobType")
        except HostUnreadable as error:
            if error.reason is Reason.ABSENT:
                return None  # done meanwhile
            raise
        return str(kind)


def _refusal(member: str, name: str, body: list[Any]) -> HostUnreadable:
    said = body[0] if body and isinstance(body[0], str) else name
    short = name.rpartition(".")[2]
    if short in _DENIED:
        reason = Reason.PERMISSION
    elif short in _GONE:
        reason = Reason.ABSENT
    elif short in {"ServiceUnknown", "NameHasNoOwner"}:
        reason = Reason.UNSUPPORTED
    else:
        reason = Reason.FAILED
    return HostUnreadable("systemd", f"{member}: {said}", reason)
