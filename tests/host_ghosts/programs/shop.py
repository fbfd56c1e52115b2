"""A shop over HTTP that writes down each visit, or answers with 500: ADDRESS PORT [FOLDER]."""

import http.server
import os
import pathlib
import sys

address, port, *more = sys.argv[1:]
journal = os.open(pathlib.Path(more[0], "visits"), os.O_WRONLY | os.O_CREAT) if more else None


class Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            if journal is not None:
                os.write(journal, bytes(4096))
            self.send_response(200)
        except OSError:
            self.send_response(500)
        self.end_headers()


http.server.HTTPServer((address, int(port)), Visit).serve_forever()
