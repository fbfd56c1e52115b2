"""What listens on this machine as a configuration: what ``trueup run`` watches without a file."""

from trueup.app.discovering import discover_here
from trueup.config import Configuration


async def configuration_of_this_machine(*, leave_out: frozenset[int] = frozenset()) -> Configuration:
    """What ``trueup discover`` would write, loaded. ``leave_out`` are ports not to watch: trueup's own.

    Raises:
        HostUnreadable: this machine's sockets can't be read.
    """
    return (await discover_here(leave_out=leave_out)).configuration()
