"""The sentence and the next steps for a cause seen from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from shlex import quote
from typing import Final, TypeVar

from trueup.conversation import Transport
from trueup.diagnosis.mistaken import wanted_and_found
from trueup.domain.address import Address, AddressError, parse_address
from trueup.domain.causes import Cause
from trueup.domain.observation import Observation
from trueup.domain.states import Layer, Outcome
from trueup.domain.target import Target
from trueup.host.dialled import met_at
from trueup.probes.registry import SCHEMES, probe_for

Form = TypeVar("Form")

_SENTENCES: Final[dict[Cause, str]] = {
    Cause.UNRESOLVED: "The name {host} can't be resolved: {detail}",
    Cause.REFUSED: "Nothing listens at {place}, or a firewall rejects: {detail}",
    Cause.NO_ANSWER: (
        "No answer from {place} ({detail}): dropped packets, a dead host, or a full accept queue"
    ),
    Cause.UNREACHABLE: "{place} can't be reached: {detail}",
    Cause.SILENT: "{title} at {place} is silent: {detail}",
    Cause.CLOSES: "{place} accepts and hangs up before {title} answers: {detail}",
    Cause.WRONG_SERVICE: "{place} isn't {title}: {detail}",
    Cause.TLS_FAILED: "The TLS handshake with {place} fails: {detail}",
    Cause.TLS_EXPIRED: "The certificate of {place} has expired: {detail}",
    Cause.TLS_NOT_YET_VALID: "The certificate of {place} isn't valid yet: {detail}",
    Cause.TLS_NAME_MISMATCH: "The certificate of {place} is for another name: {detail}",
    Cause.TLS_UNTRUSTED: "The certificate of {place} isn't trusted here: {detail}",
    Cause.TLS_EXPIRING: "{title} at {place} works, but not for long: {detail}",
    Cause.SLOW: "{title} at {place} works, but slowly: {detail}",
    Cause.MONITOR_OFFLINE: "Nobody knows about {place}: the monitor's own network fails: {detail}",
    Cause.MONITOR_STARVED: "Nobody knows about {place}: {detail}",
    Cause.EXPOSED: "{place} can be reached from where it must not be: {detail}",
}
_OF_AN_ISSUER: Final = "The certificate of {place} isn't accepted: {detail}"
_OF_A_SOCKET: Final[dict[Cause, str]] = {
    # A unix socket has no network and no firewall between.
    Cause.REFUSED: "Nobody listens at {place}: {detail}",
    Cause.NO_ANSWER: "No answer from {place}: {detail}",
}
_OF_A_HOST: Final[dict[Cause, str]] = {
    # An echo is answered by the kernel: no port, no queue.
    Cause.NO_ANSWER: "No answer from {place} ({detail}): dropped packets or a dead host",
}
_OF_A_JOURNEY: Final[dict[Cause, str]] = {
    Cause.STEP_FAILED: "{name} fails at {detail}",
    Cause.SLOW: "{name} works, but slowly: {detail}",
    Cause.MONITOR_STARVED: "Nobody knows about {name}: {detail}",
    Cause.MONITOR_OFFLINE: "Nobody knows about {name}: the monitor's own network fails: {detail}",
}
_DEFAULT: Final = "{title} at {place}: {detail}"
_TOO_SLOW: Final = "{title} at {place} is too slow: {detail}"
_HALF: Final = "{title} works at one address of {host} and not at another: {detail}"
_UP: Final = "{title} at {place} is up: {detail}"
_UP_UNIDENTIFIED: Final = "{place} is up: {detail}"
_UNKNOWN: Final = "Nobody knows about {place}: {detail}"

_NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.UNRESOLVED: ("Check the spelling and /etc/resolv.conf, and ask by hand: getent hosts {host}",),
    Cause.REFUSED: ("{on}, see who listens, and start what should: ss {listening}",),
    Cause.NO_ANSWER: (
        "From here: ping -c3 {peer}",
        "{on}, look at the firewall's rules, and whether it listens: ss {listening}",
    ),
    Cause.UNREACHABLE: ("From here: ip route get {peer}",),
    Cause.SILENT: ("{on}, look at the state and the log of the process that listens: ss {listening}",),
    Cause.CLOSES: (
        "{on}, read the log of the process that listens, and of a proxy that of its backend: ss {listening}",
    ),
    Cause.WRONG_SERVICE: ("{on}, see which process it is; or is the address wrong: ss {listening}",),
    Cause.STARTING_UP: ("Wait, and look again; if it stays like this, read its log on {host}",),
    Cause.OVERLOADED: ("{on}, see who uses up its room: ss {connected}",),
    Cause.READ_ONLY: ("Find the primary; is {place} the right address for what writes?",),
    Cause.DISK_FULL: ("{on}: df -h; df -i",),
    Cause.ERROR_ANSWER: ("{on}, read the log of {title}",),
    Cause.NO_QUORUM: ("See which members of its cluster are missing, beginning with the log on {host}",),
    Cause.REPLICATION: ("{on}, read the log of {title}; can it reach its source?",),
    Cause.WRONG_ANSWER: ("See the whole answer: trueup check --transcript '{address}'",),
    Cause.SLOW: ("{on}: uptime; vmstat 1 5", "From here: ping -c10 {peer}"),
    Cause.BAD_UPSTREAM: ("Look at the backend behind {place} and at the gateway's error log",),
    Cause.LOGIN_REFUSED: ("Check the login that trueup is given against the account on {host}",),
    Cause.BLOCKED: ("Allow this monitor's address on {host}, or watch it from where it is allowed",),
    Cause.TLS_EXPIRED: ("Renew the certificate and reload the service",),
    Cause.TLS_EXPIRING: ("Renew the certificate; look at why the automatic renewal didn't",),
    Cause.TLS_NOT_YET_VALID: ("Compare the clocks, here and on {host}: date -u",),
    Cause.TLS_NAME_MISMATCH: ("Ask by the name in the certificate, or issue one for {host}",),
    Cause.TLS_UNTRUSTED: ("Serve the intermediate, or name your authority by tls.ca or SSL_CERT_FILE",),
    Cause.TLS_FAILED: (
        "Look closer: openssl s_client -connect {place} -servername {host}{starttls} </dev/null",
    ),
    Cause.EXPOSED: (
        "{on}, bind it to an inner address, or close {place} to the outside in the firewall",
        "{on}, see where it listens: ss {listening}",
    ),
    Cause.MONITOR_STARVED: ("Look at this machine's load, open files and local ports: ulimit -n; ss -s",),
    Cause.MONITOR_OFFLINE: ("Look at this machine's network: ip route; getent hosts {host}",),
}
"""What follows on a colon is a command: pages copy it."""

_NEXT_OF_A_JOB: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.MISSED_HEARTBEAT: (
        "Where it runs, see whether its timer or cron started it, and it still runs: systemctl list-timers",
        "See whether it knows the address at which this monitor waits for it: trueup heartbeats {word}",
    ),
    Cause.ERROR_ANSWER: ("Read the log of the job {name} where it runs",),
}
_NEXT_OF_A_MAIL: Final = (
    "Where it was taken, see whether it waits, and what became of it: "
    "mailq; journalctl --since -1h | grep -F {message_id}"
)
_NEXT_OF_A_HOST: Final = {Cause.NO_ANSWER: ("From here: ping -c3 {peer}; tracepath -n {peer}",)}
_NEXT_OF_AN_ISSUER: Final = (
    "Serve a chain that is valid; see what is sent: openssl s_client -showcerts -connect {place} </dev/null",
    "Where the authority here is the one out of its time, update ca-certificates, or tls.ca",
)
_STARTTLS: Final = {
    # As openssl-s_client(1) calls them.
    **dict.fromkeys(("smtp", "submission"), "smtp"),
    **{name: name for name in ("imap", "pop3", "ftp", "ldap", "mysql", "postgres", "nats")},
}
_SAID_TWICE: Final = (
    "the TLS handshake fails: ",
    "the TLS session fails: ",
    "the certificate has expired",
    "the certificate isn't valid yet",
    "the certificate is for another name",
)
"""How a detail begins that says what its sentence says."""


def title_of(address: Address) -> str:
    """What people call the service that is expected at ``address``."""
    return probe_for(address.scheme).title if address.scheme else "the service"


def place_of(address: Address) -> str:
    """Host and port, or the socket's path."""
    if address.socket_path is not None:
        return address.socket_path
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = port_of(address)
    return f"{host}:{port}" if port else host


