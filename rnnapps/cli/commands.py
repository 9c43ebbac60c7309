"""What the commands that are no pipeline's share: examples in their help, and flags that are written in full."""

from __future__ import annotations

import argparse
from typing import TypeAlias

__all__ = ["Commands", "add_command"]

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `rnnapps` may be followed by."""


def add_command(
    commands: Commands, name: str, *examples: str, summary: str, description: str
) -> argparse.ArgumentParser:
    """Adds a command; its flags are added to what is returned.

    Args:
        commands: where it goes.
        name: of the command.
        *examples: whole command lines, shown behind the flags.
        summary: its line in `rnnapps --help`.
        description: the beginning of its own help.
    """
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="\n  ".join(("examples:", *examples)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
