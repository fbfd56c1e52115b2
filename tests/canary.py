"""A secret to plant wherever one can be held, and where to look for it afterwards."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.beds import processes
from tests.beds.fake_http import fake_http
from tests.beds.redis import redis
from tests.cli.monitor import Monitor

CANARY = 'c4nary "wörd"/+&=x'
"""With what a URL, a form and a JSON text each write in their own way."""
PLAIN = "c4nary-plain-0x7"
FILE = "c4nary-from-a-file"
SAVED = "c4nary-token-saved"
COOKIE = "c4nary-cookie-set"
ENV = {"CANARY_PASSWORD": CANARY, "PLAIN_TOKEN": PLAIN}


def forms(word: str) -> set[str]:
    """Each way in which somebody could read it."""
    found = {word, quote(word), quote(word, safe=""), quote_plus(word), json.dumps(word)[1:-1]}
    found |= {json.dumps(word, ensure_ascii=False)[1:-1]}
    for text in (word, f"probe:{word}", f"\0probe\0{word}"):
        found.add(base64.b64encode(text.encode()).decode())
    return found


LOOKED_FOR = sorted(set().union(*map(forms, (CANARY, PLAIN, FILE, SAVED, COOKIE))) | {"c4nary"})


def assert_nowhere(said: str | bytes) -> None:
    text = said if isinstance(said, bytes) else said.encode()
    for form in LOOKED_FOR:
        assert form.encode() not in text, f"{form!r} in {text[:3000]!r}"


def echo(request: bytes) -> bytes:
    """All that it was sent, and secrets of its own."""
    head, _, body = request.partition(b"\r\n\r\n")
    if b"/login" in head.partition(b"\r\n")[0] and head.startswith(b"POST"):
        body = json.dumps({"token": SAVED, "you_said": body.decode()}).encode()
        status = b"200 OK"
    elif head.startswith(b"OPTIONS"):
        status, body = b"204 No Content", b""
    else:
        status, body = b"500 Oops", b"you said " + head + b" and " + body
    lines = (b"HTTP/1.1 " + status, f"Set-Cookie: session={COOKIE}; Path=/".encode())
    return b"\r\n".join((*lines, b"Content-Length: %d" % len(body), b"Connection: close", b"", body))


@contextmanager
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int, Path]]:
    """In the environment and in a file, with servers that send back what they are told: the URL of one that
    speaks HTTP, the port of a Redis, and the file.
    """
    for name, word in ENV.items():
        monkeypatch.setenv(name, word)
    file = tmp_path / "secret"
    file.write_text(FILE + "\n")
    with fake_http(echo) as fake, redis(requirepass="another-word") as server:
        yield fake.url, server.port, file


@contextmanager
def titles() -> Iterator[set[bytes]]:
    """The arguments of every descendant while it lasts: anybody on the machine can read them."""
    seen: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for process in processes.descendants(os.getpid()):
                try:
                    seen.add(Path(f"/proc/{process.pid}/cmdline").read_bytes())
                except OSError:
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(10)


def assert_kept_to_itself(running: Monitor, *pages: str) -> None:
    """Nothing that a monitor shows, stores or logs has it; it ends here. ``pages`` are some more of it."""
    listed = running.get("/api/v1/targets")[1]
    assert_nowhere(listed)
    for name in (one["name"] for one in json.loads(listed)["targets"]):
        for path in (f"/api/v1/targets/{name}", f"/api/v1/targets/{name}/explain", f"/health/{name}"):
            assert_nowhere(running.get(path)[1])
    for path in ("/", "/metrics", "/status", "/api/v1/incidents", *pages):
        assert_nowhere(running.get(path)[1])
    running.process.terminate()  # and with that it stores what it has
    _, said = running.process.communicate(timeout=30)
    assert_nowhere(said)
    kept = [file for file in running.data.rglob("*") if file.is_file()]
    assert kept
    for file in kept:
        assert_nowhere(file.read_bytes())
