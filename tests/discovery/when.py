"""A moment."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
