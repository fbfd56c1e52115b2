"""The kinds of channels by scheme. A kind is found by its file in this folder; nothing lists them."""

import importlib
import pkgutil
from functools import cache
from typing import Final

import trueup.alerts.channels
from trueup.alerts.sender import ChannelKind, Sender
from trueup.domain.channel import Channel
from trueup.domain.clock import Clock
from trueup.domain.understood import NotUnderstood

OTHERS: Final = "apprise"
"""The kind that takes whatever no other reads."""


@cache
def all_kinds() -> tuple[ChannelKind, ...]:
    """Every kind, in the order of its file's name."""
    names = sorted(module.name for module in pkgutil.iter_modules(trueup.alerts.channels.__path__))
    modules = (importlib.import_module(f"trueup.alerts.channels.{name}") for name in names)
    kinds = (getattr(module, "KIND", None) for module in modules)
    return tuple(kind for kind in kinds if isinstance(kind, ChannelKind))


def sender_for(channel: Channel, clock: Clock) -> tuple[ChannelKind, Sender]:
    """The sender of a channel: its own kind's where that reads its URL, else the one that takes all others.

    A URL that nobody can read has a sender too, which says so at each attempt: nothing is lost by it.
    """
    for kind in all_kinds():
        if channel.scheme in kind.schemes and channel.form == kind.form:
            try:
                return kind, kind.make(channel, clock)
            except NotUnderstood:
                break
    others = next(kind for kind in all_kinds() if kind.name == OTHERS)
    return others, others.make(channel, clock)
