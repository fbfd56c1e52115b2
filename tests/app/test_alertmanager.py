"""A whole monitor and a real Alertmanager, which forgets everything at each of its restarts."""

from pathlib import Path

from tests.beds.alertmanager import alertmanager, alerts
from tests.beds.deadline import wait_until
from tests.beds.redis import redis
from tests.beds.server import LOOPBACK, free_port
from tests.cli.monitor import monitor

QUICK = "tiers: {2: {every: 1s, confirm: {failures: 2, apart: 300ms}, recover: 2}}\n"


def test_what_fires_fires_on_whoever_restarts_and_ends(tmp_path: Path) -> None:
    port = free_port()
    with alertmanager() as am:
        configuration = QUICK + (
            f"channels: {{am: {{to: '{am.url}/api/v2/alerts', form: alertmanager}}}}\n"
            f"services: {{cache: 'redis://{LOOPBACK}:{port}'}}\n"
        )
        with monitor(tmp_path, configuration) as ran:
            (fired,) = wait_until(lambda: alerts(am), "the alert fires", timeout_s=30)
            ran.until(lambda: ran.incidents()[0]["notifications"][0]["sent_at"] is not None)
        am.stop()
        am.start()
        assert alerts(am) == []
        with monitor(tmp_path, configuration):
            (again,) = wait_until(lambda: alerts(am), "the alert fires again", timeout_s=30)
            for same in ("labels", "startsAt", "fingerprint"):
                assert again[same] == fired[same]
            with redis(port=port):
                wait_until(lambda: not alerts(am), "the alert ends", timeout_s=30)
