"""Run folders as the verbs see them: begun, resumed, or opened for use."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli import settings
from rnnapps.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from rnnapps.cli.arguments import Arguments
    from rnnapps.contract.pipeline import Evaluation, Pipeline, Splits
    from rnnapps.training.run import RunFolder

__all__ = [
    "OpenRun",
    "begin_run",
    "check_resumable",
    "data_digest",
    "forget_evaluation",
    "new_run_path",
    "open_run",
    "read_evaluation",
    "save_evaluation",
    "what_is_instead_of_folder",
]

EVALUATION = "evaluation.json"
FIXED = ("seed", "data.", "model.", "detection.")
FIXED_TRAINING = ("batch_size", "window_steps", "carry_state", "optimizer", "precision")
FREE = frozenset({"data.test", "data.cache_megabytes"})
DIGEST_BYTES = 64 * 2**20
"""Reading more than this for the fingerprint of the data would delay the start noticeably."""


@dataclasses.dataclass(frozen=True)
class OpenRun:
    """A trained run, ready for use.

    Attributes:
        folder: its folder.
        config: its configuration, with the command line's changes.
        preprocessor: as training left it.
        network: the network with its best weights.
    """

    folder: RunFolder
    config: Any
    preprocessor: Any
    network: Any


def open_run(pipeline: Pipeline[Any], arguments: Arguments) -> OpenRun:
    """Loads the best weights of the run named by `--run`, to compute in float32 whatever it was trained in.

    Raises:
        CheckpointError: the folder is no run, or has no state yet.
    """
    path = Path(arguments.options["run"])
    if not (path / "config.yaml").is_file():
        found = "it has no config.yaml" if path.is_dir() else what_is_instead_of_folder(path)
        raise CheckpointError(f"{path}: not a run folder ({found}); name one that `train` has written")
    import keras

    from rnnapps.training.run import RunFolder
    from rnnapps.training.state import restore_best

    folder = RunFolder(path)
    keras.config.set_dtype_policy("float32")
    preprocessor = pipeline.load_preprocessor(folder.preprocessing_dir)
    network = pipeline.build_model(arguments.config, preprocessor)
    restore_best(folder, network)
    return OpenRun(folder, arguments.config, preprocessor, network)


def what_is_instead_of_folder(path: Path) -> str:
    """Why a path is no folder, in words."""
    return "it is a file" if path.exists() else "no such folder"


def new_run_path(pipeline: Pipeline[Any], config: Any) -> Path:
    """`runs/<pipeline>/<cell>-<date>-<time>`."""
    cell = getattr(config.model, "cell", "model")
    return Path("runs", pipeline.name, f"{cell}-{datetime.datetime.now():%Y%m%d-%H%M%S}")


def begin_run(folder: RunFolder, pipeline: Pipeline[Any], config: Any, preprocessor: Any) -> None:
    """Writes preprocessing and configuration of a run; the configuration last, since it makes the folder a run.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    from rnnapps.training.run import write_atomically

    folder.create()
    temporary = folder.path / ".preprocessing.tmp"
    try:
        if not folder.config_path.exists():
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(folder.preprocessing_dir, ignore_errors=True)
            temporary.mkdir()
            preprocessor.save(temporary)
            os.replace(temporary, folder.preprocessing_dir)
        write_atomically(folder.config_path, settings.dump(pipeline.name, config).encode())
    except OSError as error:
        raise CheckpointError(
            f"{folder.path}: cannot write the run: {error.strerror or error}; free space or choose another --run"
        ) from error


def check_resumable(folder: RunFolder, pipeline: Pipeline[Any], config: Any) -> None:
    """Compares a configuration with that of an existing run, and tells of what changes.

    Data, model, seed and the shape of the batches belong to a run for good; `training.steps` may only grow. What
    merely steers training (learning rate, clipping, patience...) may change.

    Raises:
        ConfigError: settings differ that must not; the message names each.
    """
    kinds = settings.setting_types(pipeline.Config)
    saved = {
        key: setting.value
        for key, setting in settings.read(folder.config_path, kinds, pipeline_name=pipeline.name).items()
    }
    now = {key: list(value) if isinstance(value, tuple) else value for key, value in settings.flatten(config).items()}
    changes = {key: (saved[key], now[key]) for key in now if key in saved and saved[key] != now[key]}
    wrong = [f"{key} (was {old}, now {new})" for key, (old, new) in changes.items() if _is_fixed(key)]
    if wrong:
        raise ConfigError(
            f"{folder.path}: this run was begun with other settings: {', '.join(wrong)}; use another --run"
        )
    old_steps, new_steps = changes.get("training.steps", (0, 0))
    if new_steps < old_steps:
        raise ConfigError(f"{folder.path}: training.steps can only grow (was {old_steps}, now {new_steps})")
    for key, (old, new) in changes.items():
        print(f"{folder.path}: {key} changes from {old} to {new}", file=sys.stderr)


def _is_fixed(key: str) -> bool:
    if key in FREE:
        return False
    return key.startswith(FIXED) or key.removeprefix("training.") in FIXED_TRAINING


def data_digest(splits: Splits) -> str:
    """SHA-256 of the raw training and validation examples, the first 64 MiB of each."""
    import tensorflow as tf

    digest = hashlib.sha256()
    for dataset in (splits.train, splits.validation):
        size = 0
        for example in dataset.as_numpy_iterator():
            for part in tf.nest.flatten(example):
                content = part if isinstance(part, bytes) else _array_bytes(part)
                digest.update(len(content).to_bytes(8, "little") + content)
                size += len(content)
            if size > DIGEST_BYTES:
                break
    return digest.hexdigest()


def _array_bytes(array: Any) -> bytes:
    if array.dtype == object:
        return b"\0".join(bytes(item) for item in array.flat)
    return bytes(array.tobytes())


def save_evaluation(folder: RunFolder, evaluation: Evaluation) -> None:
    """Keeps an evaluation for the report and the model card."""
    from rnnapps.training.run import write_atomically

    try:
        write_atomically(folder.path / EVALUATION, json.dumps(dataclasses.asdict(evaluation), indent=1).encode())
    except OSError as error:
        print(f"note: {folder.path}: the evaluation is not kept: {error.strerror or error}", file=sys.stderr)


def forget_evaluation(folder: RunFolder) -> None:
    """Removes an evaluation that further training has made obsolete."""
    (folder.path / EVALUATION).unlink(missing_ok=True)


def read_evaluation(folder: RunFolder) -> Evaluation | None:
    """The last evaluation of a run, None where there is none."""
    from rnnapps.contract.pipeline import Evaluation

    path = folder.path / EVALUATION
    if not path.is_file():
        return None
    try:
        return Evaluation(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise CheckpointError(f"{path}: cannot be read; delete it and run `evaluate` again") from None
