"""`zoo:<name>` where a run or an export may be named."""

from __future__ import annotations

from pathlib import Path

from rnnapps.zoo.archives import unpacked

__all__ = ["PREFIX", "resolved"]

PREFIX = "zoo:"


def resolved(path: str | Path) -> Path:
    """The folder that a path names: of a trained model for `zoo:<name>`, the path itself otherwise.

    Raises:
        ConfigError: there is no such model, or it cannot be unpacked.
    """
    text = str(path)
    return unpacked(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else Path(path)
