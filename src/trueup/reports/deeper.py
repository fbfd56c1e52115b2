"""What a look at the port alone would have called up: incidents whose first broken layer lay deeper."""

from dataclasses import dataclass
from typing import Final

from trueup.domain.states import Layer
from trueup.reports.roots import Root

_BEHIND_THE_PORT: Final = (Layer.TLS, Layer.SERVICE, Layer.FUNCTION)
_NAMED: Final = {
    Layer.TLS: "port green, TLS red",
    Layer.SERVICE: "port green, service red",
    Layer.FUNCTION: "port green, function red",
    Layer.HOST: "explained from inside",
}


@dataclass(frozen=True, slots=True)
class Deeper:
    """So many incidents of one kind; ``words`` as ``port green, function red``, ``of`` targets and causes."""

    layer: str
    words: str
    times: int
    of: list[tuple[str, str]]


def deeper_of(roots: list[Root]) -> list[Deeper]:
    """By layer, from the outside in; what the machine itself explained comes last."""
    found = []
    for layer in (*_BEHIND_THE_PORT, Layer.HOST):
        mine = [root for root in roots if root.layer == layer.value]
        if mine:
            times = sum(len(root.incidents) for root in mine)
            found.append(
                Deeper(layer.value, _NAMED[layer], times, [(root.target, root.cause) for root in mine])
            )
    return found
