"""Elasticsearch: who answers, the health of its cluster, and indices made read-only by a full disk.

A red cluster is down. A yellow one is up on a single node, where no copy can be anywhere else, and
degraded on several. With ``login`` it logs in once Elasticsearch has answered; where a login is demanded
and none is configured it is up and says so.
"""

from typing import Final

from trueup.conversation import Conversation
from trueup.probes.probe import Probe, Scheme
from trueup.probes.search_cluster import NEXT, PORT, Dialect, Options, converse

DIALECT: Final = Dialect("elasticsearch", "Elasticsearch", "master_timeout")


def conversation(options: Options) -> Conversation:
    """As both search clusters are asked."""
    return converse(DIALECT, options)


def recognise(said: bytes) -> bool:
    """Its page, or its header (since 7.14) on any answer."""
    if not said.startswith(b"HTTP/1."):
        return False
    return b'"You Know, for Search"' in said or b"x-elastic-product: elasticsearch" in said.lower()


PROBE = Probe(
    name="elasticsearch",
    title="Elasticsearch",
    schemes={"elasticsearch": Scheme(PORT)},
    options=Options,
    conversation=conversation,
    over_http=True,
    recognise=recognise,
    next_steps=NEXT,
)
