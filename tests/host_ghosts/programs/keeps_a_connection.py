"""A web application that keeps a connection to its store: ``keeps_a_connection.py PORT STORE_PORT``."""

import http.server
import socket
import sys
import time


def connected(port: int) -> socket.socket:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.1)


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


own_port, store_port = map(int, sys.argv[1:])
store = connected(store_port)
http.server.HTTPServer(("127.0.0.1", own_port), Page).serve_forever()
