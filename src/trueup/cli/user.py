"""``trueup user``: who may log in to the pages."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import click

from trueup.cli.data_folder import state_in, store_options

if TYPE_CHECKING:
    from trueup.domain.secret import Secret

_ROLES: Final = ("viewer", "editor", "admin")


@click.group(epilog="Example: trueup user set-password ann")
def COMMAND() -> None:  # noqa: N802 - what a command's file exports
    """Make, list and remove the users of the pages. They work on the data folder, running or not."""


@COMMAND.command("set-password", epilog="Example: trueup user set-password ann --role admin")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    help="viewer reads, editor also mutes and acknowledges, admin does everything. Left out, the role stays"
    " as it is; the first user is admin, and others are viewers.",
)
@click.option(
    "--password-file",
    type=click.File("r"),
    metavar="FILE",
    help="Read the password from the first line of FILE (- is the standard input).",
)
@store_options
def set_password(
    name: str, role: str | None, password_file: TextIO | None, data: Path | None, store: str | None
) -> int:
    """Make the user NAME, or change its password. Whoever is logged in as NAME is logged out.

    The password is asked for and not shown; where nobody can be asked, it's the first line of the standard
    input. It's never taken from the command line, which other users of the machine can read.
    """
    from trueup.app.clock import SystemClock
    from trueup.store.users import Role, Users, WrongUser

    password = _password(password_file)
    try:
        with state_in(data, store, make=True) as state:
            users = Users(state)
            known = {user.name: user.role for user in users.all()}
            chosen = Role(role) if role else known.get(name, Role.VIEWER if known else Role.ADMIN)
            users.set_password(name, password, chosen, SystemClock().now())
    except WrongUser as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{name} is {chosen} and has a new password")
    return 0


@COMMAND.command("list", epilog="Example: trueup user list --json")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@store_options
def list_users(data: Path | None, store: str | None, *, as_json: bool) -> int:
    """List the users and their roles."""
    from trueup.store.users import Users

    with state_in(data, store) as state:
        found = Users(state).all()
    if as_json:
        shown = [{"name": user.name, "role": user.role.value} for user in found]
        click.echo(json.dumps({"users": shown}, indent=2))
    for user in [] if as_json else found:
        click.echo(f"{user.name:24}  {user.role.value}")
    return 0


@COMMAND.command(epilog="Example: trueup user remove ann")
@click.argument("name")
@store_options
def remove(name: str, data: Path | None, store: str | None) -> int:
    """Remove the user NAME. Whoever is logged in as NAME is logged out."""
    from trueup.domain.printable import printable
    from trueup.store.users import Users

    with state_in(data, store) as state:
        if not Users(state).remove(name):
            raise click.UsageError(f"there's no user {printable(name)!r}; see trueup user list")
    click.echo(f"{name} is removed")
    return 0


def _password(file: TextIO | None) -> "Secret":
    from trueup.domain.secret import Secret

    if file is None and sys.stdin.isatty():
        return Secret(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return Secret((file or sys.stdin).readline().rstrip("\r\n"))
