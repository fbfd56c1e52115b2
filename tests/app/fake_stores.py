"""Stores that fail when a test says so: a disk can't be filled for each test."""

from collections.abc import Iterable
from typing import Any

from trueup.domain.sample import Sample
from trueup.store.failure import Reason, StoreFailed
from trueup.store.state import Batch, Remembered


class FakeState:
    """Keeps batches. ``fails`` is why nothing can be stored now."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.fails: Reason | None = None
        self.attempts = 0

    def load(self) -> Remembered:
        return Remembered()

    def record(self, batch: Batch) -> None:
        self.attempts += 1
        if self.fails is not None:
            raise StoreFailed(self.fails, "as the test wants it")
        self.batches.append(batch)

    def incidents(self, **_: Any) -> list[Any]:
        raise StoreFailed(Reason.GONE, "as the test wants it")

    def incident(self, _number: int) -> None:
        raise StoreFailed(Reason.GONE, "as the test wants it")


class FakeHistory:
    """Keeps looks. ``fails`` is why nothing can be stored now."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.fails: Reason | None = None

    def add(self, samples: Iterable[Sample]) -> None:
        if self.fails is not None:
            raise StoreFailed(self.fails, "as the test wants it")
        self.samples += samples
