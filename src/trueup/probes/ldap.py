"""LDAP (``ldap``, ``ldaps``): directories, as far as they say of themselves.

A search of the root entry, which a directory answers before any login, and an unbind. StartTLS is used
where ``tls:`` is configured, where the server demands it, and before a login where it is offered. With
``login``, whose user is a distinguished name, it binds; with a name in the address (``ldap://host/dc=x``)
it reads that entry, which must be there. The address may ask for more, as RFC 4516 has it:
``ldap://host/BASE?ATTRIBUTES?SCOPE?FILTER`` searches, and at least one entry must be found. SCOPE is
``base``, ``one`` or ``sub``, FILTER that of RFC 4515: ``ldap://host/dc=x??sub?(&(uid=ann)(mail=*))``.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trueup.conversation import (
    Answer,
    Conversation,
    Exactly,
    Garbled,
    Mark,
    Quiet,
    Receive,
    Send,
    StartTls,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address, AddressError
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.states import Layer
from trueup.domain.target import Login, TlsSettings
from trueup.probes.credentials import login_of
from trueup.probes.ldap_message import START_TLS, Result, ask, bind, search, start_tls, unbind
from trueup.probes.ldap_search import wanted_of
from trueup.probes.probe import Farewell, Probe, Scheme

Table = Mapping[int, tuple[Cause | None, str]]
ERRORS: Final[Table] = {
    # Result codes (RFC 4511, A.1). None: alive, and it wants a login before it says more.
    1: (None, "wants a login before anything else"),  # what Active Directory says
    2: (Cause.ERROR_ANSWER, "finds a protocol error in what it was asked"),
    3: (Cause.OVERLOADED, "takes longer than it's allowed (time limit)"),
    7: (Cause.LOGIN_REFUSED, "doesn't do this way of logging in"),
    8: (None, "wants a stronger login"),
    10: (Cause.WRONG_ANSWER, "refers to another server"),
    11: (Cause.OVERLOADED, "has reached one of its limits (admin limit)"),
    13: (Cause.LOGIN_REFUSED, "does this only behind TLS"),
    32: (Cause.WRONG_ANSWER, "doesn't have this entry, or doesn't show it"),
    34: (Cause.WRONG_ANSWER, "finds the name not valid"),
    48: (None, "lets nobody in without a login (inappropriate authentication)"),
    49: (Cause.LOGIN_REFUSED, "doesn't accept the name or the password"),
    50: (None, "doesn't show it to this user (insufficient access)"),
    51: (Cause.OVERLOADED, "is busy"),
    52: (Cause.ERROR_ANSWER, "is unavailable, or a part behind it is"),
    53: (None, "is unwilling without a login"),
    80: (Cause.ERROR_ANSWER, "has an error of its own"),
}
LOGIN_ERRORS: Final[Table] = {
    # What these mean in answer to a login.
    8: (Cause.LOGIN_REFUSED, "wants a stronger login, or one behind TLS"),
    32: (Cause.LOGIN_REFUSED, "doesn't know this name"),
    34: (Cause.LOGIN_REFUSED, "finds the name not valid"),
    48: (Cause.LOGIN_REFUSED, "doesn't let this name log in (inappropriate authentication)"),
    50: (Cause.LOGIN_REFUSED, "doesn't let this user in (insufficient access)"),
    53: (Cause.LOGIN_REFUSED, "is unwilling to let this user in"),
}
ACTIVE_DIRECTORY: Final[Mapping[bytes, str]] = {
    # "data NNN" beside result 49: the number of a Windows error, hexadecimal.
    b"525": "doesn't know this user",
    b"52e": "doesn't accept the password",
    b"530": "doesn't let this user in at this time of day",
    b"531": "doesn't let this user in from here",
    b"532": "finds the password expired",
    b"533": "finds the account disabled",
    b"701": "finds the account expired",
    b"773": "wants the password to be changed first",
    b"775": "finds the account locked",
}
MESSAGES: Final[Mapping[bytes, tuple[Cause, str]]] = {
    # Words that say more than the code: OpenLDAP.
    b"shutting down": (Cause.STARTING_UP, "is shutting down"),
    b"proxy can't contact remote server": (
        Cause.BAD_UPSTREAM,
        "is a proxy, and the directory behind it doesn't answer",
    ),
    b"proxy operation retry failed": (Cause.BAD_UPSTREAM, "is a proxy, and the directory behind it fails"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.ERROR_ANSWER: (
        "Read its log: journalctl -u slapd -n 50; ldapsearch -x -H {scheme}://{place} -s base -b ''",
    ),
    Cause.OVERLOADED: (
        "{on}, see how many are connected: ss -Htn state established 'sport = :{port}' | wc -l",
    ),
    Cause.LOGIN_REFUSED: ("Try the login alone: ldapwhoami -x -H {scheme}://{place} -D NAME -W",),
    Cause.WRONG_ANSWER: (
        "See what it has: ldapsearch -x -H {scheme}://{place} -s base -b '' namingContexts",
    ),
}
SCHEMES: Final = {"ldap": Scheme(389), "ldaps": Scheme(636, tls=True)}
OPERATIONS_ERROR, PROTOCOL_ERROR, SIZE_LIMIT_EXCEEDED = 1, 2, 4
CONFIDENTIALITY_REQUIRED, INVALID_CREDENTIALS = 13, 49
START_TLS_AGAIN: Final = 5
APART_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for LDAP. With ``tls`` StartTLS must be there, and is verified."""

    address: Address
    login: Login | None = None
    tls: TlsSettings | None = None

    def __post_init__(self) -> None:
        """Raises: AddressError: a login without name or password proves nothing (RFC 4513, 5.1.2); or the
        address asks for what can't be asked.
        """
        wanted_of(self.address.path)
        login = login_of(self.address, self.login)
        if login is not None and not (login.user and login.password):
            raise AddressError(
                "login needs a user, which is a distinguished name, and a password",
                "a directory may take one without them for nobody, and let it in",
            )


