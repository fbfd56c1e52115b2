"""Break a part of the running shop, and mend it again.

    python examples/shop/break.py db               until you press Enter
    python examples/shop/break.py --for 60 db      for a minute
    python examples/shop/break.py --for 20 all     each in turn
    python examples/shop/break.py --leave queue    and --mend queue, later

What can be broken: web app db read-only sessions queue outbox mailbox lost-mail prices
"""

import argparse
import socket
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "trueup-shop"
NAMES = ["web", "app", "db", "read-only", "sessions", "queue", "outbox", "mailbox", "lost-mail", "prices"]


def ask(folder: Path, line: str) -> bool:
    """Have it done and print what came of it."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(90)
            connection.connect(str(folder / "control"))
            with connection.makefile("rw") as talk:
                talk.write(f"{line}\n")
                talk.flush()
                said = talk.readline().strip()
    except OSError as error:
        said = f"no shop is open in {folder} ({error}); start it: python examples/shop/start.py"
    print(said, flush=True)
    return said.startswith("ok")


def break_for_a_while(folder: Path, name: str, for_s: float | None) -> bool:
    """Break one, wait, mend it."""
    if not ask(folder, f"break {name}"):
        return False
    try:
        if for_s is None:
            input("Enter mends it ")
        else:
            time.sleep(for_s)
    except (EOFError, KeyboardInterrupt):
        print()
    return ask(folder, f"mend {name}")


def main() -> int:
    """Break what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", choices=[*NAMES, "all"], metavar="NAME")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the shop's, as start.py has it")
    parser.add_argument("--for", dest="for_s", type=float, metavar="SECONDS", help="mend it after so long")
    parser.add_argument("--leave", action="store_true", help="leave it broken")
    parser.add_argument("--mend", action="store_true", help="mend what was left broken")
    chosen = parser.parse_args()
    names = NAMES if chosen.name == "all" else [chosen.name]
    for name in names:
        if chosen.leave or chosen.mend:
            done = ask(chosen.folder, f"{'mend' if chosen.mend else 'break'} {name}")
        else:
            done = break_for_a_while(chosen.folder, name, chosen.for_s)
        if not done:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
