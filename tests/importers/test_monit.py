import subprocess
from pathlib import Path

import pytest

from tests.beds.requirements import require
from tests.importers.imported import SAMPLES, Imported, imported
from trueup.importers.importer import Malformed
from trueup.importers.registry import importers

FOLDER = SAMPLES / "monit"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return imported(tmp_path_factory.mktemp("monit"), "monit", FOLDER / "monitrc")


def test_monit_itself_takes_the_sample(tmp_path: Path) -> None:
    program = require("monit")
    control = tmp_path / "monitrc"
    text = (FOLDER / "monitrc").read_text().replace("include conf.d/*", f"include {FOLDER}/conf.d/*")
    control.write_text(f"set idfile {tmp_path}/id\n{text}")
    control.chmod(0o600)
    done = subprocess.run(
        [program, "-t", "-c", str(control)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout


def check(folder: Path, text: str) -> Imported:
    path = folder / "monitrc"
    path.write_text(f"set daemon 60\n{text}\n")
    return imported(folder, "monit", path)


def at(found: Imported, name: str) -> list[str]:
    return [one.text for target in found.configuration.targets if target.name == name for one in target.at]


def test_no_secret_is_written(sample: Imported) -> None:
    assert "s3cr3t" not in sample.text


def test_processes_have_units_needs_and_cycles(sample: Imported) -> None:
    nginx = sample.service("nginx")
    assert nginx["unit"] == "nginx.service"
    assert nginx["needs"] == ["app"]
    assert nginx["confirm"] == {"failures": 3, "apart": "1m"}
    assert sample.service("app")["needs"] == ["db"]
    assert sample.service("db")["every"] == "2m"
    assert sample.service("db")["tags"] == ["database"]
    assert "isn't a target" in sample.why('"nginx_bin", needed by')


def test_http_with_certificate_content_and_headers(sample: Imported) -> None:
    page = sample.service("nginx-https")
    assert page["expect"] == {"contains": "ready"}
    assert page["tls"] == {"expires_within": "30d"}
    app = sample.service("app")
    assert app["expect"] == {"status": 200}
    assert app["send"] == {"headers": {"Host": "shop.example", "X-Probe": "monit"}}
    assert app["slow"] == "500ms"


def test_what_must_not_succeed_is_an_exposure(sample: Imported) -> None:
    assert sample.service("shop-db-mysql")["internal"]
    assert sample.configuration.location.outside
    assert "internal" not in str(sample.service("shop-db-ssh"))


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("stores-redis", "redis://10.0.0.7:6379"),
        ("stores-memcached", "memcached://10.0.0.7:11211"),
        ("stores-mongodb", "mongodb://10.0.0.7:27017"),
        ("stores-mysql", "mysql://10.0.0.7:3306"),
        ("stores-mqtt", "mqtt://10.0.0.7:1883"),
        ("stores-ldap", "ldap://10.0.0.7:389"),
        ("stores-dns", "dns://10.0.0.7:53"),
        ("stores-tcp", "tcp://10.0.0.7:9000"),
        ("stores-tls", "tls://10.0.0.7:8443"),
        ("stores-ws", "ws://ws.example:8081/live"),
        ("mail-smtp", "smtp://mail.example:25"),
        ("mail-pop3s", "pop3s://mail.example:995"),
        ("router", "icmp://192.0.2.1"),
        ("db", "postgres+unix://%2Frun%2Fpostgresql%2F.s.PGSQL.5432"),
    ],
)
def test_protocols(sample: Imported, name: str, address: str) -> None:
    assert at(sample, name) == [address]


def test_the_port_and_what_is_said_there_are_one(sample: Imported) -> None:
    assert sample.service("stores-tcp") == {
        "at": "tcp://10.0.0.7:9000",
        "send": "PING\\r\\n",
        "expect": {"contains": "PONG"},
    }


def test_what_trueup_does_not_do_is_said(sample: Imported) -> None:
    for what in ("root", "backup", "public", "spool", "$HOST", "workers", "cpu > 80%"):
        assert sample.why(what)


