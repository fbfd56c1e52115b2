"""A Docker engine of its own, with one small image, in a network of its own.

    with dockerd() as engine:
        web = engine.start("web", "httpd", "-f", "-p", "80", ports={8080: 80}, health="test -e /tmp/well")
        web.wait_for(lambda state: state.health == "unhealthy", "it is unhealthy")

Nothing is pulled: the image holds busybox and no more. Ports are published by docker-proxy alone, without
netfilter, so a published port is a socket of that process in the engine's network.
"""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.beds.capabilities import program, require_capability
from tests.beds.cgroup import cgroups, joining, kill
from tests.beds.commands import run, stop
from tests.beds.deadline import wait_until
from tests.beds.namespaces import Namespace, network
from tests.beds.ownership import own_folder, own_name

IMAGE = "busybox-of-this-machine"

_START = """
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs "$1/data"
exec dockerd --config-file="$1/dockerd.json"
"""
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class State:
    """What the engine says about a container: docker inspect, State and RestartCount."""

    status: str
    """created, running, paused, restarting, removing, exited or dead."""
    health: str | None
    """starting, healthy or unhealthy; None without a health check."""
    exit_code: int
    oom_killed: bool
    restarts: int
    pid: int
    """Of its first process, seen from here; 0 when it isn't running."""


