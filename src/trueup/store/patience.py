"""Connections to PostgreSQL that don't wait for ever.

A server that's frozen, or a network that drops every packet, ends no connection by itself: without a limit
of our own, whoever waits for an answer would wait silently for as long as that lasts. It's loaded where
PostgreSQL is the store alone, for its driver may be missing.
"""

import os
import socket
from contextlib import suppress
from threading import Lock, Timer
from typing import Any

from psycopg import Connection, OperationalError


class PatientConnection(Connection[Any]):
    """``patience_s``: after so long without an answer the connection is given up; None: never."""

    patience_s: float | None = None

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        """Raises:
        OperationalError: also where there was no answer in time.
        """
        if self.patience_s is None:
            return super().wait(*args, **kwargs)
        limit = _Limit(self.fileno())
        timer = Timer(self.patience_s, limit.reached)
        timer.daemon = True
        timer.start()
        try:
            return super().wait(*args, **kwargs)
        except OperationalError as error:
            if limit.was_reached:
                raise OperationalError(f"no answer within {self.patience_s:g} s") from error
            raise
        finally:
            timer.cancel()
            limit.lift()


class _Limit:
    """Ends the connection of a descriptor, unless it's lifted before: then the number may be another's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self._lock = Lock()
        self.was_reached = False

    def reached(self) -> None:
        with self._lock:
            if self._descriptor is None:
                return
            self.was_reached = True
            with suppress(OSError), socket.socket(fileno=os.dup(self._descriptor)) as connection:
                connection.shutdown(socket.SHUT_RDWR)

    def lift(self) -> None:
        with self._lock:
            self._descriptor = None
