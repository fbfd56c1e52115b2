"""What an interpreter runs, by its arguments."""

import pytest

from trueup.host.scripts import script_of

SCRIPTS = {
    "python3 /srv/app.py --port 80": "app.py",
    "/opt/venv/bin/python3.11 -u -W error app.py": "app.py",
    "node --max-old-space-size=512 -r dotenv/config /srv/shop/server.js": "server.js",
    "/usr/bin/nodejs server.js": "server.js",
    "ruby3.1 -I lib bin/worker.rb": "worker.rb",
    "perl -w /usr/local/bin/feed.pl": "feed.pl",
    "php -d memory_limit=1G artisan queue:work": "artisan",
    "bash -eu /srv/run.sh": "run.sh",
    "/bin/sh ./run.sh -c x": "run.sh",
    "java -Xmx512m -cp lib -jar /srv/shop.jar --port 80": "shop.jar",
}
NOTHING = (
    "",
    "python3",
    "python3 -m http.server",
    "python3 -c app.py",
    "python3 -Ic app.py",
    "python3 - app.py",
    "node -e app.js",
    "node --eval app.js",
    "bash -xc app.sh",
    "perl -ne app.pl",
    "java -cp /srv/lib com.example.Shop",
    "java -jar",
    "vim app.py",
    "pythonic app.py",
    "redis-server 127.0.0.1:6379",
)


@pytest.mark.parametrize("command", SCRIPTS)
def test_a_script_is_known_by_its_file(command: str) -> None:
    assert script_of(command.split()) == SCRIPTS[command]


@pytest.mark.parametrize("command", NOTHING)
def test_what_runs_no_file_has_no_name_of_it(command: str) -> None:
    assert script_of(command.split()) is None
