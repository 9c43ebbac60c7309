"""Looks inside a trained network: pictures, and tables for a terminal or a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras

from rnnapps.atomic import write_atomically
from rnnapps.contract.sections import Table, Value
from rnnapps.errors import CheckpointError
from rnnapps.reports.plots import Plot, arrange, plot_gates, plot_gradients
from rnnapps.training.cost import (
    LayerMemory,
    ParameterCount,
    count_operations,
    count_parameters,
    recurrent_memory,
)
from rnnapps.training.diagnostics import Observation, observe
from rnnapps.training.operations import Operations
from rnnapps.training.step_memory import measure_step_memory
from rnnapps.types import Nest, Tensor

__all__ = ["Inspection", "inspect_network", "inspect_run"]


@dataclass(frozen=True)
class Inspection:
    """What one batch shows of a network.

    Attributes:
        observation: gradients through time and gate activations.
        parameters: parameters by layer.
        operations: floating-point operations of one batch, by part.
        memory: bytes each recurrent layer keeps for the backward pass.
        measured_memory: measured rise of peak memory in one step that is not compiled, in bytes; None where it was
            not, or could not be, measured.
        batch_size: number of sequences in the batch.
        time_steps: their length, in time steps.
        plots: name of a picture file, without ending -> its panels.
    """

    observation: Observation
    parameters: tuple[ParameterCount, ...]
    operations: tuple[Operations, ...]
    memory: tuple[LayerMemory, ...]
    measured_memory: int | None
    batch_size: int
    time_steps: int
    plots: Mapping[str, tuple[Plot, ...]]

    def tables(self) -> tuple[Table, ...]:
        """All tables, in the order to print them."""
        return self.parameter_table(), self.cost_table(), self.gradient_table(), self.gate_table()

    def parameter_table(self) -> Table:
        """Parameters by layer, and their total."""
        counts = [(count.trainable, count.frozen, count.statistics) for count in self.parameters]
        kinds = 3 if any(statistics for *_, statistics in counts) else 2
        names = ("Layer", "trainable", "frozen", "statistics")[: kinds + 1]
        rows: list[tuple[Value, ...]] = [
            (count.layer, *own[:kinds]) for count, own in zip(self.parameters, counts, strict=True)
        ]
        totals = [sum(own[kind] for own in counts) for kind in range(kinds)]
        return Table(names, [*rows, ("total", *totals)], caption="Parameters")

    def cost_table(self) -> Table:
        """Operations and memory of one training step."""
        rows: list[tuple[Value, ...]] = [
            (f"operations, {part.part}{_loops(part)}, millions", part.forward / 1e6, part.training / 1e6)
            for part in self.operations
        ]
        forward = sum(part.forward for part in self.operations) / 1e6
        training = sum(part.training for part in self.operations) / 1e6
        rows.append(("operations, total, millions", forward, training))
        rows += [
            (f"kept for the backward pass, {layer.layer}, MiB", None, layer.total / 2**20) for layer in self.memory
        ]
        if self.measured_memory is not None:
            rows.append(("measured rise of peak memory (not compiled), MiB", None, self.measured_memory / 2**20))
        caption = (
            f"One batch of {self.batch_size} x {self.time_steps} time steps. A multiplication and an addition are two "
            f"operations; training is estimated as three times the forward pass"
        )
        return Table(("", "forward", "training"), rows, caption=caption)

    def gradient_table(self) -> Table:
        """Gradient norms at the first, middle and last time step."""
        rows: list[tuple[Value, ...]] = []
        for gradient in self.observation.gradients:
            norms = gradient.norms
            name = f"{gradient.of}, {gradient.layer}, state {gradient.state}"
            rows.append((name, norms[0], norms[len(norms) // 2], norms[-1]))
        columns = ("Gradient", "first step", "middle step", "last step")
        return Table(columns, rows, caption="Norm of the gradient with respect to a recurrent state")

    def gate_table(self) -> Table:
        """Mean and saturation of each gate."""
        rows = [(f"{gate.layer} {gate.gate}", gate.mean, gate.low, gate.high) for gate in self.observation.gates]
        caption = "Gate activations; low and high are the lowest and the highest tenth of the gate's range"
        return Table(("Gate", "mean", "share low", "share high"), rows, caption=caption)


def inspect_network(
    network: keras.Model,
    batch: Mapping[str, Nest],
    loss: Callable[[Nest, Mapping[str, Nest]], Tensor],
    *,
    measure_memory: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Inspection:
    """Looks at a network through one batch.

    Args:
        network: any network with `Recurrent` layers.
        batch: one batch as `Objective.batches` yields it: {"inputs": {...}, "targets": ...}.
        loss: `Objective.loss`.
        measure_memory: also measure the memory of a step, in a process of its own: some ten seconds more.
        progress: is told what is being done, a line each.

    Raises:
        ValueError: the network has no recurrent layer, or the batch no input with a time dimension.
    """
    say = progress or (lambda line: None)
    inputs: Mapping[str, Nest] = batch["inputs"]
    batch_size, time_steps = _sequence_shape(inputs)

    def loss_of(outputs: Nest) -> Tensor:
        return loss(outputs, batch)

    say(f"following gradients through {time_steps} time steps of {batch_size} sequences")
    observation = observe(network, inputs, loss_of)
    say("counting parameters and operations")
    parameters, operations = count_parameters(network), count_operations(network, inputs)
    memory = recurrent_memory(network, inputs)
    measured = None
    if measure_memory:
        say("measuring the memory of a training step in a fresh process")
        measured = measure_step_memory(network, inputs)
    say("drawing pictures")
    plots = {"gradient_through_time": plot_gradients(observation.gradients)}
    if observation.gates:
        plots["gates"] = plot_gates(observation.gates)
    return Inspection(observation, parameters, operations, memory, measured, batch_size, time_steps, plots)


def inspect_run(
    network: keras.Model,
    batch: Mapping[str, Nest],
    loss: Callable[[Nest, Mapping[str, Nest]], Tensor],
    folder: str | Path,
    *,
    measure_memory: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Inspection:
    """Looks at a network through one batch and writes the pictures as `folder/<name>.png`.

    Args:
        network: any network with `Recurrent` layers.
        batch: one batch as `Objective.batches` yields it.
        loss: `Objective.loss`.
        folder: where the pictures go; made if it is missing.
        measure_memory: also measure the memory of a step, in a process of its own: some ten seconds more.
        progress: is told what is being done, a line each.

    Raises:
        CheckpointError: the folder cannot be written.
        ValueError: the network has no recurrent layer.
    """
    inspection = inspect_network(network, batch, loss, measure_memory=measure_memory, progress=progress)
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, panels in inspection.plots.items():
            write_atomically(target / f"{name}.png", arrange(panels).png())
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(f"{target}: cannot write pictures: {reason}; choose a folder you can write") from error
    return inspection


def _sequence_shape(inputs: Mapping[str, Nest]) -> tuple[int, int]:
    """Batch size and time steps of the input with most dimensions, the first of several; states have no time."""
    sequences = [value for name, value in inputs.items() if name != "states" and len(value.shape) >= 2]
    if not sequences:
        raise ValueError(f"expected an input (batch, time, ...) in the batch, got only {', '.join(inputs)}")
    sequence = max(sequences, key=lambda value: len(value.shape))
    return int(sequence.shape[0]), int(sequence.shape[1])


def _loops(part: Operations) -> str:
    """What the counts of a part leave out, or nothing."""
    return f" (without {part.uncounted_loops} loops of unknown length)" if part.uncounted_loops else ""
