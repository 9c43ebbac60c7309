"""Flags as they were typed, and settings by their dotted keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["dotted", "flag_names", "values_of"]


def dotted(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted key: {"model": {"units": 8}} -> {"model.units": 8}."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        found |= dotted(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


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
