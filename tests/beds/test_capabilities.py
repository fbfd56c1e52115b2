from pathlib import Path

import pytest

from tests.beds import capabilities
from tests.beds.capabilities import cgroup_mounts, cgroup_roots, missing, missing_programs, require_capability


def test_what_is_missing_skips_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    missing.cache_clear()
    monkeypatch.setitem(capabilities._TRIALS, "nftables", lambda: "not in this kernel")
    with pytest.raises(pytest.skip.Exception, match=r"^no nftables here: not in this kernel$"):
        require_capability("nftables")
    missing.cache_clear()


def test_what_is_there_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    missing.cache_clear()
    trials: list[str] = []
    monkeypatch.setitem(capabilities._TRIALS, "overlay", lambda: trials.append("tried"))
    require_capability("overlay")
    require_capability("overlay", "overlay")
    assert trials == ["tried"]
    missing.cache_clear()


def test_all_absent_programs_are_named() -> None:
    assert missing_programs("sh", "no-such-thing", "nor-this") == "not installed: no-such-thing, nor-this"
    assert missing_programs("sh") is None


@pytest.mark.parametrize(
    ("script", "reason"),
    [("true", None), ("echo first >&2; echo why >&2; exit 1", "why"), ("exit 3", "unshare ended with 3")],
)
def test_a_trial_that_fails_says_why(script: str, reason: str | None) -> None:
    require_capability("namespaces")
    assert capabilities._in_fresh_namespaces(script) == reason


def test_cgroup_hierarchies_are_told_apart() -> None:
    mounts = cgroup_mounts()
    for kind, mount in cgroup_roots().items():
        assert (Path(mount) / "cgroup.procs").exists()
        assert (mounts[mount] is None) == (kind == "unified")
