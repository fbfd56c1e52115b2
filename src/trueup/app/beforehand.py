"""What looks import only after a failure, imported at the start of whoever looks for long.

For ``check``, what isn't needed isn't loaded. For a monitor it would be too late: by then there may be no
file left to read a module with, or another version in its place.
"""

import importlib
import pkgutil
from typing import Final

_WHOLE: Final = ("trueup.diagnosis", "trueup.engine", "trueup.host", "trueup.probes")
_SINGLE: Final = (
    "trueup.checks.bare",
    "trueup.checks.questions",
    "_strptime",
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "difflib",
    "dns.edns",
    "dns.flags",
    "dns.message",
    "dns.rdtypes.txtbase",
    "ipaddress",
    "scramp",
)


def import_all() -> None:
    """Takes some tenths of a second. What needs an extra is left to those whose configuration needs it."""
    for package in _WHOLE:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    for name in _SINGLE:
        importlib.import_module(name)
