"""A real Docker engine, its containers, and the ports that it publishes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.beds.deadline import wait_until
from tests.beds.dockerd import Engine as Bed
from tests.beds.dockerd import dockerd
from tests.host.fake_reader import FakeClock
from tests.host.test_events import CLOCK, heard
from trueup.host.cgroups import Cgroups
from trueup.host.containers import Containers, Engine
from trueup.host.engine_json import EngineEvent
from trueup.host.events import EventKind, HostEvent, HostEvents, Sources
from trueup.host.facts import Container, PortMapping, Transport
from trueup.host.memory_kills import KernelLog
from trueup.host.processes import Processes
from trueup.host.reader import ThisMachine
from trueup.host.report import HostReport
from trueup.host.sockets import Sockets
from trueup.host.survey import Survey
from trueup.host.unreadable import HostUnreadable, Reason


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    with dockerd() as engine:
        yield engine


def engine_of(bed: Bed) -> Engine:
    return Engine("docker", str(bed.socket_path))


def inspected(bed: Bed, name: str) -> Container:
    return asyncio.run(Containers(engine_of(bed)).inspect(name))


def inside(bed: Bed) -> HostReport:
    """A report made in the engine's network, as on its machine."""

    class OnItsMachine(ThisMachine):
        def engines(self) -> tuple[Engine, ...]:
            return (engine_of(bed),)

    with bed.namespace.enter():
        return asyncio.run(Survey(OnItsMachine(), "lab", FakeClock(datetime.now(UTC))).take())


def test_a_published_port_is_held_by_a_proxy_for_its_container(bed: Bed) -> None:
    web = bed.start("web", "httpd", "-f", "-p", "80", ports={8080: 80})
    wait_until(lambda: any(one.sockets for one in inside(bed).inner), "it listens")
    report = inside(bed)
    listeners = report.on_port(8080)
    assert {(one.process, one.container) for one in listeners} == {("docker-proxy", "web")}
    container = report.container("web")
    assert container is not None
    assert PortMapping("0.0.0.0", 8080, 80, Transport.TCP) in container.ports
    (inner,) = [one for one in report.inner if one.container_id == container.id]
    assert [one.port for one in inner.sockets] == [80]
    process = report.process(web.state().pid)
    assert process is not None
    assert process.place is not None
    assert process.place.container_id == container.id
    assert process.place.unit is None


def test_a_container_whose_program_is_gone_still_has_its_port(bed: Bed) -> None:
    bed.start("hollow", "sh", "-c", "httpd -p 81; sleep 1000", ports={8081: 81})
    wait_until(
        lambda: any(81 in [s.port for s in one.sockets] for one in inside(bed).inner), "httpd listens inside"
    )
    bed.docker("exec", "hollow", "sh", "-c", "kill $(pidof httpd)")

    def nothing_inside() -> HostReport | None:
        report = inside(bed)
        container = report.container("hollow")
        assert container is not None
        (inner,) = [one for one in report.inner if one.container_id == container.id]
        return report if not inner.sockets else None

    report = wait_until(nothing_inside, "nothing listens inside")
    assert report is not None
    assert {one.container for one in report.on_port(8081)} == {"hollow"}  # whoever connects is still accepted
    container = report.container("hollow")
    assert container is not None
    assert container.state == "running"


def test_health(bed: Bed) -> None:
    sick = bed.start("sick", "sleep", "1000", health="echo no answer; exit 1")
    sick.wait_for(lambda state: state.health == "unhealthy", "it is unhealthy")
    found = inspected(bed, "sick")
    assert (found.state, found.health, found.health_output) == ("running", "unhealthy", "no answer")
    assert found.health_failures >= 2


def test_restarts_are_counted(bed: Bed) -> None:
    loop = bed.start("loop", "sh", "-c", "echo dying; exit 7", restart="always")
    loop.wait_for(lambda state: state.restarts >= 2, "it was restarted twice")
    found = inspected(bed, "loop")
    assert (found.restarts >= 2, found.restart_policy) == (True, "always")
    assert found.state in {"restarting", "running"}
    bed.docker("stop", "--time=0", "loop")
    found = inspected(bed, "loop")
    assert (found.state, found.exit_code) == ("exited", 7)


def test_a_paused_container_and_its_frozen_process(bed: Bed) -> None:
    still = bed.start("still", "sleep", "1000")
    pid = still.state().pid
    processes = Processes()
    assert processes.read(pid).frozen is False
    still.pause()
    assert inspected(bed, "still").state == "paused"
    wait_until(lambda: processes.read(pid).frozen, "it is frozen")
    still.unpause()
    wait_until(lambda: processes.read(pid).frozen is False, "it goes on")


