"""The recurrent layers of a network: found, named, fed, and run in another way for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import keras
import tensorflow as tf

from rnnapps.layers.recurrent import Recurrent
from rnnapps.layers.running import Running
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["Run", "complete_inputs", "layer_name", "recurrent_layers", "replaced_recurrence"]


def recurrent_layers(network: keras.Model) -> list[Recurrent]:
    """All `Recurrent` layers of a network, also those inside other layers, each once, in the order they were made."""
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, Recurrent)]
    if not layers:
        raise ValueError(f"network '{network.name}' has no Recurrent layer: nothing to look at through time")
    return layers


def layer_name(layer: keras.layers.Layer) -> str:
    """Path of a layer within its network, such as "encoder/layer_0"."""
    return str(layer.path or layer.name)


def complete_inputs(network: keras.Model, inputs: Mapping[str, Nest]) -> dict[str, Nest]:
    """The inputs as tensors, with zero "states" where the network asks for states and `inputs` has none."""
    tensors: dict[str, Nest] = tf.nest.map_structure(tf.convert_to_tensor, dict(inputs))
    wanted = network.input
    if not isinstance(wanted, Mapping) or "states" not in wanted or "states" in tensors:
        return tensors
    batch_size = tf.nest.flatten(tensors)[0].shape[0]
    zeros = tf.nest.map_structure(lambda state: tf.zeros((batch_size, *state.shape[1:]), state.dtype), wanted["states"])
    return {**tensors, "states": zeros}


class Run(Protocol):
    """What can do the work of a recurrent layer; see `replaced_recurrence`."""

    def __call__(self, layer: Recurrent, running: Running, /, *, training: bool) -> tuple[Tensor, Tensors]:
        """Returns the outputs `(batch, time, units)` of all steps and the final states."""


@contextmanager
def replaced_recurrence(network: keras.Model, run: Run) -> Iterator[None]:
    """Lets `run` do the work of every `Recurrent` layer of a network for a while.

    Args:
        network: the network; unchanged afterwards.
        run: maps (layer, what it runs on, training=) to the outputs (batch, time, units) of all steps and the final
            states. Masked inputs are zeros.
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


def _replacement(layer: Recurrent, run: Run) -> Callable[..., tuple[Tensor, Tensors]]:
    """What stands for `Recurrent._run` while `run` does its work."""

    def replaced(running: Running, *, training: bool, traced: bool) -> tuple[Tensor, Tensors]:
        # Dropout of the recurrent path is left out: what is looked at is the recurrence itself.
        running = running._replace(kept=None, dropped=None)
        if running.mask is not None:
            mask, inputs = tf.cast(running.mask, tf.bool), running.sequences
            running = running._replace(mask=mask, sequences=tf.where(mask[..., None], inputs, tf.zeros_like(inputs)))
        return run(layer, running, training=training)

    return replaced
