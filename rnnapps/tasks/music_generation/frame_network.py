"""Networks that predict the next frame of a piano roll, and the ways to run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from rnnapps.config import TokenModelConfig
from rnnapps.layers.dropout import Dropout
from rnnapps.layers.stack import recurrent_stack
from rnnapps.layers.token_network import RECURRENT
from rnnapps.tasks.music_generation.key_distribution import KeyDistribution
from rnnapps.types import Tensor, Tensors

__all__ = ["frame_network", "frame_step", "key_distribution", "read_frames"]

KEYS_LAYER = "keys"


def frame_network(config: TokenModelConfig, keys: int, *, hidden_units: int = 0) -> keras.Model:
    """Recurrent stack -> distribution of the next frame.

    Args:
        config: sizes and options; `config.dropout` also acts on the stack's outputs.
        keys: number of keys.
        hidden_units: size of the hidden layer between the keys of a frame; 0 for independent keys.

    Returns:
        Functional model {"frames": float32 `(batch, time, keys)`, "next_frames": the same one step later, where keys
        depend on each other, "states": list of `(batch, size)`} -> {"logits": float32 `(batch, time, keys)` of the
        next frames, "states": list of `(batch, size)`}.
    """
    stack = recurrent_stack(config, name=RECURRENT)
    inputs: dict[str, keras.KerasTensor | list[keras.KerasTensor]] = {
        "frames": keras.Input((None, keys), name="frames")
    }
    inputs["states"] = [keras.Input(shape, name=f"state_{number}") for number, shape in enumerate(stack.state_shapes)]
    hidden, final = stack(inputs["frames"], states=inputs["states"])
    hidden = Dropout(config.dropout, name="output_dropout")(hidden)
    distribution = KeyDistribution(keys, hidden_units=hidden_units, name=KEYS_LAYER)
    if hidden_units:
        inputs["next_frames"] = keras.Input((None, keys), name="next_frames")
        logits = distribution(hidden, inputs["next_frames"])
    else:
        logits = distribution(hidden)
    return keras.Model(inputs, {"logits": logits, "states": final}, name="frame_network")


def key_distribution(network: keras.Model) -> KeyDistribution:
    """The last layer of a frame network."""
    layer: KeyDistribution = network.get_layer(KEYS_LAYER)
    return layer


def read_frames(network: keras.Model, frames: Tensor, lengths: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
    """Runs a frame network's stack over rows of different lengths; what lies behind a row's end has no influence.

    Args:
        network: what `frame_network` returned.
        frames: `(batch, time, keys)`.
        lengths: int32 `(batch,)`, valid frames of each row.
        states: states before the first frame, each `(batch, size)`.

    Returns:
        Contexts of the distributions of the next frames `(batch, time, size)`, zero behind a row's end, and the states
        after each row's last frame.
    """
    valid = tf.sequence_mask(lengths, tf.shape(frames)[1])
    frames = tf.where(valid[..., None], tf.cast(frames, tf.float32), 0.0)
    contexts, final = network.get_layer(RECURRENT)(frames, states=states, mask=valid)
    contexts = tf.identity(contexts)
    return tf.where(valid[..., None], contexts, tf.zeros_like(contexts)), final


def frame_step(network: keras.Model) -> Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Tensors]]:
    """One frame a row: (frames `(batch, keys)`, states) -> (contexts `(batch, size)`, new states)."""
    stack = network.get_layer(RECURRENT)

    def step(frames: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
        contexts, final = stack(frames[:, None], states=states)
        return contexts[:, 0], final

    return step
