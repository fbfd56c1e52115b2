"""We could not look: the one error of the host layer."""

import errno
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a source could not be read."""

    PERMISSION = "permission"
    ABSENT = "absent"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"


class HostUnreadable(Exception):  # noqa: N818 - it says that we could not look, not that something is wrong
    """A source of the host could not be read: nothing follows about the host from that."""

    def __init__(self, what: str, why: str, reason: Reason = Reason.FAILED) -> None:
        super().__init__(f"{what}: {why}")
        self.what = what
        self.why = why
        self.reason = reason

    @classmethod
    def of(cls, what: str, error: OSError) -> "HostUnreadable":
        """The same, from what the kernel said."""
        return cls(what, error.strerror or str(error), _REASONS.get(error.errno or 0, Reason.FAILED))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line of the report: what is missing from it, and why."""

    what: str
    why: str
    reason: Reason

    @classmethod
    def of(cls, error: HostUnreadable) -> "Unreadable":
        return cls(error.what, error.why, error.reason)


_REASONS = {
    errno.EACCES: Reason.PERMISSION,
    errno.EPERM: Reason.PERMISSION,
    errno.ENOENT: Reason.ABSENT,
    errno.ESRCH: Reason.ABSENT,
    errno.ENOTDIR: Reason.ABSENT,
    errno.ECONNREFUSED: Reason.ABSENT,
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.EAGAIN: Reason.TIMEOUT,
    errno.EOPNOTSUPP: Reason.UNSUPPORTED,
    errno.EPROTONOSUPPORT: Reason.UNSUPPORTED,
    errno.EAFNOSUPPORT: Reason.UNSUPPORTED,
    errno.ENOSYS: Reason.UNSUPPORTED,
    errno.EINVAL: Reason.UNSUPPORTED,
}
