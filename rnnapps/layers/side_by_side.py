"""Several networks of the same inputs and outputs as one: an ensemble."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.types import Tensor, Tensors

__all__ = [
    "MeanOfProbabilities",
    "apart",
    "build_members",
    "first_alone",
    "first_of",
    "log_mean",
    "mean_of",
    "mean_of_probabilities",
    "members_of",
    "require_equal",
    "side_by_side",
]

MEMBER = "member_"
STATES = "states"

Combine = Callable[[str, Tensors], Tensor]
"""Maps the name of an output, and what each member makes of it, to what the ensemble does."""


def build_members(builders: Sequence[Callable[[], keras.Model]]) -> list[keras.Model]:
    """Builds networks whose weights have paths of their own, for `side_by_side`."""
    networks = []
    for number, build in enumerate(builders):
        with keras.name_scope(f"{MEMBER}{number}"):
            networks.append(build())
        networks[-1].name = f"{MEMBER}{number}"
    return networks


def side_by_side(networks: Sequence[keras.Model], combine: Mapping[str, Combine]) -> keras.Model:
    """A functional network of several, which it has as layers.

    Args:
        networks: from `build_members`, dict in and dict out, of the same inputs; where they have "states", the ensemble
            has those of all, one behind the other.
        combine: name of an output -> how it is made of those of the members; others are left out.
    """
    shared = {
        name: keras.Input(value.shape[1:], dtype=value.dtype, name=name)
        for name, value in networks[0].input.items()
        if name != STATES
    }
    inputs, answers = dict[str, Any](shared), []
    for number, network in enumerate(networks):
        own = {name: shared[name] for name in network.input if name != STATES}
        if STATES in network.input:
            own[STATES] = [
                keras.Input(state.shape[1:], dtype=state.dtype, name=f"{MEMBER}{number}_{state.name}")
                for state in network.input[STATES]
            ]
            inputs[STATES] = [*inputs.get(STATES, []), *own[STATES]]
        answers.append(network(own))
    outputs = {name: how(name, [answer[name] for answer in answers]) for name, how in combine.items()}
    if STATES in inputs:
        outputs[STATES] = [state for answer in answers for state in answer[STATES]]
    return keras.Model(inputs, outputs, name="ensemble")


def require_equal(models: Sequence[object], names: Sequence[str]) -> None:
    """Raises ConfigError for the first setting in which configurations of members differ that must not.

    Args:
        models: their settings of the group `model`.
        names: of settings that must be equal.
    """
    for name in names:
        values = list(dict.fromkeys(getattr(model, name) for model in models))
        if len(values) > 1:
            raise ConfigError(f"members of an ensemble must be of one model.{name}, not {values[0]} and {values[1]}")


def members_of(network: keras.Model) -> list[keras.Model]:
    """The networks that one of `side_by_side` is made of; none of any other."""
    return [layer for layer in network.layers if isinstance(layer, keras.Model) and layer.name.startswith(MEMBER)]


def first_of(network: keras.Model) -> keras.Model:
    """The network itself, or the first of its members: where its layers have their usual names."""
    return next(iter(members_of(network)), network)


def apart(states: Sequence[Tensor], counts: Sequence[int]) -> list[Tensors]:
    """States of an ensemble, those of each member by themselves.

    Args:
        states: one behind the other.
        counts: how many each member has.
    """
    ends = list(itertools.accumulate(counts))
    return [list(states[end - count : end]) for end, count in zip(ends, counts, strict=True)]


def log_mean(logits: Sequence[Tensor]) -> Tensor:
    """Logarithms of the mean of the probabilities that several logits `(..., classes)` stand for."""
    each = tf.stack([tf.nn.log_softmax(tf.cast(own, tf.float32)) for own in logits])
    return tf.reduce_logsumexp(each, axis=0) - math.log(len(logits))


def mean_of(name: str, values: Tensors) -> Tensor:
    """The mean of an output, for `side_by_side`."""
    return keras.layers.Average(name=f"mean_of_{name}", dtype="float32")(values)


@keras.saving.register_keras_serializable(package="rnnapps")
class MeanOfProbabilities(keras.layers.Layer):
    """`log_mean` of a list of logits."""

    def call(self, logits: Sequence[Tensor]) -> Tensor:
        """Logarithms of probabilities `(..., classes)`."""
        return log_mean(logits)

    def compute_output_shape(self, shapes: Sequence[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        """That of each of them."""
        return shapes[0]


def mean_of_probabilities(name: str, logits: Tensors) -> Tensor:
    """`log_mean` of an output, for `side_by_side`."""
    return MeanOfProbabilities(name=f"mean_of_{name}", dtype="float32")(logits)


def first_alone(name: str, values: Tensors) -> Tensor:
    """An output that is the same for all members, for `side_by_side`."""
    return values[0]
