"""systemd asked by its own command: the fallback where D-Bus can't be reached. One fork for many units."""

from collections.abc import Callable, Sequence
from typing import Final

from trueup.host.commands import output_of
from trueup.host.facts import Unit
from trueup.host.systemd import (
    IN_USE,
    PROPERTIES,
    parse_jobs,
    parse_names,
    parse_show,
    startable,
    unit_from,
)

_PLAIN: Final = ("--no-pager", "--no-legend", "--plain", "--full")


class Systemctl:
    """``generated`` says whether a generator pulls a unit in at each boot."""

    def __init__(self, generated: Callable[[str], bool], prefix: Sequence[str] = ()) -> None:
        self._generated = generated
        self._prefix = tuple(prefix)

    async def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """The units, in this order; one that doesn't exist has the load state ``not-found``.

        Raises:
            HostUnreadable: systemctl isn't there, fails, or prints what isn't understood.
        """
        if not names:
            return ()
        shown = await self._ask("show", f"--property={','.join(PROPERTIES)}", "--", *names)
        blocks = list(parse_show(shown))
        jobs = {}
        if any("Job" in said for said in blocks):
            jobs = parse_jobs(await self._ask("list-jobs", *_PLAIN))
        return tuple(unit_from(said, job=jobs.get(said["Id"]), generated=self._generated) for said in blocks)

    async def matching(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """The names of units and unit files that match shell patterns; all of them where there are none.

        Raises:
            HostUnreadable: as ``units``.
        """
        loaded = await self._ask("list-units", "--all", *_PLAIN, "--", *patterns)
        installed = await self._ask("list-unit-files", *_PLAIN, "--", *patterns)
        return startable(parse_names(loaded) + parse_names(installed))

    async def in_use(self, patterns: Sequence[str]) -> tuple[str, ...]:
        """Of those that match, the names of the ones that are active or failed.

        Raises:
            HostUnreadable: as ``units``.
        """
        loaded = await self._ask("list-units", f"--state={','.join(IN_USE)}", *_PLAIN, "--", *patterns)
        return startable(parse_names(loaded))

    async def _ask(self, *words: str) -> str:
        output = await output_of([*self._prefix, "systemctl", *words])
        return output.written.decode(errors="replace")
