"""Where a fine-tuned run comes from: preprocessing and weights of a run folder or an export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.errors import CheckpointError

if TYPE_CHECKING:
    from rnnapps.contract.pipeline import Pipeline
    from rnnapps.training.run import RunFolder

__all__ = ["load_source_preprocessor", "read_origin", "read_source_weights", "write_origin"]

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
    from rnnapps.training.run import write_atomically

    folder.create()
    try:
        write_atomically(folder.path / ORIGIN, json.dumps(origin).encode())
    except OSError as error:
        raise CheckpointError(f"{folder.path}: cannot be written: {error.strerror or error}; free space") from error


def load_source_preprocessor(pipeline: Pipeline[Any], source: Path) -> Any:
    """The preprocessor of a run folder or an export.

    Raises:
        CheckpointError: the folder is neither, or is incomplete.
        ExportError: a file of the export was changed.
    """
    if _is_run(source):
        return pipeline.load_preprocessor(source / "preprocessing")
    from rnnapps.export.artefact import preprocessing_folder

    return pipeline.load_preprocessor(preprocessing_folder(source))


def read_source_weights(source: Path) -> Mapping[str, Any]:
    """Variable path -> array: the best weights of a run, or those of an export.

    Raises:
        CheckpointError: the run has no intact, evaluated state.
        ExportError: a file of the export is missing or was changed.
    """
    if _is_run(source):
        from rnnapps.training.run import RunFolder
        from rnnapps.training.state import read_weights

        return read_weights(RunFolder(source))[1]
    from rnnapps.export.artefact import load_weights

    return load_weights(source)


def _is_run(source: Path) -> bool:
    return (source / "config.yaml").is_file()