def port_of(address: Address) -> int | None:
    """The port that is asked, from the address or the scheme."""
    if address.port is not None or not address.scheme:
        return address.port
    return probe_for(address.scheme).schemes[address.scheme].port


def address_of(target: Target, seen: Observation | None) -> Address | None:
    """The address that an observation is about."""
    if seen is not None and seen.at is not None:
        return next((one for one in target.at if one.text == seen.at), None)
    return target.at[0] if target.at else None


def sentence(target: Target, seen: Observation) -> str:
    """One sentence about a target by the observation that decides."""
    address = address_of(target, seen)
    if address is None or is_of_a_job(seen):
        unknown = seen.cause is None and seen.outcome is Outcome.UNKNOWN
        form = "Nobody knows about {name}: {detail}" if unknown else "{name}: {detail}"
        form = _OF_A_JOURNEY.get(seen.cause, form) if seen.cause else form
        return form.format(name=target.name, detail=seen.detail)
    if seen.cause is None:
        return _filled(_UNKNOWN, address, seen)
    if seen.outcome is Outcome.SLOW and "other_addresses" in seen.facts:
        return _filled(_HALF, address, seen)
    if seen.cause is Cause.SLOW and seen.outcome is Outcome.FAIL:
        return _filled(_TOO_SLOW, address, seen)
    if seen.cause is Cause.WRONG_SERVICE and (mistaken := _mistaken(address, seen)) is not None:
        return mistaken
    there = _dialled(address, seen)
    forms = {**_SENTENCES, **_special(there, _OF_A_SOCKET, _OF_A_HOST)}
    if seen.facts.get("of_an_issuer"):
        forms |= dict.fromkeys((Cause.TLS_EXPIRED, Cause.TLS_NOT_YET_VALID), _OF_AN_ISSUER)
    words = _filled(forms.get(seen.cause, _DEFAULT), there, seen).removesuffix(": ")
    return words if there is address else f"{words}; asking {place_of(address)} leads there"


