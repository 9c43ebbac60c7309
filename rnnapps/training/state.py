"""TrainState: everything a training run needs to go on bit for bit where it stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras

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
from rnnapps.training.final import final_facts
from rnnapps.training.run import RunFolder
from rnnapps.training.stored_variables import Variables, assign, identity_of, keyed, path_of, value_of

__all__ = [
    "TrainState",
    "load_weights",
    "newest_metadata",
    "read_weights",
    "replace_best",
    "restore_best",
]

KEPT = 2


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
        arrays = {key: value_of(variable) for key, variable in keyed(variables).items()}
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
        assign(keyed(variables), arrays, run)
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
    weights = {path_of(key): array for key, array in arrays.items() if key.startswith("network/")}
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
    assign(keyed({"network": network.weights}), stored, run)
    return step


def restore_best(run: RunFolder, network: keras.Model) -> int:
    """Loads the weights with the best validation metric of a run; returns their step."""
    return load_weights(run, network, which="best")


def replace_best(run: RunFolder, network: keras.Model) -> None:
    """Writes the network's weights into the best state of a run, whose optimizer and progress stay as they are.

    Raises:
        CheckpointError: the run has no intact, evaluated state, it belongs to another network, or cannot be written.
    """
    folder, step = _best(run, newest_metadata(run))
    arrays, metadata = read_checkpoint(folder, step)
    now = {identity_of(key): value_of(weight) for key, weight in keyed({"network": network.weights}).items()}
    stored = {key: identity_of(key) for key in arrays if key.startswith("network/")}
    if now.keys() != set(stored.values()) or any(
        now[place].shape != arrays[key].shape for key, place in stored.items()
    ):
        raise CheckpointError(f"{run.path}: its state is of another network; use the run's own settings of the model")
    changed = {key: now[place].astype(arrays[key].dtype) for key, place in stored.items()}
    write_checkpoint(folder, step, arrays | changed, metadata)
    prune_checkpoints(folder, keep=set(checkpoint_steps(folder)))


def _stored(run: RunFolder, which: str) -> tuple[Arrays, int]:
    """Arrays and step of the best or the last state."""
    arrays, metadata = _newest(run)
    if which == "last":
        return arrays, metadata["step"]
    folder, step = _best(run, metadata)
    if (folder, step) != (run.state_dir, metadata["step"]):
        arrays, _ = read_checkpoint(folder, step)
    return arrays, step


def _best(run: RunFolder, metadata: Mapping[str, Any]) -> tuple[Path, int]:
    """Folder and step of the best state, or of what was made of the states after the last update."""
    if metadata["best_step"] is None:
        raise CheckpointError(f"{run.path}: was stopped before its first evaluation; resume its training first")
    folder = run.state_dir if final_facts(run, metadata) is None else run.final_dir
    return folder, metadata["best_step"]


def newest_metadata(run: RunFolder) -> Mapping[str, Any]:
    """What the newest intact state says of the run's progress; the fields of `TrainState`.

    Raises:
        CheckpointError: there is none.
    """
    return _newest(run)[1]


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