def test_udp_without_a_question_is_left_out_and_ntp_has_one(sample: Imported) -> None:
    assert "only an answer shows" in sample.why("UDP port 514 of stores")
    assert sample.service("stores-udp")["hex"].startswith("1b00")
    assert at(sample, "stores-udp") == ["udp://10.0.0.7:123"]


def test_a_folder_means_the_monitrc_in_it(sample: Imported, tmp_path: Path) -> None:
    assert imported(tmp_path, "monit", FOLDER).tree == sample.tree


def test_alerts_are_mail(sample: Imported) -> None:
    assert sample.configuration.channels["mail"].scheme == "mailtos"
    assert "ops@example.org" in sample.tree["channels"]["mail"]


@pytest.mark.parametrize("start", ["/etc/init.d/x start", "/usr/sbin/service x start", "systemctl start x"])
def test_units_by_their_start_program(tmp_path: Path, start: str) -> None:
    text = f'check process y pidfile /run/y.pid\n start program "{start}"\n if failed port 80 then alert'
    assert check(tmp_path, text).service("y")["unit"] == "x.service"


def test_keywords_in_capitals_and_cycles_without_for(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        "CHECK HOST a ADDRESS 192.0.2.9\n IF FAILED PORT 25 PROTO smtp 3 TIMES WITHIN 5 CYCLES THEN ALERT",
    )
    assert at(found, "a") == ["smtp://192.0.2.9:25"]
    assert found.service("a")["confirm"] == {"failures": 3, "apart": "1m"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('set daemon 30\ncheck host a with address "b', "monitrc:2: a quote isn't closed"),
        ("services: {}", "monitrc:1: it begins with neither"),
        ("set daemon 30\ninclude nowhere.d/one", "nowhere.d/one:1: can't read it"),
        ("set daemon 30\ninclude monitrc", "includes too many files"),
        ("set ssl {\n verify: enable\n", "monitrc:2: a { isn't closed"),
        ("", "it says nothing"),
    ],
)
def test_a_file_that_is_none_of_monit(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "monitrc"
    path.write_text(text)
    with pytest.raises(Malformed) as refused:
        importers()["monit"].read([path], {})
    assert words in str(refused.value)


def test_a_url_is_a_test_of_what_answers_there(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        "check host shop with address 10.0.0.9\n"
        "  if failed url http://ann:s3cr3t%21@www.example.org:8080/x?y=1 and content != error\n"
        "    and content = fine with timeout 10 seconds for 3 cycles then alert",
    )
    page = found.service("shop")
    assert page["at"] == "http://www.example.org:8080/x?y=1"
    assert page["login"]["user"] == "ann"
    assert page["expect"] == {"contains": "fine", "not_contains": "error"}
    assert (page["timeout"], page["confirm"]["failures"]) == ("10s", 3)
    assert [one.value for one in found.carried.variables.values()] == ["s3cr3t!"]
    assert "s3cr3t" not in found.text + str(found.carried.left_out)


def test_the_port_of_a_url_is_its_schemes(tmp_path: Path) -> None:
    found = check(tmp_path, "check host a address b\n if failed url https://[2001:db8::1]/ok then alert")
    assert found.service("a")["at"] == "https://[2001:db8::1]/ok"


def test_a_database_is_asked_for(tmp_path: Path) -> None:
    test = 'if failed port 5432 protocol pgsql username "m" password "x" database "shop" then alert'
    found = check(tmp_path, f"check host db address 10.0.0.9\n {test}")
    assert at(found, "db") == ["postgres://10.0.0.9:5432/shop"]


def test_mail_has_its_sender_and_says_what_of_alerts_is_not_carried(tmp_path: Path) -> None:
    found = check(
        tmp_path,
        "set mail-format { from: Monit <watch@example.org> reply-to: x@example.org\n subject: $EVENT }\n"
        "set alert ops@example.org not on { instance } with reminder on 10 cycles\n"
        "check host a address 10.0.0.9\n if failed port 22 protocol ssh then alert",
    )
    assert found.tree["channels"]["mail"] == "mailto://localhost?from=watch@example.org&to=ops@example.org"
    assert "tiers" in found.why("reminder of the alert to ops@example.org")
    assert found.why("events of the alert to ops@example.org")
    assert "trueup's own" in found.why("set mail-format")
