from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.config.written import loaded, problem, problems
from trueup.domain.channel import Channel
from trueup.domain.monitor_settings import Listen
from trueup.domain.secret import Secret


def test_channels() -> None:
    text = """
        channels:
          pager: tgram://token/chat
          am: {to: https://am.example, form: alertmanager, secret: s, headers: {X: y}, tls: {ca: /ca.pem}}
        """
    channels = loaded(text).channels
    assert channels["pager"] == Channel(Secret("tgram://token/chat"))
    assert (channels["am"].form, channels["am"].secret, channels["am"].headers) == (
        "alertmanager",
        Secret("s"),
        {"X": Secret("y")},
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "tgramm://token/chat",
            "2: channels.pager: unknown scheme 'tgramm'; did you mean tgram://?",
        ),
        (
            "{to: discrod://id/token}",
            "2: channels.pager.to: unknown scheme 'discrod'; did you mean discord://?",
        ),
        (
            "quidditch://owl",
            "2: channels.pager: unknown scheme 'quidditch'; see the URLs that Apprise documents",
        ),
    ],
)
def test_a_channel_that_nobody_sends_to(written: str, said: str) -> None:
    assert problem(f"channels:\n  pager: {written}\n") == said


def test_a_scheme_from_elsewhere_isnt_said() -> None:
    found = problem("channels:\n  pager: ${URL}\n", {"URL": "s3cr3t://x"})
    assert found == "2: channels.pager: unknown scheme '${URL}'; see the URLs that Apprise documents"


def test_a_variable_that_isnt_text() -> None:
    found = problem("channels:\n  pager: ${URL}\n", {"URL": "https://\udcff"})
    assert found == "2: channels.pager: the variable URL isn't text in UTF-8; set URL in UTF-8"


def test_what_apprise_alone_sends_to() -> None:
    assert loaded("channels: {chat: 'discord://id/token'}").channels["chat"].scheme == "discord"


def test_the_monitor() -> None:
    text = """
        monitor: {listen: "[::]:8642", data: /var/lib/trueup, store: "postgres://t:pw@db/trueup", workers: 3,
                  retention: {raw: 30d}, disk: 5GB, tls: {cert: a.pem, key: b.pem},
                  trusted_proxies: 10.0.0.0/8, allow_commands: true, watchdog: https://hc.example/ping/x}
        """
    monitor = loaded(text).monitor
    assert (monitor.listen, monitor.data, monitor.workers) == (Listen("::", 8642), Path("/var/lib/trueup"), 3)
    assert monitor.store.address is not None
    assert monitor.store.address.password == Secret("pw")
    assert (monitor.retention.raw_s, monitor.retention.hourly_s) == (30 * 86400, 400 * 86400)
    assert (monitor.disk_bytes, monitor.allow_commands) == (5 * 10**9, True)
    assert monitor.trusted_proxies == (ip_network("10.0.0.0/8"),)
    assert monitor.tls is not None
    assert monitor.tls.key == Path("b.pem")


def test_the_defaults_of_the_monitor() -> None:
    monitor = loaded("monitor:\n").monitor
    assert (str(monitor.listen), str(monitor.store), monitor.workers) == ("127.0.0.1:8642", "sqlite", 1)
    assert monitor.allow_commands is False


def test_business_hours_are_on_their_own_clock() -> None:
    hours = loaded(
        "business_hours: {timezone: Europe/Berlin, days: 'Mon,Sat', hours: 08:00-12:00}"
    ).business_hours
    assert hours.covers(datetime(2026, 3, 14, 7, 30, tzinfo=UTC))  # Saturday, 08:30 in Berlin
    assert not hours.covers(datetime(2026, 3, 15, 7, 30, tzinfo=UTC))


def test_maintenance_is_on_the_clock_of_business_hours_unless_it_says_otherwise() -> None:
    text = """
        business_hours: {timezone: Europe/Berlin}
        services: {a: redis://h}
        maintenance:
          - {targets: a, from: 2026-03-10T22:00, for: 1h}
          - {targets: [a], from: 2026-03-10T22:00+00:00, for: 1h}
          - {targets: "*", weekly: Tue 22:00, for: 1h, timezone: UTC, note: deploy}
        """
    local, offset, weekly = loaded(text).maintenance
    evening = datetime(2026, 3, 10, 21, 30, tzinfo=UTC)
    assert [one.covers(evening) for one in (local, offset, weekly)] == [True, False, False]
    assert weekly.covers(datetime(2026, 3, 10, 22, 30, tzinfo=UTC))
    assert weekly.note == "deploy"


def test_location_status_page_and_uplink() -> None:
    text = """
        services: {a: {at: redis://h, tags: [data]}}
        location: {name: fra, outside: true}
        status_page: {title: Shop, groups: {All: "*", Data: [tag:data]}}
        uplink: tcp://192.0.2.1:443
        """
    configuration = loaded(text)
    assert (configuration.location.name, configuration.location.outside) == ("fra", True)
    assert configuration.status_page is not None
    assert configuration.status_page.groups["Data"].fits("a", ("data",))
    assert [address.host for address in configuration.uplink] == ["192.0.2.1"]


