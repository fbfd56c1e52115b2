"""A real server for the length of a test: on a port of its own, ready when it answers, gone at the end.

A bed (one file a server, beside this one) says how its server is configured and started, and how one
sees that it answers; `serving` does the rest.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.beds import processes
from tests.beds.ownership import own_name

LOOPBACK = "127.0.0.1"
ROOT = os.geteuid() == 0


class ServerFailedError(Exception):
    """It ended, or didn't answer in time. The message has the end of its log."""


@dataclass
class Server:
    """One server and what belongs to it. `stop` and `start` may be called in between, on the same data."""

    name: str
    scheme: str
    address: str
    port: int
    folder: Path
    account: str | None
    """Whom it runs as, when the tests run as root."""
    stop_signal: signal.Signals
    _answers: Callable[["Server"], bool]
    argv: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    """More doors of the same server, by name: the management API, the TLS port."""
    _process: subprocess.Popen[bytes] | None = None
    _log_start: int = 0

    @property
    def host(self) -> str:
        """The address as it stands in a URL."""
        return f"[{self.address}]" if ":" in self.address else self.address

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """What it wrote to its output and errors."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_since_start(self) -> str:
        """Without what it said in an earlier life."""
        return self.log()[self._log_start :]

    def log_end(self) -> str:
        return f"log of {self.name} at {self.url}, its end:\n{self.log()[-4000:]}"

    def write(self, name: str, content: str | bytes | Sequence[str], mode: int = 0o600) -> Path:
        """A file of the server's own in its folder; a sequence is its lines."""
        path = self.folder / name
        if not isinstance(content, str | bytes):
            content = "".join(f"{line}\n" for line in content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        self.own(path)
        return path

    def make_folder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(mode=0o700)
        self.own(path)
        return path

    def run(self, *argv: str, stdin: str | None = None, timeout_s: float = 60) -> str:
        """The output of a command that prepares or asks the server, run as the server's own user.

        Raises ServerFailedError with the command's complaint when it fails.
        """
        done = subprocess.run(
            [*self._as_account(), *argv],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            cwd=self.folder,
            env=self._whole_environment(),
            check=False,
        )
        if done.returncode != 0:
            raise ServerFailedError(f"{' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def start(self, *, wait_s: float = 30) -> None:
        """Start its process and wait until it answers. Raises ServerFailedError if it doesn't."""
        self._log_start = len(self.log())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_unconfined(), *self._as_account(), *self.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._whole_environment(),
                start_new_session=True,
            )
        self._wait_until_it_answers(wait_s)

    def stop(self, timeout_s: float = 5) -> None:
        """End it and all that it started: kindly, then by force. Harmless when it's down already."""
        if self._process is None:
            return
        descendants = processes.descendants(self._process.pid)
        self._process.send_signal(signal.SIGCONT)
        for process in descendants:
            process.send(signal.SIGCONT)
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout_s)
        processes.end(descendants)

    def signal(self, number: signal.Signals) -> None:
        """To the server's first process alone."""
        os.kill(self.pid, number)

    def children(self) -> list[int]:
        """The processes that it started, and theirs, by id."""
        return [process.pid for process in processes.descendants(self.pid)]

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """All its processes stopped by SIGSTOP, as a frozen machine would."""
        descendants = processes.descendants(self.pid)
        self.signal(signal.SIGSTOP)
        for process in descendants:
            process.send(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in descendants:
                process.send(signal.SIGCONT)
            self.signal(signal.SIGCONT)

    def own(self, path: Path) -> None:
        """Make a file or folder the server's."""
        if self.account is not None:
            shutil.chown(path, self.account)

    def discard(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_it_answers(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        while True:
            with contextlib.suppress(OSError):
                if self._answers(self):
                    return
            if not self.alive:
                raise ServerFailedError(f"{self.name} ended instead of serving\n{self.log_end()}")
            if time.monotonic() > deadline_s:
                raise ServerFailedError(f"{self.name} doesn't answer after {timeout_s:g} s\n{self.log_end()}")
            time.sleep(0.02)

    def _whole_environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        return {**inherited, "LC_ALL": "C", "HOME": str(self.folder), **self.environment}

    def _as_account(self) -> list[str]:
        """Ends with the tests even when these are killed; as its own user where it has one."""
        prefix = ["setpriv", "--pdeathsig", "TERM"]
        if self.account is not None:
            group = str(pwd.getpwnam(self.account).pw_gid)
            prefix += ["--reuid", self.account, "--regid", group, "--init-groups"]
        return prefix


@contextlib.contextmanager
def serving(
    name: str,
    configure: Callable[[Server], Sequence[str]],
    answers: Callable[[Server], bool],
    *,
    scheme: str | None = None,
    address: str = LOOPBACK,
    port: int = 0,
    account: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    timeout_s: float = 30,
) -> Iterator[Server]:
    """The server, running and answering.

    `configure` writes files into the server's folder, may set its environment, and returns its command.
    `answers` looks once; False or an OSError means not yet. Port 0 is any free one, and another is
    taken when somebody was quicker. `account` counts only as root, and where it exists.
    Raises ServerFailedError when it ends or doesn't answer within `timeout_s`.
    """
    whom = account if ROOT and account in {entry.pw_name for entry in pwd.getpwall()} else None

    def begin(attempts: int) -> Server:
        folder = Path(tempfile.mkdtemp(prefix=f"{own_name(name)}-"))
        server = Server(
            name, scheme or name, address, port or free_port(address), folder, whom, stop_signal, answers
        )
        try:
            folder.chmod(0o755)
            server.own(folder)
            server.argv = configure(server)
            server.start(wait_s=timeout_s)
        except ServerFailedError:
            server.discard()
            if port == 0 and attempts > 1 and not is_free(address, server.port):
                return begin(attempts - 1)
            raise
        except BaseException:
            server.discard()
            raise
        return server

    server = begin(attempts=3)
    try:
        yield server
    except Exception as error:
        error.add_note(server.log_end())
        raise
    finally:
        server.discard()


def free_port(address: str = LOOPBACK) -> int:
    """One that was free a moment ago, for TCP and UDP both."""
    while True:
        with socket.socket(_family(address), socket.SOCK_STREAM) as tcp:
            tcp.bind((address, 0))
            port: int = tcp.getsockname()[1]
            with contextlib.suppress(OSError), socket.socket(_family(address), socket.SOCK_DGRAM) as udp:
                udp.bind((address, port))
                return port


def is_free(address: str, port: int) -> bool:
    with socket.socket(_family(address), socket.SOCK_STREAM) as tcp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind((address, port))
        except OSError:
            return False
    return True


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _unconfined() -> Sequence[str]:
    """AppArmor, where it is on, would keep named, slapd and unbound from the files of their test."""
    enabled = Path("/sys/module/apparmor/parameters/enabled")
    if shutil.which("aa-exec") and enabled.exists() and enabled.read_text().startswith("Y"):
        return ("aa-exec", "-p", "unconfined", "--")
    return ()
