"""The example shop as a scripted monitor: well, and with its cache out of memory."""

# ruff: noqa: E501 - a scene is read as a table

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.web.scripted import ScriptedMonitor, incident, seen
from trueup.alerts.sender import Outcome, Taken
from trueup.config.configuration import Configuration
from trueup.domain.address import Address
from trueup.domain.channel import Channel
from trueup.domain.clock import timestamp
from trueup.domain.secret import Secret
from trueup.domain.selector import Selector
from trueup.domain.status_page import StatusPage
from trueup.domain.target import Kind, Target
from trueup.domain.tier import Tier
from trueup.web.machines import Machine


def _at(scheme: str, host: str, port: int) -> tuple[Address, ...]:
    return (Address(scheme, host, f"{scheme}://{host}:{port}", port),)


TARGETS = (
    Target("shop-db", at=_at("postgres", "10.0.0.5", 5432), tier=1, host="db-1", unit="postgresql@15-main.service", tags=("data",)),
    Target("redis-cache", at=_at("redis", "10.0.0.7", 6379), tier=1, host="cache-1", unit="redis-server.service", tags=("data",), runbook="https://wiki.example/redis"),
    Target("storage", at=_at("http", "10.0.0.9", 9000), tier=1, host="store-1", tags=("data",)),
    Target("shop-web", at=_at("https", "shop.example", 443), tier=1, needs=("shop-db", "redis-cache"), host="web-1", tags=("front",)),
    Target("shop-api", at=_at("https", "api.shop.example", 443), tier=1, needs=("shop-db", "redis-cache"), host="web-1", tags=("front",)),
    Target("search", at=_at("opensearch", "10.0.0.11", 9200), tier=2, needs=("storage",), tags=("data",)),
    Target("mail", at=_at("submission", "mail.example", 587), tier=2, tags=("mail",)),
    Target("imap", at=_at("imaps", "mail.example", 993), tier=3, tags=("mail",)),
    Target("queue", at=_at("amqp", "10.0.0.12", 5672), tier=2, host="mq-1", tags=("data",)),
    Target("checkout", Kind.JOURNEY, tier=1, needs=("shop-web", "shop-db", "redis-cache", "mail"), tags=("front",)),
    Target("nightly-backup", Kind.HEARTBEAT, tier=2),
)  # fmt: skip


def shop(*, is_broken: bool = True, moment: datetime | None = None) -> ScriptedMonitor:
    now = moment or datetime.now(UTC)
    channels = {
        "pager": Channel(Secret("tgram://token/chat")),
        "hook": Channel(Secret("https://ops.example/hook")),
    }
    page = StatusPage(
        "Example shop", {"Shop": Selector(("shop-*", "checkout")), "Data": Selector(("tag:data",))}
    )
    configuration = Configuration(
        {1: Tier(), 2: Tier(), 3: Tier()}, TARGETS, channels=channels, status_page=page
    )
    monitor = ScriptedMonitor(*TARGETS, configuration=configuration)
    for target in TARGETS:
        monitor.tell(target.name, "up", since=timestamp(now - timedelta(days=12, hours=3)))
    monitor.tell("checkout", "up", observations=journey(now))
    monitor.tell("nightly-backup", "up", observations=[seen("function", detail="reported 7 h ago")])
    monitor.points = points(now)
    if is_broken:
        break_cache(monitor, now)
    return monitor


