"""``trueup token``: who may read, change, or report for a host."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from trueup.cli.data_folder import state_in, store_options

if TYPE_CHECKING:
    from trueup.store.tokens import Token

_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(epilog="Example: trueup token create --scope agent:db-1")
def COMMAND() -> None:  # noqa: N802 - what a command's file exports
    """Create, list and revoke the tokens of the API. They work on the data folder, running or not."""


@COMMAND.command(epilog="Example: trueup token create --scope agent:db-1 > token")
@click.option(
    "--scope", default="read", show_default=True, metavar="read|write|agent:HOST", help="What it may do."
)
@store_options
@_JSON
def create(scope: str, data: Path | None, store: str | None, *, as_json: bool) -> int:
    """Make a token and print it. It's shown this once; only its hash is kept.

    read: ask for everything. write: change things too. agent:HOST: enrol the agent of this host, once.
    """
    from trueup.app.clock import SystemClock
    from trueup.store.tokens import Tokens, WrongScope

    try:
        with state_in(data, store, make=True) as state:
            word, token = Tokens(state).create(scope, SystemClock().now())
    except WrongScope as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps({"token": word, **_document(token)}))
    else:
        click.echo(word)
        click.echo(f"token {token.id} ({token.scope}); it isn't shown again", err=True)
    return 0


@COMMAND.command("list", epilog="Example: trueup token list --json")
@store_options
@_JSON
def list_tokens(data: Path | None, store: str | None, *, as_json: bool) -> int:
    """List the tokens, without their words."""
    from trueup.store.tokens import Tokens

    with state_in(data, store) as state:
        found = Tokens(state).all()
    if as_json:
        click.echo(json.dumps({"tokens": [_document(token) for token in found]}, indent=2))
    for token in [] if as_json else found:
        ended = f"revoked {token.revoked_at}" if token.revoked_at else ""
        used = f"used {token.used_at}" if token.used_at else ""
        line = f"{token.id}  {token.scope:24}  created {token.created_at}  {ended or used}"
        click.echo(line.rstrip())
    return 0


@COMMAND.command(epilog="Example: trueup token revoke 1f2e3d4c")
@click.argument("token_id", metavar="ID")
@store_options
def revoke(token_id: str, data: Path | None, store: str | None) -> int:
    """End a token, and the key of the agent that was enrolled with it. ID is as in the list."""
    from trueup.app.clock import SystemClock
    from trueup.store.tokens import Tokens

    with state_in(data, store) as state:
        if not Tokens(state).revoke(token_id, SystemClock().now()):
            raise click.UsageError(f"there's no token {token_id!r}; see trueup token list")
    click.echo(f"token {token_id} is worth nothing any more")
    return 0


def _document(token: "Token") -> dict[str, Any]:
    return {
        "id": token.id,
        "scope": token.scope,
        "created_at": token.created_at,
        "used_at": token.used_at,
        "revoked_at": token.revoked_at,
    }
