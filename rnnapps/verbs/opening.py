"""A trained run, or an export, opened for use."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import CheckpointError
from rnnapps.types import Array
from rnnapps.verbs.checksums import require_unchanged
from rnnapps.verbs.members import build_network

if TYPE_CHECKING:
    import keras

    from rnnapps.training.run import RunFolder

__all__ = [
    "OpenModel",
    "is_run",
    "load_preprocessor",
    "number_format",
    "open_model",
    "open_run",
    "read_weights",
    "require_folder",
    "what_is_instead_of_folder",
]

AnyPipeline = Pipeline[Any, Any, Any]


@dataclasses.dataclass(frozen=True)
class OpenModel:
    """A trained model, ready for use.

    Attributes:
        path: the run folder, or the folder of the export.
        fitted: configuration, preprocessor, and the network with its best weights.
        folder: the run folder; None for an export.
    """

    path: Path
    fitted: Fitted[Any, Any]
    folder: RunFolder | None


def open_model(pipeline: AnyPipeline, path: Path, config: Any) -> OpenModel:
    """Loads the best weights of a run, or those of an export, to compute in float32 whatever it was trained in.

    Args:
        pipeline: the application.
        path: a run folder, a version folder of an export, or a folder of versions, whose newest one is taken.
        config: its configuration, with whatever the command changes in it.

    Raises:
        CheckpointError: the folder is neither, or the run has no state yet.
        ExportError: a file of the export is missing or was changed.
    """
    require_folder(path)
    with number_format("float32"):
        preprocessor = load_preprocessor(pipeline, path)
        network = build_network(pipeline, config, preprocessor, path)
    folder = _load_weights(path, network)
    return OpenModel(path, Fitted(config, preprocessor, network), folder)


def open_run(pipeline: AnyPipeline, path: Path, config: Any) -> tuple[OpenModel, RunFolder]:
    """As `open_model`, for what an export has not: data of its own, evaluations, a report.

    Raises:
        CheckpointError: the folder is no run, or has no state yet.
    """
    if not is_run(path):
        found = "it has no config.yaml" if path.is_dir() else what_is_instead_of_folder(path)
        raise CheckpointError(f"{path}: not a run folder ({found}); name one that `train` has written")
    model = open_model(pipeline, path, config)
    assert model.folder is not None
    return model, model.folder


def require_folder(path: Path) -> None:
    """Raises CheckpointError, unless the path is a run folder, an export, or a folder of exports."""
    exports = ("saved_model.pb", "[0-9]*/saved_model.pb")
    if path.is_dir() and (is_run(path) or any(found for pattern in exports for found in path.glob(pattern))):
        return
    found = "it has no config.yaml" if path.is_dir() else what_is_instead_of_folder(path)
    raise CheckpointError(
        f"{path}: not a run folder ({found}), nor an exported model; name one that `train` or `export` has written"
    )


def is_run(path: Path) -> bool:
    """Whether a folder is one that `train` has written."""
    return (path / "config.yaml").is_file()


def load_preprocessor(pipeline: AnyPipeline, path: Path) -> Any:
    """The preprocessor of a run folder or an export.

    Raises:
        CheckpointError: the folder is neither, or is incomplete.
        ExportError: a file of the export was changed.
    """
    if is_run(path):
        require_unchanged(path)
        return pipeline.load_preprocessor(path / "preprocessing")
    from rnnapps.export.artefact import preprocessing_folder

    return pipeline.load_preprocessor(preprocessing_folder(path))


def read_weights(path: Path) -> Mapping[str, Array]:
    """Variable path -> array: the best weights of a run, or those of an export.

    Raises:
        CheckpointError: the run has no intact, evaluated state.
        ExportError: a file of the export is missing or was changed.
    """
    if is_run(path):
        from rnnapps.training.run import RunFolder
        from rnnapps.training.state import read_weights as read_best

        return read_best(RunFolder(path))[1]
    from rnnapps.export.artefact import load_weights

    return load_weights(path)


def what_is_instead_of_folder(path: Path) -> str:
    """Why a path is no folder, in words."""
    return "it is a file" if path.exists() else "no such folder"


@contextlib.contextmanager
def number_format(policy: str) -> Iterator[None]:
    """Builds layers that compute in a number format ("float32", "mixed_bfloat16"...), and restores Keras's own."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _load_weights(path: Path, network: keras.Model) -> RunFolder | None:
    """Loads the weights of a run or an export into the network; the run folder, None for an export."""
    if is_run(path):
        from rnnapps.training.run import RunFolder
        from rnnapps.training.state import restore_best

        folder = RunFolder(path)
        restore_best(folder, network)
        return folder
    from rnnapps.export.artefact import load_weights
    from rnnapps.training.finetune import transfer

    report = transfer(network, load_weights(path))
    if report.reset:
        missing = ", ".join(report.reset)
        raise CheckpointError(f"{path}: the export lacks weights of this network ({missing}); export the model again")
    return None
