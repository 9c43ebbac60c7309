"""Two recurrent layers, one in each direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras

from rnnapps.cells.base import Cell
from rnnapps.cells.refused import refuse
from rnnapps.errors import ConfigError
from rnnapps.layers.arguments import as_states, check_arguments, check_constants, check_elapsed, given
from rnnapps.layers.recurrent import Recurrent
from rnnapps.types import Nest, Size, Tensor, Tensors

__all__ = ["Bidirectional", "Merge"]

Merge = Literal["concat", "sum", "mean", "mul"]
_MERGES = {
    "concat": lambda a, b: keras.ops.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mean": lambda a, b: (a + b) / 2,
    "mul": lambda a, b: a * b,
}


@keras.saving.register_keras_serializable(package="rnnapps")
class Bidirectional(keras.layers.Layer):
    """Reads a sequence in both directions, with weights of their own (Schuster & Paliwal 1997).

    Args:
        forward: a `Recurrent` that runs forwards.
        backward: a `Recurrent` with `reverse=True`; by default a new one like `forward`, with its own weights.
        merge: how the outputs are joined: "concat" `(batch, time, 2 * size)`, "sum", "mean" or "mul" (product)
            `(batch, time, size)`; None returns both, `[forward, backward]`.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer. A dtype that is given holds for both directions;
            by default the layer has theirs.

    Raises:
        ConfigError: unknown merge, directions that do not oppose, layers that are no `Recurrent` or return different
            things; a call with wrong ranks, sizes or numbers of states.
    """

    def __init__(
        self, forward: Recurrent, backward: Recurrent | None = None, *, merge: Merge | None = "concat", **kwargs: Any
    ) -> None:
        _check_directions(forward, backward)
        refuse(type(self).__name__, kwargs, "merge_mode", "backward_layer")
        dtype = kwargs.pop("dtype", None)
        super().__init__(dtype=forward.dtype_policy if dtype is None else dtype, **kwargs)
        if merge is not None and merge not in _MERGES:
            raise ConfigError(f"merge: expected one of {', '.join(_MERGES)}, or None, got {merge!r}")
        self.forward, self.merge = forward, merge
        self.backward = _reversed(forward) if backward is None else backward
        for layer in (self.forward, self.backward):
            layer.use_dtype(self.dtype_policy)
        if forward.runs_backwards or not self.backward.reverse or self.backward.go_backwards:
            raise ConfigError("Bidirectional: expected forward with reverse=False and backward with reverse=True")
        for name in ("return_sequences", "return_state"):
            if getattr(forward, name) != getattr(self.backward, name):
                raise ConfigError(f"Bidirectional: both directions need the same {name}")
        self.supports_masking = True

    def build(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Sequence[int | None]] | None = None,
        constants_shape: Nest = None,
    ) -> None:
        """Makes the weights for inputs `(batch, time, features)` and constants of these shapes."""
        for layer in (self.forward, self.backward):
            layer.build(sequences_shape, constants_shape=constants_shape)

    def initial_states(self, batch_size: Size) -> Tensors:
        """Zero states, those of the forward direction first, each `(batch, size)`."""
        return self.forward.initial_states(batch_size) + self.backward.initial_states(batch_size)

    def __call__(self, sequences: Tensor, *others: Any, **named: Any) -> Any:
        """Runs the layer, as `call` says, once its arguments were checked."""
        order = ("initial_state", "mask", "training", "constants", "elapsed")
        states, mask, _, constants, elapsed = given(others, named, *order)
        shapes = self.forward.cell.state_shapes + self.backward.cell.state_shapes
        check_arguments(self, sequences, states, mask, shapes=shapes, features=self.forward.features)
        check_constants(self, sequences, constants, self._cells)
        check_elapsed(self, sequences, elapsed, self._cells)
        return super().__call__(sequences, *others, **named)

    def call(
        self,
        sequences: Tensor,
        initial_state: Sequence[Tensor] | None = None,
        mask: Tensor | None = None,
        training: bool = False,
        *,
        constants: Nest = None,
        elapsed: Tensor | None = None,
    ) -> Tensor | Tensors:
        """Runs both directions; arguments and results as in `Recurrent.call`, states of both, forward first."""
        states = [None, None] if initial_state is None else self._halves(as_states(initial_state))
        results = [
            layer(
                sequences,
                initial_state=state,
                mask=mask,
                training=training,
                constants=constants if layer.cell.takes_constants else None,
                elapsed=elapsed if layer.cell.takes_elapsed else None,
            )
            for layer, state in zip((self.forward, self.backward), states, strict=True)
        ]
        if not self.forward.return_state:
            return self._joined(*results)
        (there, *first), (back, *second) = results
        outputs = self._joined(there, back)
        return [*(outputs if self.merge is None else [outputs]), *first, *second]

    @property
    def _cells(self) -> list[Cell]:
        """The cells of both directions."""
        return [self.forward.cell, self.backward.cell]

    def _joined(self, there: Tensor, back: Tensor) -> Tensor | Tensors:
        """The outputs of both directions, joined as `merge` says."""
        return [there, back] if self.merge is None else _MERGES[self.merge](there, back)

    def _halves(self, states: Tensors) -> list[Tensors]:
        """The states of the forward and of the backward direction."""
        count = len(self.forward.cell.state_size)
        return [states[:count], states[count:]]

    def compute_output_shape(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Sequence[int | None]] | None = None,
        constants_shape: Nest = None,
    ) -> Any:
        """Shapes of what `call` returns."""
        shapes = [layer.compute_output_shape(sequences_shape) for layer in (self.forward, self.backward)]
        states = [s for shape in shapes for s in shape[1:]] if self.forward.return_state else []
        first = [shape[0] if self.forward.return_state else shape for shape in shapes]
        if self.merge is None:
            return (*first, *states)
        size = first[0][-1] + first[1][-1] if self.merge == "concat" else first[0][-1]
        outputs = (*first[0][:-1], size)
        return (outputs, *states) if self.forward.return_state else outputs

    def compute_mask(self, sequences: Tensor, previous_mask: Tensor | None) -> Nest:
        """The mask goes on with sequences and ends with the last output."""
        mask = previous_mask if self.forward.return_sequences else None
        masks = [mask, mask] if self.merge is None else [mask]
        states = [None for _ in self.forward.cell.state_size + self.backward.cell.state_size]
        return [*masks, *states] if self.forward.return_state else masks if self.merge is None else mask

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {
            "forward": keras.saving.serialize_keras_object(self.forward),
            "backward": keras.saving.serialize_keras_object(self.backward),
            "merge": self.merge,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Bidirectional:
        """Makes the layer from `get_config`."""
        layers = {name: keras.saving.deserialize_keras_object(config[name]) for name in ("forward", "backward")}
        return cls(**(config | layers))


def _check_directions(*layers: Recurrent | None) -> None:
    """Checks that both directions are `Recurrent` layers."""
    for layer in layers:
        if layer is None or isinstance(layer, Recurrent):
            continue
        name = type(layer).__name__
        if name == "RecurrentStack":
            remedy = "a stack reads both directions in every layer: RecurrentStack(cells, bidirectional=True)"
        elif isinstance(layer, keras.layers.Layer):
            remedy = "keras.layers.Bidirectional takes Keras's layers"
        else:
            remedy = "Recurrent(cell), for example"
        raise ConfigError(f"Bidirectional: expected a Recurrent, got {name}; {remedy}")


def _reversed(layer: Recurrent) -> Recurrent:
    """A new layer like the given one that runs the other way, with weights of its own."""
    config = layer.get_config()
    return type(layer).from_config(config | {"reverse": True, "name": f"{layer.name}_backward"})
