"""SSH and SFTP (``ssh``, ``sftp``): as far as the offer of a key exchange, which asks for no login.

The server's banner, whatever lines come before it, our identification, its KEXINIT, which proves that
the process behind the listener works, and a disconnect, so that its log has one friendly line.

With ``login`` or ``key`` a session follows, on another connection: ``ssh`` logs in, ``sftp`` finds the folder
of the address's path (``/~/`` is the user's own), and with ``roundtrip: true`` writes, reads and deletes a
file there. It takes the extra ``ssh``. With ``host_key`` the server must have the key of this fingerprint;
without it the password is told to whoever answers.

Since OpenSSH 9.8 a server may refuse an address for a while after clients of it that left without a
login (PerSourcePenalties): exempt the monitor there (PerSourcePenaltyExemptList).
"""

import re
from collections.abc import Generator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from trueup.conversation import (
    Answer,
    Ask,
    Closed,
    Conversation,
    Frame,
    Garbled,
    Line,
    Quiet,
    Receive,
    Send,
    Step,
    TooLong,
    fails,
    ready,
    stranger,
)
from trueup.domain.address import Address, AddressError
from trueup.domain.causes import Cause
from trueup.domain.printable import printable
from trueup.domain.target import Login
from trueup.probes.credentials import login_of
from trueup.probes.probe import Farewell, Probe, Scheme

REFUSALS: Final[dict[bytes, tuple[Cause, str]]] = {
    # What a server says instead of its banner, before it closes (OpenSSH, sshd.c).
    b"Exceeded MaxStartups": (Cause.OVERLOADED, "has too many clients that haven't logged in (MaxStartups)"),
    b"Not allowed at this time": (Cause.BLOCKED, "refuses this client for a while (PerSourcePenalties)"),
}
DISCONNECTS: Final[dict[int, tuple[Cause, str]]] = {
    # The reason in a disconnect message (RFC 4253, 11.1). Any other is an error answer.
    1: (Cause.BLOCKED, "doesn't let this host connect"),
    7: (Cause.ERROR_ANSWER, "doesn't offer the service"),
    8: (Cause.ERROR_ANSWER, "doesn't speak this version of the protocol"),
    12: (Cause.OVERLOADED, "has too many connections"),
}
NEXT: Final[dict[Cause, tuple[str, ...]]] = {
    Cause.OVERLOADED: (
        (
            "{on}, see who hangs before the login, and shut them out or raise MaxStartups: "
            "ss -Htnp state established 'sport = :{port}'"
        ),
    ),
    Cause.BLOCKED: ("Exempt this monitor in sshd_config, by PerSourcePenaltyExemptList",),
    Cause.CLOSES: (
        "{on}, test its configuration and host keys: sshd -t; cat /etc/hosts.deny; journalctl -u ssh -n 50",
    ),
    Cause.LOGIN_REFUSED: (
        "{on}, read its reason: journalctl -u ssh -n 50",
        "Try by hand: ssh -v -p {port} USER@{host}",
    ),
    Cause.WRONG_ANSWER: ("Compare its host key: ssh-keyscan -p {port} {host} | ssh-keygen -lf -",),
    Cause.READ_ONLY: ("{on}, see who may write to the folder, and what is mounted read-only: findmnt -O ro",),
    Cause.SILENT: ("A late banner is often a slow reverse lookup (UseDNS); {there}: sshd -T | grep usedns",),
}
IDENTIFICATION: Final = b"SSH-2.0-trueup\r\n"
LINES_BEFORE_MAX: Final = 50
PACKET_BYTES_MAX: Final = 35_000  # RFC 4253, 6.1
MSG_DISCONNECT, MSG_IGNORE, MSG_DEBUG, MSG_KEXINIT = 1, 2, 4, 20
BY_APPLICATION: Final = 11
_BANNER: Final = re.compile(rb"SSH-(\d+\.\d+)-([\x21-\x7e]*)")
_OTHERS: Final = re.compile(
    rb"\d\d\d[ -]|\* |\+OK|-ERR|HTTP/|INFO \{|RFB |.*[\x00-\x08\x0e-\x1a\x1c-\x1f]", re.DOTALL
)
"""How other servers greet: no text before a banner, which is meant for people (RFC 4253, 4.2)."""


EXTRA: Final = "asyncssh"


@dataclass(frozen=True, slots=True)
class Options:
    """What can be configured for SSH and SFTP. The folder is the address's path.

    ``key``: the path of a private key without a passphrase. ``host_key``: the fingerprint of the server's,
    as ``SHA256:…``. ``roundtrip`` writes, reads and deletes a file.
    """

    address: Address
    login: Login | None = None
    key: str | None = None
    host_key: str | None = None
    roundtrip: bool = False

    def __post_init__(self) -> None:
        """Raises: AddressError: what is configured can't be done."""
        if self.roundtrip and self.address.scheme == "ssh":
            raise AddressError("roundtrip is of files", "write sftp:// for ssh://")
        if self.needs_session and not self.user:
            raise AddressError("a login over SSH needs a user", "write login: {user: NAME, password: …}")
        if self.needs_session and find_spec(EXTRA) is None:
            raise AddressError("a login over SSH needs an extra", "pip install 'trueup[ssh]'")

    @property
    def credentials(self) -> Login | None:
        """User and password, if there are any."""
        return login_of(self.address, self.login)

    @property
    def user(self) -> str | None:
        """Whom to log in as."""
        return (self.credentials.user if self.credentials else None) or self.address.user

    @property
    def needs_session(self) -> bool:
        """Whether there is a login to try."""
        return self.key is not None or self.credentials is not None

    @property
    def folder(self) -> str:
        """Where the files are: an absolute path, or one below the user's own folder."""
        path = self.address.part.strip("/")
        if path in ("", "~"):
            return "."
        return path.removeprefix("~/") if path.startswith("~/") else f"/{path}"


