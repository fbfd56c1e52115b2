"""The shop itself: log in, fill a cart, order. One small program over four others.

It keeps sessions in Redis, carts and orders in PostgreSQL, and tells RabbitMQ of each order. What of these
fails is said in its answer. It knows where they are by its environment; start.py sets it.
"""

import base64
import http.client
import http.server
import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

import psycopg

USERS = {"probe": "let-me-in"}
PRICE_CENTS = 1250
PATIENCE_S = 2.0
SESSION_S = 300


class BackendError(Exception):
    """One of those that the shop needs fails."""


class Shop(http.server.BaseHTTPRequestHandler):
    """The pages."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Find the page and answer, whatever happens."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, said = self.page(json.loads(body) if body else {})
        except BackendError as error:
            status, said = 500, {"error": str(error)}
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_OPTIONS = answer  # noqa: N815 - so the standard library calls them

    def page(self, said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and content of one page."""
        match (self.command, self.path):
            case ("GET", "/healthz"):
                return 200, {"state": "ready"}
            case ("POST", "/login"):
                return log_in(said)
        user = user_of(self.headers.get("Authorization", ""))
        if user is None:
            return 401, {"error": "log in first"}
        match (self.command, self.path.split("/")[1:]):
            case ("POST", ["cart"]):
                sql("insert into carts values (%s, %s, %s)", user, said.get("article"), PRICE_CENTS)
                return 201, {}
            case ("GET", ["cart"]):
                return 200, {"total": total_of(user)}
            case ("DELETE", ["cart"]):
                sql("delete from carts where user_name = %s", user)
                return 200, {}
            case ("POST", ["orders"]):
                return order(user)
            case ("DELETE", ["orders", number]) if number.isdecimal():
                sql("delete from orders where id = %s and user_name = %s", int(number), user)
                return 200, {}
        return 404, {"error": "no such page"}

    def log_message(self, *_words: object) -> None:
        """Nobody reads it."""


def log_in(said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """A session, for whom knows the password."""
    user, password = str(said.get("user")), str(said.get("password"))
    if not secrets.compare_digest(USERS.get(user, secrets.token_hex()), password):
        return 401, {"error": "no such user, or another password"}
    token = secrets.token_urlsafe(16)
    redis("SET", f"session:{token}", user, "EX", str(SESSION_S))
    return 200, {"token": token}


def user_of(authorization: str) -> str | None:
    """Whose session it is."""
    token = authorization.removeprefix("Bearer ")
    return redis("GET", f"session:{token}") if token else None


def total_of(user: str) -> int:
    """What the cart costs, in cents."""
    total: int = sql("select coalesce(sum(price), 0)::int from carts where user_name = %s", user)[0][0]
    wrong = Path(os.environ["SHOP_WRONG_PRICES"]).exists()  # break.py makes that file
    return total // 2 if wrong else total


def order(user: str) -> tuple[int, dict[str, Any]]:
    """Order what's in the cart."""
    ((number,),) = sql(
        "insert into orders (user_name, total) values (%s, %s) returning id", user, total_of(user)
    )
    publish({"order": number, "user": user})
    return 201, {"order": number}


# -- what it needs ---------------------------------------------------------------------------------


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows, if it gives any."""
    try:
        with psycopg.connect(os.environ["SHOP_DB"], connect_timeout=int(PATIENCE_S), autocommit=True) as db:
            cursor = db.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise BackendError(f"the database fails: {str(error).splitlines()[0]}") from error


def redis(*words: str) -> str | None:
    """One command's reply."""
    lines = [f"*{len(words)}", *(line for word in words for line in (f"${len(word.encode())}", word)), ""]
    try:
        where = ("127.0.0.1", int(os.environ["SHOP_SESSIONS_PORT"]))
        with socket.create_connection(where, PATIENCE_S) as connection, connection.makefile("rb") as replies:
            connection.sendall("\r\n".join(lines).encode())
            said = replies.readline().decode().strip()
            if said.startswith("$") and said != "$-1":
                return replies.readline().decode().strip()
    except OSError as error:
        raise BackendError(f"the sessions fail: {error}") from error
    if said.startswith("-"):
        raise BackendError(f"the sessions fail: {said[1:]}")
    return None


def publish(message: dict[str, Any]) -> None:
    """Tell whoever packs the parcels, by RabbitMQ's management API."""
    login = base64.b64encode(b"guest:guest").decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    queue = {"durable": False, "arguments": {"x-message-ttl": 60_000, "x-max-length": 1000}}
    letter = {
        "properties": {},
        "routing_key": "orders",
        "payload": json.dumps(message),
        "payload_encoding": "string",
    }
    try:
        api = http.client.HTTPConnection("127.0.0.1", int(os.environ["SHOP_QUEUE_API_PORT"]), PATIENCE_S)
        for method, path, body in (
            ("PUT", "/api/queues/%2F/orders", queue),
            ("POST", "/api/exchanges/%2F/amq.default/publish", letter),
        ):
            api.request(method, path, json.dumps(body), headers)
            response = api.getresponse()
            response.read()
            if response.status >= 400:
                raise BackendError(f"the queue fails: HTTP {response.status}")
    except (OSError, http.client.HTTPException) as error:
        raise BackendError(f"the queue fails: {error}") from error


if __name__ == "__main__":
    port = int(os.environ["SHOP_PORT"])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Shop).serve_forever()
