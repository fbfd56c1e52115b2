import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.host.as_user import as_nobody
from tests.host.sample import sample_text
from trueup.host.memory_kills import (
    KernelLog,
    kills_of,
    parse_kernel_log,
)
from trueup.host.traces import MemoryKill
from trueup.host.unreadable import HostUnreadable, Reason

CONTAINER = "/docker/71ca8caf077fdde28b0f4df5217b14e0197994902ce2cbb492a9ac81cda26dee"


def test_a_container_over_its_limit() -> None:
    records = sample_text("kmsg_memory_cgroup.txt").splitlines()
    assert parse_kernel_log(records, 1_000_000_000.0) == [
        MemoryKill(
            pid=27475,
            process="sh",
            at=datetime.fromtimestamp(1_000_002_684.734521, UTC),
            uid=0,
            cgroup=CONTAINER,
            limit_cgroup=CONTAINER,
            resident_bytes=(7644 + 1452) * 1024,
        )
    ]


# Wording of mm/oom_kill.c in the kernels named.
@pytest.mark.parametrize(
    ("lines", "kill"),
    [
        (  # 5.4 and later: the whole machine
            [
                (
                    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
                    "task_memcg=/system.slice/shop.service,task=shop (v2),pid=812,uid=33"
                ),
                (
                    "Out of memory: Killed process 812 (shop (v2)) total-vm:9kB, anon-rss:2kB, file-rss:1kB, "
                    "shmem-rss:0kB, UID:33 pgtables:60kB oom_score_adj:0"
                ),
            ],
            MemoryKill(
                812, "shop (v2)", datetime.fromtimestamp(5, UTC), 33, "/system.slice/shop.service", None, 3072
            ),
        ),
        (  # 4.19
            [
                "Memory cgroup out of memory: Kill process 812 (shop) score 1000 or sacrifice child",
                "Killed process 812 (shop) total-vm:9kB, anon-rss:2kB, file-rss:1kB, shmem-rss:1kB",
            ],
            MemoryKill(812, "shop", datetime.fromtimestamp(5, UTC), None, None, None, 4096),
        ),
        (  # 3.10 of RHEL 7
            ["Killed process 812 (shop), UID 33, total-vm:9kB, anon-rss:2kB, file-rss:1kB, shmem-rss:1kB"],
            MemoryKill(812, "shop", datetime.fromtimestamp(5, UTC), 33, None, None, 4096),
        ),
        (  # memory.oom.group: the summary is another process's
            [
                (
                    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,"
                    "task_memcg=/a/b,task=x,pid=1,uid=0"
                ),
                (
                    "Memory cgroup out of memory: Killed process 812 (shop) total-vm:9kB, anon-rss:2kB, "
                    "file-rss:1kB, shmem-rss:0kB, UID:33 pgtables:60kB oom_score_adj:0"
                ),
            ],
            MemoryKill(812, "shop", datetime.fromtimestamp(5, UTC), 33, None, None, 3072),
        ),
    ],
)
def test_what_kernels_say(lines: list[str], kill: MemoryKill) -> None:
    assert kills_of((5, line) for line in lines) == [kill]


def test_other_lines_are_no_kills() -> None:
    assert kills_of([(1, "oom_reaper: reaped process 812 (shop)"), (1, "Killed process")]) == []


def test_the_kernels_log_is_read_to_its_end() -> None:
    if os.geteuid() != 0:
        pytest.skip("the kernel's log is root's")
    log = KernelLog()
    earlier = len(log.kills())
    name = os.urandom(4).hex()
    sizes = "total-vm:9kB, anon-rss:2kB, file-rss:1kB, shmem-rss:0kB"
    Path("/dev/kmsg").write_text(f"trueup test: Killed process 4194303 ({name}), UID 0, {sizes}\n")
    for _ in range(3):  # at once, from memory, and anew
        (kill,) = [one for one in log.kills() if one.process == name]
        assert len(log.kills()) > earlier
        assert abs((kill.at - datetime.now(UTC)).total_seconds()) < 60
    log.close()
    assert [one.process for one in log.kills()].count(name) == 1
    log.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_a_restricted_log_is_permission_not_silence() -> None:
    def question() -> Reason | None:
        try:
            KernelLog().kills()
        except HostUnreadable as error:
            return error.reason
        return None

    is_restricted = Path("/proc/sys/kernel/dmesg_restrict").read_text().strip() == "1"
    assert as_nobody(question) is (Reason.PERMISSION if is_restricted else None)
