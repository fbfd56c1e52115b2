"""The closed list of causes, in the order in which they outrank each other."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trueup.domain.states import Layer


class Cause(StrEnum):
    """Why a target is not up. The order is a rank: of several on one layer, the highest is named."""

    UNRESOLVED = "unresolved"
    REFUSED = "refused"
    NO_ANSWER = "no-answer"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    CLOSES = "closes"
    WRONG_SERVICE = "wrong-service"
    STARTING_UP = "starting-up"
    OVERLOADED = "overloaded"
    READ_ONLY = "read-only"
    DISK_FULL = "disk-full"
    LOGIN_REFUSED = "login-refused"
    BLOCKED = "blocked"
    ERROR_ANSWER = "error-answer"
    BAD_UPSTREAM = "bad-upstream"
    NO_QUORUM = "no-quorum"
    REPLICATION = "replication"
    WRONG_ANSWER = "wrong-answer"
    TLS_FAILED = "tls-failed"
    TLS_EXPIRED = "tls-expired"
    TLS_NOT_YET_VALID = "tls-not-yet-valid"
    TLS_NAME_MISMATCH = "tls-name-mismatch"
    TLS_UNTRUSTED = "tls-untrusted"
    TLS_EXPIRING = "tls-expiring"
    SLOW = "slow"
    STEP_FAILED = "step-failed"
    NEEDS = "needs"
    MISSED_HEARTBEAT = "missed-heartbeat"
    NOT_RUNNING = "not-running"
    NOT_LISTENING = "not-listening"
    NOT_ENABLED = "not-enabled"
    CRASHED = "crashed"
    CRASH_LOOP = "crash-loop"
    OUT_OF_MEMORY = "out-of-memory"
    PAUSED = "paused"
    HUNG = "hung"
    ACTIVATION_FAILED = "activation-failed"
    WRONG_OWNER = "wrong-owner"
    WRONG_ADDRESS = "wrong-address"
    FIREWALL = "firewall"
    UNHEALTHY = "unhealthy"
    EXPOSED = "exposed"
    MONITOR_OFFLINE = "monitor-offline"
    MONITOR_STARVED = "monitor-starved"
    AGENT_SILENT = "agent-silent"

    @property
    def rank(self) -> int:
        """Place in the list; lower outranks higher."""
        return _RANK[self]

    @property
    def says(self) -> str:
        """What the cause means, as a phrase without a full stop."""
        return CAUSES[self].says

    @property
    def layers(self) -> frozenset[Layer]:
        """The layers on which it can be found; all of them for ``any``."""
        return CAUSES[self].layers


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the list."""

    layers: frozenset[Layer]
    says: str


_PORT = frozenset({Layer.PORT})
_TLS = frozenset({Layer.TLS})
_SERVICE = frozenset({Layer.SERVICE})
_SERVICE_OR_FUNCTION = frozenset({Layer.SERVICE, Layer.FUNCTION})
_FUNCTION = frozenset({Layer.FUNCTION})
_HOST = frozenset({Layer.HOST})
_ANY = frozenset(Layer)

