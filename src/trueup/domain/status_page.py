"""What the public may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trueup.domain.selector import Selector


@dataclass(frozen=True, slots=True)
class StatusPage:
    """``groups``: by title, the targets to show: names, patterns or ``tag:NAME``. Others aren't shown."""

    title: str = "Status"
    groups: Mapping[str, Selector] = field(default_factory=dict)
