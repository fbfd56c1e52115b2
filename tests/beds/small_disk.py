"""A file system of its own that can be filled, and made read-only, while somebody works on it."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.beds.capabilities import require_capability


@dataclass(frozen=True, slots=True)
class SmallDisk:
    folder: Path

    def fill(self) -> None:
        """Until nothing more goes on it."""
        with (self.folder / "ballast").open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def empty(self) -> None:
        """Take away what filled it."""
        (self.folder / "ballast").unlink()

    def make_read_only(self) -> None:
        """While nobody has a file open for writing."""
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=True)

    def make_writable(self) -> None:
        subprocess.run(["mount", "-o", "remount,rw", self.folder], check=True)


@contextlib.contextmanager
def small_disk(folder: Path, size_kib: int = 2048) -> Iterator[SmallDisk]:
    """A disk in memory, mounted at ``folder``, which is made."""
    require_capability("overlay")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "small", folder], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
