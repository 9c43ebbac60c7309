"""The processes that train one model together: what they add up, and what the first of them tells the others."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError, RnnappsError, WorkerLost
from rnnapps.training.cluster import VARIABLE, Cluster, parse_cluster
from rnnapps.training.signals import StopNow
from rnnapps.training.stored_variables import value_of
from rnnapps.types import Array, Tensor

__all__ = ["ALONE", "JointWorkers", "Workers", "join_workers"]

ENDED = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.UnavailableError,
)
"""What a collective operation ends with when a worker is gone."""


class Workers:
    """One process, which trains alone.

    Attributes:
        index: number of this worker.
        count: number of all workers.
    """

    index, count = 0, 1

    @property
    def chief(self) -> bool:
        """Whether this process keeps the run folder, validates, and tells the others."""
        return self.index == 0

    def sum(self, vector: Tensor) -> Tensor:
        """The sum over all workers of a vector of one shape; all workers get the same bits. In graph or eager."""
        return vector

    def whole(self, rows: Tensor) -> Tensor:
        """The rows of all workers, one behind the other."""
        return rows

    def by_chief(self, function: Callable[[], Any]) -> Any:
        """What the function returns to the chief, which alone calls it, on all workers; JSON values.

        Raises:
            RnnappsError: the function raised it.
            StopNow: so did it.
        """
        return function()

    def share(self, variables: Iterable[keras.Variable]) -> None:
        """Gives the variables the bits that they have at the chief."""

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Inside, the end of another worker is a `WorkerLost`."""
        yield


ALONE = Workers()


class JointWorkers(Workers):
    """One of several processes, each with the same model and a part of each batch.

    Args:
        cluster: all of them.
        strategy: runs collective operations.
    """

    def __init__(self, cluster: Cluster, strategy: tf.distribute.Strategy) -> None:
        self.index, self.count = cluster.index, len(cluster.addresses)
        self.addresses, self.strategy = cluster.addresses, strategy

    def sum(self, vector: Tensor) -> Tensor:
        """As above, by one collective operation."""

        def reduced(value: Tensor) -> Tensor:
            here = tf.identity(value)  # on this worker's device, which a collective operation must be told
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, here)

        return self.strategy.run(reduced, args=(vector,))

    def whole(self, rows: Tensor) -> Tensor:
        """As above; all workers have as many rows."""

        def gathered(value: Tensor) -> Tensor:
            return tf.distribute.get_replica_context().all_gather(tf.identity(value), axis=0)

        return tf.function(lambda: self.strategy.run(gathered, args=(rows,)), autograph=False)()

    def by_chief(self, function: Callable[[], Any]) -> Any:
        """As above; an error of the chief is told to all."""
        if not self.chief:
            told = json.loads(self._told(None))
            if "stop" in told:
                raise StopNow
            if "error" in told:
                raise WorkerLost(f"worker 0 of {self.count} has ended: {told['error']}")
            return told["value"]
        try:
            value = function()
        except StopNow:
            self._told(json.dumps({"stop": True}).encode())
            raise
        except RnnappsError as error:
            self._told(json.dumps({"error": str(error)}).encode())
            raise
        self._told(json.dumps({"value": value}).encode())
        return value

    def share(self, variables: Iterable[keras.Variable]) -> None:
        """As above, all in one message."""
        every = list(variables)
        values = [value_of(variable) for variable in every]
        told = self._bytes(b"".join(value.tobytes() for value in values), sum(value.nbytes for value in values))
        if self.chief:
            return
        start = 0
        for variable, value in zip(every, values, strict=True):
            own = np.frombuffer(told, value.dtype, value.size, start)
            variable.assign(own.reshape(value.shape))
            start += value.nbytes

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """As above."""
        try:
            yield
        except ENDED as error:
            raise WorkerLost(
                f"worker {self.index} of {self.count}: another worker has ended or cannot be reached any more "
                f"({type(error).__name__}); start all of them again with the same command, and training goes on from "
                f"the last saved state"
            ) from error

    def _told(self, message: bytes | None) -> bytes:
        """The chief's message, of whatever length."""
        size = int(self._of_chief(np.array([len(message or b"")], np.int32))[0])
        return self._bytes(message or b"", size)

    def _bytes(self, message: bytes, size: int) -> bytes:
        """The chief's message of so many bytes."""
        words = np.zeros(-(-size // 4), np.int32)
        if self.chief:
            words.view(np.uint8)[:size] = np.frombuffer(message, np.uint8)
        return self._of_chief(words).tobytes()[:size]

    def _of_chief(self, words: Array) -> Array:
        """The chief's words: a sum to which the others add nothing leaves every bit, since these are integers."""
        mine = words if self.chief else np.zeros_like(words)
        with self.together():
            return np.asarray(self._sum_of_words(tf.constant(mine)).numpy())

    @functools.cached_property
    def _sum_of_words(self) -> Callable[[Tensor], Tensor]:
        """`sum` as a graph, which `run` wants to be in."""
        graph: Callable[[Tensor], Tensor] = tf.function(
            self.sum, input_signature=[tf.TensorSpec((None,), tf.int32)], autograph=False
        )
        return graph


def join_workers(config: TrainingConfig) -> Workers:
    """The workers that `TF_CONFIG` names, once all of them have come; this process alone, where none are asked for.

    Raises:
        ConfigError: the variable is wrong, its port is in use, or TensorFlow has computed something before.
    """
    return _joined(os.environ.get(VARIABLE)) if config.strategy == "multiworker" else ALONE


@functools.cache
def _joined(text: str | None) -> Workers:
    """One process can join one cluster, once."""
    cluster = parse_cluster(text)
    if len(cluster.addresses) == 1:
        return ALONE
    devices = tf.config.list_physical_devices("GPU")
    if len(devices) > 1:
        raise ConfigError(
            f"training.strategy multiworker: this worker sees {len(devices)} GPUs, but each needs one of its own: "
            f"`rnnapps launch` gives it one, elsewhere set CUDA_VISIBLE_DEVICES"
        )
    own = cluster.addresses[cluster.index]
    print(f"worker {cluster.index} of {len(cluster.addresses)} at {own}: waits for the others", file=sys.stderr)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ConfigError(
            f"training.strategy multiworker: TensorFlow has computed something before the workers were joined; "
            f"train in a process of its own ({' '.join(str(error).split())[:120]})"
        ) from error
    except tf.errors.OpError as error:
        raise ConfigError(
            f"{VARIABLE}: {own} cannot be listened at: {' '.join(str(error).split())[:120]}; "
            f"give each worker a free port of its own machine"
        ) from error
    return JointWorkers(cluster, strategy)
