"""What a speech recogniser is made of, and how it is trained and decoded. Imports nothing heavy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rnnapps.config import Compilation, RecurrentConfig, TrainingConfig, require, require_choice
from rnnapps.errors import ConfigError
from rnnapps.ranges import searched

__all__ = ["DecodingConfig", "SpeechModelConfig", "SpeechTrainingConfig"]

Normalization = Literal["stored", "utterance"]


@dataclass(frozen=True)
class SpeechModelConfig(RecurrentConfig):
    """Log-mel spectra, strided convolutions, a recurrent stack, and CTC.

    Attributes:
        units: size of the state of each layer, and direction.
        layers: number of stacked recurrent layers.
        bidirectional: also read the recording backwards; better, but such a model cannot stream.
        dropout: share of values dropped between layers while training, 0 to below 1.
        mels: bands of the spectrum.
        window_ms: length of the window of a frame.
        hop_ms: time between frames.
        normalization: stored takes mean and deviation of the training data; utterance those of each whole utterance,
            which makes a model deaf to loudness and microphone but unable to stream.
        strides: a convolution for each, with this stride in frames; their product is the frames of one output.
        convolution_units: channels of the convolutions.
        kernel_frames: frames that a convolution reads; it reads the present and the past only.

    Raises:
        ConfigError: a value is out of range.
    """

    units: int = 128
    layers: int = 2
    bidirectional: bool = True
    dropout: float = 0.2
    mels: int = 40
    window_ms: float = 25.0
    hop_ms: float = 10.0
    normalization: Normalization = "stored"
    strides: tuple[int, ...] = (1, 2)
    convolution_units: int = searched(64, 8, 1024, logarithmic=True, factor=2)
    kernel_frames: int = 5

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        for name, low, high in (
            ("mels", 8, 128),
            ("window_ms", 5, 100),
            ("hop_ms", 1, 50),
            ("convolution_units", 1, 4096),
            ("kernel_frames", 1, 63),
        ):
            value = getattr(self, name)
            require(f"model.{name}", value, f"from {low:,} to {high:,}", low <= value <= high)
        require("model.hop_ms", self.hop_ms, "at most window_ms", self.hop_ms <= self.window_ms)
        require_choice("model.normalization", self.normalization, Normalization)
        fitting = all(1 <= stride <= self.kernel_frames for stride in self.strides) and len(self.strides) <= 8
        expected = "up to 8 numbers from 1 to kernel_frames with a product of at most 64"
        require("model.strides", list(self.strides), expected, fitting and self.frames_per_output <= 64)

    @property
    def frames_per_output(self) -> int:
        """Frames of one output: the product of the strides."""
        return math.prod(self.strides)

    @property
    def frames_read(self) -> int:
        """Frames that one output of the last convolution reads."""
        before = [math.prod(self.strides[:number]) for number in range(len(self.strides))]
        return 1 + sum((self.kernel_frames - 1) * stride for stride in before)

    @property
    def streams(self) -> bool:
        """Whether the model can write while it listens."""
        return not self.bidirectional and self.normalization == "stored"


@dataclass(frozen=True)
class SpeechTrainingConfig(TrainingConfig):
    """How a recogniser is trained; recordings are changed at random in training only.

    Attributes:
        buckets: recordings are sorted by length into so many groups, at most, and each batch is of one of them.
        speeds: factors of the speed at which training recordings are played; each recording is met at each.
        gain_db: they are made louder or quieter by up to so many decibels.
        noise_share: share of them to which noise is added.
        noise_lowest_db: signal to noise ratio of the strongest noise added.
        noise_highest_db: the same, of the weakest.
        frequency_masks: bands of frequencies that are masked in each (SpecAugment, arXiv:1904.08779).
        frequency_mask_mels: widest such band.
        time_masks: stretches of time that are masked in each.
        time_mask_ms: longest such stretch.

    Raises:
        ConfigError: a value is out of range.
    """

    carry_state: bool = False
    compile: Compilation = "graph"
    buckets: int = 6
    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    gain_db: float = 6.0
    noise_share: float = searched(0.5, 0.0, 1.0)
    noise_lowest_db: float = 10.0
    noise_highest_db: float = 40.0
    frequency_masks: int = searched(2, 0, 4)
    frequency_mask_mels: int = 6
    time_masks: int = searched(2, 0, 4)
    time_mask_ms: float = 60.0

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require("training.carry_state", self.carry_state, "false: each recording is read whole", not self.carry_state)
        require("training.compile", self.compile, "graph: the loss of CTC has no XLA kernel", self.compile == "graph")
        for name, low, high in (
            ("buckets", 1, 100),
            ("gain_db", 0, 60),
            ("noise_share", 0, 1),
            ("noise_lowest_db", -30, 100),
            ("noise_highest_db", -30, 100),
            ("frequency_masks", 0, 10),
            ("frequency_mask_mels", 0, 128),
            ("time_masks", 0, 10),
            ("time_mask_ms", 0, 10_000),
        ):
            value = getattr(self, name)
            require(f"training.{name}", value, f"from {low:,} to {high:,}", low <= value <= high)
        rising = self.noise_lowest_db <= self.noise_highest_db
        require("training.noise_lowest_db", self.noise_lowest_db, "at most noise_highest_db", rising)
        fitting = bool(self.speeds) and all(0.5 <= speed <= 2 for speed in self.speeds)
        require("training.speeds", list(self.speeds), "at least one number from 0.5 to 2", fitting)

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        found = super().without_effect()
        if not self.noise_share:
            why = "with training.noise_share 0 no noise is added"
            found |= {"noise_lowest_db": why, "noise_highest_db": why}
        if not self.frequency_masks:
            found["frequency_mask_mels"] = "with training.frequency_masks 0 no frequency is masked"
        if not self.time_masks:
            found["time_mask_ms"] = "with training.time_masks 0 no stretch is masked"
        return found


@dataclass(frozen=True)
class DecodingConfig:
    """How outputs of the network become a transcript.

    Attributes:
        beam_width: transcripts that are pursued side by side; 1 takes the likeliest symbol at each moment.
        language_model_weight: how much the n-grams of the training transcripts, or `language_model`, count beside the
            sound; 0 for not at all. `evaluate --tune` finds it.
        symbol_bonus: what every symbol adds to the score, against the language model's liking for short transcripts.
        language_model: an export of a character model of text_generation, which counts instead of the
            n-grams; none by default.
        hot_words: text file of words and phrases, one a line, that transcripts are likelier to hold: names, terms.
        hot_word_boost: what each symbol of them adds to the score, in nats.

    Raises:
        ConfigError: a value is out of range.
    """

    beam_width: int = 1
    language_model_weight: float = 0.0
    symbol_bonus: float = 0.0
    language_model: str = ""
    hot_words: str = ""
    hot_word_boost: float = 0.5

    def __post_init__(self) -> None:
        """Checks the values."""
        for name, low, high in (
            ("beam_width", 1, 256),
            ("language_model_weight", 0, 10),
            ("symbol_bonus", -10, 10),
            ("hot_word_boost", 0, 20),
        ):
            value = getattr(self, name)
            require(f"decoding.{name}", value, f"from {low} to {high}", low <= value <= high)
        if self.hot_words and self.beam_width == 1:
            raise ConfigError("decoding.hot_words need a decoding.beam_width of at least 2, such as 8")
        if (self.language_model_weight or self.symbol_bonus) and self.beam_width == 1:
            raise ConfigError(
                "decoding.language_model_weight and decoding.symbol_bonus need a decoding.beam_width of at least 2"
            )

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        return {} if self.hot_words else {"hot_word_boost": "there are no decoding.hot_words"}
