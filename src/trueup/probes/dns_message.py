"""Questions to a name server and what it says to them (RFC 1035, 4).

dnspython builds and reads the messages. It is imported when it's first needed: that takes longer than
all other probes together.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from trueup.conversation import Garbled
from trueup.domain.printable import printable

if TYPE_CHECKING:
    import dns.message
    import dns.rdata

PAYLOAD_BYTES: Final = 1232
"""How long a datagram may be without being cut on its way (dnsflagday.net/2020)."""

RECORDS_MAX: Final = 50
_CASE_COUNTS: Final = frozenset({"TXT", "CAA", "NAPTR"})


@dataclass(frozen=True, slots=True)
class Question:
    """``name`` as people write it; ``chaos`` asks of the server itself rather than of the Internet."""

    name: str
    type: str
    chaos: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is sent."""

    question: Question
    message: "dns.message.Message"
    wire: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server says to a question.

    ``records`` are those of the type that was asked for, in the order given. ``leads_to`` says where an
    answer without such a record points: an alias, or other name servers. ``why`` is the server's
    own explanation of an error (RFC 8914).
    """

    rcode: str
    truncated: bool
    authoritative: bool
    records: tuple[str, ...]
    leads_to: str
    why: str


def ask(question: Question, number: bytes, *, edns: bool) -> Asked:
    """``question`` with two bytes to know its reply by.

    Raises:
        ValueError: nobody can be asked for such a name.
    """
    import dns.exception
    import dns.message
    import dns.name

    try:
        name = dns.name.from_text(question.name)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise ValueError(f"{printable(question.name, 80)!r} is no name that can be asked for") from error
    message = dns.message.make_query(
        name,
        question.type,
        "CH" if question.chaos else "IN",
        use_edns=0 if edns else False,
        payload=PAYLOAD_BYTES,
        id=int.from_bytes(number),
    )
    return Asked(question, message, message.to_wire())


def read(said: bytes, asked: Asked) -> Reply | None:
    """The reply to ``asked``; None where it's one to something else, as a late or a forged one is.

    Raises:
        Garbled: it's no message.
    """
    import dns.flags
    import dns.message
    import dns.rcode

    try:
        reply = dns.message.from_wire(said)
        if not asked.message.is_response(reply):
            return None
        records = tuple(_records(reply, asked.question.type))
        leads_to, why = _leads_to(reply), _why(reply)
    except Exception as error:  # a library reads what a stranger made up
        raise Garbled(said) from error
    return Reply(
        dns.rcode.to_text(reply.rcode()),
        bool(reply.flags & dns.flags.TC),
        bool(reply.flags & dns.flags.AA),
        records[:RECORDS_MAX],
        leads_to,
        why,
    )


def plain(text: str, kind: str) -> str:
    """A record as it's compared: addresses in one form, names without their last dot and in small letters."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        words = (word.removesuffix(".") or "." for word in text.strip().strip('"').split())
        joined = " ".join(words)
        return joined if kind in _CASE_COUNTS else joined.lower()


def _records(reply: "dns.message.Message", kind: str) -> list[str]:
    import dns.rdatatype

    wanted = dns.rdatatype.from_text(kind)
    return [_text(record) for rrset in reply.answer if rrset.rdtype == wanted for record in rrset]


def _text(record: "dns.rdata.Rdata") -> str:
    import dns.rdtypes.txtbase

    if isinstance(record, dns.rdtypes.txtbase.TXTBase):  # its strings are one text (RFC 7208, 3.3)
        return printable(b"".join(record.strings), 1000)
    return printable(record.to_text(), 1000)


def _leads_to(reply: "dns.message.Message") -> str:
    import dns.rdatatype

    aliases = [record for rrset in reply.answer if rrset.rdtype == dns.rdatatype.CNAME for record in rrset]
    if aliases:
        return f"an alias of {printable(aliases[-1].to_text(), 80)}"
    servers = [record for rrset in reply.authority if rrset.rdtype == dns.rdatatype.NS for record in rrset]
    return f"a referral to {printable(servers[0].to_text(), 80)}" if servers and not reply.answer else ""


def _why(reply: "dns.message.Message") -> str:
    import dns.edns

    told = (option.to_text() for option in reply.options if option.otype == dns.edns.OptionType.EDE)
    return printable("; ".join(told))
