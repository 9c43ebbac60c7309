"""A recurrent layer around any cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.cells.base import Cell
from rnnapps.cells.linear import LinearCell
from rnnapps.errors import ConfigError
from rnnapps.kernels import reference
from rnnapps.kernels.choice import Kernel, check_kernel, in_xla_program, kernel_for
from rnnapps.kernels.linear_scan import Form, linear_scan
from rnnapps.kernels.sequential import scan
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
        kernel: "auto" (see `rnnapps.kernels.choice.kernel_for`) or the one to use.
        recompute_every: keep only every k-th state for the gradient and recompute the others; 0 keeps all.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.

    Attributes:
        kernel_used: the kernel the last call or trace ran, None before the first.

    Raises:
        ConfigError: the cell is no `Cell`, or the kernel does not exist or cannot run this cell.
    """

    def __init__(
        self,
        cell: Cell,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        reverse: bool = False,
        kernel: Kernel = "auto",
        recompute_every: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(cell, Cell):
            raise ConfigError(f"Recurrent: expected a rnnapps.cells.Cell, got {type(cell).__name__}")
        if kernel == "parallel" and not isinstance(cell, LinearCell):
            raise ConfigError(f'kernel: "parallel" needs a LinearCell, {type(cell).__name__} is none')
        if recompute_every < 0:
            raise ConfigError(f"recompute_every: expected 0 or more steps, got {recompute_every}")
        self.cell, self.reverse = cell, reverse
        self.return_sequences, self.return_state = return_sequences, return_state
        self.kernel, self.recompute_every = check_kernel(kernel), recompute_every
        self.kernel_used: Kernel | None = None
        self.supports_masking = True
        self._compiled_eager: Callable[..., tuple[Tensor, Tensors]] | None = None

    def build(
        self, sequences_shape: Sequence[int | None], initial_state_shape: Sequence[Sequence[int | None]] | None = None
    ) -> None:
        """Makes the cell's weights for inputs `(batch, time, features)`."""
        if not self.cell.built:
            self.cell.build((sequences_shape[0], sequences_shape[-1]))
            self.cell.built = True

    def initial_states(self, batch_size: Size) -> Tensors:
        """Zero states, each `(batch, size)`."""
        return self.cell.initial_states(batch_size)

    def call(
        self,
        sequences: Tensor,
        initial_state: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool = False,
    ) -> Tensor | Tensors:
        """Runs the layer.

        Args:
            sequences: inputs `(batch, time, features)`.
            initial_state: states before the first step, each `(batch, size)`; zeros by default.
            mask: bool `(batch, time)`, True where a step is valid.
            training: whether cells that behave differently while training (zoneout) do so.

        Returns:
            The outputs, or `[outputs, *states]` with `return_state`.
        """
        states = self.initial_states(tf.shape(sequences)[0]) if initial_state is None else list(initial_state)
        states = [tf.ensure_shape(state, [sequences.shape[0], None]) for state in states]
        if tf.executing_eagerly() and self.kernel != "reference":
            outputs, final = self._eager_run()(sequences, states, mask, training, traced=False)
        else:
            outputs, final = self._run(sequences, states, mask, training, traced=True)
        outputs = outputs if self.return_sequences else _last(outputs, mask, self.reverse)
        return [outputs, *final] if self.return_state else outputs

    def _eager_run(self) -> Callable[..., tuple[Tensor, Tensors]]:
        """`_run` as a function that is traced once, for calls outside of any function."""
        if self._compiled_eager is None:
            self._compiled_eager = tf.function(self._run, reduce_retracing=True, autograph=False)
        return self._compiled_eager

    def _run(
        self, sequences: Tensor, states: Tensors, mask: Tensor | None, training: bool, *, traced: bool
    ) -> tuple[Tensor, Tensors]:
        """All outputs `(batch, time, output_size)` and the final states, by the kernel that is asked for or chosen."""
        kernel = self.kernel_used = self._resolve(sequences, training, traced)
        if mask is not None:
            mask = tf.cast(mask, tf.bool)
            # Padding may hold anything, NaN too, and 0 * NaN in a gradient is NaN.
            sequences = tf.where(mask[..., None], sequences, tf.zeros_like(sequences))
        if kernel == "reference":
            projected = self.cell.project(sequences, training=training)
            outputs, final = reference.scan(self.cell, projected, states, mask=mask, reverse=self.reverse)
        else:
            outputs, final = self._run_time_major(sequences, states, mask, training=training, kernel=kernel)
        return self.cell.emit(sequences, outputs, training=training), final

    def _run_time_major(
        self, sequences: Tensor, states: Tensors, mask: Tensor | None, *, training: bool, kernel: Kernel
    ) -> tuple[Tensor, Tensors]:
        """`_run` by a fast kernel: time leads within, so that each step's entries lie side by side in memory."""
        projected = self.cell.project(tf.transpose(sequences, [1, 0, 2]), training=training)
        mask = None if mask is None else tf.transpose(mask)
        if isinstance(self.cell, LinearCell):
            form: Form = "parallel" if kernel == "parallel" else "sequential"
            a, b = projected
            outputs, last = linear_scan(a, b, states[0], mask=mask, reverse=self.reverse, form=form)
            final = [last]
        else:
            outputs, final = scan(
                self.cell,
                projected,
                states,
                mask=mask,
                reverse=self.reverse,
                time_major=True,
                training=bool(training),
                recompute_every=self.recompute_every,
                compiled=kernel == "xla" and not in_xla_program(),
            )
        return tf.transpose(outputs, [1, 0, 2]), final

    def _resolve(self, sequences: Tensor, training: bool, traced: bool) -> Kernel:
        """The kernel for these shapes, if none was asked for by name."""
        if self.kernel != "auto":
            return self.kernel
        batch, time = sequences.shape[:2]
        return kernel_for(batch=batch, time=time, training=bool(training), inside_xla=in_xla_program(), traced=traced)

    def compute_output_shape(
        self, sequences_shape: Sequence[int | None], initial_state_shape: Sequence[Sequence[int | None]] | None = None
    ) -> Any:
        """Shapes of what `call` returns."""
        batch, time = sequences_shape[:2]
        leading = (batch, time) if self.return_sequences else (batch,)
        outputs = (*leading, self.cell.output_size)
        states = [(batch, size) for size in self.cell.state_size]
        return [outputs, *states] if self.return_state else outputs

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
            "kernel": self.kernel,
            "recompute_every": self.recompute_every,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Recurrent:
        """Makes the layer from `get_config`."""
        return cls(**(config | {"cell": keras.saving.deserialize_keras_object(config["cell"])}))


def _last(outputs: Tensor, mask: Tensor | None, reverse: bool) -> Tensor:
    """The output of each row's last valid step in running order; of an empty row, that of its first step."""
    if mask is None:
        return outputs[:, 0 if reverse else -1]
    steps = tf.range(tf.shape(outputs)[1])
    index = tf.argmax(tf.cast(mask, tf.int32), axis=1) if reverse else tf.reduce_max(tf.where(mask, steps, 0), axis=1)
    return tf.gather(outputs, index, batch_dims=1)