def break_cache(monitor: ScriptedMonitor, now: datetime) -> None:
    """Out of memory, and what that takes with it."""
    began = timestamp(now - timedelta(minutes=3, seconds=12))
    monitor.tell(
        "redis-cache",
        "down",
        layer="host",
        cause="out-of-memory",
        blame="redis-cache",
        incident=17,
        since=began,
        summary="The kernel killed redis-server (pid 812) for memory on cache-1; redis-server.service failed and nothing listens on 6379",
        next=[
            "Start it: systemctl restart redis-server.service",
            "Give it a limit that fits: redis-cli config set maxmemory 2gb",
        ],
        observations=[
            seen("port", "fail", "refused", "connection refused", latency_ms=0.3, observed_at=began),
            seen(
                "host",
                "fail",
                "out-of-memory",
                "killed by the kernel",
                vantage="agent:cache-1",
                latency_ms=None,
            ),
        ],
    )
    for name, what in (("shop-web", "503 from the shop"), ("shop-api", "answers 503")):
        monitor.tell(
            name,
            "down",
            layer="service",
            cause="needs",
            blame="redis-cache",
            since=began,
            summary=f"{what}: it needs redis-cache, which is down",
            next=["Mend redis-cache first"],
            observations=[
                seen("port", detail="connected"),
                seen("tls", detail="certificate for another 41 days", facts={"expires_at": timestamp(now + timedelta(days=41)), "issuer": "Example CA", "names": ["shop.example"]}),
                seen("service", "fail", "bad-upstream", "HTTP 503", latency_ms=12.0),
            ],
        )  # fmt: skip
    monitor.tell(
        "checkout",
        "down",
        hard=False,
        layer="function",
        cause="needs",
        blame="redis-cache",
        since=began,
        summary="Step 2 (cart) failed: it needs redis-cache, which is down",
        observations=journey(now, fails=True),
    )
    monitor.tell(
        "search",
        "degraded",
        layer="service",
        cause="slow",
        blame="search",
        since=timestamp(now - timedelta(minutes=41)),
        summary="OpenSearch answers in 840 ms, over its 300 ms",
        next=["Look at the slow log of the index"],
        observations=[seen("port"), seen("service", "slow", "slow", "840 ms", latency_ms=840.0)],
    )
    monitor.tell(
        "imap",
        "unknown",
        cause="monitor-starved",
        layer="port",
        since=timestamp(now - timedelta(minutes=1)),
        summary="Could not look: no free file descriptors here",
        observations=[seen("port", "unknown", "monitor-starved", "EMFILE", latency_ms=None)],
    )
    monitor.why["redis-cache"] = why(now)
    monitor.incident_documents = incidents(now)


def why(now: datetime) -> dict[str, Any]:
    def at(seconds: float) -> str:
        return timestamp(now - timedelta(seconds=seconds))

    return {
        "timeline": [
            {"at": at(86400 * 12), "what": "redis-server.service is active"},
            {"at": at(194), "what": "the kernel kills redis-server (pid 812) for memory"},
            {"at": at(193.5), "what": "redis-server.service: its main process ends by SIGKILL"},
            {"at": at(192), "what": "local: port fail (refused): connection refused"},
            {"at": at(191), "what": "cache-1 is asked for its own word"},
        ],
        "rules": [
            {"rule": "out-of-memory", "says": "The kernel killed it for memory.", "result": "speaks", "cause": "out-of-memory", "would_say": "killed for memory"},
            {"rule": "crashed", "says": "The unit failed.", "result": "outranked", "cause": "crashed", "would_say": "redis-server.service failed with SIGKILL"},
            {"rule": "firewall", "says": "It listens, and connections fail.", "result": "no", "cause": None, "would_say": None},
        ],
        "log": {"of": "redis-server.service", "lines": [
            {"at": at(600), "text": "# WARNING: 92% of memory used"},
            {"at": at(193), "text": "redis-server.service: A process of this unit has been killed by the OOM killer."},
            {"at": at(192), "text": "redis-server.service: Failed with result 'oom-kill'."}]},
        "missing": [],
    }  # fmt: skip


