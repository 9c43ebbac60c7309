"""Convolutional networks that turn a frame into a vector."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.types import Array, Tensor

__all__ = ["APPLICATIONS", "encode", "load_encoder_weights", "pretrained_encoder", "small_encoder"]

IMAGENET = "imagenet"
MOMENTUM = 0.95
"""Of the moving averages of batch normalisation: runs of a few hundred steps must fill them."""

Application = tuple[Callable[..., keras.Model], float, float]
APPLICATIONS: dict[str, Application] = {
    "mobilenet_v2": (keras.applications.MobileNetV2, 1 / 127.5, -1.0),
    "mobilenet_v3_small": (keras.applications.MobileNetV3Small, 1.0, 0.0),
    "efficientnet_b0": (keras.applications.EfficientNetB0, 1.0, 0.0),
}
"""Name -> (constructor, scale and offset that bring pixels from 0 to 255 to what it expects)."""


def small_encoder(
    size: int, channels: int, *, filters: Sequence[int], units: int, dropout: float = 0.0, name: str = "encoder"
) -> keras.Model:
    """Convolutions that each halve the frame, and a dense layer; all with batch normalisation.

    Args:
        size: height and width of the frames, in pixels.
        channels: channels of the frames.
        filters: filters of each convolution; the first has a window of 5 x 5, the others of 3 x 3.
        units: size of the vector.
        dropout: share of values dropped before the dense layer.
        name: name of the model.

    Returns:
        Model of `(batch, size, size, channels)` -> `(batch, units)`.
    """
    from rnnapps.layers.dropout import Dropout

    inputs = keras.Input((size, size, channels))
    hidden: keras.KerasTensor = inputs
    for number, count in enumerate(filters):
        convolution = keras.layers.Conv2D(
            count,
            3 if number else 5,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"convolution_{number}",
        )
        hidden = _normalised(convolution(hidden), f"convolution_{number}")
    hidden = Dropout(dropout, name="dropout")(keras.layers.Flatten(name="flat")(hidden))
    hidden = _normalised(keras.layers.Dense(units, use_bias=False, name="dense")(hidden), "dense")
    return keras.Model(inputs, hidden, name=name)


def _normalised(hidden: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Batch normalisation, then max(x, 0)."""
    hidden = keras.layers.BatchNormalization(momentum=MOMENTUM, name=f"{name}_normalization")(hidden)
    return keras.layers.Activation("relu", name=f"{name}_rectified")(hidden)


def encode(encoder: keras.Model, frames: Tensor) -> Tensor:
    """What an encoder makes of frames `(frames, height, width, channels)` when nothing is trained.

    In a small one each normalization is drawn into the convolution before it, s (W * x) + t = (s W) * x + t, and costs
    no passes over pictures of its own.
    """
    names = {layer.name for layer in encoder.layers}
    count = sum(f"convolution_{number}_normalization" in names for number in range(len(names)))
    if not count or encoder.compute_dtype != "float32":
        return encoder(frames, training=False)
    hidden = frames
    for number in range(count):
        name = f"convolution_{number}"
        convolution, normalization = encoder.get_layer(name), encoder.get_layer(f"{name}_normalization")
        variance = normalization.moving_variance.value + normalization.epsilon
        scale = normalization.gamma.value * tf.math.rsqrt(variance)
        shift = normalization.beta.value - normalization.moving_mean.value * scale
        hidden = tf.nn.conv2d(hidden, convolution.kernel.value * scale, convolution.strides, "SAME")
        hidden = tf.nn.relu(tf.nn.bias_add(hidden, shift))
    hidden = encoder.get_layer("dense")(encoder.get_layer("flat")(hidden))
    hidden = encoder.get_layer("dense_normalization")(hidden, training=False)
    return encoder.get_layer("dense_rectified")(hidden)


def pretrained_encoder(kind: str, size: int, channels: int, *, frozen: bool, name: str = "encoder") -> keras.Model:
    """A network of keras.applications without its last layer, with fresh weights; see `load_encoder_weights`.

    Args:
        kind: one of `APPLICATIONS`.
        size: height and width of the frames, in pixels, at least 32.
        channels: 1 (which is repeated) or 3.
        frozen: whether training leaves it as it is.
        name: name of the model.

    Returns:
        Model of pixels from 0 to 255 `(batch, size, size, channels)` -> `(batch, features)`.

    Raises:
        ConfigError: the frames are too small.
    """
    if size < 32:
        raise ConfigError(f"model.encoder {kind} needs data.size of at least 32, not {size}")
    constructor, scale, offset = APPLICATIONS[kind]
    network = constructor(include_top=False, weights=None, input_shape=(size, size, 3), pooling="avg", name=kind)
    network.trainable = not frozen
    inputs = keras.Input((size, size, channels))
    pixels: keras.KerasTensor = inputs
    if channels == 1:
        pixels = keras.layers.Concatenate(name="colours")([inputs] * 3)
    pixels = keras.layers.Rescaling(scale, offset, name="pixels")(pixels)
    return keras.Model(inputs, network(pixels), name=name)


def load_encoder_weights(encoder: keras.Model, kind: str, source: str) -> None:
    """Loads weights into what `pretrained_encoder` returned.

    Args:
        encoder: the encoder.
        kind: one of `APPLICATIONS`.
        source: imagenet, which keras.applications downloads once, or a file of weights.

    Raises:
        ConfigError: the file does not exist or does not fit, or there is no network.
    """
    network = encoder.get_layer(kind)
    try:
        if source == IMAGENET:
            network.set_weights(_imagenet_weights(kind, network.input.shape[1]))
        elif not Path(source).is_file():
            raise ConfigError(f"model.encoder_weights: {source} does not exist; give imagenet or a file of weights")
        else:
            network.load_weights(source)
    except ConfigError:
        raise
    except Exception as error:  # h5py, urllib and Keras each raise kinds of their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if source == IMAGENET:
            reason += "; fetch that file elsewhere and name it with --model.encoder_weights, or leave the setting empty"
        raise ConfigError(f"model.encoder_weights: {source} cannot be loaded into {kind}: {reason}") from None


def _imagenet_weights(kind: str, size: int) -> list[Array]:
    """Those that keras.applications downloads, in the order of `get_weights`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`input_shape` is undefined", UserWarning)  # the weights fit any size
        known = APPLICATIONS[kind][0](include_top=False, weights=IMAGENET, input_shape=(size, size, 3), pooling="avg")
    weights: list[Array] = known.get_weights()
    return weights
