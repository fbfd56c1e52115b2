"""What a test needs of the machine. One place that skips, so that CI can tell which skips are allowed."""

import os
import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MONGOD_FOLDER = PROJECT / ".cache" / "mongod"
"""Where `tools/fetch-mongod` puts the binary and the library that it needs."""

_DISTRIBUTION = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
_FOLDERS = ("/usr/lib/rabbitmq/bin", "/usr/lib/postfix/sbin", "/usr/lib/dovecot", str(MONGOD_FOLDER))


def require(program: str) -> str:
    """The path of a program: where its package keeps it, for PATH may lead elsewhere.

    Skips the test, and says why, where it isn't installed.
    """
    newest_postgres_first = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    found = shutil.which(program, path=":".join([*_FOLDERS, *newest_postgres_first, _DISTRIBUTION]))
    if found is None:
        remedy = "tools/fetch-mongod" if program == "mongod" else "tools/install-test-servers"
        pytest.skip(f"{program} isn't installed (see {remedy})")
    return found


def require_root(what: str) -> None:
    if os.geteuid() != 0:
        pytest.skip(f"{what} runs only when root runs the tests")
