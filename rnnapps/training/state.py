"""TrainState: everything a training run needs to go on bit for bit where it stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from rnnapps.config import Averaged
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

__all__ = [
    "TrainState",
    "final_facts",
    "load_mean",
    "load_weights",
    "newest_metadata",
    "read_weights",
    "replace_best",
    "restore_best",
    "save_final",
]

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
        kept: step and value of evaluated states that are kept to be averaged, see `record`.
    """

    step: int = 0
    elapsed_seconds: float = 0.0
    best_value: float | None = None
    best_step: int | None = None
    evaluations_since_best: int = 0
    evaluated_step: int = 0
    fingerprint: dict[str, Any] = dataclasses.field(default_factory=dict)
    kept: list[tuple[int, float]] = dataclasses.field(default_factory=list)

    def record(
        self, value: float, *, higher_is_better: bool = False, kept: int = 0, averaged: Averaged = "best"
    ) -> bool:
        """Counts one evaluation of the current step.

        Args:
            value: the metric that decides.
            higher_is_better: of it.
            kept: how many states to keep beside the newest and the best.
            averaged: which: the best ones, or the last.

        Returns:
            Whether `value` is the best so far.
        """
        best = self.best_value
        improved = best is None or (value > best if higher_is_better else value < best)
        if improved:
            self.best_value, self.best_step, self.evaluations_since_best = value, self.step, 0
        else:
            self.evaluations_since_best += 1
        self.evaluated_step = self.step
        every = [(int(step), float(known)) for step, known in self.kept if step != self.step] + [(self.step, value)]
        if averaged == "best":
            every.sort(key=lambda state: -state[1] if higher_is_better else state[1])
        self.kept = (every[:kept] if averaged == "best" else every[-kept:]) if kept else []
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
    """The steps whose states are kept, once that of the step `last` is saved: the newest two, and what they name."""
    newest = [step for step in checkpoint_steps(run.state_dir) if step <= last][-KEPT:]
    told = [read_manifest(run.state_dir, step)["metadata"] for step in newest]
    named = {step for metadata in told for step, _ in metadata.get("kept", ())}
    return {*newest, *({metadata["best_step"] for metadata in told} - {None}), *named}


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
    folder, step = _best(run)
    arrays, metadata = read_checkpoint(folder, step)
    now = {_identity(key): _value(weight) for key, weight in _keyed({"network": network.weights}).items()}
    stored = {key: _identity(key) for key in arrays if key.startswith("network/")}
    if now.keys() != set(stored.values()) or any(
        now[place].shape != arrays[key].shape for key, place in stored.items()
    ):
        raise CheckpointError(f"{run.path}: its state is of another network; use the run's own settings of the model")
    changed = {key: now[place].astype(arrays[key].dtype) for key, place in stored.items()}
    write_checkpoint(folder, step, arrays | changed, metadata)
    prune_checkpoints(folder, keep=set(checkpoint_steps(folder)))


def _stored(run: RunFolder, which: str) -> tuple[Arrays, int]:
    """Arrays and step of the best or the last state."""
    if which == "last":
        arrays, metadata = _newest(run)
        return arrays, metadata["step"]
    folder, step = _best(run)
    return read_checkpoint(folder, step)[0], step


def _best(run: RunFolder) -> tuple[Path, int]:
    """Folder and step of the best state, or of what was made of the states after the last update."""
    _, metadata = _newest(run)
    if metadata["best_step"] is None:
        raise CheckpointError(f"{run.path}: was stopped before its first evaluation; resume its training first")
    folder = run.state_dir if final_facts(run, metadata) is None else run.final_dir
    return folder, metadata["best_step"]


def final_facts(run: RunFolder, metadata: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What is told of the weights that were made after the last update, see `save_final`.

    Args:
        run: the run.
        metadata: of its newest state.

    Returns:
        None where there are none, or none of this state, for training went on.
    """
    with contextlib.suppress(CheckpointError):
        found: dict[str, Any] = read_manifest(run.final_dir, metadata["best_step"] or 0)["metadata"]
        if found["after_step"] == metadata["step"]:
            return found
    return None


def save_final(run: RunFolder, network: keras.Model, facts: Mapping[str, Any]) -> None:
    """Keeps weights that were made of a run's states, or after them: an average, a refit. They then are its best.

    Training that goes on starts from its own states, and makes them anew in the end.

    Args:
        run: the run; its training has ended.
        network: with the weights.
        facts: how they were made, as JSON can hold it.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    _, metadata = _newest(run)
    arrays = {key: _value(variable) for key, variable in _keyed({"network": network.weights}).items()}
    try:
        run.final_dir.mkdir(exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{run.final_dir}: cannot be made: {error.strerror or error}") from error
    write_checkpoint(run.final_dir, metadata["best_step"], arrays, {**facts, "after_step": metadata["step"]})
    prune_checkpoints(run.final_dir, keep={metadata["best_step"]})


def newest_metadata(run: RunFolder) -> Mapping[str, Any]:
    """What the newest intact state says of the run's progress; the fields of `TrainState`.

    Raises:
        CheckpointError: there is none.
    """
    return _newest(run)[1]


def load_mean(run: RunFolder, network: keras.Model, steps: Sequence[int]) -> None:
    """Loads the mean of the weights of several states of a run; what is no float is that of the first.

    Raises:
        CheckpointError: a state is missing or damaged, or belongs to another network.
    """
    every = [read_checkpoint(run.state_dir, step)[0] for step in steps]
    names = [key for key in every[0] if key.startswith("network/")]
    mean = {key: _mean([arrays[key] for arrays in every]) for key in names}
    _assign(_keyed({"network": network.weights}), mean, run)


def _mean(arrays: Sequence[Array]) -> Array:
    """The mean of arrays in their own type; the first where they are whole numbers."""
    first = arrays[0]
    if first.dtype.kind in "iub":
        return first
    return np.asarray(np.mean([array.astype(np.float64) for array in arrays], axis=0).astype(first.dtype))


def _newest(run: RunFolder) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and metadata of the newest intact state."""
    found = _newest_intact(run, lambda line: print(line, file=sys.stderr))
    if found is None:
        raise CheckpointError(f"{run.path}: holds no saved state; give a folder in which `train` has run")
    return found


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
