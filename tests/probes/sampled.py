"""How healthy servers talked to our probes, as `record_samples.py` recorded it."""

import json
from pathlib import Path
from typing import Any

from trueup.domain.secret import Secret
from trueup.domain.target import Login

FOLDER = Path(__file__).parent / "samples"

_GUEST = Login(Secret("guest"), "guest")
OPTIONS: dict[str, dict[str, Any]] = {
    "amqp": {"login": _GUEST, "roundtrip": True},
    "elasticsearch": {"roundtrip": True},
    "memcached": {"roundtrip": True},
    "mongodb": {"roundtrip": True},
    "mqtt": {"roundtrip": True},
    "mysql": {"login": Login(Secret(""), "root"), "query": "select 1", "roundtrip": True},
    "nats": {"roundtrip": True},
    "postgres": {"query": "select 1", "roundtrip": True},
    "rabbitmq": {"login": _GUEST},
    "redis": {"queues": {"jobs": 10}, "roundtrip": True},
}
"""What the probe was configured to do in its sample, where it was more than its defaults."""


def names() -> list[str]:
    """Those of which there is a sample; each is a scheme."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def turns_of(name: str) -> tuple[tuple[bool, bytes], ...]:
    """What the server said, and whether it was asked."""
    turns = json.loads((FOLDER / f"{name}.json").read_text())
    return tuple((asked, bytes.fromhex(data)) for asked, data in turns)
