"""The command, as a user calls it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def trueup(
    *words: str, env: Mapping[str, str] | None = None, timeout_s: float = 60, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``trueup`` with these words and wait for its end."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "trueup", *words],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **(env or {})},
        check=False,
        cwd=cwd,
    )
