"""Units for tests, with as little said of each as the test needs."""

from dataclasses import replace
from typing import Any, Final

from trueup.host.facts import Unit

_PLAIN: Final = Unit(
    name="shop.service",
    names=("shop.service",),
    description="The shop",
    load_state="loaded",
    active_state="active",
    sub_state="running",
    unit_file_state="enabled",
)


def unit(name: str = "shop.service", **said: Any) -> Unit:
    return replace(_PLAIN, name=name, names=(name,), **said)
