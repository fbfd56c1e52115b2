"""OpenSearch: who answers, the health of its cluster, and indices made read-only by a full disk.

A red cluster is down. A yellow one is up on a single node, where no copy can be anywhere else, and
degraded on several. With ``login`` it logs in once OpenSearch has answered; where a login is demanded
and none is configured it is up and says so.
"""

import re
from typing import Final

from trueup.conversation import Conversation
from trueup.probes.probe import Probe, Scheme
from trueup.probes.search_cluster import NEXT, PORT, Dialect, Options, converse

DIALECT: Final = Dialect("opensearch", "OpenSearch", "cluster_manager_timeout")
_DISTRIBUTION: Final = re.compile(rb'"distribution"\s*:\s*"opensearch"')


def conversation(options: Options) -> Conversation:
    """As both search clusters are asked."""
    return converse(DIALECT, options)


def recognise(said: bytes) -> bool:
    """Its page, or how its security plugin asks for a login."""
    if not said.startswith(b"HTTP/1."):
        return False
    return _DISTRIBUTION.search(said) is not None or b'realm="OpenSearch Security"' in said


PROBE = Probe(
    name="opensearch",
    title="OpenSearch",
    schemes={"opensearch": Scheme(PORT)},
    options=Options,
    conversation=conversation,
    over_http=True,
    recognise=recognise,
    next_steps=NEXT,
)
