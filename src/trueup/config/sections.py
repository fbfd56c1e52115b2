"""The sections that are no targets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Final, TypeVar

from trueup.config.apprise_library import schemes_of_apprise
from trueup.config.draft import Draft
from trueup.config.names import mistake_in_name
from trueup.config.problems import Path
from trueup.domain.address import Address
from trueup.domain.channel import Channel
from trueup.domain.location import Location
from trueup.domain.maintenance import Maintenance

T = TypeVar("T")
_WEB: Final = frozenset({"http", "https"})
OWN_SCHEMES: Final = _WEB | {"mailto", "mailtos", "ntfy", "ntfys", "pagerduty", "slack", "tgram"}
"""Those that trueup sends to by itself: for them, nobody needs to ask Apprise what it knows."""
_ONLY_WEB: Final = ("form", "secret", "headers", "tls")
_RECURRENCES: Final = ("from", "weekly", "cron")


@dataclass(frozen=True, slots=True)
class _Uplink:
    uplink: tuple[Address, ...] = ()


def read_section(draft: Draft, name: str, shape: type[T]) -> T | None:
    """A section that is one dataclass; None where it isn't there or doesn't hold."""
    written = draft.value((name,))
    return draft.read(shape, written, (name,)) if written is not None else None


def read_location(draft: Draft) -> Location:
    """The section ``location``."""
    location = read_section(draft, "location", Location) or Location()
    mistake = mistake_in_name(location.name)
    if mistake is not None:
        draft.say(("location", "name"), *mistake)
    return location


def read_channels(draft: Draft) -> dict[str, Channel]:
    """The section ``channels``."""
    channels = {}
    for name in draft.entries(("channels",)):
        path: Path = ("channels", name)
        mistake = mistake_in_name(name)
        if mistake is not None:
            draft.say(path, *mistake)
        written = draft.value(path)
        channel = draft.read(Channel, written if isinstance(written, dict) else {"to": written}, path)
        if channel is not None:
            channels[name] = channel
            if channel.scheme not in OWN_SCHEMES:
                at = (*path, "to") if isinstance(written, dict) else path
                _refuse_unknown_scheme(draft, channel.scheme, at)
            if channel.scheme not in _WEB and isinstance(written, dict):
                _refuse_web_keys(draft, written, path)
    return channels


def _refuse_unknown_scheme(draft: Draft, scheme: str, path: Path) -> None:
    known = schemes_of_apprise() | OWN_SCHEMES
    if scheme not in known:
        close = draft.nearest(scheme, known)
        hint = f"did you mean {close}://?" if close else "see the URLs that Apprise documents"
        draft.say(path, f"unknown scheme {draft.written(path, scheme)}", hint)


def _refuse_web_keys(draft: Draft, written: Mapping[str, Any], path: Path) -> None:
    for key in _ONLY_WEB:
        if key in written:
            draft.say((*path, key), "it is for http and https alone", "remove it")


def read_uplink(draft: Draft) -> tuple[Address, ...]:
    """The section ``uplink``."""
    written = draft.value(("uplink",))
    read = draft.read(_Uplink, {"uplink": written}, ()) if written is not None else None
    return read.uplink if read is not None else ()


def read_maintenance(draft: Draft, zone: tzinfo) -> list[tuple[int, Maintenance]]:
    """The section ``maintenance``, each entry with its place; ``zone`` is that of entries that name none."""
    written = draft.value(("maintenance",))
    if written is not None and not isinstance(written, list):
        draft.say(("maintenance",), "it is no list", "write - {targets: [NAME], from: TIME, for: 2h}")
        return []
    read = []
    for place, entry in enumerate(written or ()):
        path: Path = ("maintenance", place)
        if isinstance(entry, dict):
            entry.setdefault("timezone", zone)
        one = draft.read(Maintenance, entry, path)
        if one is None:
            continue
        if one.from_at is not None and one.from_at.tzinfo is None:
            one = replace(one, from_at=one.from_at.replace(tzinfo=one.timezone))
        said = [key for key in _RECURRENCES if entry.get(key) is not None]
        if len(said) != 1:
            problem = f"it has {' and '.join(said)}" if said else "it says not when"
            draft.say(path, problem, "write one of from weekly cron")
        if not one.targets.words:
            draft.say((*path, "targets"), "it means no target", 'write names, tag:NAME, or "*"')
        read.append((place, one))
    return read
