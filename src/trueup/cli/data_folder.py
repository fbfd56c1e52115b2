"""The data of a monitor, for commands that work on it whether it runs or not."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click

from trueup.cli.commands import FAILED
from trueup.host.paths import is_there

if TYPE_CHECKING:
    from trueup.domain.monitor_settings import Store
    from trueup.store.database import Database

STORE_VARIABLE: Final = "TRUEUP_STORE"
_DEFAULT: Final = Path("trueup-data")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def data_option(command: _Command) -> _Command:
    """``--data DIR``, for a command that works on the folder alone."""
    option = click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="DIR",
        default=_DEFAULT,
        show_default=True,
        help="The monitor's data folder.",
    )
    return option(command)


def store_options(command: _Command) -> _Command:
    """``--data DIR`` and ``--store ADDRESS``, for a command that works on the state wherever it is."""
    option = click.option(
        "--store",
        metavar="ADDRESS",
        envvar=STORE_VARIABLE,
        default="sqlite",
        show_default=True,
        help=f"sqlite, or the address of the monitor's PostgreSQL; {STORE_VARIABLE} says it too.",
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


def is_given(option: str) -> bool:
    """Whether the user named it, and it isn't the default."""
    source = click.get_current_context().get_parameter_source(option)
    return source is not click.core.ParameterSource.DEFAULT


@contextmanager
def state_in(data: Path, store: "str | Store", *, make: bool = False) -> "Iterator[Database]":
    """The state. Ends the command where it can't be used; ``make``: it may be the first to be there.

    Raises:
        click.UsageError: there is none.
    """
    from trueup.store.failure import StoreFailed
    from trueup.store.opening import open_state

    place = store_of(store) if isinstance(store, str) else store
    if place.address is None and not make:
        require_data(data)
    where = data if place.address is None else place
    try:
        with closing(open_state(data, place)) as database:
            yield database
    except StoreFailed as error:
        fail(f"the data in {where} can't be used: {error}")


def require_data(data: Path) -> None:
    """Raises:
    click.UsageError: it's no folder with the state of a monitor.
    """
    from trueup.store.folder import STATE_FILE

    if not is_there(data / STATE_FILE):
        raise click.UsageError(f"there is no data of a monitor in {data}; name its folder with --data")


def fail(words: str) -> NoReturn:
    """End the command as a failure of its own."""
    click.echo(words, err=True)
    raise click.exceptions.Exit(FAILED)
