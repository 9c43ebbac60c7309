"""Small JSON files that hold what a preprocessor learned."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from rnnapps.errors import CheckpointError

__all__ = ["read_json", "write_json"]


def write_json(path: Path, value: Any) -> None:
    """Writes a value so that the file is either complete or untouched, creating its folder.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(value, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
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
