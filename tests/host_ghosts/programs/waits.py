"""Listens and never accepts: ADDRESS PORT [BACKLOG [SECONDS]]. After so many seconds it dies."""

import socket
import sys
import time

address, port, *more = sys.argv[1:]
backlog = int(more[0]) if more else 128
lives_s = float(more[1]) if len(more) > 1 else 1e6
listener = socket.create_server((address, int(port)), backlog=backlog)
time.sleep(lives_s)
sys.exit(f"tired of waiting on port {port}")