def test_without_a_status_page_there_is_none() -> None:
    assert loaded("services:\n").status_page is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "channels: {a: hello}",
            "1: channels.a: it isn't a URL; as in https://ops.example/hooks or tgram://TOKEN/CHAT",
        ),
        ("channels: {a: {form: trueup}}", "1: channels.a.to: it is missing; add to:"),
        (
            "channels: {a: {to: https://x, form: json}}",
            "1: channels.a.form: 'json' is none of trueup alertmanager; write trueup or alertmanager",
        ),
        (
            "monitor: {watchdog: 'ftp://x'}",
            "1: monitor.watchdog: it isn't a URL of http or https; as in https://hc.example/ping/x",
        ),
        (
            "monitor: {store: 'db.internal:5432'}",
            (
                "1: monitor.store: 'db.internal:5432' has no scheme; write sqlite,"
                " or as in postgres://trueup@db.internal/trueup"
            ),
        ),
        (
            "monitor: {listen: 8642x}",
            "1: monitor.listen: '8642x' names no port and no scheme; as in 127.0.0.1:8642",
        ),
        (
            "services: {a: {at: https://x, http: {proxy: 'proxy.internal:3128'}}}",
            "1: services.a.http.proxy: 'proxy.internal:3128' has no scheme; write http://proxy.internal:3128",
        ),
        (
            "services: {a: {at: redis://x, slow: 0s}}",
            "1: services.a.slow: '0s' is too little; write 1ms or more",
        ),
        (
            "channels: {a: {to: https://x, secrt: s}}",
            "1: channels.a.secrt: unknown key 'secrt'; did you mean secret?",
        ),
        (
            "channels: {a: {to: https://x, url: s}}",
            "1: channels.a.url: unknown key 'url'; did you mean to?",
        ),
        (
            "channels: {a: {to: tgram://x/y, secret: s}}",
            "1: channels.a.secret: it is for http and https alone; remove it",
        ),
        ("channels: {a: [x]}", "1: channels.a: it needs a URL, not a list; as in https://ops.example/hooks"),
        ('channels: {"": https://x}', "1: channels.: the name is empty; write a name"),
        (
            "business_hours: {timezone: Europe/Berln}",
            "1: business_hours.timezone: 'Europe/Berln' is no time zone; did you mean Europe/Berlin?",
        ),
        (
            "business_hours: {timezone: ../../etc/passwd}",
            "1: business_hours.timezone: '../../etc/passwd' is no time zone; as in Europe/Berlin or UTC",
        ),
        ("business_hours: {days: weekdays}", "1: business_hours.days: 'weekdays' is no day; write Mon-Fri"),
        ("business_hours: {days: Mon-Fry}", "1: business_hours.days: 'Fry' is no day; did you mean Fri?"),
        (
            "business_hours: {hours: 9-18}",
            "1: business_hours.hours: '9-18' is no part of a day; write it as in 09:00-18:00",
        ),
        ("location: {outsid: true}", "1: location.outsid: unknown key 'outsid'; did you mean outside?"),
        ("location: fra", "1: location: it needs keys, not 'fra'; its keys: name outside"),
        ("monitor: {workers: 0}", "1: monitor.workers: '0' is too little; write 1 or more"),
        ("monitor: {disk: 2}", "1: monitor.disk: 2 has no unit; write 2MB or 2GB"),
        ("monitor: {disk: 2G}", "1: monitor.disk: '2G' is no size; write 2GB"),
        (
            "monitor: {listen: 8642}",
            "1: monitor.listen: '8642' names no address; write 127.0.0.1:8642, or as in 0.0.0.0:8642 for all",
        ),
        (
            "monitor: {store: mysql://x}",
            "1: monitor.store: unknown scheme 'mysql'; write sqlite, or as in postgres://trueup@db.internal/trueup",
        ),
        ("monitor: {tls: {cert: a}}", "1: monitor.tls.key: it is missing; add key:"),
        (
            "monitor: {trusted_proxies: [10.0.0.1/8]}",
            "1: monitor.trusted_proxies[0]: '10.0.0.1/8' has bits beyond its length; write 10.0.0.0/8",
        ),
        (
            "monitor: {watchdog: x}",
            "1: monitor.watchdog: it isn't a URL of http or https; as in https://hc.example/ping/x",
        ),
        ("monitor: {retention: {raw: 7}}", "1: monitor.retention.raw: 7 has no unit; write 7s"),
        (
            "uplink: [foo://x]",
            None,
        ),
        (
            "maintenance: {targets: a}",
            "1: maintenance: it is no list; write - {targets: [NAME], from: TIME, for: 2h}",
        ),
        (
            'maintenance: [{targets: "*", from: tomorrow, for: 1h}]',
            "1: maintenance[0].from: 'tomorrow' is no date and time; as in 2026-12-01T22:00+01:00",
        ),
        (
            'maintenance: [{targets: "*", from: 2026-12-01T22:00}]',
            "1: maintenance[0].for: it is missing; add for:",
        ),
        (
            'maintenance: [{targets: "*", for: 1h}]',
            "1: maintenance[0]: it says not when; write one of from weekly cron",
        ),
        (
            'maintenance: [{targets: "*", for: 1h, weekly: Sun 02:00, cron: "@daily"}]',
            "1: maintenance[0]: it has weekly and cron; write one of from weekly cron",
        ),
        (
            "maintenance: [{targets: [], for: 1h, cron: '@daily'}]",
            '1: maintenance[0].targets: it means no target; write names, tag:NAME, or "*"',
        ),
    ],
)
def test_what_is_wrong_with_a_section(text: str, said: str | None) -> None:
    found = problem(text)
    assert said is None or found == said


def test_each_line_of_a_section_is_told_apart() -> None:
    text = """
        monitor:
          workers: many
          disk: 2

          retention:
            raw: 7
        """
    assert [found.split(":")[0] for found in problems(text)] == ["2", "3", "6"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("''", "3: location.name: the name is empty; write a name"),
        (
            '"a\\tb"',
            "3: location.name: the name has a character that can't be seen; write letters, digits, - and _",
        ),
    ],
)
def test_a_vantage_has_a_name(name: str, said: str) -> None:
    assert problem(f"services: {{a: redis://h}}\nlocation:\n  name: {name}\n") == said