def conversation(options: Options) -> Conversation:
    """Ask the root entry for a sign of life, do what is configured, and unbind."""
    try:
        answer = yield from _talk(options)
    except (Garbled, TooLong) as noise:
        return stranger("ldap", noise.received)
    yield Send(unbind(9))
    return answer


def _talk(options: Options) -> Generator[Step, bytes, Answer]:
    login = login_of(options.address, options.login)
    root = yield from ask(1, search(b"", b"vendorName", b"vendorVersion", b"supportedExtension"))
    facts = _facts(root)
    if not SCHEMES[options.address.scheme].tls:
        offered = any(START_TLS in entry.get(b"supportedextension", ()) for entry in root.entries)
        facts["tls"] = "offered" if offered else "not offered"
        demanded = root.code == CONFIDENTIALITY_REQUIRED
        if options.tls is not None or demanded or (login is not None and offered):
            refused = yield from _start_tls(options.tls)
            if refused is not None:
                return refused
            facts["tls"] = "started"
        if demanded:
            root = yield from ask(3, search(b"", b"vendorName", b"vendorVersion"))
    cause, detail = _row(root)
    if root.code and cause is not None:
        return fails(cause, f"it {detail}", code=root.code)
    if login is not None:
        refused = yield from _log_in(login)
        if refused is not None:
            return refused
        answer = ready("answers, and lets the user in", **facts | {"login": "accepted"})
    elif root.code:
        answer = ready(f"alive, and {detail}", **facts | {"login": "demanded", "code": root.code})
    else:
        answer = ready("answers", **facts)
    wanted = wanted_of(options.address.path)
    if wanted is None:
        return answer
    yield Mark(answer)
    result = yield from ask(5, wanted.request())
    if result.code == CONFIDENTIALITY_REQUIRED and facts.get("tls") == "offered":
        refused = yield from _start_tls(options.tls)
        if refused is not None:
            return refused
        result = yield from ask(6, wanted.request())
    return _judge(result, wanted.words)


def _facts(root: Result) -> dict[str, Any]:
    names = (b"vendorname", b"vendorversion")
    words = [entry[name][0] for entry in root.entries for name in names if entry.get(name)]
    return {"software": printable(b" ".join(words), 80)} if words else {}


def _start_tls(settings: TlsSettings | None) -> Generator[Step, bytes, Answer | None]:
    """A server that has no TLS calls it a protocol error (RFC 4511, 4.12).

    It refuses with an operations error while it's busy with something else of ours (4.14.2). OpenLDAP sends
    a result before it counts the search as done: what follows on its heels is asked for again.
    """
    result = yield from ask(2, start_tls())
    for again in range(10, 10 + START_TLS_AGAIN):
        if result.code != OPERATIONS_ERROR:
            break
        try:
            yield Receive(Exactly(1), within_s=APART_S)
        except Quiet as quiet:
            if quiet.final:
                raise
        result = yield from ask(again, start_tls())
    if result.code == PROTOCOL_ERROR:
        said = printable(result.words)
        return fails(Cause.WRONG_ANSWER, f"it doesn't offer StartTLS, which is needed here: {said}", code=2)
    if result.code:
        cause, detail = _row(result)
        return fails(cause or Cause.ERROR_ANSWER, f"StartTLS fails: it {detail}", code=result.code)
    yield StartTls(settings)
    return None


def _log_in(login: Login) -> Generator[Step, bytes, Answer | None]:
    """None where the login is accepted."""
    user = login.user or ""
    result = yield from ask(4, bind(user.encode(), login.password.reveal().encode()), secret=True)
    if not result.code:
        return None
    cause, detail = _row(result, {**ERRORS, **LOGIN_ERRORS})
    return fails(cause or Cause.LOGIN_REFUSED, f"the login fails: it {detail}", code=result.code)


def _judge(result: Result, name: str) -> Answer:
    """What came of the search that is configured. That there are more than were asked for is no failure."""
    if result.entries and result.code in {0, SIZE_LIMIT_EXCEEDED}:
        return ready(f"has {name}", layer=Layer.FUNCTION)
    if not result.code:
        problem = f"{name} isn't there, or isn't shown to this user"
        return fails(Cause.WRONG_ANSWER, problem, layer=Layer.FUNCTION)
    cause, detail = _row(result)
    cause = cause or Cause.LOGIN_REFUSED
    return fails(cause, f"{name}: it {detail}", layer=Layer.FUNCTION, code=result.code)


def _row(result: Result, table: Table = ERRORS) -> tuple[Cause | None, str]:
    """What a result that is no success means, and the words for it."""
    cause, meaning = table.get(result.code, (Cause.ERROR_ANSWER, "answers with an error"))
    if result.code == INVALID_CREDENTIALS:
        told = (why for code, why in ACTIVE_DIRECTORY.items() if b"data " + code in result.words)
        meaning = next(told, meaning)
    for words, row in MESSAGES.items():
        if words in result.words.lower():
            cause, meaning = row
    said = f"{printable(result.words)} ({result.code})" if result.words else f"({result.code})"
    return cause, f"{meaning}: {said}"


PROBE = Probe(
    name="ldap",
    title="LDAP",
    schemes=SCHEMES,
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    asks_first=True,
    next_steps=NEXT,
)
