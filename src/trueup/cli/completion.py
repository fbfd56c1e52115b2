"""``trueup completion``: a shell that finishes words."""

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command(epilog='Example: eval "$(trueup completion bash)"')
@click.argument("shell", type=click.Choice(_SHELLS), metavar="bash|zsh|fish")
def COMMAND(shell: str) -> int:  # noqa: N802 - what a command's file exports
    """Print the script that teaches a shell to complete commands, options, schemes, names and files.

    For good: its line into ~/.bashrc or ~/.zshrc; for fish
    trueup completion fish > ~/.config/fish/completions/trueup.fish
    """
    from trueup.cli.completing import script_of

    click.echo(script_of(shell), nl=False)
    return 0
