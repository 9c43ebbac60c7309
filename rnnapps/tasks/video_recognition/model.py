"""Networks as a configuration asks for them."""

from __future__ import annotations

import sys

import keras

from rnnapps.errors import ConfigError
from rnnapps.tasks.video_recognition.layers.frame_encoder import load_encoder_weights, pretrained_encoder, small_encoder
from rnnapps.tasks.video_recognition.layers.video_network import video_network
from rnnapps.tasks.video_recognition.model_config import VideoModelConfig
from rnnapps.tasks.video_recognition.video_format import VideoFormat

__all__ = ["build_network", "frame_encoder", "vocabulary_axes"]


def build_network(config: VideoModelConfig, video_format: VideoFormat) -> keras.Model:
    """The network of a configuration for a model's frames and classes.

    Raises:
        ConfigError: unknown cell, or the weights of the encoder cannot be loaded.
    """
    return video_network(
        config,
        size=video_format.size,
        channels=video_format.channels,
        classes=len(video_format.labels),
        encoders=_encoders(config, video_format),
        lags=config.difference_lags,
        attention_units=config.attention_units,
    )


def _encoders(config: VideoModelConfig, video_format: VideoFormat) -> dict[str, keras.Model]:
    """Kind of input -> its encoder: a small one for all that is seen, or a large one for frames beside a small one."""
    channels = video_format.channels
    changes = channels * len(config.difference_lags)
    if config.encoder == "small":
        seen = {"frames": channels, "differences": changes, "both": channels + changes}[config.inputs]
        return {config.inputs: _small(config, video_format.size, seen)}
    encoders = {"frames": frame_encoder(config, video_format)}
    if config.inputs == "both":
        encoders["differences"] = _small(config, video_format.size, changes, name="differences_encoder_model")
    return encoders


def frame_encoder(config: VideoModelConfig, video_format: VideoFormat) -> keras.Model:
    """The encoder of single frames that a configuration asks for, with the weights it starts from."""
    if config.encoder == "small":
        return _small(config, video_format.size, video_format.channels)
    encoder = pretrained_encoder(config.encoder, video_format.size, video_format.channels, frozen=config.freeze_encoder)
    if config.encoder_weights:
        try:
            load_encoder_weights(encoder, config.encoder, config.encoder_weights)
        except ConfigError as error:
            if not video_format.trained:
                raise
            print(f"note: {error}; the run's own weights are taken", file=sys.stderr)
    return encoder


def _small(config: VideoModelConfig, size: int, channels: int, name: str = "encoder") -> keras.Model:
    return small_encoder(
        size, channels, filters=config.filters, units=config.frame_units, dropout=config.dropout / 2, name=name
    )


def vocabulary_axes() -> dict[str, int]:
    """The weights that are indexed by the classes: path -> axis."""
    return {"logits/kernel": 1, "logits/bias": 0}
