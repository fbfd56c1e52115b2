"""How long a look waits in silence before it asks who or what else might be there."""

import asyncio
from typing import TYPE_CHECKING

from trueup.checks.check import PATIENCE, Check
from trueup.engine.engine import Engine

if TYPE_CHECKING:
    from trueup.checks.questions import Asking


class Patience:
    """Of one look, which begins now and has until ``ends_s`` on the loop's clock. Its maker calls ``end``."""

    asking: "Asking | None" = None
    """What is asked meanwhile; None where the answer came in time."""

    _timer: asyncio.TimerHandle | None = None
    _is_over = False

    def __init__(self, engine: Engine, check: Check) -> None:
        self.ends_s = asyncio.get_running_loop().time() + check.timeout_s
        self._engine, self._check = engine, check

    def keep_time(self) -> None:
        """Ask when it's time, without being told. Else ``ask_if_due`` is to be called now and then."""
        # A timer that is hardly ever rung, and no task: this is done for each look.
        self._timer = asyncio.get_running_loop().call_later(self._check.timeout_s * PATIENCE, self._ask)

    def ask_if_due(self, now_s: float) -> None:
        """Ask if it has been silent for too long at ``now_s`` on the loop's clock."""
        if (
            self.asking is None
            and not self._is_over
            and now_s >= self.ends_s - self._check.timeout_s * (1 - PATIENCE)
        ):
            self._ask()

    def left_s(self) -> float:
        """The time until the look's deadline, in seconds; never nothing at all."""
        return max(0.05, self.ends_s - asyncio.get_running_loop().time())

    def heard(self) -> None:
        """The conversation is over: nothing more is asked meanwhile."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()

    def end(self) -> None:
        """The look is over: nobody wants to know any more."""
        self.heard()
        if self.asking is not None:
            self.asking.cancel()

    def _ask(self) -> None:
        from trueup.checks.questions import ask_meanwhile

        self.asking = ask_meanwhile(self._engine, self._check, self.left_s())
