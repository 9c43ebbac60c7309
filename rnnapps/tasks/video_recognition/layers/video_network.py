"""The network that tells what happens in a clip, and the way to run it a few frames at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import keras
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.layers.dense import Dense
from rnnapps.layers.dropout import dropout_of
from rnnapps.layers.sequence_mask import SequenceMask
from rnnapps.layers.side_by_side import log_mean, members_of
from rnnapps.layers.stack import RecurrentStack, recurrent_stack
from rnnapps.tasks.video_recognition.layers.attention_pooling import AttentionPooling
from rnnapps.tasks.video_recognition.layers.frame_streams import EveryFrame, FrameDifferences
from rnnapps.types import NamedTensors, Tensor

__all__ = [
    "StepOfMembers",
    "VideoStep",
    "make_step",
    "pixel_scaling",
    "reads_backwards",
    "video_network",
    "zero_video_states",
]

RECURRENT, POOLING, DIFFERENCES = "recurrent", "attention", "differences"
ATTENTION = ("largest", "weighted", "total")
GAIN = 2.0


def video_network(
    config: RecurrentConfig,
    *,
    size: int,
    channels: int,
    classes: int,
    encoders: dict[str, keras.Model],
    lags: Sequence[int],
    attention_units: int,
) -> keras.Model:
    """Encoder of each frame, recurrent stack, attention over time, and a score for each class.

    Args:
        config: the recurrent part; `config.dropout` also acts on its inputs and on what attention returns.
        size: height and width of the frames, in pixels.
        channels: channels of the frames.
        classes: number of classes.
        encoders: what reads each kind of input: "frames" (pixels from 0 to 255), "differences", or "both" (their
            channels together, pixels first, scaled by `pixel_scaling`).
        lags: of the differences, see `FrameDifferences`.
        attention_units: size of the hidden layer of the attention.

    Returns:
        Functional model {"frames": uint8 `(batch, time, size, size, channels)`, "lengths": int32 `(batch,)`, the valid
        frames of each row} -> {"logits": float32 `(batch, classes)`}.
    """
    frames = keras.Input((None, size, size, channels), name="frames", dtype="uint8")
    lengths = keras.Input((), name="lengths", dtype="int32")
    features = [
        EveryFrame(encoder, name=f"{kind}_encoder")(_stream(kind, frames, lags)) for kind, encoder in encoders.items()
    ]
    hidden = features[0] if len(features) == 1 else keras.layers.Concatenate(name="streams")(features)
    hidden = dropout_of(config, "encoder_dropout")(hidden)
    mask = SequenceMask(name="valid")(frames, lengths)
    hidden, _ = recurrent_stack(config, name=RECURRENT)(hidden, mask=mask)
    pooled = AttentionPooling(attention_units, name=POOLING)(hidden, mask=mask)
    pooled = dropout_of(config, "output_dropout")(pooled)
    logits = Dense(classes, name="logits")(pooled)
    logits = keras.layers.Activation("linear", dtype="float32", name="scores")(logits)
    return keras.Model({"frames": frames, "lengths": lengths}, {"logits": logits}, name="video_network")


def _stream(kind: str, frames: Tensor, lags: Sequence[int]) -> Tensor:
    """What an encoder of this kind sees of frames uint8 `(batch, time, size, size, channels)`, as floats."""
    if kind == "frames":
        return _Pixels(name="pixels")(frames)
    return FrameDifferences(lags, pixels=pixel_scaling() if kind == "both" else 0.0, name=DIFFERENCES)(frames)


def pixel_scaling() -> float:
    """By what pixels are multiplied for an encoder that is trained from scratch."""
    return GAIN / 255


@keras.saving.register_keras_serializable(package="rnnapps")
class _Pixels(keras.layers.Layer):
    """Pixels as floats."""

    def call(self, frames: Tensor) -> Tensor:
        return tf.cast(frames, self.compute_dtype)

    def compute_output_shape(self, frames_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return frames_shape


class VideoStep:
    """A unidirectional video network a few frames at a time: after each, the answer that the frames so far would get.

    Its states are a dict of tensors: "recent" uint8, the last frames that differences need; "seen" int32 `(batch,)`;
    "0"... of the recurrent stack; "largest", "weighted" and "total" of the attention. All zeros before the
    first frame. Their structure is that of `zero_video_states`.

    Args:
        network: what `video_network` returned.
    """

    def __init__(self, network: keras.Model) -> None:
        names = {layer.name for layer in network.layers}
        self.network = network
        self.stack: RecurrentStack = network.get_layer(RECURRENT)
        self.pooling: AttentionPooling = network.get_layer(POOLING)
        self.differences = network.get_layer(DIFFERENCES) if DIFFERENCES in names else None
        self.encoders = {
            kind: network.get_layer(f"{kind}_encoder")
            for kind in ("frames", "differences", "both")
            if f"{kind}_encoder" in names
        }

    def __call__(self, frames: Tensor, lengths: Tensor, states: NamedTensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Goes on with videos.

        Args:
            frames: the next ones, uint8 `(batch, time, size, size, channels)`.
            lengths: int32 `(batch,)`, frames of each row that count; 0 leaves its states as they are.
            states: what came before.

        Returns:
            Logits after each frame `(batch, time, classes)`, and the new states.
        """
        new, inside = {"seen": states["seen"] + lengths}, tf.sequence_mask(lengths, tf.shape(frames)[1])
        changes = None
        if self.differences is not None:
            known = {name: states[name] for name in ("recent", "seen")}
            changes, new["recent"] = self.differences.go_on(frames, lengths, **known)
        features = [layer(self._input(kind, frames, changes), training=False) for kind, layer in self.encoders.items()]
        names = [str(number) for number in range(len(self.stack.state_shapes))]
        hidden, final = self.stack(tf.concat(features, axis=-1), states=[states[name] for name in names], mask=inside)
        new |= dict(zip(names, final, strict=True))
        pooled, sums = self.pooling.go_on(hidden, inside, [states[name] for name in ATTENTION])
        new |= dict(zip(ATTENTION, sums, strict=True))
        return tf.cast(self.network.get_layer("logits")(pooled), tf.float32), {name: new[name] for name in states}

    def _input(self, kind: str, frames: Tensor, changes: Tensor | None) -> Tensor:
        """What an encoder of this kind sees of frames; the twin of `_stream`."""
        return tf.cast(frames, self.stack.compute_dtype) if kind == "frames" else changes

    def state_specs(self) -> dict[str, tf.TensorSpec]:
        """Shape and type of each state, the batch of any size."""
        specs = {"seen": tf.TensorSpec((None,), tf.int32)}
        if self.differences is not None:
            shape = self.network.input["frames"].shape[2:]
            specs["recent"] = tf.TensorSpec((None, self.differences.memory, *shape), tf.uint8)
        kind = self.stack.compute_dtype
        for number, shape in enumerate(self.stack.state_shapes):
            specs[str(number)] = tf.TensorSpec((None, *shape), kind)
        sizes = self.pooling.state_sizes(self.stack.output_size)
        for name, size in zip(ATTENTION, sizes, strict=True):
            specs[name] = tf.TensorSpec((None, size), tf.float32)
        return specs


