"""``trueup schema``: the configuration's JSON Schema, for editors."""

import json

import click


@click.command(epilog="Example: trueup schema > trueup.schema.json")
def COMMAND() -> int:  # noqa: N802 - what a command's file exports
    """Print the JSON Schema of the configuration, for editors.

    In VS Code and others: # yaml-language-server: $schema=trueup.schema.json
    """
    from trueup.config import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=True))
    return 0
