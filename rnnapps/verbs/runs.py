"""Run folders as the verbs see them: begun, resumed, evaluated."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Preprocessor
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.verbs import settings, yaml_files
from rnnapps.verbs.checksums import write_checksums
from rnnapps.verbs.saved import read_saved

if TYPE_CHECKING:
    from rnnapps.training.run import RunFolder

__all__ = [
    "begin_run",
    "check_resumable",
    "forget_evaluation",
    "new_run_path",
    "read_evaluation",
    "save_evaluation",
]

EVALUATION = "evaluation.json"
FIXED_TRAINING = ("batch_size", "window_steps", "carry_state", "optimizer", "precision", "average_decay")
"""What shapes the batches and the state of the optimizer: a run cannot go on with other values."""

AnyPipeline = Pipeline[Any, Any, Any]


def new_run_path(pipeline: AnyPipeline, config: Any) -> Path:
    """`runs/<pipeline>/<cell>-<date>-<time>`."""
    cell = getattr(config.model, "cell", "model")
    return Path("runs", pipeline.name, f"{cell}-{datetime.datetime.now():%Y%m%d-%H%M%S}")


def begin_run(folder: RunFolder, pipeline: AnyPipeline, config: Any, preprocessor: Preprocessor) -> None:
    """Writes preprocessing, checksums and configuration of a run; the last makes the folder a run.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    from rnnapps.atomic import write_atomically

    folder.create()
    temporary = folder.path / ".preprocessing.tmp"
    try:
        if not folder.config_path.exists():
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(folder.preprocessing_dir, ignore_errors=True)
            temporary.mkdir()
            preprocessor.save(temporary)
            os.replace(temporary, folder.preprocessing_dir)
        content = yaml_files.dump(pipeline.name, config).encode()
        write_checksums(folder.path, content)
        write_atomically(folder.config_path, content)
    except OSError as error:
        raise CheckpointError(
            f"{folder.path}: cannot write the run: {error.strerror or error}; free space or choose another --run"
        ) from error


def check_resumable(folder: RunFolder, pipeline: AnyPipeline, config: Any) -> None:
    """Compares a configuration with that of an existing run, and tells of what changes.

    Data, model, seed and the shape of the batches belong to a run for good; `training.steps` may only grow. What
    merely steers training (learning rate, clipping, patience...) may change.

    Raises:
        ConfigError: settings differ that must not; the message names each.
    """
    kinds = settings.setting_types(pipeline.config_class)
    saved = {key: setting.value for key, setting in read_saved(pipeline, folder.config_path, kinds).items()}
    now = {key: list(value) if isinstance(value, tuple) else value for key, value in settings.flatten(config).items()}
    changes = {key: (saved[key], now[key]) for key in now if key in saved and saved[key] != now[key]}
    wrong = [f"{key} (was {old}, now {new})" for key, (old, new) in changes.items() if _is_fixed(pipeline, key)]
    if wrong:
        raise ConfigError(
            f"{folder.path}: this run was begun with other settings: {', '.join(wrong)}; use another --run"
        )
    old_steps, new_steps = changes.get("training.steps", (0, 0))
    if new_steps < old_steps:
        raise ConfigError(f"{folder.path}: training.steps can only grow (was {old_steps}, now {new_steps})")
    for key, (old, new) in changes.items():
        print(f"{folder.path}: {key} changes from {old} to {new}", file=sys.stderr)


def _is_fixed(pipeline: AnyPipeline, key: str) -> bool:
    if key in pipeline.run_frees:
        return False
    return key.partition(".")[0] in pipeline.run_fixes or key.removeprefix("training.") in FIXED_TRAINING


def save_evaluation(folder: RunFolder, evaluation: Evaluation) -> None:
    """Keeps an evaluation for the report and the model card."""
    from rnnapps.atomic import write_atomically

    try:
        write_atomically(folder.path / EVALUATION, json.dumps(evaluation.as_dict(), indent=1).encode())
    except OSError as error:
        print(f"note: {folder.path}: the evaluation is not kept: {error.strerror or error}", file=sys.stderr)


def forget_evaluation(folder: RunFolder) -> None:
    """Removes an evaluation that further training has made obsolete."""
    (folder.path / EVALUATION).unlink(missing_ok=True)


def read_evaluation(folder: RunFolder) -> Evaluation | None:
    """The last evaluation of a run, None where there is none."""
    path = folder.path / EVALUATION
    if not path.is_file():
        return None
    try:
        return Evaluation.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, KeyError):
        raise CheckpointError(f"{path}: cannot be read; delete it and run `evaluate` again") from None
