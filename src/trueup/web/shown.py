"""What the web needs of a running monitor, and of nothing else."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any, Protocol

from trueup.config.configuration import Configuration
from trueup.domain.metric import Family
from trueup.domain.silence import Silence
from trueup.domain.states import State
from trueup.domain.target import Target

Document = dict[str, Any]
"""JSON as the contract has it."""


class Shown(Protocol):
    """A running monitor. Everything is called on the loop; what waits for a disk or a target is awaited.

    ``targets`` are in the order of the configuration, which is None where nothing was written and this
    machine's listeners are watched; a reload replaces both.
    """

    @property
    def targets(self) -> tuple[Target, ...]: ...

    @property
    def configuration(self) -> Configuration | None: ...

    # ---- targets -----------------------------------------------------------------------------------------

    def documents(self) -> list[Document]:
        """Every target as the contract's element, with ``since``, ``hard``, ``tier`` and ``incident``."""
        ...

    def document(self, target: Target) -> Document: ...

    def explained(self, target: Target) -> Document:
        """The document, and ``timeline``, ``rules``, ``log`` and ``missing``."""
        ...

    def screenshot(self, name: str) -> bytes | None:
        """What the browser of a journey showed where it fails, as PNG; None where there's none."""
        ...

    def hard_state(self, name: str) -> State:
        """The last confirmed state; ``unknown`` for what was never seen, or is no target."""
        ...

    async def look_at(self, name: str) -> Document:
        """Look at a target now; its new document.

        Raises:
            KeyError: there's no such target.
        """
        ...

    async def history(self, name: str, since: datetime, until: datetime, step_s: int) -> Document:
        """The contract's document; a point has ``counts`` too: how many looks found which state.

        Raises:
            KeyError: there's no such target.
        """
        ...

    # ---- incidents ---------------------------------------------------------------------------------------

    async def incidents(
        self,
        *,
        limit: int,
        before_id: int | None = None,
        target: str | None = None,
        is_open: bool | None = None,
        since: datetime | None = None,
    ) -> list[Document]:
        """The newest first, each whole; ``since``: those that were open then or opened later."""
        ...

    async def incident(self, incident_id: int) -> Document | None: ...

    async def acknowledge(self, incident_id: int, by: str, note: str) -> Document | None:
        """The incident as it is now; None where there's none. ``by`` is who does it."""
        ...

    async def add_note(self, incident_id: int, by: str, text: str) -> Document | None: ...

    # ---- silences and maintenance ------------------------------------------------------------------------

    def silences(self) -> list[Silence]:
        """Those that haven't ended, also maintenance that an operator planned (``planned``)."""
        ...

    async def add_silence(
        self,
        targets: tuple[str, ...],
        *,
        from_at: datetime,
        until_at: datetime,
        author: str,
        why: str,
        planned: bool,
    ) -> Silence: ...

    async def end_silence(self, silence_id: int, by: str) -> bool:
        """Whether there was one that hadn't ended."""
        ...

    def maintenance(self) -> list[Document]:
        """Configured and planned by an operator: ``id`` (None where the configuration has it),
        ``targets``, ``from`` and ``until`` of the window that is going on or comes next (None: no more),
        ``author`` and ``note``.
        """
        ...

    # ---- jobs, events, itself ----------------------------------------------------------------------------

    async def beat(self, token: str, kind: str, body: str) -> bool:
        """A job reports: ``kind`` is ``success``, ``start``, ``fail`` or its exit status in digits.

        False: nobody has that token.
        """
        ...

    def heartbeat_path(self, name: str) -> str | None:
        """Where a job reports to, for the eyes of who may change something; None where none is awaited."""
        ...

    def subscribe(self) -> AsyncIterator[Document]:
        """Each change from now on: ``{"type": "target", …}`` with the document, ``{"type": "incident", …}``.
        ``{"type": "configuration", …}`` says that it was read again, ``{"type": "health", …}`` how we are.

        A reader that is too slow misses the oldest, and hears ``{"type": "missed", "n": …}``. Close it.
        """
        ...

    def own_health(self) -> Document:
        """Of trueup itself: ``state``, and ``problems`` as sentences."""
        ...

    def metrics(self) -> Iterable[Family]:
        """In the order in which they are shown; the web writes them as Prometheus reads them."""
        ...
