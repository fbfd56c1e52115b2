"""A machine with systemd as its process 1, booted by systemd-nspawn in under a second.

    with machine(units={"shop.service": "[Service]\nExecStart=/bin/false\n"}) as server:
        server.systemctl("start", "redis-server")
        server.trueup("who", "--json").stdout

Its disk is this machine's own, under a layer in memory that takes every change: what is installed here is
installed there, nothing is enabled, and nothing is ever written here. It has its own processes, network,
journal and bus, and keeps its disk when it reboots. Its clock, uptime and kernel log are this machine's.
"""

import contextlib
import itertools
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.beds.capabilities import require_capability
from tests.beds.cgroup import cgroups, joining, kill, limit_memory_v1, processes_in
from tests.beds.commands import stop
from tests.beds.deadline import wait_until
from tests.beds.inside import Inside, children_of, is_first
from tests.beds.namespaces import Namespace, network
from tests.beds.ownership import own_folder, own_name

SHARE = Path("/share")
"""Where the machine sees the folder that it shares with the test."""

_PROJECT = Path(__file__).parents[2]
_UNITS = Path("/etc/systemd/system")
_BOOT_TIMEOUT_S = 60
_REBOOT_STATUS = 133  # systemd-nspawn(1), --keep-unit: it wants to be started again
_numbers = itertools.count(1)

_MAKE_DISK = """
mount -t tmpfs -o size=2g tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/disk"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/disk"
cd "$1/disk"
find etc/systemd/system -type l ! -lname /dev/null -delete  # wants and aliases: both make a unit "enabled"
rm -f etc/rc?.d/S* usr/sbin/policy-rc.d
: > etc/machine-id
printf '[Journal]\\nStorage=volatile\\nRateLimitIntervalSec=0\\n' > etc/systemd/journald.conf
echo ready
read -r nothing  # until the test run ends, however it ends
"""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": str(_PROJECT / "src"),  # this one's, whichever the interpreter has installed
}
_SESSION = Path("payload/user.slice/user-0.slice/session-1.scope")


