"""Where this package keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """`$RNNAPPS_CACHE`, or `rnnapps` below `$XDG_CACHE_HOME` or `~/.cache`; it may not exist yet."""
    own = os.environ.get("RNNAPPS_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rnnapps"
