"""What a shell offers when a word of ``trueup`` is half written: schemes, names, and its own script."""

import os
import re
from pathlib import Path
from typing import Final

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

SHELLS: Final[dict[str, type[ShellComplete]]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}
_VARIABLE: Final = "_TRUEUP_COMPLETE"
_IN_BASH: Final = "COMPREPLY+=($value)"
_WITHOUT_SPACE: Final = f"{_IN_BASH}\n            [[ $value == *:// ]] && compopt -o nospace 2>/dev/null"
"""After a scheme comes a host, and no space."""


def script_of(shell: str) -> str:
    """The script that teaches a shell to complete ``trueup``."""
    script = SHELLS[shell](click.Group("trueup"), {}, "trueup", _VARIABLE).source()
    if shell == "bash":
        assert _IN_BASH in script
        script = script.replace(_IN_BASH, _WITHOUT_SPACE)
    return script.strip() + "\n"


def addresses(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The schemes that it may begin with; where a configuration is named, the names in it."""
    config = ctx.params.get("config")
    if config:
        return _named(Path(str(config)), incomplete)
    from trueup.probes.registry import SCHEMES

    # Bash breaks words at colons: behind one there's nothing left to offer.
    return [CompletionItem(f"{scheme}://") for scheme in sorted(SCHEMES) if scheme.startswith(incomplete)]


def targets(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the targets of the configuration at hand."""
    return _named(Path(str(ctx.params.get("config") or "trueup.yaml")), incomplete)


_VARIABLES: Final = re.compile(r"\$\{([A-Za-z_]\w*)\}", re.ASCII)


def _named(path: Path, incomplete: str) -> list[CompletionItem]:
    """Names in a file; none where it doesn't hold. That a secret isn't set here changes no name."""
    from trueup.config import ConfigurationError, load

    try:
        words = _VARIABLES.findall(path.read_text()) if path.is_file() else []
        configuration = load(path, {**dict.fromkeys(words, "1"), **os.environ})
    except (ConfigurationError, OSError, ValueError):
        return []
    names = (target.name for target in configuration.targets)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
