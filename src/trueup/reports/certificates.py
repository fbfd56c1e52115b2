"""Certificates that run out soon."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trueup.reports.material import Material, moment

SOON: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The one that a target shows, and how long it still holds; less than nothing where it has run out."""

    target: str
    expires_at: datetime
    left: timedelta


def certificates_of(material: Material) -> list[Certificate]:
    """Those of the next weeks, the first to run out first; of several at one target the first."""
    found = []
    for target in material.targets:
        ends = [
            ends
            for seen in target["observations"]
            if (ends := moment((seen.get("facts") or {}).get("expires_at"))) is not None
        ]
        if ends and min(ends) - material.until_at <= SOON:
            found.append(Certificate(target["name"], min(ends), min(ends) - material.until_at))
    return sorted(found, key=lambda one: (one.expires_at, one.target))
