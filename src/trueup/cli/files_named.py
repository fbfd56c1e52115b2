"""Files that a configuration names and that aren't read with it: whether they're here."""

from collections.abc import Iterator

from trueup.config import Configuration
from trueup.domain.printable import printable
from trueup.domain.target import TlsSettings
from trueup.host.paths import is_file


def missing_files(configuration: Configuration) -> Iterator[str]:
    """A line for each that isn't here, as for a problem: ``FILE:LINE: PATH: problem; hint``.

    No problem of the configuration, which may be meant for another machine, but whoever looks without it
    will find out nothing.
    """
    for name, checks in configuration.checks.items():
        for check in checks:
            named = {"key": getattr(check.options, "key", None), **_of_tls(check.tls)}
            yield from _missing(configuration, f"services.{name}", name, named)
    for name, journey in configuration.journeys.items():
        yield from _missing(configuration, f"journeys.{name}", name, _of_tls(journey.tls))


def _of_tls(tls: TlsSettings | None) -> dict[str, str | None]:
    return {f"tls.{key}": getattr(tls, key, None) for key in ("ca", "cert", "key")}


def _missing(
    configuration: Configuration, path: str, name: str, named: dict[str, str | None]
) -> Iterator[str]:
    for key, file in named.items():
        if file is not None and not is_file(file):
            place = configuration.places[name]
            problem = f"{printable(path)}.{key}: there is no file {printable(file, 200)} on this machine"
            yield f"{place}: {problem}; without it nobody will know about {printable(name)}"
