"""What the steps of a journey do, each kind in its own notation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, get_type_hints

from trueup.config.draft import Draft
from trueup.config.options import (
    given,
    option_keys,
    probe_of,
    read_options,
    refuse_tls,
    refuse_unknown,
    takes_tls,
)
from trueup.config.problems import Path
from trueup.config.substitution import Saved
from trueup.domain.address import Address
from trueup.domain.http_settings import WEB
from trueup.domain.journey import (
    Browse,
    Click,
    Command,
    CommandExpect,
    Fill,
    HttpRequest,
    MailRoundTrip,
    Open,
    ProbeLook,
    See,
    Step,
    StepKind,
)
from trueup.domain.secret import Secret
from trueup.domain.target import TlsSettings
from trueup.probes.probe import Probe
from trueup.probes.registry import probe_for

Web = Annotated[Address, WEB]
METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options")


@dataclass(frozen=True, slots=True)
class HttpKeys:
    """One request: its method as a key with its URL.

    ``json``, ``form`` or ``body`` is its body. ``redirects``: whether they are followed.
    """

    get: Web | None = None
    post: Web | None = None
    put: Web | None = None
    patch: Web | None = None
    delete: Web | None = None
    head: Web | None = None
    options: Web | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Secret] | None = None
    body: Secret | None = None
    redirects: bool = True


@dataclass(frozen=True, slots=True)
class ProbeKeys:
    """One look: ``at`` an address, and what its protocol understands. The address alone will do."""

    at: Address
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class BrowserKeys:
    """One of the four. ``open``: a URL. ``fill``: texts by CSS selector. ``click``: a CSS selector.

    ``see``: a text that must be there.
    """

    open: Web | None = None
    fill: Mapping[str, Secret] | None = None
    click: str | None = None
    see: str | None = None


@dataclass(frozen=True, slots=True)
class CommandKeys:
    """``command``: a program and its arguments."""

    command: tuple[str, ...]


def expect_shape(probe: Probe) -> Any:
    """The dataclass that a probe's ``expect`` is; None where it expects nothing."""
    hint = get_type_hints(probe.options).get("expect")
    branches = getattr(hint, "__args__", (hint,))
    return next((one for one in branches if hasattr(one, "__dataclass_fields__")), None)


def read_http(draft: Draft, path: Path, action: Any, expect: Any, saved: Saved) -> Step | None:
    """One HTTP request and what is expected of the answer."""
    at = (*path, StepKind.HTTP.value)
    keys = draft.read(HttpKeys, action if isinstance(action, dict) else {"get": action}, at, saved)
    shape = expect_shape(probe_for("http"))
    expected = draft.read(shape, expect if expect is not None else {}, (*path, "expect"), saved)
    if keys is None or expected is None:
        return None
    methods = [method for method in METHODS if getattr(keys, method) is not None]
    if len(methods) != 1:
        problem = f"it does {' and '.join(methods)}" if methods else "it has no method"
        draft.say(at, problem, "write one of them, as in {get: https://shop.example/}")
        return None
    bodies = [name for name in ("json", "form", "body") if getattr(keys, name) is not None]
    if len(bodies) > 1:
        draft.say(at, f"it has {' and '.join(bodies)}", "write one of them")
    request = HttpRequest(
        methods[0].upper(),
        getattr(keys, methods[0]),
        keys.headers,
        keys.json,
        keys.form,
        keys.body,
        keys.redirects,
    )
    return Step(StepKind.HTTP, request, expected)


def read_probe(
    draft: Draft, path: Path, kind: StepKind, written: tuple[Any, Any], saved: Saved
) -> Step | None:
    """One look by the probe of an address, with what that probe understands."""
    at = (*path, kind.value)
    action, expect = written
    keys_written = action if isinstance(action, dict) else {"at": action}
    options = {key: value for key, value in keys_written.items() if key not in {"at", "tls"}}
    own = {key: value for key, value in keys_written.items() if key in {"at", "tls"}}
    keys = draft.read(ProbeKeys, own, at, saved)
    if keys is None:
        return None
    probe = probe_of(keys.at)
    if kind is not StepKind.PROBE and (probe is None or probe.name != kind):
        draft.say(at, f"{keys.at} isn't {kind}", f"write {kind}://, or probe: instead of {kind}:")
        return None
    refuse_unknown(draft, at, options, [probe], ("at", "tls"))
    if keys.tls is not None and not takes_tls(probe, keys.at):
        refuse_tls(draft, at, probe, keys.at)
    if expect is not None:
        expected = _expected(draft, probe, path, expect, saved)
        if expected is None:
            return None
        options["expect"] = expected
    read = read_options(draft, at, probe, keys.at, options | given(tls=keys.tls), saved=saved)
    return Step(kind, ProbeLook(keys.at, read, keys.tls)) if probe is None or read is not None else None


def _expected(draft: Draft, probe: Probe | None, path: Path, expect: Any, saved: Saved) -> Any:
    if probe is None or "expect" not in option_keys(probe):
        what = probe.name if probe else "a bare HOST:PORT"
        draft.say((*path, "expect"), f"{what} expects nothing", "remove it")
        return None
    return draft.read(expect_shape(probe), expect, (*path, "expect"), saved)


def read_mail(draft: Draft, path: Path, action: Any, saved: Saved) -> Step | None:
    """A mail sent and found."""
    read = draft.read(MailRoundTrip, action, (*path, StepKind.MAIL.value), saved)
    return Step(StepKind.MAIL, read) if read is not None else None


def read_command(draft: Draft, path: Path, action: Any, expect: Any, saved: Saved) -> Step | None:
    """A program and what it must say."""
    if not isinstance(action, list) or not action:
        draft.say(
            (*path, StepKind.COMMAND.value), "it is no list", "no shell reads it: write [PROGRAM, ARGUMENT]"
        )
        return None
    read = draft.read(CommandKeys, {"command": action}, path, saved)
    expected = draft.read(CommandExpect, expect if expect is not None else {}, (*path, "expect"), saved)
    if read is None or expected is None:
        return None
    return Step(StepKind.COMMAND, Command(read.command), expected)


def read_browse(draft: Draft, path: Path, action: Any, saved: Saved) -> Step | None:
    """What a person would do in a browser."""
    at = (*path, StepKind.BROWSER.value)
    if not isinstance(action, list) or not action:
        draft.say(at, "it is no list", "write [{open: URL}, {click: SELECTOR}, {see: TEXT}]")
        return None
    actions: list[Open | Fill | Click | See] = []
    for place, written in enumerate(action):
        keys = draft.read(BrowserKeys, written, (*at, place), saved)
        if keys is None:
            continue
        said = [name for name in ("open", "fill", "click", "see") if getattr(keys, name) is not None]
        if len(said) != 1:
            draft.say(
                (*at, place), f"it does {' and '.join(said) or 'nothing'}", "write one of open fill click see"
            )
        elif place == 0 and keys.open is None:
            hint = "each browser step has a browser of its own: begin with {open: URL}"
            draft.say((*at, place), "no page is open yet", hint)
        actions += _browser_actions(keys)
    return Step(StepKind.BROWSER, Browse(tuple(actions)))


def _browser_actions(keys: BrowserKeys) -> list[Open | Fill | Click | See]:
    if keys.open is not None:
        return [Open(keys.open)]
    if keys.fill is not None:
        return [Fill(selector, text) for selector, text in keys.fill.items()]
    if keys.click is not None:
        return [Click(keys.click)]
    return [See(keys.see)] if keys.see is not None else []
