"""The part of each batch that one of several workers computes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from rnnapps.contract.objective import Objective
from rnnapps.errors import ConfigError
from rnnapps.training.workers import Workers
from rnnapps.types import Nest, Tensor

__all__ = ["SHARE", "rows_of", "sharded_batches", "shared"]

SHARE = "share_of_loss"
"""Key in a worker's batches: the share of the whole batch's terms that its rows hold, a float32 scalar."""


def shared(objective: Objective, workers: Workers) -> Objective:
    """An objective with the batches of this worker.

    Raises:
        ConfigError: as `sharded_batches`.
    """
    if workers.count == 1:
        return objective
    batches = sharded_batches(objective, index=workers.index, count=workers.count)
    return dataclasses.replace(objective, batches=batches)


def sharded_batches(objective: Objective, *, index: int, count: int) -> Callable[[int], tf.data.Dataset]:
    """The batches of one worker: neighbouring rows of each batch of the objective, one part for each worker.

    All workers together have the rows of the whole batch, in its order. A batch has `SHARE` beside what it had: the sum
    over the workers of share times mean loss is the mean loss of the whole batch.

    Args:
        objective: whose batches; each remains a function of the seed and the step.
        index: number of the worker.
        count: number of workers.

    Raises:
        ConfigError: the rows cannot be shared evenly, or a tensor of the batches has other rows.
    """
    rows = rows_of(objective.batches(0).element_spec)
    if rows % count:
        lower = rows - rows % count
        either = f"{lower} or {lower + count}" if lower else str(count)
        raise ConfigError(f"training.batch_size {rows} cannot be shared evenly by {count} workers; take {either}")
    _require_rows(objective.batches(0).element_spec, rows)
    part = slice(index * (rows // count), (index + 1) * (rows // count))

    def shard(batch: Mapping[str, Nest]) -> dict[str, Nest]:
        own: dict[str, Nest] = tf.nest.map_structure(
            lambda tensor: tensor[part] if tensor.shape.rank else tensor, batch
        )
        return {**own, SHARE: _share(objective, own, batch, count)}

    return lambda start: objective.batches(start).map(shard, num_parallel_calls=1).prefetch(2)


def rows_of(spec: Any) -> int:
    """The rows of batches, by their `element_spec`.

    Raises:
        ConfigError: their number varies.
    """
    rows: int | None = next(iter(tf.nest.flatten(spec["inputs"]))).shape[0]
    if rows is None:
        raise ConfigError("the training batches have no fixed size; drop the last, incomplete one of the stream")
    return rows


def _share(objective: Objective, own: Nest, whole: Nest, count: int) -> Tensor:
    """Which share of the terms of the whole batch's mean loss a part holds."""
    if objective.terms is None:
        return tf.constant(1 / count, tf.float32)
    mine, all_terms = (tf.cast(objective.terms(batch), tf.float32) for batch in (own, whole))
    return mine / tf.maximum(all_terms, 1.0)


def _require_rows(spec: Nest, rows: int) -> None:
    """Raises ConfigError, unless each tensor that is no scalar has the rows of the batch as its first axis."""
    for path, tensor in keras.tree.flatten_with_path(spec):
        name = "/".join(map(str, path))
        if tensor.shape.rank is None or (tensor.shape.rank and tensor.shape[0] != rows):
            raise ConfigError(
                f"training.strategy multiworker: {name} of the batches has the shape {tensor.shape}, but what workers "
                f"share must be a scalar or lead with its {rows} rows"
            )
