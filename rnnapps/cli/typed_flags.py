"""Flags as they were typed."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["flag_names", "values_of"]


def flag_names(argv: Sequence[str]) -> set[str]:
    """The names of all flags on a command line, without the dashes."""
    return {token[2:].split("=")[0] for token in argv if token.startswith("--")}


def values_of(argv: Sequence[str], flag: str) -> list[str]:
    """The values given to one flag, as `--flag value` or `--flag=value`, in their order."""
    found, tokens = [], iter(argv)
    for token in tokens:
        if token == f"--{flag}":
            found += [next(tokens, "")]
        elif token.startswith(f"--{flag}="):
            found.append(token.partition("=")[2])
    return found
