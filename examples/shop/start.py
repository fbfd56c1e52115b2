"""Start the demonstration shop on loopback, and stop it at Ctrl-C.

    python examples/shop/start.py
    python examples/shop/start.py --free-ports --folder /tmp/my-shop

It writes a trueup.yaml for the ports in use into its folder, and says where. break.py breaks it.
"""

import argparse
import contextlib
import re
import signal
import socket
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))  # the checkout, for tests.beds

from examples.shop.parts import BREAKAGES, PORTS, Shop, shop  # noqa: E402
from tests.beds.server import ServerFailedError, free_port  # noqa: E402

FOLDER = Path(tempfile.gettempdir()) / "trueup-shop"


class Control:
    """Breaks and mends parts as break.py asks, one line each way, over a unix socket in the folder."""

    def __init__(self, parts: Shop) -> None:
        self._shop = parts
        self._broken: dict[str, contextlib.ExitStack] = {}

    def do(self, line: str) -> str:
        """``break NAME`` or ``mend NAME``; what came of it, ``ok`` at the beginning if it did."""
        verb, _, name = line.partition(" ")
        if name not in BREAKAGES:
            return f"no breakage {name!r}; known are {' '.join(BREAKAGES)}"
        says, breakage = BREAKAGES[name]
        if verb == "break" and name not in self._broken:
            broken = contextlib.ExitStack()
            broken.enter_context(breakage(self._shop))
            self._broken[name] = broken
        elif verb == "mend" and name in self._broken:
            self._broken.pop(name).close()
        return f"ok: {says}" if name in self._broken else f"ok: {name} is whole"

    def mend_all(self) -> None:
        """Before the end: what is frozen can't be stopped kindly."""
        for broken in self._broken.values():
            broken.close()


def serve(control: Control, at: Path) -> None:
    """Listen to break.py until Ctrl-C."""
    with socket.socket(socket.AF_UNIX) as listener:
        at.unlink(missing_ok=True)
        listener.bind(str(at))
        listener.listen()
        while True:
            peer, _ = listener.accept()
            with peer, contextlib.suppress(OSError), peer.makefile("rw") as talk:
                try:
                    said = control.do(talk.readline().strip())
                except ServerFailedError as error:
                    said = f"failed: {str(error).splitlines()[0]}"
                talk.write(f"{said}\n")
                talk.flush()


def configuration(ports: dict[str, int]) -> str:
    """trueup.yaml for these ports."""
    by_number = {number: ports[name] for name, number in PORTS.items()}
    text = (HERE / "trueup.yaml").read_text()
    return re.sub(r"(?<=:)\d{5}\b", lambda match: str(by_number.get(int(match[0]), match[0])), text)


def main() -> int:
    """Start, say so, and wait."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"for its files; {FOLDER} if not given")
    parser.add_argument("--free-ports", action="store_true", help="any free ports instead of 23025 to 23672")
    chosen = parser.parse_args()
    ports = {name: free_port() for name in PORTS} if chosen.free_ports else dict(PORTS)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    file = chosen.folder / "trueup.yaml"
    for number in (signal.SIGINT, signal.SIGTERM):  # also where it was started in the background
        signal.signal(number, signal.default_int_handler)
    try:
        with shop(ports, chosen.folder, say) as parts:
            file.write_text(configuration(ports))
            control = Control(parts)
            say(f"open: look at it with  trueup check -c {file}\nCtrl-C ends it")
            try:
                serve(control, chosen.folder / "control")
            finally:
                control.mend_all()
    except KeyboardInterrupt:
        say("closed")
    except ServerFailedError as error:
        say(f"the shop can't open: {error}")
        return 1
    return 0


def say(words: str) -> None:
    """At once: whoever waits for it may read it through a pipe."""
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
