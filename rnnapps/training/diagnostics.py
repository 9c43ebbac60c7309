"""What happens inside a recurrent network: gradients through time and gate activations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from rnnapps.kernels import reference
from rnnapps.layers.recurrent import Recurrent
from rnnapps.training.gates import GateActivations, summarise_gate

__all__ = [
    "GradientThroughTime",
    "Observation",
    "complete_inputs",
    "layer_name",
    "observe",
    "recurrent_layers",
    "replaced_recurrence",
]


@dataclass(frozen=True)
class GradientThroughTime:
    """How much of a gradient reaches each time step of one recurrent layer.

    A loss that is summed over all steps feeds gradient into every step, which hides what arrives from afar; the
    gradient of the layer's last output alone shows it: flat where the layer can learn from the past, falling
    towards the past where gradients vanish, rising where they explode.

    Attributes:
        layer: name of the layer.
        of: whose gradient: of the "loss" L, or of the layer's "last output" h_last. The latter is v' h_last for one
            random direction v of unit length, with random signs, so it is 1 at the last step.
        state: index of the state; 0 is the output h_t, for an LSTM 1 is the memory c_t.
        norms: Euclidean norm of the total derivative with respect to the state after each step, over batch and units,
            in the order of the input's time steps.
    """

    layer: str
    of: Literal["loss", "last output"]
    state: int
    norms: tuple[float, ...]


@dataclass(frozen=True)
class Observation:
    """What one batch showed.

    Attributes:
        loss: its loss.
        gradients: two entries, of the loss and of the last output, for each state of each recurrent layer.
        gates: one entry for each gate of each recurrent layer; empty for cells without gates.
    """

    loss: float
    gradients: tuple[GradientThroughTime, ...]
    gates: tuple[GateActivations, ...]


@dataclass
class _Recording:
    """One run of one recurrent layer; lists are in the order of the input's time steps."""

    layer: str
    states: list[list[Any]]
    gates: list[dict[str, Any]]
    last_output: Any
    mask: Any


def observe(
    network: keras.Model, inputs: Mapping[str, Any], loss: Callable[[Any], Any], *, training: bool = False
) -> Observation:
    """Runs one batch step by step and reports gradients through time and gate activations.

    The recurrent layers run in a plain loop over time, operation by operation, so that every intermediate state can be
    looked at: about a millisecond for each time step and layer.

    Args:
        network: any network with `Recurrent` layers, alone, in a `Bidirectional` or in a `RecurrentStack`.
        inputs: the network's inputs by name; missing "states" are zeros.
        loss: maps the network's outputs to a scalar.
        training: run with dropout.

    Raises:
        ValueError: the network has no recurrent layer.
    """
    recordings: list[_Recording] = []
    with tf.GradientTape(persistent=True) as tape:
        with replaced_recurrence(network, lambda layer, *arguments: _watch(layer, tape, recordings, *arguments)):
            outputs = network(complete_inputs(network, inputs), training=training)
        value = loss(outputs)
        directions = [_along_random_direction(recording.last_output) for recording in recordings]
    return Observation(
        loss=float(value),
        gradients=tuple(
            gradient
            for recording, direction in zip(recordings, directions, strict=True)
            for gradient in (
                *_through_time(tape, recording, value, "loss"),
                *_through_time(tape, recording, direction, "last output"),
            )
        ),
        gates=tuple(summary for recording in recordings for summary in _summarise_gates(recording)),
    )


def recurrent_layers(network: keras.Model) -> list[Recurrent]:
    """All `Recurrent` layers of a network, also those inside other layers, each once, in the order they were made."""
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, Recurrent)]
    if not layers:
        raise ValueError(f"network '{network.name}' has no Recurrent layer: nothing to look at through time")
    return layers


def layer_name(layer: keras.layers.Layer) -> str:
    """Path of a layer within its network, such as "encoder/layer_0"."""
    return str(layer.path or layer.name)


