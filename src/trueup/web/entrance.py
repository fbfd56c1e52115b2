"""What signing in and setting up share: how often one may try, slow work aside, and the cookie."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from trueup.web.access import SESSION_COOKIE, Doorman
from trueup.web.accounts import Person
from trueup.web.login_limits import LoginLimits
from trueup.web.refusal import Refusal

NAME_CHARS_MAX: Final = 128
PASSWORD_CHARS_MAX: Final = 1000
_WEEK_S: Final = 7 * 86400
_T = TypeVar("_T")


class Entrance:
    """Passwords are tried on two threads of their own: argon2id is meant to be slow."""

    def __init__(self, doorman: Doorman) -> None:
        self.doorman = doorman
        self.accounts = doorman.accounts
        self.now = doorman.now
        self._limits = LoginLimits()
        self._slow = ThreadPoolExecutor(2, thread_name_prefix="argon2")

    async def has_people(self) -> bool:
        """Whether anybody has an account."""
        return await asyncio.to_thread(self.accounts.has_people)

    async def aside(self, work: Callable[[], _T]) -> _T:
        """Do it on the threads of passwords."""
        return await asyncio.get_running_loop().run_in_executor(self._slow, work)

    def hear(self, request: Request, account: str) -> None:
        """Raises:
        Refusal: 429, there were too many tries.
        """
        address = self.doorman.address(request)
        wait_s = self._limits.wait_s(account[:NAME_CHARS_MAX], address, time.monotonic())
        if wait_s > 0:
            raise Refusal(429, "too many tries", f"wait {wait_s:.0f} seconds", retry_after=round(wait_s) + 1)

    async def enter(self, request: Request, person: Person, to: str) -> Response:
        """Begin a session, and go on to ``to``."""
        begin = self.accounts.begin_session
        word = await asyncio.to_thread(begin, person, self.doorman.now())
        response = RedirectResponse(to, 303)
        response.set_cookie(
            SESSION_COOKIE,
            word,
            max_age=_WEEK_S,
            httponly=True,
            samesite="lax",
            secure=self.doorman.is_secure(request),
        )
        return response