CAUSES: Final[dict[Cause, Meaning]] = {
    Cause.UNRESOLVED: Meaning(_PORT, "the name has no address"),
    Cause.REFUSED: Meaning(_PORT, "the address answers: nothing listens, or a firewall rejects"),
    Cause.NO_ANSWER: Meaning(
        _PORT, "the connection attempt met silence: dropped packets, a dead host, a full accept queue"
    ),
    Cause.UNREACHABLE: Meaning(_PORT, "the network says that it can't get there"),
    Cause.SILENT: Meaning(_SERVICE, "accepted, then nothing within the timeout"),
    Cause.CLOSES: Meaning(_SERVICE, "accepted, then closed or reset without an answer"),
    Cause.WRONG_SERVICE: Meaning(_SERVICE, "something else answers"),
    Cause.STARTING_UP: Meaning(_SERVICE, "starting, loading, recovering, or shutting down"),
    Cause.OVERLOADED: Meaning(
        _SERVICE_OR_FUNCTION, "no room: a client, connection, file or rate limit, a queue or memory alarm"
    ),
    Cause.READ_ONLY: Meaning(
        _SERVICE_OR_FUNCTION,
        "answers reads and refuses writes, or is a replica where a primary is expected",
    ),
    Cause.DISK_FULL: Meaning(_SERVICE_OR_FUNCTION, "refuses work for want of space, or can't persist"),
    Cause.LOGIN_REFUSED: Meaning(
        _SERVICE_OR_FUNCTION,
        "the credentials given are not accepted, or none are given where something configured needs them",
    ),
    Cause.BLOCKED: Meaning(_SERVICE, "this client's address is refused"),
    Cause.ERROR_ANSWER: Meaning(_SERVICE_OR_FUNCTION, "the right service answers with an error"),
    Cause.BAD_UPSTREAM: Meaning(_SERVICE_OR_FUNCTION, "a gateway answers for a backend that doesn't"),
    Cause.NO_QUORUM: Meaning(_SERVICE, "a cluster without a primary, a leader or required shards"),
    Cause.REPLICATION: Meaning(_SERVICE, "a replica without its source, or too far behind"),
    Cause.WRONG_ANSWER: Meaning(_SERVICE_OR_FUNCTION, "a valid answer that isn't the expected one"),
    Cause.TLS_FAILED: Meaning(_TLS, "the TLS handshake fails"),
    Cause.TLS_EXPIRED: Meaning(_TLS, "the certificate has expired"),
    Cause.TLS_NOT_YET_VALID: Meaning(_TLS, "the certificate isn't valid yet"),
    Cause.TLS_NAME_MISMATCH: Meaning(_TLS, "the certificate is for another name"),
    Cause.TLS_UNTRUSTED: Meaning(_TLS, "the certificate isn't signed by anyone trusted here"),
    Cause.TLS_EXPIRING: Meaning(_TLS, "the certificate is valid, but not for long"),
    Cause.SLOW: Meaning(_ANY, "works, but slower than its threshold"),
    Cause.STEP_FAILED: Meaning(_FUNCTION, "a step of the journey failed"),
    Cause.NEEDS: Meaning(_ANY, "broken because a target that it needs is"),
    Cause.MISSED_HEARTBEAT: Meaning(_FUNCTION, "a job didn't report in time"),
    Cause.NOT_RUNNING: Meaning(_HOST, "no such process, unit inactive, or container exited"),
    Cause.NOT_LISTENING: Meaning(_HOST, "the process or unit runs, and nothing of it listens on the port"),
    Cause.NOT_ENABLED: Meaning(_HOST, "not running since the boot, and not enabled to start at boot"),
    Cause.CRASHED: Meaning(_HOST, "the unit or container failed"),
    Cause.CRASH_LOOP: Meaning(_HOST, "it keeps dying and restarting"),
    Cause.OUT_OF_MEMORY: Meaning(_HOST, "the kernel killed it for memory"),
    Cause.PAUSED: Meaning(_HOST, "stopped by a signal, or frozen"),
    Cause.HUNG: Meaning(_HOST, "alive, holds the port, accepts nothing: its accept queue grows"),
    Cause.ACTIVATION_FAILED: Meaning(_HOST, "the init system holds the port for a service that won't start"),
    Cause.WRONG_OWNER: Meaning(_HOST, "another process holds the port"),
    Cause.WRONG_ADDRESS: Meaning(_HOST, "it listens, but on another address or port"),
    Cause.FIREWALL: Meaning(
        _HOST,
        "it listens with room in its queue, and connections from where they should succeed fail",
    ),
    Cause.UNHEALTHY: Meaning(_HOST, "the container's own health check fails"),
    Cause.EXPOSED: Meaning(_PORT, "reachable from where it must not be"),
    Cause.MONITOR_OFFLINE: Meaning(_ANY, "the monitor's own uplink is gone"),
    Cause.MONITOR_STARVED: Meaning(
        _ANY, "the monitor was too busy, or too poor in ports, files or time, to judge"
    ),
    Cause.AGENT_SILENT: Meaning(_HOST, "no fresh report from the host's agent"),
}

_RANK: Final = {cause: place for place, cause in enumerate(Cause)}
