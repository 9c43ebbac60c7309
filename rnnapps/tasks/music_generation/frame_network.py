"""Networks that predict the next frame of a piano roll, and the ways to run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from rnnapps.config import TokenModelConfig
from rnnapps.layers.dropout import dropout_of
from rnnapps.layers.stack import recurrent_stack
from rnnapps.layers.token_network import RECURRENT, zero_states
from rnnapps.tasks.music_generation.echo import Echo
from rnnapps.tasks.music_generation.key_distribution import KeyDistribution
from rnnapps.types import Size, Tensor, Tensors

__all__ = ["contexts_of", "echo_of", "first_states", "frame_network", "frame_step", "key_distribution", "read_frames"]

KEYS_LAYER, ECHO = "keys", "echo"


def frame_network(config: TokenModelConfig, keys: int, *, hidden_units: int = 0, echo_steps: int = 0) -> keras.Model:
    """Recurrent stack -> distribution of the next frame.

    Args:
        config: sizes and options; `config.dropout` also acts on the stack's outputs.
        keys: number of keys.
        hidden_units: size of the hidden layer between the keys of a frame; 0 for independent keys.
        echo_steps: how far `Echo` looks back; 0 for a network alone.

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
    hidden = dropout_of(config, "output_dropout")(hidden)
    if echo_steps:
        echo = Echo(keys, steps=echo_steps, name=ECHO)
        memory = keras.Input(echo.state_shape, name="state_echo")
        recalled, remembered = echo(inputs["frames"], memory)
        hidden = keras.ops.concatenate([keras.ops.cast(hidden, "float32"), recalled], axis=-1)
        inputs["states"], final = [*inputs["states"], memory], [*final, remembered]
    distribution = KeyDistribution(keys, hidden_units=hidden_units, recalled=bool(echo_steps), name=KEYS_LAYER)
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


def echo_of(network: keras.Model) -> Echo | None:
    """What looks back in a frame network; None where the network stands alone."""
    layers = [layer for layer in network.layers if isinstance(layer, Echo)]
    return layers[0] if layers else None


def first_states(network: keras.Model, rows: Size) -> Tensors:
    """The states before a piece."""
    echo = echo_of(network)
    return [*zero_states(network, rows), *([] if echo is None else [echo.initial_state(rows)])]


def contexts_of(
    network: keras.Model, frames: Tensor, states: Sequence[Tensor], mask: Tensor | None = None, *, echo: bool = True
) -> tuple[Tensor, Tensors]:
    """Contexts of the distributions behind each frame `(batch, time, size)`, and the states behind the last.

    Args:
        network: what `frame_network` returned.
        frames: 0 or 1, float32 `(batch, time, keys)`.
        states: before the first.
        mask: bool `(batch, time)`, False where a frame is not there.
        echo: False: as if nothing were recalled; its state stays as it is, and may be left out.
    """
    looking, stack = echo_of(network), network.get_layer(RECURRENT)
    if looking is None:
        contexts, final = stack(frames, states=states, mask=mask)
        return contexts, final
    count = len(stack.state_shapes)
    contexts, final = stack(frames, states=states[:count], mask=mask)
    recalled, memory = tf.zeros_like(frames), states[count:]
    if echo:
        recalled, after = looking(frames, memory[0], mask=mask)
        memory = [after]
    return tf.concat([tf.cast(contexts, tf.float32), recalled], axis=-1), [*final, *memory]


def read_frames(
    network: keras.Model, frames: Tensor, lengths: Tensor, states: Tensors, *, echo: bool = True
) -> tuple[Tensor, Tensors]:
    """Runs a frame network's stack over rows of different lengths; what lies behind a row's end has no influence.

    Args:
        network: what `frame_network` returned.
        frames: `(batch, time, keys)`.
        lengths: int32 `(batch,)`, valid frames of each row.
        states: states before the first frame, each `(batch, size)`.
        echo: see `contexts_of`.

    Returns:
        Contexts of the distributions of the next frames `(batch, time, size)`, zero behind a row's end, and the states
        after each row's last frame.
    """
    valid = tf.sequence_mask(lengths, tf.shape(frames)[1])
    frames = tf.where(valid[..., None], tf.cast(frames, tf.float32), 0.0)
    contexts, final = contexts_of(network, frames, states, valid, echo=echo)
    contexts = tf.identity(contexts)
    return tf.where(valid[..., None], contexts, tf.zeros_like(contexts)), final


def frame_step(network: keras.Model) -> Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Tensors]]:
    """One frame a row: (frames `(batch, keys)`, states) -> (contexts `(batch, size)`, new states)."""

    def step(frames: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
        contexts, final = contexts_of(network, frames[:, None], states)
        return contexts[:, 0], final

    return step
