"""Nothing that a monitor's looks import late is missing once it has begun."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import trueup

SOURCE = Path(trueup.__file__).parent
LOOKS = ("checks", "diagnosis", "engine", "host", "probes")
OF_EXTRAS = {"asyncssh", "nacl", "trueup.checks.ssh_session"}
OF_THE_BUS = {"dbus_fast"}
"""Asked at the start already, where there is one."""


def late_imports() -> set[str]:
    """The modules named by imports within functions, wherever a look may come."""
    return {
        name
        for folder in LOOKS
        for file in (SOURCE / folder).glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for name in _imported(node)
    }


def _imported(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def test_all_that_looks_import_late_is_there() -> None:
    code = "import sys; from trueup.app.beforehand import import_all; import_all(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    elsewhere = OF_EXTRAS | OF_THE_BUS
    late = {name for name in late_imports() if not {name, name.partition(".")[0]} & elsewhere}
    assert "trueup.checks.questions" in late
    assert late - set(done.stdout.split()) == set()