def _dialled(address: Address, seen: Observation) -> Address:
    """The place that failed, where that's another one: a redirect's, or a proxy's."""
    host, _, port = str(seen.facts.get("dialled", "")).rpartition(":")
    if not host or (host, int(port)) == (address.host, port_of(address)):
        return address
    return replace(address, host=host, port=int(port), socket_path=None)


def _mistaken(address: Address, seen: Observation) -> str | None:
    """The sentence for somebody else at home, where it could be told who."""
    found = str(seen.facts.get("found", ""))
    names = wanted_and_found(address.scheme, found)
    if names is None:
        return None
    said = seen.detail.removeprefix(f"{found} answers where {address.scheme} is expected").removeprefix(": ")
    return f"{place_of(address)} isn't {names[0]}, but {names[1]}" + (f": {said}" if said else "")


def up_sentence(target: Target, seen: Observation) -> str:
    """One sentence about a target that is up."""
    address = address_of(target, seen)
    if address is None:
        return f"{target.name} is up: {seen.detail}"
    return _filled(_UP_UNIDENTIFIED if seen.facts.get("unidentified") else _UP, address, seen)


def journey_sentence(target: Target, passed: Sequence[Observation]) -> str:
    """One sentence about a journey all of whose steps passed."""
    took_ms = sum(seen.latency_ms or 0.0 for seen in passed)
    steps = "its step passes" if len(passed) == 1 else f"all its {len(passed)} steps pass"
    return f"{target.name} is up: {steps}, {took_ms:.0f} ms"


def next_steps(target: Target, seen: Observation) -> tuple[str, ...]:
    """What to do about it: the protocol's own word first, else the general one.

    Of a journey's step, it's what would be said of a service at its address.
    """
    address, runbook = address_of(target, seen), (f"Runbook: {target.runbook}",) if target.runbook else ()
    if is_of_a_job(seen):
        steps = _NEXT_OF_A_JOB.get(seen.cause, ()) if seen.cause else ()
        return (*(step.format(name=target.name, word=quote(target.name)) for step in steps), *runbook)
    if "message_id" in seen.facts:  # it was taken, and lost on its way from one address to another
        return (_NEXT_OF_A_MAIL.format(message_id=quote(str(seen.facts["message_id"]))), *runbook)
    if seen.cause is Cause.STEP_FAILED:
        address, seen = _of_the_step(seen)
    if address is None or seen.cause is None:
        return runbook if seen.outcome is Outcome.FAIL else ()
    address = _dialled(address, seen)
    scheme = address.scheme or str(seen.facts.get("speaks", ""))
    own = probe_for(scheme).next_steps.get(seen.cause) if scheme else None
    if seen.facts.get("of_an_issuer"):
        own = _NEXT_OF_AN_ISSUER
    if own is not None:  # commands have braces of their own: only the place is filled in
        address = replace(address, scheme=scheme)
        steps = tuple(_placed(step, address, seen) for step in own)
    else:
        forms = {**_NEXT, **_special(address, {}, _NEXT_OF_A_HOST)}
        steps = tuple(_filled(form, address, seen) for form in forms.get(seen.cause, ()))
    return (*steps, *runbook)


def is_of_a_job(seen: Observation) -> bool:
    """Whether it's what a job reported by itself, or didn't."""
    return "heartbeat" in seen.facts


def _of_the_step(seen: Observation) -> tuple[Address | None, Observation]:
    """The address of a step that failed, where it has one, and what was seen as if of a service there."""
    cause = seen.facts.get("inner_cause")
    try:
        address = parse_address(str(seen.facts.get("address", "")), SCHEMES)
    except AddressError:
        address = None
    return address, replace(seen, cause=Cause(cause) if cause else None)


