import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from trueup.app.reloading import Fingerprint, Reloader, fingerprint
from trueup.app.watched import Watched

ONE = "services: {one: tcp://127.0.0.1:1}\n"
TWO = "services: {one: tcp://127.0.0.1:1, two: tcp://127.0.0.1:2}\n"


class Heard:
    def __init__(self) -> None:
        self.applied: list[list[str]] = []
        self.complaints: list[str] = []

    def apply(self, watched: Watched) -> None:
        self.applied.append([target.name for target in watched.targets])


def run(
    path: Path, story: Callable[[Reloader, Heard], Awaitable[None]], *, seen: Fingerprint | None = None
) -> Heard:
    heard = Heard()

    async def whole() -> None:
        reloader = Reloader(path, heard.apply, heard.complaints.append, seen=seen, poll_every_s=0.02)
        following = asyncio.create_task(reloader.run())
        async with asyncio.timeout(20):
            await story(reloader, heard)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    asyncio.run(whole())
    return heard


async def until(wanted: Callable[[], object]) -> None:
    while not wanted():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)


def test_a_change_is_applied_and_what_does_not_hold_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text(ONE)

    async def story(_reloader: Reloader, heard: Heard) -> None:
        file.write_text(TWO)
        await until(lambda: heard.applied)
        file.write_text("services: {one: {att: 1}, two: {at: nonsense}}\n")
        await until(lambda: any(heard.complaints))
        file.write_text(ONE)
        await until(lambda: len(heard.applied) == 2)

    heard = run(file, story)
    assert heard.applied == [["one", "two"], ["one"]]
    assert [bool(one) for one in heard.complaints] == [False, True, False]
    assert "goes on" in heard.complaints[1]
    assert f"{file}:1: services.one.att:" in caplog.text
    assert "services.two.at" in caplog.text


def test_a_change_while_the_first_was_read_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text(ONE)
    seen = fingerprint(file)
    file.write_text(TWO)

    async def story(_reloader: Reloader, heard: Heard) -> None:
        await until(lambda: heard.applied)

    assert run(file, story, seen=seen).applied == [["one", "two"]]


def test_nothing_changes_without_a_change_unless_somebody_asks(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text(ONE)

    async def story(reloader: Reloader, heard: Heard) -> None:
        await asyncio.sleep(0.2)
        assert heard.applied == []
        reloader.ask()
        await until(lambda: heard.applied)

    assert run(file, story).applied == [["one"]]


def test_a_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "trueup.yaml"
    file.write_text(ONE)

    async def story(_reloader: Reloader, heard: Heard) -> None:
        file.unlink()
        await until(lambda: heard.complaints)

    assert run(file, story).applied == []


def test_a_folder_has_the_fingerprint_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(ONE)
    before = fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("not read")
    assert fingerprint(tmp_path) == before
    (tmp_path / "two.yaml").write_text(TWO)
    assert fingerprint(tmp_path) != before
