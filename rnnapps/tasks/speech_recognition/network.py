"""Networks that map spectra to symbols of CTC, and the ways to run them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.layers.dropout import dropout_of
from rnnapps.layers.side_by_side import apart, log_mean, members_of
from rnnapps.layers.stack import RecurrentStack, recurrent_stack
from rnnapps.layers.token_network import RECURRENT
from rnnapps.types import Tensor, Tensors

__all__ = ["ForwardConvolutions", "read_frames", "speech_network", "symbol_axes", "zero_states"]

CONVOLUTIONS, LOGITS = "convolutions", "logits"


@keras.saving.register_keras_serializable(package="rnnapps")
class ForwardConvolutions(keras.layers.Layer):
    """Convolutions over time without padding: output t reads frames t * stride to t * stride + frames_read - 1.

    Args:
        strides: one convolution for each; none leaves the frames as they are.
        units: channels of each.
        kernel_frames: frames each reads.
        **kwargs: `name`, `dtype` and `trainable` of the Keras layer.
    """

    def __init__(self, *, strides: tuple[int, ...], units: int, kernel_frames: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strides, self.units, self.kernel_frames = tuple(strides), units, kernel_frames
        self.convolutions = [
            keras.layers.Conv1D(
                units, kernel_frames, strides=stride, activation="relu", name=f"convolution_{number}", dtype=self.dtype
            )
            for number, stride in enumerate(self.strides)
        ]

    def build(self, frames_shape: Sequence[int | None], lengths_shape: object = None) -> None:
        """Makes the weights for frames `(batch, time, features)`."""
        shape = (frames_shape[0], None, frames_shape[-1])
        for convolution in self.convolutions:
            convolution.build(shape)
            shape = (shape[0], None, self.units)

    def call(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Runs the convolutions.

        Args:
            frames: `(batch, time, features)`.
            lengths: int32 `(batch,)`, valid frames of each row.

        Returns:
            `(batch, outputs, units)`, and bool `(batch, outputs)`, True where an output reads valid frames only.
        """
        missing = tf.maximum(self.frames_read - tf.shape(frames)[1], 0)
        frames = tf.pad(frames, [[0, 0], [0, missing], [0, 0]]) if frames.shape[1] is None else frames
        hidden = frames
        for convolution in self.convolutions:
            hidden = convolution(hidden)
        valid = tf.sequence_mask(self.outputs(lengths), tf.shape(hidden)[1])
        return hidden, valid

    @property
    def frames_read(self) -> int:
        """Frames that one output reads."""
        read, step = 1, 1
        for stride in self.strides:
            read, step = read + (self.kernel_frames - 1) * step, step * stride
        return read

    def outputs(self, lengths: Tensor) -> Tensor:
        """Outputs of so many frames, elementwise."""
        for stride in self.strides:
            lengths = tf.maximum((lengths - self.kernel_frames) // stride + 1, 0)
        return lengths

    def compute_output_shape(
        self, frames_shape: Sequence[int | None], lengths_shape: object = None
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Shapes of what `call` returns."""
        time, size = frames_shape[1], frames_shape[2]
        for stride in self.strides:
            time = None if time is None else max((time - self.kernel_frames) // stride + 1, 0)
            size = self.units
        return (frames_shape[0], time, size), (frames_shape[0], time)

    def compute_output_spec(
        self, frames: keras.KerasTensor, lengths: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Shapes and types of what `call` returns."""
        hidden, valid = self.compute_output_shape(frames.shape)
        return keras.KerasTensor(hidden, dtype=self.compute_dtype), keras.KerasTensor(valid, dtype="bool")

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        own = {"strides": self.strides, "units": self.units, "kernel_frames": self.kernel_frames}
        return {**super().get_config(), **own}


def speech_network(
    config: RecurrentConfig,
    *,
    mels: int,
    symbols: int,
    strides: tuple[int, ...],
    convolution_units: int,
    kernel_frames: int,
) -> keras.Model:
    """Convolutions -> recurrent stack -> scores of the symbols.

    Args:
        config: the recurrent part; `config.dropout` also acts on the inputs and outputs of the stack.
        mels: bands of the spectra.
        symbols: number of ids, the blank among them.
        strides: a convolution for each.
        convolution_units: channels of the convolutions.
        kernel_frames: frames that each convolution reads.

    Returns:
        Functional model {"features": float32 `(batch, frames, mels)`, "lengths": int32 `(batch,)`, valid frames} ->
        {"logits": float32 `(batch, outputs, symbols)`, "valid": bool `(batch, outputs)`}.
    """
    features = keras.Input((None, mels), name="features")
    lengths = keras.Input((), dtype="int32", name="lengths")
    convolutions = ForwardConvolutions(
        strides=strides, units=convolution_units, kernel_frames=kernel_frames, name=CONVOLUTIONS
    )
    hidden, valid = convolutions(features, lengths)
    hidden = dropout_of(config, "input_dropout")(hidden)
    hidden, _ = recurrent_stack(config, name=RECURRENT)(hidden, mask=valid)
    hidden = dropout_of(config, "output_dropout")(hidden)
    logits = keras.layers.Dense(symbols, name=LOGITS)(hidden)
    logits = keras.layers.Activation("linear", dtype="float32", name="scores")(logits)
    inputs = {"features": features, "lengths": lengths}
    return keras.Model(inputs, {"logits": logits, "valid": valid}, name="speech_network")


def symbol_axes(network: keras.Model) -> dict[str, int]:
    """The weights that are indexed by the symbols: path -> axis."""
    axes = {f"{LOGITS}/kernel": 1, f"{LOGITS}/bias": 0}
    return {weight.path: axes[weight.path] for weight in network.weights if weight.path in axes}


def zero_states(network: keras.Model, batch_size: Tensor | int) -> Tensors:
    """The states before the first frame, each `(batch, size)`; of an ensemble those of all members."""
    if members := members_of(network):
        return [state for member in members for state in zero_states(member, batch_size)]
    stack: RecurrentStack = network.get_layer(RECURRENT)
    return stack.initial_states(batch_size)


def read_frames(
    network: keras.Model, features: Tensor, lengths: Tensor, states: Tensors
) -> tuple[Tensor, Tensor, Tensors]:
    """Runs a network over rows of different lengths, from given states on.

    Args:
        network: what `speech_network` returned.
        features: `(batch, frames, mels)`.
        lengths: int32 `(batch,)`, valid frames of each row.
        states: states before the first frame, each `(batch, size)`.

    Returns:
        Logits `(batch, outputs, symbols)`, zero behind a row's end; outputs of each row, int32 `(batch,)`; and the
        states after each row's last output.
    """
    if members_of(network):
        return _read_by_members(network, features, lengths, states)
    hidden, valid = network.get_layer(CONVOLUTIONS)(features, lengths)
    hidden, final = network.get_layer(RECURRENT)(hidden, states=states, mask=valid)
    logits = tf.cast(network.get_layer(LOGITS)(tf.identity(hidden)), tf.float32)
    counts = tf.reduce_sum(tf.cast(valid, tf.int32), axis=1)
    return tf.where(valid[..., None], logits, 0.0), counts, final


def _read_by_members(
    network: keras.Model, features: Tensor, lengths: Tensor, states: Tensors
) -> tuple[Tensor, Tensor, Tensors]:
    """`read_frames` of an ensemble."""
    members, logits, final = members_of(network), [], []
    counts = [len(member.get_layer(RECURRENT).state_shapes) for member in members]
    for member, own in zip(members, apart(states, counts), strict=True):
        each, outputs, after = read_frames(member, features, lengths, own)
        logits.append(each)
        final += after
    valid = tf.sequence_mask(outputs, tf.shape(logits[0])[1])
    return tf.where(valid[..., None], log_mean(logits), 0.0), outputs, final