def complete_inputs(network: keras.Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as tensors, with zero "states" where the network asks for states and `inputs` has none."""
    tensors: dict[str, Any] = tf.nest.map_structure(tf.convert_to_tensor, dict(inputs))
    wanted = network.input
    if not isinstance(wanted, Mapping) or "states" not in wanted or "states" in tensors:
        return tensors
    batch_size = tf.nest.flatten(tensors)[0].shape[0]
    zeros = tf.nest.map_structure(lambda state: tf.zeros((batch_size, *state.shape[1:]), state.dtype), wanted["states"])
    return {**tensors, "states": zeros}


Run = Callable[[Recurrent, Any, list[Any], Any, bool], tuple[Any, list[Any]]]


@contextmanager
def replaced_recurrence(network: keras.Model, run: Run) -> Iterator[None]:
    """Lets `run` do the work of every `Recurrent` layer of a network for a while.

    Args:
        network: the network; unchanged afterwards.
        run: maps (layer, inputs (batch, time, features), initial states, bool mask (batch, time) or None, training)
            to the outputs (batch, time, units) of all steps and the final states. Masked inputs are zeros.
    """
    layers = recurrent_layers(network)
    kernels = [layer.kernel for layer in layers]
    try:
        for layer in layers:
            layer.kernel = "reference"  # the only one that is not compiled in eager calls
            layer.__dict__["_run"] = _replacement(layer, run)
        yield
    finally:
        for layer, kernel in zip(layers, kernels, strict=True):
            layer.kernel = kernel
            layer.__dict__.pop("_run", None)


def _replacement(layer: Recurrent, run: Run) -> Callable[..., tuple[Any, list[Any]]]:
    def replaced(inputs: Any, states: list[Any], mask: Any, training: bool) -> tuple[Any, list[Any]]:
        if mask is not None:
            mask = tf.cast(mask, tf.bool)
            inputs = tf.where(mask[..., None], inputs, tf.zeros_like(inputs))
        return run(layer, inputs, states, mask, training)

    return replaced


def _watch(
    layer: Recurrent,
    tape: tf.GradientTape,
    recordings: list[_Recording],
    inputs: Any,
    states: list[Any],
    mask: Any,
    training: bool,
) -> tuple[Any, list[Any]]:
    """Runs one layer as a plain loop under the tape, and appends what it saw to `recordings`."""
    cell = layer.cell
    projected = cell.project(inputs, training=training)
    tape.watch(tf.nest.flatten(projected))
    seen = reference.hidden_states(cell, projected, states, mask=mask, reverse=layer.reverse)
    before = [*seen[1:], states] if layer.reverse else [states, *seen[:-1]]
    last = seen[0 if layer.reverse else -1]
    with tape.stop_recording():
        gates = [_gates(cell, projected, step, previous) for step, previous in enumerate(before)]
    recordings.append(_Recording(layer_name(layer), seen, gates, last[0], mask))
    outputs = tf.stack([step_states[0] for step_states in seen], axis=1)
    return cell.emit(inputs, outputs, training=training), last


def _gates(cell: Any, projected: Any, step: int, previous: Sequence[Any]) -> dict[str, Any]:
    step_input = tf.nest.map_structure(lambda values: values[:, step], projected)
    gates: dict[str, Any] = cell.gates(step_input, cell.recur(previous[0]), previous)
    return gates


def _through_time(
    tape: tf.GradientTape, recording: _Recording, value: Any, of: Literal["loss", "last output"]
) -> Iterator[GradientThroughTime]:
    steps = tape.gradient(value, recording.states, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    for state in range(len(recording.states[0])):
        yield GradientThroughTime(recording.layer, of, state, tuple(_norm(step[state]) for step in steps))


def _along_random_direction(output: Any) -> Any:
    """The scalar v' h for v of random signs and unit length; always the same v for the same shape."""
    signs = 2 * tf.random.stateless_uniform(output.shape, seed=(1, 2), maxval=2, dtype=tf.int32) - 1
    return tf.reduce_sum(output * tf.cast(signs, output.dtype)) / math.sqrt(math.prod(output.shape))


def _norm(gradient: Any) -> float:
    return float(tf.norm(tf.cast(gradient, tf.float64)))


def _summarise_gates(recording: _Recording) -> Iterator[GateActivations]:
    steps = len(recording.states)
    valid = np.ones((recording.states[0][0].shape[0], steps), bool) if recording.mask is None else recording.mask
    for gate in recording.gates[0]:
        values = np.stack([keras.ops.convert_to_numpy(step[gate]).astype(np.float64) for step in recording.gates], 1)
        yield summarise_gate(recording.layer, gate, values, np.asarray(valid))
