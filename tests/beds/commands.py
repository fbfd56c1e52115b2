"""Commands that a bed runs to their end, and processes that it ends."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def run(
    argv: Sequence[str],
    *,
    check: bool = True,
    timeout_s: float = 15,
    stdin: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Raises CalledProcessError when `check`, noting what was said; TimeoutExpired when it takes too long."""
    try:
        return subprocess.run(
            argv,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=check,
            cwd=cwd,
            env=env,
        )
    except subprocess.CalledProcessError as error:
        error.add_note(f"{error.stdout}{error.stderr}".strip())
        raise


def stop(process: "subprocess.Popen[str]", timeout_s: float = 5) -> int:
    """Ask this very process to end, then make it; its exit status. Closes its pipes."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout_s)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    return process.returncode
