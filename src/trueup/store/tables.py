"""The tables as queries name them. ``migrations`` makes them; a test holds the two together."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as RFC 3339 in UTC with microseconds: people can read it, and it sorts as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return datetime.fromisoformat(value) if value is not None else None


STATE: Final = MetaData()
VERDICT: Final = Table(
    "verdict",
    STATE,
    Column("target", Text, primary_key=True),
    Column("state", Text),
    Column("since", Text),
    Column("observed_at", Text),
    Column("document", Text),
    Column("memory", Text),
)
TOKEN: Final = Table(
    "token",
    STATE,
    Column("id", Text, primary_key=True),
    Column("scope", Text),
    Column("hash", Text),
    Column("created_at", Text),
    Column("used_at", Text),
    Column("revoked_at", Text),
)
AGENT: Final = Table(
    "agent",
    STATE,
    Column("host", Text, primary_key=True),
    Column("public_key", LargeBinary),
    Column("token_id", Text),
    Column("enrolled_at", Text),
    Column("sequence", BigInteger),
)
INCIDENT: Final = Table(
    "incident",
    STATE,
    Column("id", BigInteger, primary_key=True),
    Column("target", Text),
    Column("tier", Integer),
    Column("state", Text),
    Column("summary", Text),
    Column("opened_at", Moment),
    Column("confirmed_at", Moment),
    Column("closed_at", Moment),
    Column("layer", Text),
    Column("cause", Text),
    Column("blame", Text),
    Column("next", Text),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", Moment),
    Column("held_by", Text),
)
HAPPENING: Final = Table(
    "happening",
    STATE,
    Column("number", BigInteger, primary_key=True),
    Column("incident", BigInteger),
    Column("at", Moment),
    Column("what", Text),
)
NOTIFICATION: Final = Table(
    "notification",
    STATE,
    Column("alert_id", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("incident", BigInteger),
    Column("event", Text),
    Column("alert", Text),
    Column("seq", BigInteger),
    Column("due_at", Moment),
    Column("delivery", Text),
    Column("attempts", Integer),
    Column("is_repeat", Boolean),
    Column("sent_at", Moment),
    Column("result", Text),
)
SILENCE: Final = Table(
    "silence",
    STATE,
    Column("id", BigInteger, primary_key=True),
    Column("targets", Text),
    Column("from_at", Moment),
    Column("until_at", Moment),
    Column("author", Text),
    Column("why", Text),
    Column("planned", Boolean),
)
BEAT: Final = Table(
    "beat",
    STATE,
    Column("target", Text, primary_key=True),
    Column("reported_at", Moment),
    Column("kind", Text),
    Column("detail", Text),
    Column("started_at", Moment),
    Column("took_s", Float),
)
SETTING: Final = Table(
    "setting",
    STATE,
    Column("name", Text, primary_key=True),
    Column("value", Text),
)
ACCOUNT: Final = Table(
    "account",
    STATE,
    Column("name", Text, primary_key=True),
    Column("role", Text),
    Column("password_hash", Text),
    Column("changed_at", Text),
)
SESSION: Final = Table(
    "session",
    STATE,
    Column("hash", Text, primary_key=True),
    Column("name", Text),
    Column("role", Text),
    Column("began_at", Moment),
    Column("seen_at", Moment),
)

HISTORY: Final = MetaData()
SERIES: Final = Table(
    "series",
    HISTORY,
    Column("id", BigInteger, primary_key=True),
    Column("target", Text),
)
RESULT: Final = Table(
    "result",
    HISTORY,
    Column("series", BigInteger, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("state", SmallInteger),
    Column("port_us", BigInteger),
    Column("tls_us", BigInteger),
    Column("service_us", BigInteger),
    Column("function_us", BigInteger),
    Column("host_us", BigInteger),
)
PACKED_HOUR: Final = Table(
    "packed_hour",
    HISTORY,
    Column("series", BigInteger, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("results", LargeBinary),
)
HOURLY: Final = Table(
    "hourly",
    HISTORY,
    Column("series", BigInteger, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("summary", LargeBinary),
)
