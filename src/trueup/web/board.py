"""How every target is, at a glance, kept up to date by what changes: of ten thousand, nobody wants to make
the whole documents for each page that's read.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from trueup.domain.target import Target
from trueup.web.shown import Document, Shown

FEW: Final = 300
"""Of so many, the documents are made each time."""
ANEW_S: Final = 60.0
SLICE_S: Final = 0.03
"""So long it reads in one go: others have work to do too."""
_KEPT: Final = ("name", "kind", "at", "state", "cause", "blame", "summary", "tier", "hard", "since")


class Board:
    """A glance is a document without what it stands on: ``observations`` and ``next``."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._targets: tuple[Target, ...] | None = None
        self._known: dict[str, Document] = {}
        self._read_s = 0.0
        self._missed = False
        self._following: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()

    async def glances(self) -> Sequence[Document]:
        """In the order of the configuration."""
        targets = self._shown.targets
        if len(targets) <= FEW:
            return self._shown.documents()
        async with self._reading:
            if self._following is None or self._following.done():
                self._targets = None
                self._following = asyncio.create_task(self._follow(self._shown.subscribe()))
                await asyncio.sleep(0)  # it listens before anything is read: nothing is missed
            if targets is not self._targets:
                await self._read(targets)
        if time.monotonic() - self._read_s > ANEW_S and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._read(targets))  # meanwhile, as it was will do
        return [self._known[target.name] for target in targets]

    async def _read(self, targets: tuple[Target, ...]) -> None:
        begun_s = time.monotonic()
        self._read_s, self._missed = begun_s, False
        for target in targets:
            self._known[target.name] = _glance(self._shown.document(target))
            if time.monotonic() - begun_s > SLICE_S:
                await asyncio.sleep(0)
                begun_s = time.monotonic()
        names = {target.name for target in targets}
        self._known = {name: one for name, one in self._known.items() if name in names}
        self._targets = None if self._missed else targets

    async def _follow(self, changes: AsyncIterator[Document]) -> None:
        try:
            async for change in changes:
                if change["type"] == "missed":
                    self._targets, self._missed = None, True
                elif change["type"] == "target":
                    self._known[change["name"]] = _glance(change)
        finally:
            with contextlib.suppress(AttributeError):
                await changes.aclose()  # type: ignore[attr-defined]  # only a generator has it


def _glance(document: Document) -> dict[str, Any]:
    return {name: document[name] for name in _KEPT}
