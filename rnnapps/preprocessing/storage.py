"""Small JSON files that hold what a preprocessor learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rnnapps.atomic import write_atomically
from rnnapps.errors import CheckpointError

__all__ = ["read_json", "write_json"]


def write_json(path: Path, value: Any) -> None:
    """Writes a value so that the file is either complete or untouched, creating its folder.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(value, indent=1).encode())
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error.strerror}; check disk and permissions") from error


def read_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        CheckpointError: the file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}; is the folder complete?") from None
    except ValueError as error:
        raise CheckpointError(f"{path}: is not valid JSON ({error}); restore the file or train again") from None
