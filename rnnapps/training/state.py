"""TrainState: everything a training run needs to go on bit for bit where it stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from rnnapps.errors import CheckpointError
from rnnapps.training.checkpoint import (
    Arrays,
    checkpoint_steps,
    prune_checkpoints,
    read_checkpoint,
    read_manifest,
    write_checkpoint,
)
from rnnapps.training.run import RunFolder
from rnnapps.types import Array

__all__ = ["TrainState", "load_weights", "read_weights", "replace_best", "restore_best"]

KEPT = 2
Variables = Mapping[str, Sequence[keras.Variable]]


@dataclass
class TrainState:
    """Progress of a run beside its variables.

    Attributes:
        step: updates done.
        elapsed_seconds: training wall time so far, compilation, evaluation and earlier sessions included.
        best_value: best validation metric so far, None before the first evaluation.
        best_step: the step of `best_value`.
        evaluations_since_best: evaluations without improvement, for early stopping.
        evaluated_step: last step whose evaluation is complete.
        fingerprint: what must not change between sessions: seed, data, structure of the training.
    """

    step: int = 0
    elapsed_seconds: float = 0.0
    best_value: float | None = None
    best_step: int | None = None
    evaluations_since_best: int = 0
    evaluated_step: int = 0
    fingerprint: dict[str, Any] = dataclasses.field(default_factory=dict)

    def record(self, value: float, *, higher_is_better: bool = False) -> bool:
        """Counts one evaluation of the current step; returns whether `value` is the best so far."""
        best = self.best_value
        improved = best is None or (value > best if higher_is_better else value < best)
        if improved:
            self.best_value, self.best_step, self.evaluations_since_best = value, self.step, 0
        else:
            self.evaluations_since_best += 1
        self.evaluated_step = self.step
        return improved

    def save(self, run: RunFolder, variables: Variables) -> None:
        """Writes a checkpoint and removes the ones no longer needed: kept are the newest two and their best.

        Args:
            run: the run folder.
            variables: group name -> Keras variables, in a fixed order.

        Raises:
            CheckpointError: the disk is full or the folder cannot be written.
        """
        arrays = {key: _value(variable) for key, variable in _keyed(variables).items()}
        write_checkpoint(run.state_dir, self.step, arrays, dataclasses.asdict(self))
        try:
            prune_checkpoints(run.state_dir, keep=_needed(run, self.step))
        except OSError as error:
            raise CheckpointError(f"{run.state_dir}: cannot remove old states: {error.strerror or error}") from error

    @classmethod
    def restore(
        cls,
        run: RunFolder,
        variables: Variables,
        note: Callable[[str], None],
        expect: Callable[[Mapping[str, Any]], None] = lambda fingerprint: None,
    ) -> TrainState | None:
        """Loads the newest intact checkpoint into the variables.

        Args:
            run: the run folder.
            variables: as given to `save`.
            note: is told, in one line, of each damaged checkpoint that is passed over.
            expect: is given the stored fingerprint before anything is assigned, and raises if it is not as expected.

        Returns:
            The state, or None when the run has no checkpoint yet.

        Raises:
            CheckpointError: every checkpoint is damaged, or the newest intact one is of another model.
        """
        found = _newest_intact(run, note)
        if found is None:
            return None
        arrays, metadata = found
        expect(metadata["fingerprint"])
        _assign(_keyed(variables), arrays, run)
        state = cls(**metadata)
        later = {step for step in checkpoint_steps(run.state_dir) if step > state.step}  # damaged; a save removes them
        with contextlib.suppress(CheckpointError, OSError):  # what a process left that was ended after its last save
            prune_checkpoints(run.state_dir, keep=_needed(run, state.step) | later)
        return state


def _needed(run: RunFolder, last: int) -> set[int]:
    """The steps whose states are kept, once that of the step `last` is saved: the newest two and their best."""
    newest = [step for step in checkpoint_steps(run.state_dir) if step <= last][-KEPT:]
    best = {read_manifest(run.state_dir, step)["metadata"]["best_step"] for step in newest}
    return {*newest, *(best - {None})}


def read_weights(run: RunFolder, which: Literal["best", "last"] = "best") -> tuple[int, Arrays]:
    """Returns (step, {variable path: array}) of the network of a run, for fine-tuning.

    Raises:
        CheckpointError: the run has no intact state, or no evaluated one when the best is asked for.
    """
    arrays, step = _stored(run, which)
    weights = {_path(key): array for key, array in arrays.items() if key.startswith("network/")}
    if len(weights) != sum(key.startswith("network/") for key in arrays):
        raise CheckpointError(f"{run.path}: two variables of the network share one path; give its layers own names")
    return step, weights


def load_weights(run: RunFolder, network: keras.Model, which: Literal["best", "last"] = "best") -> int:
    """Loads the best or the last weights of a run into its network; returns their step.

    Raises:
        CheckpointError: the run has no such intact state, or it belongs to another network.
    """
    arrays, step = _stored(run, which)
    stored = {key: array for key, array in arrays.items() if key.startswith("network/")}
    _assign(_keyed({"network": network.weights}), stored, run)
    return step


def restore_best(run: RunFolder, network: keras.Model) -> int:
    """Loads the weights with the best validation metric of a run; returns their step."""
    return load_weights(run, network, which="best")


def replace_best(run: RunFolder, network: keras.Model) -> None:
    """Writes the network's weights into the best state of a run, whose optimizer and progress stay as they are.

    Raises:
        CheckpointError: the run has no intact, evaluated state, it belongs to another network, or cannot be written.
    """
    _, step = _stored(run, "best")
    arrays, metadata = read_checkpoint(run.state_dir, step)
    now = {_identity(key): _value(weight) for key, weight in _keyed({"network": network.weights}).items()}
    stored = {key: _identity(key) for key in arrays if key.startswith("network/")}
    if now.keys() != set(stored.values()) or any(
        now[place].shape != arrays[key].shape for key, place in stored.items()
    ):
        raise CheckpointError(f"{run.path}: its state is of another network; use the run's own settings of the model")
    changed = {key: now[place].astype(arrays[key].dtype) for key, place in stored.items()}
    write_checkpoint(run.state_dir, step, arrays | changed, metadata)
    prune_checkpoints(run.state_dir, keep=set(checkpoint_steps(run.state_dir)))


def _stored(run: RunFolder, which: str) -> tuple[Arrays, int]:
    """Arrays and step of the best or the last state."""
    found = _newest_intact(run, lambda line: print(line, file=sys.stderr))
    if found is None:
        raise CheckpointError(f"{run.path}: holds no saved state; give a folder in which `train` has run")
    arrays, metadata = found
    if which == "last":
        return arrays, metadata["step"]
    if metadata["best_step"] is None:
        raise CheckpointError(f"{run.path}: was stopped before its first evaluation; resume its training first")
    if metadata["best_step"] != metadata["step"]:
        arrays, _ = read_checkpoint(run.state_dir, metadata["best_step"])
    return arrays, metadata["best_step"]


def _newest_intact(run: RunFolder, note: Callable[[str], None]) -> tuple[Arrays, dict[str, Any]] | None:
    """Arrays and metadata of the newest checkpoint that can be read, or None where none was ever written."""
    steps = checkpoint_steps(run.state_dir)
    problem = ""
    for step in reversed(steps):
        try:
            found = read_checkpoint(run.state_dir, step)
        except CheckpointError as error:
            problem = str(error)
            note(f"{problem}; falling back to the state before it")
            continue
        return found
    if steps:
        raise CheckpointError(f"{problem}; no intact state is left: start again with another --run")
    return None


def _keyed(variables: Variables) -> dict[str, keras.Variable]:
    """Names each variable `group/position/path`; the position, not the path, identifies it within its group."""
    return {
        f"{group}/{position:04d}/{variable.path}": variable
        for group, members in variables.items()
        for position, variable in enumerate(members)
    }


def _path(key: str) -> str:
    """The variable's own path, of a key of `_keyed`."""
    return key.split("/", 2)[2]


