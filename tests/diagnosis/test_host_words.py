"""What is quoted of a log, and how times and endings are told."""

from datetime import timedelta

import pytest

from tests.diagnosis.hosts import NOW, before, failed_unit, log, report, unit
from trueup.diagnosis.host_words import (
    SAID_CHARS_MAX,
    ago,
    exit_words,
    it_said,
    last_exit,
    look_into,
    ran_since,
    stopped_at,
    template_of,
)

NGINX = (
    'nginx: [emerg] unknown directive "bogus" in /etc/nginx/nginx.conf:1',
    "nginx: configuration file /etc/nginx/nginx.conf test failed",
)
MARIADB = (
    "[Warning] Could not increase number of max_open_files to more than 20000 (request: 32184)",
    "[Note] InnoDB: Compressed tables use zlib 1.2.13, an unknown number of times and a few more for good",
    "[Note] InnoDB: Completed initialization of buffer pool, which is as large as it was and no larger",
    "[ERROR] /usr/sbin/mariadbd: unknown variable 'bogus=1'",
    "[ERROR] Aborting",
)
POSTGRES = (
    "Error: /usr/lib/postgresql/15/bin/pg_ctl start -D /var/lib/postgresql/15/main -s exited with status 1:",
    'LOG:  unrecognized configuration parameter "bogus" in file "postgresql.conf" line 816',
    'FATAL:  configuration file "/etc/postgresql/15/main/postgresql.conf" contains errors',
    "pg_ctl: could not start server",
    "Examine the log output.",
)
REDIS = (
    "1:C oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo and says more about it than anybody wants to know",
    "1:C Redis version=7.0.15, bits=64, commit=00000000, modified=0, pid=1105, just started",
    "1:M # Warning: Could not create server TCP socket 127.0.0.1:6379: bind: Address already in use",
    "1:M # Failed listening on port 6379 (TCP), aborting.",
)
PYTHON = (
    "Traceback (most recent call last):",
    '  File "/srv/shop/a_rather_long_path_to_a_module/of_the_shop/main.py", line 12, in <module>',
    "    raise ShopError(f'an unknown article: {article}') from error",
    '  File "/srv/shop/a_rather_long_path_to_a_module/of_the_shop/store.py", line 40, in open',
    "shop.ShopError: the cupboard is bare",
)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("one", "two"), "one | two"),
        (NGINX, " | ".join(NGINX)),
        (MARIADB, MARIADB[3]),
        (POSTGRES, POSTGRES[1]),
        (REDIS, REDIS[2]),
        (PYTHON, PYTHON[4]),
        (("x" * 1000,), "x" * SAID_CHARS_MAX),
        (("nothing to see here " * 10, "and nothing here either " * 10), "and nothing here either " * 10),
    ],
)
def test_the_line_that_says_most(lines: tuple[str, ...], said: str) -> None:
    host = report(logs=(log("shop", *lines),))
    assert it_said(host, "shop") == f"; it said: {said.strip()[:SAID_CHARS_MAX]}"


def test_only_the_last_run_is_quoted() -> None:
    lines = ("systemd: Started it.", "of the first run", "systemd: Stopped it.", "systemd: Started it.")
    host = report(logs=(log("shop", *lines),))
    assert it_said(host, "shop") == ""
    assert it_said(host, "shop", in_any_run=True) == "; it said: of the first run"
    assert it_said(report(), "shop") == ""


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=0.4), "just now"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=1), "1 second ago"),
        (timedelta(seconds=59), "59 seconds ago"),
        (timedelta(minutes=14), "14 minutes ago"),
        (timedelta(hours=1, minutes=59), "1 hour ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_ago(passed: timedelta, words: str) -> None:
    assert ago(NOW - passed, NOW) == words


def test_a_time_that_is_not_known_is_not_told() -> None:
    assert ago(None, NOW) == ""


def test_what_a_child_says_before_systemd_says_that_it_was_started_is_of_that_run() -> None:
    run = ("(shop): no such folder", "systemd: Started it.", "systemd: Failed with result 'exit-code'.")
    host = report(logs=(log("shop", "systemd: Started it.", "an earlier word", *run),))
    assert it_said(host, "shop") == "; it said: no such folder"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"exit_status": 3}, "exit status 3"),
        ({"exit_status": 203, "exit_meaning": "EXEC: missing"}, "exit status 203 (EXEC: missing)"),
        ({"exit_signal": "SIGSEGV", "result": "core-dump"}, "killed by SIGSEGV with a core dump"),
        ({"exit_signal": "SIGKILL", "result": "signal"}, "killed by SIGKILL"),
        ({"exit_status": None, "result": "exit-code"}, "a command of its start failed"),
        ({"exit_status": 0, "result": "protocol"}, "it didn't come up as its type of unit must"),
        ({"exit_status": None, "result": "timeout"}, "it wasn't ready, or didn't end, in time"),
        ({"exit_status": None, "result": "new-in-systemd"}, "new-in-systemd"),
        ({"exit_status": None, "result": ""}, "systemd doesn't say how"),
    ],
)
def test_how_it_ended(said: dict[str, object], words: str) -> None:
    assert exit_words(failed_unit("shop.service", **said)) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("systemd: shop.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED", "exit status 3"),
        ("systemd: shop.service: Main process exited, code=dumped, status=6/ABRT", "killed by SIGABRT"),
        ("shop.service: Main process exited, code=exited, status=3/FAKED", ""),  # the service itself says so
        ("systemd: Stopped it.", ""),
    ],
)
def test_how_the_run_before_ended(line: str, words: str) -> None:
    assert last_exit(report(logs=(log("shop.service", line),)), unit()) == words


def test_when_it_stopped() -> None:
    host = report(logs=(log("shop.service", "systemd: Stopped it.", "shop says", at=before(minutes=5)),))
    assert stopped_at(host, unit()) == before(minutes=5)
    assert stopped_at(host, unit(inactive_since=before(minutes=1))) == before(minutes=1)
    assert stopped_at(report(), unit()) is None


def test_whether_it_ran_since() -> None:
    host = report(logs=(log("shop.service", "systemd: Started it.", at=before(minutes=5)),))
    assert ran_since(host, "shop.service", before(minutes=6)) is True
    assert ran_since(host, "shop.service", before(minutes=4)) is False
    assert ran_since(report(), "shop.service", before(minutes=4)) is None


@pytest.mark.parametrize(
    ("name", "template", "journal"),
    [
        ("redis.service", "redis.service", "redis.service"),
        ("postgresql@15-main.service", "postgresql@15-main.service", "postgresql@15-main.service"),
        ("each@7-127.0.0.1:80-127.0.0.1:4711.service", "each@.service", "'each@*'"),
        ("each@7-12-0.service", "each@.service", "'each@*'"),
    ],
)
def test_a_service_of_one_connection_is_named_by_its_template(name: str, template: str, journal: str) -> None:
    assert template_of(unit(name)) == template
    assert look_into(unit(name)) == (f"journalctl -u {journal} -n 30 --no-pager",)