@dataclass(slots=True)
class Machine:
    name: str
    namespace: Namespace
    folder: Path
    cgroups: tuple[Path, ...]
    holder_pid: int
    """A process that keeps the disk mounted while the machine is off."""
    nspawn: "subprocess.Popen[str] | None" = None
    leader_pid: int = 0
    """Its process 1, seen from here; 0 while it is off."""
    started: list[Inside] = field(default_factory=list)

    @property
    def share(self) -> Path:
        """The folder that the machine sees as SHARE."""
        return self.folder / "share"

    @property
    def _disk(self) -> Path:
        return self.folder / "memory" / "disk"

    @property
    def console(self) -> Path:
        """What it printed while booting and shutting down."""
        return self.folder / "console.log"

    @property
    def root(self) -> Path:
        """Its file system, seen from here; without what it mounts itself (/run, /tmp) while it is off."""
        if self.leader_pid:
            return Path(f"/proc/{self.leader_pid}/root")
        return Path(f"/proc/{self.holder_pid}/root{self._disk}")

    @property
    def bus_address(self) -> str:
        """Its system bus, for a client that runs here as root."""
        return f"unix:path={self.root}/run/dbus/system_bus_socket"

    def boot(self) -> None:
        assert self.nspawn is None, f"{self.name} is on"
        command = (
            *("nsenter", f"--mount=/proc/{self.holder_pid}/ns/mnt"),
            *("systemd-nspawn", "--quiet", f"--directory={self._disk}", f"--machine={self.name}"),
            *("--register=no", "--keep-unit", "--boot", "--console=pipe", "--capability=CAP_NET_ADMIN"),
            *(f"--network-namespace-path={self.namespace.path}", f"--bind={self.share}:{SHARE}"),
            *(f"--bind-ro={path}" for path in _python_elsewhere()),
            "systemd.unit=multi-user.target",
        )
        with self.console.open("w") as console:
            self.nspawn = subprocess.Popen(
                [*joining(self.cgroups), *command],
                env=_ENVIRONMENT | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                text=True,
            )
        wait_until(self._booted, f"{self.name} has booted", _BOOT_TIMEOUT_S)

    def _booted(self) -> bool:
        assert self.nspawn is not None
        assert self.nspawn.poll() is None, f"{self.name} died while booting:\n{self.console.read_text()}"
        self.leader_pid = next((pid for pid in children_of(self.nspawn.pid) if is_first(pid)), 0)
        if not self.leader_pid:
            return False
        # `degraded` is also booted: some unit of this machine's disk may not suit a container.
        return self.systemctl("is-system-running", check=False) in {"running", "degraded"}

    def reboot(self) -> None:
        """Shut down in order, and boot again from the same disk."""
        assert self._shut_down("reboot") == _REBOOT_STATUS
        self.boot()

    def poweroff(self) -> None:
        assert self._shut_down("poweroff") == 0

    def _shut_down(self, how: str) -> int:
        assert self.nspawn is not None, f"{self.name} is off"
        self.systemctl(how, check=False)
        status = self.nspawn.wait(_BOOT_TIMEOUT_S)
        self._forget()
        return status

    def cut_power(self) -> None:
        """All its processes end at once. Nothing happens when it's off."""
        if self.nspawn is None:
            return
        # Process 1 first: it takes all its namespace along, and what waits for it on this side ends in order.
        if self.leader_pid:
            os.kill(self.leader_pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.nspawn.wait(10)
        kill(self.cgroups[0])
        stop(self.nspawn)
        self._forget()

    def _forget(self) -> None:
        for process in self.started:
            process.stop()
        self.started.clear()
        self.nspawn, self.leader_pid = None, 0

    def popen(
        self,
        *argv: str,
        user: str | None = None,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.STDOUT,
        env: Mapping[str, str] | None = None,
    ) -> Inside:
        """A process of the machine, of a login session as far as its cgroup tells. Ends with the machine."""
        process = subprocess.Popen(
            self._command(argv, user),
            env=_ENVIRONMENT | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
        )
        self.started.append(Inside(process))
        return self.started[-1]

    def run(
        self,
        *argv: str,
        user: str | None = None,
        check: bool = True,
        timeout_s: float = 30,
        env: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Raises CalledProcessError when `check`, noting what was said; TimeoutExpired after too long."""
        process = self.popen(*argv, user=user, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        try:
            output, errors = process.entry.communicate(timeout=timeout_s)
        finally:
            process.stop()
            self.started.remove(process)
        done = subprocess.CompletedProcess(argv, process.entry.returncode, output, errors)
        if check and done.returncode != 0:
            error = subprocess.CalledProcessError(done.returncode, argv, output, errors)
            error.add_note(f"{output}{errors}".strip())
            raise error
        return done

    def _command(self, argv: Sequence[str], user: str | None) -> list[str]:
        assert self.leader_pid, f"{self.name} is off"
        privileges = ["setpriv", "--pdeathsig", "KILL"]
        if user is not None:
            who = pwd.getpwnam(user)
            privileges += [f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--init-groups"]
        enter = ["nsenter", f"--target={self.leader_pid}", "-m", "-u", "-i", "-n", "-p", "-C", "--"]
        session = [cgroup / _SESSION for cgroup in self.cgroups]
        return [*joining(session), *enter, *privileges, *argv]

    def python(
        self, *argv: str, user: str | None = None, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """The tests' own Python, with the project and all it needs."""
        return self.run(sys.executable, *argv, user=user, check=check)

    def trueup(
        self, *argv: str, user: str | None = None, check: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """The command of the project. Its exit status says something, so it isn't checked by default."""
        return self.python("-m", "trueup", *argv, user=user, check=check)

    def systemctl(self, *argv: str, check: bool = True) -> str:
        return self.run("systemctl", *argv, check=check, timeout_s=_BOOT_TIMEOUT_S).stdout.strip()

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties as systemd prints them; all of them when none is named."""
        wanted = [f"--property={','.join(properties)}"] if properties else []
        printed = self.systemctl("show", *wanted, unit)
        return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)

    def wait_for(self, unit: str, timeout_s: float = 20, **properties: str) -> None:
        """Until the unit has all these: `wait_for("a.service", ActiveState="failed")`."""
        seen: dict[str, str] = {}

        def look() -> bool:
            seen.update(self.show(unit, *properties))
            return seen == properties

        try:
            wait_until(look, f"{unit} has {properties}", timeout_s, pause_s=0.1)
        except AssertionError as error:
            error.add_note(f"it has {seen}; its journal: {self.journal(unit)[-10:]}")
            raise

    def pids(self, unit: str) -> list[int]:
        """The processes of a unit, seen from here."""
        path = self.show(unit, "ControlGroup")["ControlGroup"]
        return processes_in(self.cgroups[0] / "payload" / path.lstrip("/")) if path else []

    def limit_memory(self, unit: str, size_bytes: int) -> None:
        """What the unit runs now is killed by the kernel when it takes more. It forgets with a restart.

        Where the memory controller is v1's, systemd can't see it: it tells of a kill, not of memory.
        """
        require_capability("memory_limits")
        if not limit_memory_v1(self.cgroups[0].name, self.pids(unit), size_bytes):
            self.systemctl("set-property", "--runtime", unit, f"MemoryMax={size_bytes}", "MemorySwapMax=0")

    def journal(self, unit: str) -> list[str]:
        """The messages of a unit and those about it, oldest first."""
        self.run("journalctl", "--sync")
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}").stdout.splitlines()

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """A file of the machine, on or off; folders are made."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def add_units(self, units: Mapping[str, str]) -> None:
        for name, text in units.items():
            self.write(str(_UNITS / name), text)
        if self.leader_pid:
            self.systemctl("daemon-reload")


@contextlib.contextmanager
def machine(
    *,
    units: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
    namespace: Namespace | None = None,
) -> Iterator[Machine]:
    """A machine that has booted. Its network is `namespace`, or else one of its own.

    `units` are unit files by name, `files` other files by path; both are there when it boots.
    """
    require_capability("nspawn")
    label = f"machine{next(_numbers)}"
    with contextlib.ExitStack() as stack:
        if namespace is None:
            (namespace,) = stack.enter_context(network(label))
        folder = stack.enter_context(own_folder(label))
        for part in ("memory", "share"):
            (folder / part).mkdir()
        own_cgroups = stack.enter_context(cgroups(label))
        holder_pid = stack.enter_context(_memory(folder / "memory"))
        made = Machine(own_name(label), namespace, folder, own_cgroups, holder_pid)
        stack.callback(made.cut_power)
        _let_everybody_run_python(made.root)
        for path, text in (files or {}).items():
            made.write(path, text)
        made.add_units(units or {})
        made.boot()
        yield made


@contextlib.contextmanager
def _memory(folder: Path) -> Iterator[int]:
    """Mount the disk for a process of ours alone, which is answered; it is gone with that process."""
    holder = subprocess.Popen(
        [
            *("unshare", "--mount", "--propagation", "private"),
            *("sh", "-ec", _MAKE_DISK, "sh", str(folder)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n", "the disk isn't mounted"
        yield holder.pid
    finally:
        stop(holder)


def _python_elsewhere() -> set[Path]:
    """The project, so that it is seen as it is now, and what of Python isn't on this machine's disk."""
    disk = Path("/").stat().st_dev
    others = {Path(sys.prefix), Path(sys.base_prefix)}
    return {_PROJECT} | {path for path in others if path.stat().st_dev != disk}


def _let_everybody_run_python(root: Path) -> None:
    """Python may live in a home that is closed to others; on the machine's disk it isn't."""
    for folder in Path(sys.base_prefix).parents:
        inside = root / folder.relative_to("/")
        if inside.stat().st_mode & 0o001 == 0:
            inside.chmod(inside.stat().st_mode | 0o001)