def _special(
    address: Address, of_a_socket: Mapping[Cause, Form], of_a_host: Mapping[Cause, Form]
) -> Mapping[Cause, Form]:
    if address.socket_path is not None:
        return of_a_socket
    return of_a_host if _transport_of(address) is Transport.ICMP else {}


def _placed(step: str, address: Address, seen: Observation) -> str:
    filled = {
        "{host}": address.host,
        "{port}": str(port_of(address) or ""),
        "{place}": place_of(address),
        "{scheme}": address.scheme,
        "{address}": address.text,
        "{on}": _on(address, seen),
        "{there}": _on(address, seen).replace("Here", "here").replace("On ", "on "),
        "{question}": _question(address),
    }
    for name, value in filled.items():
        step = step.replace(name, value)
    return step


def _peer(address: Address, seen: Observation) -> str:
    """The address that was met by the name: what takes no names can be told it."""
    return str(seen.facts.get("peer") or address.host)


def _place_met(address: Address, seen: Observation) -> str:
    """The place; where nobody let us in by a name, with the address that the name led to."""
    peer, place = _peer(address, seen), place_of(address)
    if seen.outcome is not Outcome.FAIL or seen.layer is not Layer.PORT or "other_addresses" in seen.facts:
        return place
    return place if address.host in (peer, "localhost") else f"{place} ({peer})"


def _on(address: Address, seen: Observation) -> str:
    """Where a command is to be run that asks the machine itself."""
    return "Here" if _is_here(address, seen) else f"On {address.host}"


def _question(address: Address) -> str:
    """The name and type that a DNS server is asked for, as dig(1) takes them; the root without any."""
    name, _, query = address.part.partition("?")
    kind = query.rpartition("type=")[2]
    return " ".join(quote(word) for word in (name or ".", kind) if word)


def _filled(form: str, address: Address, seen: Observation) -> str:
    title = title_of(address)
    if address.scheme == "" and seen.facts.get("speaks"):
        title = probe_for(str(seen.facts["speaks"])).title
    words = form.format(
        host=address.host,
        peer=_peer(address, seen),
        address=address,
        on=_on(address, seen),
        listening=_listening(address, seen),
        connected=_connected(address, seen),
        place=_place_met(address, seen),
        starttls=f" -starttls {_STARTTLS[address.scheme]}" if address.scheme in _STARTTLS else "",
        title=title,
        detail=_detail(seen),
    )
    return words.replace("the service", "The service", 1) if words.startswith("the service") else words


def _detail(seen: Observation) -> str:
    """What adds to the sentence, and doesn't say it again."""
    facts = seen.facts
    if facts.get("of_an_issuer"):
        return seen.detail
    if seen.cause is Cause.TLS_EXPIRED and "expires_at" in facts:
        return f"it ended at {facts['expires_at']}"
    if seen.cause is Cause.TLS_NOT_YET_VALID and "not_before" in facts:
        return f"it begins at {facts['not_before']}"
    if seen.cause is Cause.TLS_NAME_MISMATCH and facts.get("names"):
        return ", ".join(facts["names"])
    detail = seen.detail.removeprefix(f"{seen.facts.get('dialled')}: ")
    detail = detail or (seen.cause.says if seen.cause else "no detail")
    if seen.cause is Cause.WRONG_SERVICE and facts.get("expected") != "tls":
        detail = detail.removeprefix(f"not {facts.get('expected')}").removeprefix(": ")
    for words in _SAID_TWICE:
        detail = detail.removeprefix(words)
    return detail


def _listening(address: Address, seen: Observation) -> str:
    """The options of ss(8) that list who listens there."""
    if address.socket_path is not None:
        return f"-Hlxp src {address.socket_path}"
    kind = "t" if "dialled" in seen.facts or _transport_of(address) is not Transport.UDP else "u"
    return f"-Hl{kind}np 'sport = :{port_of(address) or ''}'"


def _connected(address: Address, seen: Observation) -> str:
    """The options of ss(8) that list who is connected there."""
    if address.socket_path is not None:
        return f"-Hxp state connected src {address.socket_path}"
    kind = "t" if "dialled" in seen.facts or _transport_of(address) is not Transport.UDP else "u"
    return f"-H{kind}n state established 'sport = :{port_of(address) or ''}'"


def _transport_of(address: Address) -> Transport:
    return probe_for(address.scheme).schemes[address.scheme].transport if address.scheme else Transport.TCP


def _is_here(address: Address, seen: Observation) -> bool:
    host = met_at(_peer(address, seen))
    return host in ("localhost", "::1") or host.startswith("127.") or address.socket_path is not None