def conversation(options: Options) -> Conversation:
    """Hear the banner, identify ourselves, see that the key exchange would begin, and leave."""
    name = options.address.scheme
    banner = yield from _banner(name)
    if isinstance(banner, Answer):
        return banner
    version, software = banner
    if version not in {"2.0", "1.99"}:  # RFC 4253, 5.1: 1.99 speaks 2.0 too
        return fails(
            Cause.WRONG_ANSWER, f"it speaks SSH {version} only, and 2.0 is spoken today", version=version
        )
    refused = yield from _key_exchange()
    if refused is not None:
        return refused
    yield Send(
        _packet(bytes([MSG_DISCONNECT]) + BY_APPLICATION.to_bytes(4) + _text(b"health check") + _text(b""))
    )
    if options.needs_session:
        return ready(f"{software} is ready for a login", software=software)
    if options.roundtrip:
        return fails(Cause.LOGIN_REFUSED, "it waits for a login, and none is configured", login="demanded")
    return ready(f"{software} is ready for a login", software=software, login="demanded")


def _banner(name: str) -> Generator[Step, bytes, tuple[str, str] | Answer]:
    """Protocol version and software; lines may come before them (RFC 4253, 4.2)."""
    before: list[bytes] = []
    try:
        while len(before) < LINES_BEFORE_MAX:
            line = yield Receive(Line())
            match = _BANNER.match(line)
            if match is not None:
                return match[1].decode(), printable(match[2])
            before.append(line)
            if (answer := _instead(line)) is not None:
                return answer
            if _OTHERS.match(line):
                break
    except (Closed, TooLong, Quiet) as end:
        if (answer := _instead(end.received)) is not None:
            return answer
        before.append(end.received)
        if not any(before):
            raise
    return stranger(name, b"".join(before))


def _instead(line: bytes) -> Answer | None:
    """The table's word for what is said instead of a banner."""
    for words, (cause, meaning) in REFUSALS.items():
        if words in line:
            return fails(cause, f"{meaning}: {printable(line.strip())}")
    return None


def _key_exchange() -> Generator[Step, bytes, Answer | None]:
    """None where the server begins it (RFC 4253, 7.1); messages that mean nothing may come before."""
    packet = Frame(_measure, PACKET_BYTES_MAX + 4)
    step: Step = Ask(IDENTIFICATION, packet)
    try:
        for _ in range(LINES_BEFORE_MAX):
            said = yield step
            kind = said[5]
            if kind == MSG_KEXINIT:
                return None
            if kind == MSG_DISCONNECT:
                return _disconnected(said)
            if kind not in {MSG_IGNORE, MSG_DEBUG}:
                break
            step = Receive(packet)
    except Garbled as garbled:
        said = garbled.received
    return fails(Cause.ERROR_ANSWER, f"it greets, and then begins no key exchange: {printable(said, 80)}")


def _measure(received: bytearray) -> int | None:
    """One packet without encryption: length, padding length, message (RFC 4253, 6)."""
    if len(received) < 4:
        return None
    length = int.from_bytes(received[:4])
    if not 5 <= length <= PACKET_BYTES_MAX:
        raise Garbled(bytes(received))
    return length + 4 if len(received) >= length + 4 else None


def _disconnected(said: bytes) -> Answer:
    reason = int.from_bytes(said[6:10])
    size = int.from_bytes(said[10:14])
    cause, meaning = DISCONNECTS.get(reason, (Cause.ERROR_ANSWER, "breaks off the key exchange"))
    return fails(cause, f"{meaning}: {printable(said[14 : 14 + size], 80)} ({reason})", code=reason)


def _text(words: bytes) -> bytes:
    return len(words).to_bytes(4) + words


def _packet(message: bytes) -> bytes:
    """``message`` as a packet without encryption: padded to blocks of 8 (RFC 4253, 6)."""
    padding = 8 - (5 + len(message)) % 8
    padding += 8 if padding < 4 else 0
    return (1 + len(message) + padding).to_bytes(4) + bytes([padding]) + message + bytes(padding)


def recognise(said: bytes) -> bool:
    """A banner, also behind other lines, or a refusal that only an SSH server gives."""
    lines = said[:4096].split(b"\n")
    if _OTHERS.match(lines[0]):
        return False
    return any(_BANNER.match(line) for line in lines) or _instead(lines[0]) is not None


PROBE = Probe(
    name="ssh",
    title="SSH",
    schemes={"ssh": Scheme(22), "sftp": Scheme(22)},
    options=Options,
    conversation=conversation,
    farewell=Farewell.POLITE,
    recognise=recognise,
    next_steps=NEXT,
)
