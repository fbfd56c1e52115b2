"""An OpenID provider that lets in whom the test says: no free one runs without a database of its own."""

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "trueup-client"
SECRET = "the client's secret"


class FakeProvider:
    """``claims`` are added to each ID token; ``codes`` are those given out, with what was asked for them."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256", "use": "sig"})
        self.claims: dict[str, Any] = {"email": "ann@example.org", "email_verified": True}
        self.codes: dict[str, dict[str, str]] = {}
        self.described_as: str | None = None

    def token(self, key: RSAKey | None = None, **changed: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "1", "exp": now + 60, "iat": now} | self.claims
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims | changed, key or self.key)

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    def authorize(self, url: str) -> str:
        """What the browser is sent back with, after somebody has signed in: the query of the address."""
        asked = {name: words[0] for name, words in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"state={asked['state']}&code={code}"

    def exchange(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or form.get("client_secret") != SECRET
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "x",
            "token_type": "Bearer",
            "id_token": self.token(nonce=asked["nonce"]),
        }


@contextlib.contextmanager
def provider() -> Iterator[FakeProvider]:
    fake = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/jwks":
                self.answer(200, fake.keys())
            else:
                parts = ("authorization_endpoint", "token_endpoint")
                ends = {name: f"{fake.issuer}/{name}" for name in parts}
                issuer = fake.described_as or fake.issuer
                self.answer(200, {"issuer": issuer, "jwks_uri": f"{fake.issuer}/jwks", **ends})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(*fake.exchange({name: words[0] for name, words in parse_qs(body).items()}))

        def answer(self, status: int, said: dict[str, Any]) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
