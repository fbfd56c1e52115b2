from pathlib import Path

import pytest

from trueup.store.failure import Reason, StoreFailed
from trueup.store.folder import Hold, network_file_system

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:40 / /srv rw shared:2 - nfs4 server:/export rw,vers=4.2
31 30 0:41 / /srv/local\\040disk rw - xfs /dev/sdb rw
32 22 0:42 / /home/ann/remote rw - fuse.sshfs ann@host: rw
malformed
"""


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    hold = Hold(tmp_path / "data")
    with pytest.raises(StoreFailed, match="another trueup runs on") as refused:
        Hold(tmp_path / "data")
    assert refused.value.reason is Reason.LOCKED
    hold.release()
    Hold(tmp_path / "data").release()


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        ("/var/lib/trueup", None),
        ("/srv", "nfs4"),
        ("/srv/trueup/data", "nfs4"),
        ("/srv/local disk/data", None),
        ("/srv-other", None),
        ("/home/ann/remote/x", "fuse.sshfs"),
    ],
)
def test_a_file_system_of_the_network_is_told_by_the_mount_it_is_on(folder: str, found: str | None) -> None:
    assert network_file_system(Path(folder), MOUNTS) == found


def test_this_one_is_local(tmp_path: Path) -> None:
    assert network_file_system(tmp_path) is None
