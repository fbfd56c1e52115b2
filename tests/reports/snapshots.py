"""Parts of snapshots, as they are where nothing else is said."""

from typing import Any


def snapshot(**parts: Any) -> dict[str, Any]:
    lists: dict[str, Any] = {
        name: [] for name in ("listeners", "units", "containers", "certificates", "targets", "unreadable")
    }
    return {
        "schema": 1,
        "kind": "snapshot",
        "host": "here",
        "taken_at": "2026-11-21T10:00:00.000Z",
        "boot": {"id": "a", "started_at": "2026-11-01T00:00:00.000Z"},
        "configuration": {"text": ""},
        **lists,
        **parts,
    }


def unit(name: str = "redis.service", **more: Any) -> dict[str, Any]:
    told = {"state": "active", "sub_state": "running", "enabled": "enabled", "starts_at_boot": True}
    return {
        "name": name,
        **told,
        "why": "is enabled",
        "type": "notify",
        "result": "success",
        "exit_status": None,
        "exit_signal": None,
        "condition_met": True,
        "triggered_by": [],
        **more,
    }


def listener(**more: Any) -> dict[str, Any]:
    return {
        "address": "127.0.0.1",
        "port": 6379,
        "protocol": "tcp",
        "speaks": "redis",
        "version": "7.0.11",
        "process": "redis-server",
        "user": "redis",
        "unit": "redis.service",
        "container": None,
        **more,
    }


def target(**more: Any) -> dict[str, Any]:
    return {
        "name": "cache",
        "state": "up",
        "layer": None,
        "cause": None,
        "summary": "answers",
        "next": [],
        "version": None,
        "latency_ms": 1.0,
        **more,
    }