class StepOfMembers:
    """`VideoStep` of an ensemble: its states are those of all members, under the names of the members.

    Args:
        network: what `side_by_side` made of video networks.
    """

    def __init__(self, network: keras.Model) -> None:
        self.steps = {member.name: VideoStep(member) for member in members_of(network)}

    def __call__(self, frames: Tensor, lengths: Tensor, states: NamedTensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Logarithms of the mean probabilities after each frame `(batch, time, classes)`, and the new states."""
        logits, new = [], dict[str, Tensor]()
        for name, step in self.steps.items():
            own = {key: states[f"{name}_{key}"] for key in step.state_specs()}
            each, after = step(frames, lengths, own)
            logits.append(each)
            new |= {f"{name}_{key}": state for key, state in after.items()}
        return log_mean(logits), new

    def state_specs(self) -> dict[str, tf.TensorSpec]:
        """Shape and type of each state, the batch of any size."""
        return {f"{name}_{key}": spec for name, step in self.steps.items() for key, spec in step.state_specs().items()}


AnyStep: TypeAlias = VideoStep | StepOfMembers


def make_step(network: keras.Model) -> AnyStep:
    """A network, or an ensemble, a few frames at a time."""
    return StepOfMembers(network) if members_of(network) else VideoStep(network)


def reads_backwards(network: keras.Model) -> bool:
    """Whether a network, or a member of an ensemble, needs the end of a clip before it can say anything."""
    return any(own.get_layer(RECURRENT).bidirectional for own in members_of(network) or [network])


def zero_video_states(step: AnyStep, batch_size: int) -> dict[str, Tensor]:
    """The states before the first frame."""
    return {name: tf.zeros((batch_size, *spec.shape[1:]), spec.dtype) for name, spec in step.state_specs().items()}
