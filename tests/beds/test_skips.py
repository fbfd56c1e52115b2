import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.beds.requirements import PROJECT
from tests.beds.skips import ALLOWED_FILE, unallowed


def test_a_skip_is_allowed_by_its_line_alone() -> None:
    allowed = "# a comment\n\nno netem here: * :: the kernel hasn't got it\n"
    assert unallowed({"no netem here: no module", "no nginx here"}, allowed) == ["no nginx here"]


def test_without_a_reason_nothing_is_allowed() -> None:
    for line in ("no netem here", "no netem here ::  "):
        with pytest.raises(pytest.UsageError, match=":1: "):
            unallowed({"x"}, line)


def test_the_file_of_allowed_skips_is_well_formed() -> None:
    assert unallowed({"something else"}, ALLOWED_FILE.read_text()) == ["something else"]


@pytest.mark.parametrize(
    ("ci", "skip", "status"),
    [
        ("true", 'pytest.skip("no such thing")', 1),
        ("false", 'pytest.skip("no such thing")', 0),
        ("true", 'pytest.skip("mongod isn\'t installed (here)")', 0),
        ("true", 'pytest.xfail("known")', 0),
    ],
)
@pytest.mark.parametrize("where", ["test", "module"])
def test_a_run_in_ci_fails_for_a_skip_that_is_not_allowed(
    tmp_path: Path, ci: str, skip: str, status: int, where: str
) -> None:
    if where == "module":
        if "xfail" in skip:
            return
        text = f"import pytest\n{skip[:-1]}, allow_module_level=True)\n"
    else:
        text = f"import pytest\ndef test_skipping():\n    {skip}\ndef test_passing():\n    pass\n"
    (tmp_path / "test_skipping.py").write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.beds.skips", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": str(PROJECT)},
        timeout=60,
        check=False,
    )
    assert ("CI allows no such skip: no such thing" in run.stdout) == (status == 1)
    empty = where == "module" and status == 0  # pytest calls a run without tests a failure of its own
    assert run.returncode == (pytest.ExitCode.NO_TESTS_COLLECTED if empty else status), run.stdout
