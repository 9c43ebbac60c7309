"""A recurrent layer around any cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.cells.linear import LinearCell
from rnnapps.cells.matrix_linear import MatrixLinearCell
from rnnapps.cells.refused import refuse
from rnnapps.errors import ConfigError
from rnnapps.kernels import chunkwise, reference
from rnnapps.kernels.choice import Kernel, check_kernel, in_xla_program, kernel_for
from rnnapps.kernels.linear_scan import Form, linear_scan
from rnnapps.kernels.portable_graph import becomes_native
from rnnapps.kernels.sequential import scan
from rnnapps.kernels.tangents import differentiated_again
from rnnapps.layers.arguments import (
    as_states,
    check_arguments,
    check_cell,
    check_constants,
    check_elapsed,
    given,
    matched,
    valid_steps,
)
from rnnapps.layers.elapsed import since_last
from rnnapps.layers.last import last_output
from rnnapps.layers.native import has_native_form, native_scan
from rnnapps.layers.running import Running
from rnnapps.layers.variational import check_rates, drawn_inputs, drawn_units
from rnnapps.layers.weight_drop import WeightDrop
from rnnapps.types import Nest, Size, Tensor, Tensors

__all__ = ["Recurrent"]


@keras.saving.register_keras_serializable(package="rnnapps")
class Recurrent(keras.layers.Layer):
    """Runs a cell over time; drop-in for `keras.layers.RNN`.

    It is never stateful: states are arguments and results. A masked step (mask False) carries all states through,
    whatever its inputs hold.

    Args:
        cell: a `rnnapps.cells.Cell`, the user's own too.
        return_sequences: return all outputs `(batch, time, output_size)` instead of the last `(batch, output_size)`.
        return_state: also return the final states: `[outputs, *states]`.
        reverse: run from the last step to the first; outputs keep the order of the inputs.
        go_backwards: the same, but outputs in the order they were computed, the last step's first, as in Keras.
        zero_output_for_mask: masked steps give zeros; by default they repeat the last output.
        dropout: share of the inputs' features set to zero while training, the same ones at every step of a row (Gal &
            Ghahramani 2016, arXiv:1512.05287), as in Keras.
        recurrent_dropout: the same of what the cell's recurrent weights read of the output.
        weight_drop: share of the cell's recurrent weights set to zero while training, the same ones for all rows and
            steps of a call (Merity et al. 2017, arXiv:1708.02182, section 2); `Cell.recurrent_weights` says which.
        seed: seed of all three.
        kernel: "auto" (see `rnnapps.kernels.choice.kernel_for`) or the one to use.
        recompute_every: keep only every k-th state for the gradient and recompute the others; 0 keeps all.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer. A dtype that is given holds for the cell too; by
            default the layer has the cell's.

    Attributes:
        features: number of features it was built for, None before.
        kernel_used: the kernel the last call or trace ran, None before the first.

    Raises:
        ConfigError: the cell is no `Cell`, or the kernel does not exist or cannot run this cell; an argument of
            `keras.layers.RNN` that does not exist here; a call with wrong ranks, sizes or numbers of states.
    """

    def __init__(
        self,
        cell: Cell,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        reverse: bool = False,
        go_backwards: bool = False,
        zero_output_for_mask: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_drop: float = 0.0,
        seed: int | None = None,
        kernel: Kernel = "auto",
        recompute_every: int = 0,
        **kwargs: Any,
    ) -> None:
        check_cell(cell)
        check_rates(cell, dropout, recurrent_dropout, weight_drop)
        refuse(type(self).__name__, kwargs, "stateful", "unroll", "use_cudnn")
        dtype = kwargs.pop("dtype", None)
        super().__init__(dtype=cell.dtype_policy if dtype is None else dtype, **kwargs)
        cell.use_dtype(self.dtype_policy)
        _check_way(cell, kernel, recompute_every)
        self.cell, self.reverse = cell, reverse
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.zero_output_for_mask = go_backwards, zero_output_for_mask
        self.dropout, self.recurrent_dropout, self.seed = dropout, recurrent_dropout, seed
        self.weight_drop, self._dropping = weight_drop, WeightDrop(weight_drop)
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout or recurrent_dropout or weight_drop else None
        self.kernel, self.recompute_every = kernel, recompute_every
        self.kernel_used: Kernel | None = None
        self.supports_masking = True
        self._compiled_eager: Callable[..., tuple[Tensor, Tensors]] | None = None
        self._compiled_for = ""
        self.features: int | None = None

    @property
    def stateful(self) -> bool:
        """Always False: states are arguments and results. `keras.layers.Bidirectional` asks."""
        return False

    @property
    def runs_backwards(self) -> bool:
        """Whether the last step is read first."""
        return self.reverse != self.go_backwards

    def use_dtype(self, policy: keras.DTypePolicy) -> None:
        """Makes layer and cell, not built yet, compute by another policy."""
        self.dtype_policy = policy
        self.cell.use_dtype(policy)

    def build(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Sequence[int | None]] | None = None,
        constants_shape: Nest = None,
    ) -> None:
        """Makes the cell's weights for inputs `(batch, time, features)` and constants of these shapes."""
        self.features = sequences_shape[-1]
        self.cell.build_for((sequences_shape[0], sequences_shape[-1]), constants_shape)
        self._dropping.find(self.cell)

    def initial_states(self, batch_size: Size) -> Tensors:
        """Zero states, each `(batch, *shape)`, `(batch, size)` for most."""
        return self.cell.initial_states(batch_size)

    def __call__(self, sequences: Tensor, *others: Any, **named: Any) -> Any:
        """Runs the layer, as `call` says, once its arguments were checked."""
        order = ("initial_state", "mask", "training", "constants", "elapsed")
        states, mask, _, constants, elapsed = given(others, named, *order)
        shapes = self.cell.state_shapes
        check_arguments(self, sequences, states, mask, shapes=shapes, features=self.features)
        check_constants(self, sequences, constants, [self.cell])
        check_elapsed(self, sequences, elapsed, [self.cell])
        return super().__call__(sequences, *others, **named)

    def call(
        self,
        sequences: Tensor,
        initial_state: Sequence[Tensor] | Tensor | None = None,
        mask: Tensor | None = None,
        training: bool = False,
        *,
        constants: Nest = None,
        elapsed: Tensor | None = None,
    ) -> Tensor | Tensors:
        """Runs the layer.

        Args:
            sequences: inputs `(batch, time, features)`.
            initial_state: states before the first step, each `(batch, size)`; one alone may be bare; zeros by default.
            mask: `(batch, time)`, True or not 0 where a step is valid.
            training: whether cells that behave differently while training (zoneout) do so.
            constants: what stays the same over a sequence, a tensor `(batch, ...)` or a nest of such, for a cell that
                reads it; not touched by `mask`.
            elapsed: time since the step before, `(batch, time)`, 0 or more, for a cell that reads it. At the first
                step, the time since the initial state. That of masked steps is added to the next valid one's.

        Returns:
            The outputs, or `[outputs, *states]` with `return_state`.
        """
        states = self.initial_states(tf.shape(sequences)[0]) if initial_state is None else as_states(initial_state)
        states, mask = matched(states, sequences.shape[0]), valid_steps(mask)
        kept, dropped = None, self._dropping.draw(self.seed_generator) if training else None
        if training and self.dropout:
            sequences = drawn_inputs(sequences, self.dropout, self.seed_generator)
        if training and self.recurrent_dropout:
            kept = drawn_units(sequences, self.cell.output_size, self.recurrent_dropout, self.seed_generator)
        gaps = None
        if elapsed is not None:
            gaps = since_last(tf.cast(elapsed, self.compute_dtype), mask, reverse=self.runs_backwards)[..., None]
        running = Running(sequences, states, mask, kept, constants, gaps, dropped)
        if tf.executing_eagerly() and not self._takes_plain_operations(running):
            outputs, final = self._eager_run()(running, training=training, traced=False)
        else:
            outputs, final = self._run(running, training=training, traced=True)
        if not self.return_sequences:
            outputs = last_output(outputs, states[0], mask, reverse=self.runs_backwards)
        else:
            outputs = self._arranged(outputs, mask)
        return [outputs, *final] if self.return_state else outputs

    def _arranged(self, outputs: Tensor, mask: Tensor | None) -> Tensor:
        """The outputs as they are asked for: zeros at masked steps, and in which order."""
        if mask is not None and self.zero_output_for_mask:
            outputs = tf.where(mask[..., None], outputs, tf.zeros_like(outputs))
        return tf.reverse(outputs, axis=[1]) if self.go_backwards else outputs

    def _takes_plain_operations(self, running: Running) -> bool:
        """Whether they were asked for, or forward mode follows the call and its tangents are differentiated."""
        weights = [weight.value for weight in self.cell.trainable_variables]
        followed = [running.sequences, running.states, running.memory, running.elapsed, weights]
        return self.kernel == "reference" or differentiated_again(followed)

    def _eager_run(self) -> Callable[..., tuple[Tensor, Tensors]]:
        """`_run` as a function that is traced once, for calls outside of any function; anew for another way to run."""
        way = f"{id(self.cell)} {self.runs_backwards} {self.kernel} {self.recompute_every} {self.dtype_policy.name}"
        if self._compiled_eager is None or way != self._compiled_for:
            self._compiled_eager = tf.function(self._run, reduce_retracing=True, autograph=False)
            self._compiled_for = way
        return self._compiled_eager

    def _run(self, running: Running, *, training: bool, traced: bool) -> tuple[Tensor, Tensors]:
        """All outputs `(batch, time, output_size)` and the final states, by the kernel that is asked for or chosen."""
        kernel = self.kernel_used = self._resolve(running, training, traced)
        sequences, states, mask, kept, memory, elapsed, dropped = running
        if mask is not None:
            # Padding may hold anything, NaN too, and 0 * NaN in a gradient is NaN.
            sequences = tf.where(mask[..., None], sequences, tf.zeros_like(sequences))
        several = kernel == "reference" and sequences.shape[1] > 1
        plain = kept is None and dropped is None
        if several and plain and has_native_form(self.cell) and becomes_native():
            outputs, final = native_scan(self.cell, sequences, states, mask, reverse=self.runs_backwards)
        elif kernel == "reference":
            projected = self.cell.project_after(sequences, elapsed, training=training)
            reverse, fixed = self.runs_backwards, self.cell.fixed(memory)
            with self._dropping.using(dropped):
                outputs, final = reference.scan(
                    self.cell, projected, states, mask=mask, kept=kept, constants=fixed, reverse=reverse
                )
        else:
            running = running._replace(sequences=sequences)
            outputs, final = self._run_time_major(running, training=training, kernel=kernel)
        return self.cell.emit(sequences, outputs, training=training), final

    def _run_time_major(self, running: Running, *, training: bool, kernel: Kernel) -> tuple[Tensor, Tensors]:
        """`_run` by a fast kernel: time leads within, so that each step's entries lie side by side in memory."""
        sequences, states, mask, kept, memory, elapsed, dropped = running
        elapsed = None if elapsed is None else tf.transpose(elapsed, [1, 0, 2])
        projected = self.cell.project_after(tf.transpose(sequences, [1, 0, 2]), elapsed, training=training)
        mask = None if mask is None else tf.transpose(mask)
        recurrence = self.cell.recurrence()
        if isinstance(recurrence, LinearCell):
            form: Form = "parallel" if kernel == "parallel" else "sequential"
            a, b = projected
            outputs, last = linear_scan(a, b, states[0], mask=mask, reverse=self.runs_backwards, form=form)
            final = [last]
        elif isinstance(recurrence, MatrixLinearCell):
            compiled = kernel == "xla" and not in_xla_program()
            reverse = self.runs_backwards
            outputs, final = chunkwise.scan(
                recurrence, projected, states, mask=mask, reverse=reverse, time_major=True, compiled=compiled
            )
        else:
            fixed = self.cell.fixed(memory)
            with self._dropping.using(dropped):
                outputs, final = scan(
                    self.cell,
                    projected,
                    states,
                    mask=mask,
                    kept=kept,
                    constants=fixed,
                    reverse=self.runs_backwards,
                    time_major=True,
                    training=bool(training),
                    recompute_every=self.recompute_every,
                    compiled=kernel == "xla" and not in_xla_program(),
                )
        return tf.transpose(outputs, [1, 0, 2]), final

    def _resolve(self, running: Running, training: bool, traced: bool) -> Kernel:
        """The kernel for these shapes and derivatives, if none was asked for by name."""
        batch, time = running.sequences.shape[:2]
        if time == 0:
            return "graph"  # the only one that takes no step
        if time is None and self.kernel == "reference":
            raise ConfigError('kernel: "reference" needs a fixed number of time steps, got one that varies; use "auto"')
        if time is not None and self._takes_plain_operations(running):
            return "reference"
        if self.kernel != "auto":
            return self.kernel
        return kernel_for(
            batch=batch,
            time=time,
            training=bool(training),
            inside_xla=in_xla_program(),
            traced=traced,
            by_chunks=isinstance(self.cell.recurrence(), MatrixLinearCell),
        )

    def compute_output_shape(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Sequence[int | None]] | None = None,
        constants_shape: Nest = None,
    ) -> Any:
        """Shapes of what `call` returns."""
        batch, time = sequences_shape[:2]
        leading = (batch, time) if self.return_sequences else (batch,)
        outputs = (*leading, self.cell.output_size)
        states = [(batch, *shape) for shape in self.cell.state_shapes]
        return (outputs, *states) if self.return_state else outputs

    def compute_mask(self, sequences: Tensor, previous_mask: Tensor | None) -> Nest:
        """The mask goes on with sequences and ends with the last output."""
        mask = previous_mask if self.return_sequences else None
        return [mask, *(None for _ in self.cell.state_size)] if self.return_state else mask

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "cell": keras.saving.serialize_keras_object(self.cell),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "reverse": self.reverse,
            "go_backwards": self.go_backwards,
            "zero_output_for_mask": self.zero_output_for_mask,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "weight_drop": self.weight_drop,
            "seed": self.seed,
            "kernel": self.kernel,
            "recompute_every": self.recompute_every,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Recurrent:
        """Makes the layer from `get_config`."""
        return cls(**(config | {"cell": keras.saving.deserialize_keras_object(config["cell"])}))


def _check_way(cell: Cell, kernel: str, recompute_every: int) -> None:
    """Checks how a layer is to run its cell.

    Raises:
        ConfigError: not by this kernel, or a number of steps below 0.
    """
    check_kernel(kernel)
    if kernel == "parallel" and not isinstance(cell.recurrence(), LinearCell):
        raise ConfigError(f'kernel: "parallel" needs a LinearCell, {type(cell).__name__} is none')
    if recompute_every < 0:
        raise ConfigError(f"recompute_every: expected 0 or more steps, got {recompute_every}")
