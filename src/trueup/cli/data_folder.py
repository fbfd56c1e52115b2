"""The data of a monitor, for commands that work on it whether it runs or not."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from trueup.cli.commands import Failed
from trueup.host.paths import is_there

if TYPE_CHECKING:
    from trueup.domain.monitor_settings import Store
    from trueup.store.database import Database

STORE_VARIABLE: Final = "TRUEUP_STORE"
_CONFIGURATION: Final = Path("trueup.yaml")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def data_option(command: _Command) -> _Command:
    """``--data DIR``, for a command that works on the folder alone."""
    option = click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The monitor's data folder; else that of ./trueup.yaml, else ./trueup-data.",
    )
    return option(command)


def store_options(command: _Command) -> _Command:
    """``--data DIR`` and ``--store ADDRESS``, for a command that works on the state wherever it is."""
    option = click.option(
        "--store",
        metavar="ADDRESS",
        envvar=STORE_VARIABLE,
        help=f"sqlite, or the address of the monitor's PostgreSQL; else {STORE_VARIABLE}, else with --data "
        "sqlite, else that of ./trueup.yaml.",
    )
    return data_option(option(command))


def store_of(text: str) -> "Store":
    """What ``--store`` names.

    Raises:
        click.UsageError: nothing that's a store.
    """
    from trueup.domain.address import AddressError, parse_address
    from trueup.domain.monitor_settings import Store

    if text == "sqlite":
        return Store()
    try:
        return Store(parse_address(text, ("postgres", "postgresql")))
    except AddressError as error:
        raise click.UsageError(
            f"--store: {error.problem}; write sqlite, or postgres://USER@HOST/DATABASE"
        ) from error


def place_of(data: Path | None, store: "str | Store | None" = None) -> "tuple[Path, Store]":
    """Where the data is that the options name, or else the configuration here, if there's one.

    Raises:
        InvalidConfigurationError: it doesn't say where, and neither do they.
        click.UsageError: nothing that's a store.
    """
    from trueup.domain.monitor_settings import MonitorSettings, Store

    named = store_of(store) if isinstance(store, str) else store
    if data is not None:
        return data, named or Store()
    if not is_there(_CONFIGURATION):
        settings = MonitorSettings()
    else:
        from trueup.cli.configured import load_place_or_say

        settings = load_place_or_say(_CONFIGURATION)
    return settings.data, named or settings.store


@contextmanager
def state_in(data: Path | None, store: "str | Store | None", *, make: bool = False) -> "Iterator[Database]":
    """The state. Ends the command where it can't be used; ``make``: it may be the first to be there.

    Raises:
        click.UsageError: there is none.
    """
    from trueup.store.failure import StoreFailed
    from trueup.store.folder import STATE_FILE
    from trueup.store.opening import open_state
    from trueup.store.ownership import leave_to_owner_of

    folder, place = place_of(data, store)
    if place.address is None and not make:
        require_data(folder)
    where = folder if place.address is None else place
    is_new = place.address is None and not is_there(folder / STATE_FILE)
    try:
        with closing(open_state(folder, place)) as database:
            if is_new:  # whoever meant that of a running monitor would wonder why it doesn't know of it
                words = "is new: no monitor has used it yet; name another's folder with --data"
                click.echo(f"note: the data folder {folder.absolute()} {words}", err=True)
            yield database
    except StoreFailed as error:
        raise Failed(f"the data in {where} can't be used: {error}") from error
    finally:
        if place.address is None:
            leave_to_owner_of(folder)


def require_data(data: Path) -> None:
    """Raises:
    click.UsageError: it's no folder with the state of a monitor.
    """
    from trueup.store.folder import STATE_FILE

    if not is_there(data / STATE_FILE):
        raise click.UsageError(f"there is no data of a monitor in {data}; name its folder with --data")
