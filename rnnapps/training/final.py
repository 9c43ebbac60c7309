"""Weights that are made of a run's states after its last update, and are its best from then on."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from rnnapps.errors import CheckpointError
from rnnapps.training.checkpoint import prune_checkpoints, read_checkpoint, read_manifest, write_checkpoint
from rnnapps.training.run import RunFolder
from rnnapps.training.stored_variables import assign, keyed, value_of
from rnnapps.types import Array

__all__ = ["final_facts", "load_mean", "save_final"]


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


def save_final(run: RunFolder, network: keras.Model, facts: Mapping[str, Any], *, metadata: Mapping[str, Any]) -> None:
    """Keeps weights that were made of a run's states, or after them: an average, a refit. They then are its best.

    Training that goes on starts from its own states, and makes them anew in the end.

    Args:
        run: the run; its training has ended.
        network: with the weights.
        facts: how they were made, as JSON can hold it.
        metadata: of its newest state.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    arrays = {key: value_of(variable) for key, variable in keyed({"network": network.weights}).items()}
    try:
        run.final_dir.mkdir(exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{run.final_dir}: cannot be made: {error.strerror or error}") from error
    write_checkpoint(run.final_dir, metadata["best_step"], arrays, {**facts, "after_step": metadata["step"]})
    prune_checkpoints(run.final_dir, keep={metadata["best_step"]})


def load_mean(run: RunFolder, network: keras.Model, steps: Sequence[int]) -> None:
    """Loads the mean of the weights of several states of a run; what is no float is that of the first.

    Raises:
        CheckpointError: a state is missing or damaged, or belongs to another network.
    """
    every = [read_checkpoint(run.state_dir, step)[0] for step in steps]
    names = [key for key in every[0] if key.startswith("network/")]
    mean = {key: _mean([arrays[key] for arrays in every]) for key in names}
    assign(keyed({"network": network.weights}), mean, run)


def _mean(arrays: Sequence[Array]) -> Array:
    """The mean of arrays in their own type; the first where they are whole numbers."""
    first = arrays[0]
    if first.dtype.kind in "iub":
        return first
    return np.asarray(np.mean([array.astype(np.float64) for array in arrays], axis=0).astype(first.dtype))
