"""Real connections between real processes, and the titles of a real PostgreSQL."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.beds.redis import redis
from tests.discovery.made import here
from tests.discovery.when import NOW
from trueup.app.clock import SystemClock
from trueup.discovery.doors import doors_of
from trueup.discovery.found import Door, Link
from trueup.discovery.links import _with_database, links_of
from trueup.host.connections import read_connections
from trueup.host.facts import Process, ProcessState
from trueup.host.reader import ThisMachine
from trueup.host.survey import Survey

_CLIENT = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def service_with_a_connection_to(port: int) -> Iterator[int]:
    """Its own port."""
    command = [sys.executable, "-c", _CLIENT, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        try:
            yield int(client.stdout.readline())
        finally:
            client.kill()


def look() -> tuple[tuple[Door, ...], tuple[Link, ...]]:
    reader = ThisMachine()
    try:
        report = asyncio.run(Survey(reader, "here", SystemClock()).take_listeners())
        doors = doors_of(report)
        listening = {one.socket.port for one in report.listeners}
        return doors, links_of(read_connections(), doors, reader, listening)
    finally:
        reader.close()


def test_who_connected_to_whom_is_known_by_the_door_it_holds_itself() -> None:
    with redis() as server, service_with_a_connection_to(server.port) as own:
        doors, links = look()
    mine = [link for link in links if link.holder.port == own]
    assert [(link.peer, link.peer_port) for link in mine] == [("127.0.0.1", server.port)]
    assert not [link for link in links if link.holder.port == server.port]
    assert own in {door.port for door in doors}


def test_what_people_do_in_a_session_is_no_need_of_the_shell() -> None:
    reader = ThisMachine()
    try:
        for process, held in (("shopd", 1), ("sshd", 0)):
            door = here("ssh", 22, process=process, pid=os.getpid()).door
            with redis() as server, service_with_a_connection_to(server.port):
                links = links_of(read_connections(), [door], reader, {server.port})
            assert len([link for link in links if link.peer_port == server.port]) == held
    finally:
        reader.close()


def test_connections_have_both_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = listener.getsockname()
        with socket.create_connection(there) as client:
            (one,) = (one for one in read_connections() if (one.address, one.port) == client.getsockname())
            assert (one.peer, one.peer_port) == there
            assert one.inode == os.fstat(client.fileno()).st_ino


def test_the_one_database_in_use_is_the_one_to_name() -> None:
    for titles, part in [
        (["postgres: 15/main: shop shop 127.0.0.1(40404) idle"], "/shop"),
        (
            [
                "postgres: shop shop [local] idle",
                "postgres: shop shop ::1(1) SELECT",
                "postgres: checkpointer ",
            ],
            "/shop",
        ),
        (["postgres: shop shop [local] idle", "postgres: wiki wiki [local] idle"], ""),
        (["postgres: postgres postgres [local] idle"], ""),
        (["postgres: x a'b [local] idle"], ""),
        (["postgres: 15/main: walwriter "], ""),
    ]:
        found = here("postgres", 5432, process="postgres", pid=7)
        assert _with_database(found, [backend(title, 7) for title in titles]).part == part


def test_the_databases_of_another_server_are_its_own() -> None:
    found = here("postgres", 5432, process="postgres", pid=7)
    assert _with_database(found, [backend("postgres: shop shop [local] idle", 8)]).part == ""


def backend(title: str, parent_pid: int) -> Process:
    return Process(
        9,
        1,
        NOW,
        "postgres",
        ProcessState.SLEEPING,
        parent_pid,
        1,
        0,
        "postgres",
        None,
        None,
        (title,),
        None,
        None,
        None,
        None,
    )