def test_a_container_killed_for_memory_by_the_engine_and_by_the_kernel(bed: Bed) -> None:
    for name in ("greedy", "greedier", "greediest"):
        greedy = bed.start(name, "sh", "-c", "x=a; while true; do x=$x$x; done", memory="8m")
        greedy.wait_for(lambda state: state.status == "exited", "it is dead")
        found = inspected(bed, name)
        if found.out_of_memory:  # an event tells the engine, too late where the end comes first
            break
    assert (found.out_of_memory, found.exit_code, found.memory_bytes_max) == (True, 137, 8 * 1024 * 1024)
    kills = KernelLog().kills()
    mine = [kill for kill in kills if kill.cgroup is not None and found.id in kill.cgroup]
    assert mine
    assert mine[0].limit_cgroup == mine[0].cgroup
    assert found.finished_at is not None
    assert abs((found.finished_at - mine[0].at).total_seconds()) < 5


def test_kills_are_counted_in_the_cgroup_while_it_lives(bed: Bed) -> None:
    code = "while true; do sh -c 'x=a; while true; do x=$x$x; done'; sleep 0.1; done"
    parent = bed.start("parent", "sh", "-c", code, memory="16m")
    place = Processes().read(parent.state().pid).place
    assert place is not None
    cgroup = place.cgroup
    try:
        wait_until(lambda: Cgroups().memory_events(cgroup).kills > 0, "a child was killed")
    finally:
        bed.docker("rm", "--force", "parent")
    with pytest.raises(HostUnreadable) as caught:
        Cgroups().memory_events(cgroup)
    assert caught.value.reason is Reason.ABSENT


def test_what_a_container_wrote(bed: Bed) -> None:
    bed.start("talks", "sh", "-c", "echo hello; sleep 0.1; echo trouble >&2; sleep 1000")
    reader = Containers(engine_of(bed))

    async def read() -> list[tuple[str | None, str]]:
        excerpt = await reader.log(await reader.inspect("talks"))
        return [(line.source, line.text) for line in excerpt.lines]

    wait_until(lambda: len(asyncio.run(read())) == 2, "both lines are there")
    assert asyncio.run(read()) == [("stdout", "hello"), ("stderr", "trouble")]


def test_a_container_that_never_started_says_why(bed: Bed) -> None:
    bed.docker("run", "--detach", "--name=wrong", "busybox-of-this-machine", "/no/such/program", check=False)
    found = inspected(bed, "wrong")
    assert (found.state, found.exit_code, found.started_at) == ("created", None, None)
    assert "no such file" in found.error


def during(
    bed: Bed, action: Callable[[], object], enough: Callable[[list[HostEvent]], bool]
) -> list[HostEvent]:
    followed = asyncio.Event()

    class Followed(Containers):
        @contextlib.asynccontextmanager
        async def events(self) -> AsyncIterator[AsyncIterator[EngineEvent]]:
            async with super().events() as events:
                followed.set()
                yield events

    async def run() -> list[HostEvent]:
        found: list[HostEvent] = []
        sources = Sources(Sockets(), Processes(), engines=(engine_of(bed),))
        async with asyncio.timeout(60), HostEvents(sources, CLOCK) as events:
            await followed.wait()
            doing = asyncio.create_task(asyncio.to_thread(action))
            while not enough(found):
                found += await heard(events, 1)
            await doing
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trueup.host.events.Containers", Followed)
        return asyncio.run(run())


def actions(events: list[HostEvent], name: str) -> list[str]:
    return [event.detail for event in events if event.subject == name]


def test_what_happens_is_heard(bed: Bed) -> None:
    busy = bed.start("busy", "sleep", "1000", health="test ! -e /tmp/sick")
    busy.wait_for(lambda state: state.health == "healthy", "it is healthy")
    calm = bed.start("calm", "sleep", "1000")

    def live_and_die() -> None:
        calm.pause()
        calm.unpause()
        busy.run("touch", "/tmp/sick")
        busy.wait_for(lambda state: state.health == "unhealthy", "it is unhealthy")
        busy.kill()

    events = during(bed, live_and_die, lambda events: "die" in actions(events, "busy"))
    assert actions(events, "calm") == ["pause", "unpause"]
    assert actions(events, "busy") == ["health_status: unhealthy", "die"]
    (died,) = [event for event in events if (event.subject, event.detail) == ("busy", "die")]
    assert died.kind is EventKind.CONTAINER_CHANGED
    assert died.container is not None
    assert died.container.exit_code == 137


def test_an_engine_that_hangs_is_a_timeout_and_not_an_empty_machine(bed: Bed) -> None:
    bed.freeze()
    try:
        report = inside(bed)
    finally:
        bed.thaw()
    gap = report.could_not_read(str(bed.socket_path))
    assert gap is not None
    assert gap.reason is Reason.TIMEOUT
    assert report.containers == ()
