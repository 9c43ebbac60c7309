"""Where a fine-tuned run comes from, noted in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rnnapps.errors import CheckpointError

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = ["read_origin", "write_origin"]

ORIGIN = "finetune.json"


def read_origin(folder: RunFolder) -> dict[str, Any] | None:
    """What `write_origin` wrote: "from" and "freeze"; None for a run that was trained from scratch.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = folder.path / ORIGIN
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
    except (ValueError, TypeError):
        raise CheckpointError(f"{path}: not JSON; restore the file or use another --run") from None


def write_origin(folder: RunFolder, origin: Mapping[str, Any]) -> None:
    """Notes the origin in a run folder, so that `train` can resume the run.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    from rnnapps.atomic import write_atomically

    folder.create()
    try:
        write_atomically(folder.path / ORIGIN, json.dumps(origin).encode())
    except OSError as error:
        raise CheckpointError(f"{folder.path}: cannot be written: {error.strerror or error}; free space") from error