@dataclass(frozen=True, slots=True)
class Engine:
    namespace: Namespace
    folder: Path
    cgroup: str
    daemon: "subprocess.Popen[str]"

    @property
    def socket_path(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def log(self) -> Path:
        return self.folder / "dockerd.log"

    def docker(self, *argv: str, check: bool = True, timeout_s: float = 30) -> str:
        """The engine's own client; what it prints. Raises CalledProcessError when `check`."""
        client = program("docker")
        assert client is not None
        command = (client, f"--config={self.folder}", f"--host=unix://{self.socket_path}", *argv)
        return run(command, check=check, timeout_s=timeout_s).stdout.strip()

    def start(
        self,
        name: str,
        *command: str,
        ports: Mapping[int, int] | None = None,
        health: str | None = None,
        memory: str | None = None,
        restart: str = "no",
    ) -> "Container":
        """A container that runs a command of busybox.

        `ports` leads from ports of the network, at all its addresses, to those inside. `health` is a shell
        command, asked five times a second; two failures are enough. `memory` is a limit such as 8m, `restart`
        Docker's policy.
        """
        options = [f"--publish={outer}:{inner}" for outer, inner in (ports or {}).items()]
        if health is not None:
            options += [f"--health-cmd={health}", "--health-interval=200ms", "--health-retries=2"]
        if memory is not None:
            options += [f"--memory={memory}", f"--memory-swap={memory}"]
        self.docker("run", "--detach", f"--name={name}", f"--restart={restart}", *options, IMAGE, *command)
        return Container(self, name)

    def freeze(self) -> None:
        """The daemon hears and does nothing from now on. Containers and published ports stay as they are."""
        self.daemon.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.daemon.send_signal(signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Container:
    engine: Engine
    name: str

    def state(self) -> State:
        (found,) = json.loads(self.engine.docker("inspect", "--type=container", self.name))
        said = found["State"]
        health = said.get("Health", {}).get("Status")
        return State(
            said["Status"], health, said["ExitCode"], said["OOMKilled"], found["RestartCount"], said["Pid"]
        )

    def wait_for(self, reached: Callable[[State], bool], what: str, timeout_s: float = 20) -> State:
        """The first state that is as wanted. Raises AssertionError noting the last one when none came."""
        seen = [self.state()]

        def look() -> bool:
            seen.append(self.state())
            return reached(seen[-1])

        try:
            wait_until(look, f"{self.name}: {what}", timeout_s, pause_s=0.05)
        except AssertionError as error:
            error.add_note(f"it is {seen[-1]}, and says: {self.log()[-10:]}")
            raise
        return seen[-1]

    def run(self, *command: str, check: bool = True) -> str:
        """Inside it; what that prints."""
        return self.engine.docker("exec", self.name, *command, check=check)

    def log(self) -> list[str]:
        return self.engine.docker("logs", self.name).splitlines()

    def pause(self) -> None:
        self.engine.docker("pause", self.name)

    def unpause(self) -> None:
        self.engine.docker("unpause", self.name)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """A signal by the engine, which then doesn't restart it."""
        self.engine.docker("kill", f"--signal={number.name}", self.name)

    def crash(self) -> None:
        """Its first process is killed behind the engine's back, which notices and may restart it."""
        os.kill(self.state().pid, signal.SIGKILL)

    def crash_unnoticed(self) -> None:
        """With the daemon frozen: docker-proxy stays, and accepts for nobody, until `Engine.thaw`."""
        pid = self.state().pid
        self.engine.freeze()
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        self.engine.docker("stop", "--time=1", self.name)

    def restart(self) -> None:
        self.engine.docker("restart", "--time=1", self.name)

    def remove(self) -> None:
        self.engine.docker("rm", "--force", "--volumes", self.name)


@contextlib.contextmanager
def dockerd(*, namespace: Namespace | None = None) -> Iterator[Engine]:
    """An engine that answers. Its network is `namespace`, or else one of its own."""
    require_capability("dockerd")
    label = f"docker{next(_numbers)}"
    with contextlib.ExitStack() as stack:
        if namespace is None:
            (namespace,) = stack.enter_context(network(label))
        folder = stack.enter_context(own_folder(label))
        groups = stack.enter_context(cgroups(label))
        _configure(folder, own_name(label))
        engine = Engine(namespace, folder, own_name(label), _start(folder, groups, namespace))
        stack.callback(_end, engine, groups[0])
        wait_until(lambda: _answers(engine), "the engine answers", timeout_s=30)
        _import_image(engine)
        yield engine


def _configure(folder: Path, cgroup: str) -> None:
    (folder / "data").mkdir()
    configuration = {
        "hosts": [f"unix://{folder}/docker.sock"],
        "data-root": f"{folder}/data",
        "exec-root": f"{folder}/run",
        "pidfile": f"{folder}/pid",
        "cgroup-parent": f"/{cgroup}/containers",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "iptables": False,
        "ip6tables": False,
        "userland-proxy": True,
        "userland-proxy-path": program("docker-proxy"),
    }
    (folder / "dockerd.json").write_text(json.dumps(configuration))


def _start(folder: Path, groups: tuple[Path, ...], namespace: Namespace) -> "subprocess.Popen[str]":
    # In a cgroup of its own below ours: one with cgroups below it may hold no process itself (cgroups(7)).
    join = joining([group / "daemon" for group in groups])
    private = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _START, "sh", str(folder)]
    with (folder / "dockerd.log").open("w") as log:
        return subprocess.Popen(
            [*join, *namespace.prefix, *private],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _answers(engine: Engine) -> bool:
    assert engine.daemon.poll() is None, f"dockerd died:\n{engine.log.read_text()[-2000:]}"
    return engine.docker("info", "--format={{.ServerVersion}}", check=False) != ""


def _import_image(engine: Engine) -> None:
    """One layer: busybox under all its names."""
    busybox = program("busybox")
    assert busybox is not None
    archive = engine.folder / "image.tar"
    with tarfile.open(archive, "w") as image:
        image.add(os.path.realpath(busybox), "bin/busybox")
        for applet in run([busybox, "--list"]).stdout.split():
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            if applet != "busybox":
                image.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        image.addfile(folder)
    engine.docker("import", str(archive), IMAGE)


def _end(engine: Engine, cgroup: Path) -> None:
    """In order as far as it goes; then all that is left at once."""
    if engine.daemon.poll() is None:
        engine.thaw()
        with contextlib.suppress(subprocess.TimeoutExpired):
            containers = engine.docker("ps", "--all", "--quiet", check=False).split()
            if containers:
                engine.docker("rm", "--force", "--volumes", *containers, check=False)
    stop(engine.daemon, timeout_s=10)
    kill(cgroup)
