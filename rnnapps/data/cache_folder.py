"""Where this package keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

from rnnapps.errors import DataError

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """`$RNNAPPS_CACHE`, or `rnnapps` below `$XDG_CACHE_HOME` or `~/.cache`; it may not exist yet.

    Raises:
        DataError: none of them is known.
    """
    own, caches = os.environ.get("RNNAPPS_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if own or caches:
        return Path(own) if own else Path(str(caches), "rnnapps")
    try:
        return Path.home() / ".cache" / "rnnapps"
    except RuntimeError:
        problem = "this user has no home folder, in which caches are kept"
        raise DataError("~", problem, "name a folder for them by the variable RNNAPPS_CACHE") from None