def _identity(key: str) -> str:
    """Group and position, of a key of `_keyed`."""
    return key.rsplit("/", key.count("/") - 1)[0]


def _value(variable: keras.Variable) -> Array:
    """The variable as a NumPy array."""
    return np.asarray(keras.ops.convert_to_numpy(variable.value))


def _assign(variables: Mapping[str, keras.Variable], arrays: Arrays, run: RunFolder) -> None:
    """Sets all variables, after it is known that all arrays fit: none is changed if one does not."""
    stored = {_identity(key): (key, array) for key, array in arrays.items()}
    for key, variable in variables.items():
        name, array = stored.pop(_identity(key), ("nothing", np.empty(())))
        if name == "nothing" or array.shape != tuple(variable.shape) or array.dtype.name != variable.dtype:
            found = "nothing" if name == "nothing" else f"{_path(name)} {array.dtype.name} {list(array.shape)}"
            raise CheckpointError(
                f"{run.path}: its state does not fit this model: for {variable.path} {variable.dtype} "
                f"{list(variable.shape)} it holds {found}; use the run's own configuration or another --run"
            )
    if stored:
        name, array = next(iter(stored.values()))
        raise CheckpointError(
            f"{run.path}: its state does not fit this model, which lacks {_path(name)} {list(array.shape)}; "
            f"use the run's own configuration or another --run"
        )
    by_identity = {_identity(key): array for key, array in arrays.items()}
    for key, variable in variables.items():
        variable.assign(by_identity[_identity(key)])