def incidents(now: datetime) -> list[dict[str, Any]]:
    opened = now - timedelta(minutes=3, seconds=12)

    def at(seconds: float) -> str:
        return timestamp(opened + timedelta(seconds=seconds))

    cache = incident(
        17,
        "redis-cache",
        layer="host",
        cause="out-of-memory",
        summary="The kernel killed redis-server (pid 812) for memory on cache-1",
        next=["Start it: systemctl restart redis-server.service"],
        opened_at=at(0),
        confirmed_at=at(0.4),
        timeline=[
            {"at": at(0), "what": "local: port fail (refused): connection refused"},
            {"at": at(0.3), "what": "agent:cache-1: redis-server.service failed (oom-kill)"},
            {"at": at(0.4), "what": "confirmed at once: refused from outside, and the unit failed"},
            {"at": at(0.5), "what": "not told mail: silenced by ann until 14:00"},
            {"at": at(61), "what": "ann: adding memory"},
        ],
        notifications=[
            {"channel": "pager", "event": "opened", "sent_at": at(1.1), "result": "200 ok"},
            {"channel": "hook", "event": "opened", "sent_at": None, "result": "503, again in 15 s"},
        ],
    )
    web = incident(
        16, "shop-web", layer="service", cause="needs", blame="redis-cache", held_by="redis-cache",
        summary="it needs redis-cache, which is down", opened_at=at(5), confirmed_at=at(35),
        timeline=[{"at": at(5), "what": "local: service fail (bad-upstream): HTTP 503"}, {"at": at(35), "what": "not told anybody: held back, redis-cache is down and says so"}],
    )  # fmt: skip
    old = incident(
        12, "mail", cause="login-refused", layer="service", summary="535 authentication failed",
        opened_at=timestamp(now - timedelta(days=9, hours=2)), confirmed_at=timestamp(now - timedelta(days=9, hours=2)),
        closed_at=timestamp(now - timedelta(days=9, hours=1)), acknowledged_by="ann",
    )  # fmt: skip
    return [old, web, cache]


def journey(now: datetime, *, fails: bool = False) -> list[dict[str, Any]]:
    steps = [("1 log in", 120.0), ("2 cart", 48.0), ("3 cache", 3.1), ("4 order in the database", 22.5), ("5 clean up", 31.0)]  # fmt: skip
    shown = []
    for place, (name, latency_ms) in enumerate(steps):
        broken = fails and place == 1
        facts: dict[str, Any] = {"step": name}
        if broken:
            facts |= {"cause": "bad-upstream", "expected": "status 200", "seen": "status 503"}
        if fails and place in (2, 3):
            continue
        shown.append(
            seen("function", "fail" if broken else "pass", "step-failed" if broken else None,
                 "expected status 200, seen status 503" if broken else "as expected",
                 latency_ms=latency_ms, facts=facts, observed_at=timestamp(now))
        )  # fmt: skip
    return shown


def points(now: datetime) -> list[dict[str, Any]]:
    found = []
    for place in range(288):
        at = now - timedelta(minutes=5 * (288 - place))
        wave = 1 + 0.4 * ((place * 37) % 11) / 10 + (2.5 if 120 < place < 130 else 0)
        state = "down" if place == 287 else "degraded" if 120 < place < 130 else "up"
        layers = {
            layer: {"p50_ms": base * wave, "p95_ms": base * wave * 1.8, "max_ms": base * wave * 4, "n": 5}
            for layer, base in (("port", 0.3), ("service", 1.1))
        }
        found.append({"at": timestamp(at), "state": state, "layers": layers, "counts": {state: 5}})
    return found


class ShopMachines:
    """Two machines, with a listener that nobody watches and one that's watched on its port alone."""

    async def machines(self) -> list[Machine]:
        now = datetime.now(UTC)
        here = [
            _who(5432, "postgres", "postgres", "postgresql@15-main.service"),
            _who(9100, "http", "node_exporter", None),
        ]
        there = [_who(6379, "redis", "redis-server", "redis-server.service")]
        return [
            Machine(
                "db-1",
                is_here=True,
                taken_at=now,
                listeners=here,
                names=frozenset({"127.0.0.1"}),
                gaps=["firewall: not permitted"],
            ),
            Machine("cache-1", is_here=False, taken_at=now, is_fresh=False, listeners=there),
        ]


def _who(port: int, speaks: str, process: str, unit: str | None) -> dict[str, Any]:
    return {
        "address": "127.0.0.1",
        "port": port,
        "protocol": "tcp",
        "speaks": speaks,
        "pid": 800 + port % 97,
        "process": process,
        "user": process,
        "unit": unit,
        "container": None,
        "since": timestamp(datetime.now(UTC) - timedelta(days=9)),
        "queue": 0,
        "queue_max": 511,
    }


async def shop_trial(name: str, channel: Channel) -> Outcome:
    return Outcome(Taken.SENT, "200 ok")
