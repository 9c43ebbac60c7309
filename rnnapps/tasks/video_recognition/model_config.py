"""What a video model is made of. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import RecurrentConfig, require, require_choice
from rnnapps.errors import ConfigError
from rnnapps.ranges import searched

__all__ = ["Encoder", "Inputs", "VideoModelConfig"]

Inputs = Literal["frames", "differences", "both"]
Encoder = Literal["small", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0"]


@dataclass(frozen=True)
class VideoModelConfig(RecurrentConfig):
    """A frame encoder, a recurrent stack over its features, and attention over the stack's outputs.

    Attributes:
        units: size of the state of each layer.
        dropout: share of values dropped after the encoder, between recurrent layers and before the output.
        inputs: what the encoder sees: frames, differences (of each frame from earlier ones), or both.
        difference_lags: from how many frames earlier the differences are taken, a channel for each.
        encoder: small (a convolutional network trained from scratch) or one of keras.applications for the frames;
            differences always have a small one.
        encoder_weights: weights that such an encoder starts from: imagenet, or a .weights.h5 or .h5 file; empty for
            random ones.
        freeze_encoder: keep the weights of such an encoder as they are.
        filters: small encoder: filters of each convolution, which halves height and width.
        frame_units: size of the vector that stands for a frame.
        attention_units: size of the hidden layer that weighs the frames.
        label_smoothing: share of the target's probability that is spread over all classes while training.

    Raises:
        ConfigError: a value is out of range, or settings contradict each other.
    """

    units: int = 128
    dropout: float = 0.4
    inputs: Inputs = "both"
    difference_lags: tuple[int, ...] = (1, 3)
    encoder: Encoder = "small"
    encoder_weights: str = ""
    freeze_encoder: bool = False
    filters: tuple[int, ...] = (16, 32, 64, 96)
    frame_units: int = searched(128, 8, 2048, logarithmic=True, factor=2)
    attention_units: int = 64
    label_smoothing: float = searched(0.1, 0.0, 0.2)

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require_choice("model.inputs", self.inputs, Inputs)
        require_choice("model.encoder", self.encoder, Encoder)
        for name in ("frame_units", "attention_units"):
            require(f"model.{name}", getattr(self, name), "at least 1", getattr(self, name) >= 1)
        lags, filters = self.difference_lags, self.filters
        require("model.difference_lags", lags, "one number from 1 to 100 or several", _within(lags, 100))
        require("model.filters", filters, "one number from 1 to 4096 or several", _within(filters, 4096))
        require("model.filters", filters, "at most 8 numbers", len(filters) <= 8)
        require("model.label_smoothing", self.label_smoothing, "at least 0 and below 1", 0 <= self.label_smoothing < 1)
        if self.encoder == "small" and (self.encoder_weights or self.freeze_encoder):
            raise ConfigError("model.encoder_weights and model.freeze_encoder need model.encoder other than small")
        if self.encoder != "small" and self.inputs == "differences":
            raise ConfigError(f"model.encoder {self.encoder} reads frames; set model.inputs to frames or both")


def _within(numbers: tuple[int, ...], most: int) -> bool:
    """Whether there are numbers, all of them from 1 to the most."""
    return bool(numbers) and all(1 <= number <= most for number in numbers)
