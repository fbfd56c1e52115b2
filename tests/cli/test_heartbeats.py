"""A job reports to a real monitor, at the address that the command prints."""

import http.client
import json
from pathlib import Path

from tests.cli.monitor import Monitor, monitor
from tests.cli.trueup import trueup

CONFIGURATION = """
heartbeats:
  backup: {every: 2s, grace: 1s, tier: 1}
  chosen: {every: 24h, token: chosen-by-me}
services:
  web: {at: tcp://127.0.0.1:1, heartbeat: {every: 24h}}
"""


def report(running: Monitor, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("POST", path, b"all files")
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_job_that_stops_reporting_opens_an_incident_and_one_that_reports_closes_it(tmp_path: Path) -> None:
    data = f"monitor: {{data: '{tmp_path}/data'}}\n"
    with monitor(tmp_path, CONFIGURATION + data, settled=False) as running:
        where = ["-c", str(tmp_path / "trueup.yaml"), "--url", running.url]
        shown = json.loads(trueup("heartbeats", "--json", *where).stdout)["heartbeats"]
        paths = {one["name"]: one["url"].removeprefix(running.url) for one in shown}
        assert paths.keys() == {"backup", "chosen", "web"}
        assert paths["chosen"] == "/api/v1/heartbeats/chosen-by-me"
        assert report(running, paths["backup"]) == 200
        running.until(lambda: running.target("backup")["state"] == "up")
        running.until(lambda: bool(running.incidents()))
        (incident,) = running.incidents()
        assert (incident["target"], incident["layer"], incident["cause"]) == (
            "backup",
            "function",
            "missed-heartbeat",
        )
        assert report(running, paths["backup"] + "/3") == 200
        running.until(lambda: running.target("backup")["cause"] == "error-answer")
        assert "exit status 3" in running.target("backup")["summary"]
        assert report(running, paths["backup"]) == 200
        running.until(lambda: running.incidents()[0]["closed_at"] is not None)
        assert report(running, "/api/v1/heartbeats/nobody") == 404
        assert running.target("chosen")["state"] == "unknown"
        kinds = [seen["layer"] for seen in running.target("web")["observations"]]
        assert kinds == ["port", "function"]


def test_an_unknown_name_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "trueup.yaml").write_text(CONFIGURATION)
    done = trueup(
        "heartbeats", "bakup", "-c", str(tmp_path / "trueup.yaml"), "--data", str(tmp_path / "data")
    )
    assert (done.returncode, "did you mean 'backup'?" in done.stderr) == (64, True)


def test_jobs_are_sent_where_the_configuration_lets_the_monitor_listen(tmp_path: Path) -> None:
    listens = "monitor: {listen: '127.0.0.1:9642', tls: {cert: c.pem, key: k.pem}}\n"
    (tmp_path / "trueup.yaml").write_text(CONFIGURATION + listens)
    done = trueup(
        "heartbeats", "chosen", "-c", str(tmp_path / "trueup.yaml"), "--data", str(tmp_path / "data")
    )
    assert done.stdout.split()[1] == "https://127.0.0.1:9642/api/v1/heartbeats/chosen-by-me"
