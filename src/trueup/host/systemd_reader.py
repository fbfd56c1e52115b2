"""Reads systemd: over D-Bus, else by systemctl. Without systemd it says so at once."""

import glob
import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

from trueup.host.facts import Unit
from trueup.host.systemctl import Systemctl
from trueup.host.systemd import startable
from trueup.host.systemd_bus import SystemdBus
from trueup.host.unreadable import HostUnreadable, Reason

_BOOTED: Final = "run/systemd/system"  # sd_booted(3)
_ENABLED: Final = (
    "etc/systemd/system/*.wants/*",
    "etc/systemd/system/*.requires/*",
    "etc/systemd/system/*.*",
)
"""systemctl(1), enable."""

_GENERATED: Final = "run/systemd/generator*/*.{kind}/{unit}"


class Systemd:
    """``root`` is where this system's file tree begins; ``address`` its bus, where it isn't the usual one."""

    def __init__(self, root: str = "/", address: str | None = None, prefix: Sequence[str] = ()) -> None:
        self._root = root
        self.bus = SystemdBus(self._generated, address)
        self._systemctl = Systemctl(self._generated, prefix)

    async def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """The units, in this order; one that doesn't exist has the load state ``not-found``.

        Raises:
            HostUnreadable: there is no systemd (reason ``unsupported``), or it can't be asked.
        """
        self._must_be_booted()
        try:
            return await self.bus.units(names)
        except HostUnreadable as error:
            return await self._systemctl_instead(error).units(names)

    async def matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """The names of units and unit files that match shell patterns.

        Raises:
            HostUnreadable: as ``units``.
        """
        self._must_be_booted()
        if not patterns:
            return ()
        try:
            return await self.bus.matching(patterns)
        except HostUnreadable as error:
            return await self._systemctl_instead(error).matching(patterns)

    async def in_use(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Of those that match, the names of the ones that are active or failed, or enabled.

        Which are enabled is read from the links that enabling makes: systemd itself would read every unit
        file for that, which takes it seconds on a busy machine.

        Raises:
            HostUnreadable: as ``units``.
        """
        self._must_be_booted()
        try:
            active = await self.bus.in_use(patterns)
        except HostUnreadable as error:
            active = await self._systemctl_instead(error).in_use(patterns)
        linked = [name for name in self._linked() if any(fnmatchcase(name, one) for one in patterns)]
        return startable([*active, *linked])

    def _linked(self) -> list[str]:
        """The units that others want or require because somebody enabled them, and those with an alias."""
        links = [
            path
            for pattern in _ENABLED
            for path in glob.glob(os.path.join(self._root, pattern))  # noqa: PTH118, PTH207 - text throughout
            if os.path.islink(path)  # noqa: PTH114 - text throughout
        ]
        return sorted(os.path.basename(path) for path in links)  # noqa: PTH119 - text throughout

    def close(self) -> None:
        self.bus.close()

    def _must_be_booted(self) -> None:
        if not os.path.isdir(os.path.join(self._root, _BOOTED)):  # noqa: PTH112, PTH118 - text throughout
            raise HostUnreadable("systemd", "it isn't the init system here", Reason.UNSUPPORTED)

    def _systemctl_instead(self, error: HostUnreadable) -> Systemctl:
        if error.reason in (Reason.TIMEOUT, Reason.MALFORMED):
            raise error  # systemd itself doesn't answer, or not as we know it: its command asks no other
        return self._systemctl

    def _generated(self, unit: str) -> bool:
        """Whether a generator made the link that pulls the unit in: it will again at the next boot."""
        return any(
            glob.glob(  # noqa: PTH207 - a path is text throughout this floor
                os.path.join(self._root, _GENERATED.format(kind=kind, unit=glob.escape(unit)))  # noqa: PTH118 - text throughout
            )
            for kind in ("wants", "requires")
        )
