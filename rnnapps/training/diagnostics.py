"""What happens inside a recurrent network: gradients through time and gate activations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import keras
import numpy as np
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.kernels import reference
from rnnapps.layers.recurrent import Recurrent
from rnnapps.layers.running import Running
from rnnapps.training.gates import GateActivations, summarise_gate
from rnnapps.training.recurrence import complete_inputs, layer_name, replaced_recurrence
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["GradientThroughTime", "Observation", "observe"]


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
    states: list[Tensors]
    gates: list[dict[str, Tensor]]
    last_output: Tensor
    mask: Tensor | None


def observe(
    network: keras.Model, inputs: Mapping[str, Nest], loss: Callable[[Nest], Tensor], *, training: bool = False
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
        with replaced_recurrence(network, _Watch(tape, recordings).run):
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


@dataclass
class _Watch:
    """Runs recurrent layers as plain loops under a tape, and keeps what it sees of each in `recordings`."""

    tape: tf.GradientTape
    recordings: list[_Recording]

    def run(self, layer: Recurrent, running: Running, *, training: bool) -> tuple[Tensor, Tensors]:
        """One layer; arguments and results as `replaced_recurrence` describes them."""
        cell, (inputs, states, mask, _, memory, elapsed, _) = layer.cell, running
        projected, constants = cell.project_after(inputs, elapsed, training=training), cell.fixed(memory)
        self.tape.watch(tf.nest.flatten(projected))
        seen = reference.hidden_states(cell, projected, states, mask=mask, constants=constants, reverse=layer.reverse)
        # The states before each step, in the order of the input's time steps, like those after it in `seen`.
        before = [*seen[1:], states] if layer.reverse else [states, *seen[:-1]]
        last = seen[0 if layer.reverse else -1]
        with self.tape.stop_recording():
            gates = [
                _gates(cell, projected, step, previous, constants=constants) for step, previous in enumerate(before)
            ]
        self.recordings.append(_Recording(layer_name(layer), seen, gates, last[0], mask))
        outputs = tf.stack([step_states[0] for step_states in seen], axis=1)
        return cell.emit(inputs, outputs, training=training), last


def _gates(
    cell: Cell, projected: Nest, step: int, previous: Sequence[Tensor], *, constants: tuple[Nest, ...]
) -> dict[str, Tensor]:
    """The gates of one step of a whole sequence, each `(batch, units)`."""
    step_input = tf.nest.map_structure(lambda values: values[:, step], projected)
    return cell.named_gates(step_input, cell.recur(previous[0]), previous, *constants)


def _through_time(
    tape: tf.GradientTape, recording: _Recording, value: Tensor, of: Literal["loss", "last output"]
) -> Iterator[GradientThroughTime]:
    """The norms of one gradient at all steps, one entry for each state."""
    steps = tape.gradient(value, recording.states, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    for state in range(len(recording.states[0])):
        yield GradientThroughTime(recording.layer, of, state, tuple(_norm(step[state]) for step in steps))


def _along_random_direction(output: Tensor) -> Tensor:
    """The scalar v' h for v of random signs and unit length; always the same v for the same shape."""
    signs = 2 * tf.random.stateless_uniform(output.shape, seed=(1, 2), maxval=2, dtype=tf.int32) - 1
    return tf.reduce_sum(output * tf.cast(signs, output.dtype)) / math.sqrt(math.prod(output.shape))


def _norm(gradient: Tensor) -> float:
    """Euclidean norm in float64."""
    return float(tf.norm(tf.cast(gradient, tf.float64)))


def _summarise_gates(recording: _Recording) -> Iterator[GateActivations]:
    """Statistics of each gate over the steps that are not masked."""
    steps = len(recording.states)
    valid = np.ones((recording.states[0][0].shape[0], steps), bool) if recording.mask is None else recording.mask
    for gate in recording.gates[0]:
        values = np.stack([keras.ops.convert_to_numpy(step[gate]).astype(np.float64) for step in recording.gates], 1)
        yield summarise_gate(recording.layer, gate, values, np.asarray(valid))
