"""What a translation model is made of. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import RecurrentConfig, require, require_choice
from rnnapps.ranges import chosen, searched

__all__ = ["AttentionKind", "DecodingConfig", "TranslationModelConfig"]

AttentionKind = Literal["multiplicative", "additive"]


@dataclass(frozen=True)
class TranslationModelConfig(RecurrentConfig):
    """An encoder that reads the source, and a decoder that attends to it while it writes.

    Attributes:
        units: size of the state of each decoder layer.
        layers: recurrent layers of the encoder, and of the decoder below its attention.
        bidirectional: the encoder reads in both directions.
        dropout: share of values dropped from embeddings, between layers and before the softmax while training.
        encoder_units: size of the state of each encoder layer and direction.
        embedding_units: size of the vector that stands for a token.
        tie_embeddings: predict with the weights of the target embedding (Press & Wolf 2017, arXiv:1608.05859), without
            a bias; better for large vocabularies, and slower to begin to learn.
        attention: how the decoder scores the source: "multiplicative" (Luong et al. 2015, arXiv:1508.04025) or
            "additive" (Bahdanau et al. 2015, arXiv:1409.0473).
        context_layers: recurrent layers above the attention, which read what was attended to.
        input_feeding: the decoder also reads its last attentional vector, so that its recurrence contains the
            attention; slower to train.
        label_smoothing: share of the probability that training targets spread over the whole vocabulary.
        scheduled_sampling: share of the tokens the decoder reads while training that are its own choices at the last
            step; it rises linearly from 0 (Bengio et al. 2015, arXiv:1506.03099).

    Raises:
        ConfigError: a value is out of range.
    """

    units: int = 256
    bidirectional: bool = True
    dropout: float = 0.2
    encoder_units: int = searched(128, 8, 2048, logarithmic=True, factor=2)
    embedding_units: int = searched(128, 8, 1024, logarithmic=True, factor=2)
    tie_embeddings: bool = False
    attention: AttentionKind = chosen("multiplicative", "multiplicative", "additive")
    context_layers: int = 0
    input_feeding: bool = False
    label_smoothing: float = searched(0.1, 0.0, 0.2)
    scheduled_sampling: float = 0.0

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        for name in ("encoder_units", "embedding_units"):
            require(f"model.{name}", getattr(self, name), "at least 1", getattr(self, name) >= 1)
        for name in ("label_smoothing", "scheduled_sampling"):
            require(f"model.{name}", getattr(self, name), "at least 0 and below 1", 0 <= getattr(self, name) < 1)
        require("model.context_layers", self.context_layers, "at least 0", self.context_layers >= 0)
        require_choice("model.attention", self.attention, AttentionKind)
        reason = "0 with model.input_feeding, whose decoder runs step by step, each on its own"
        for name in ("weight_drop", "activation_regularization", "temporal_activation_regularization"):
            require(f"model.{name}", getattr(self, name), reason, not (self.input_feeding and getattr(self, name)))


@dataclass(frozen=True)
class DecodingConfig:
    """How a translation is searched for.

    Attributes:
        beam_width: hypotheses that are pursued side by side, 1 to 64; 1 always takes the likeliest token.
        length_penalty: higher favours longer translations (Wu et al. 2016, arXiv:1609.08144, equation 14), 0 to 10; 0
            compares sums of log probabilities. `evaluate --tune` finds it.
        no_repeat: no sequence of so many tokens is written twice, 2 to 16, unless there is no letter in it; 0 for any.

    Raises:
        ConfigError: a value is out of range.
    """

    beam_width: int = 5
    length_penalty: float = 1.0
    no_repeat: int = 6

    def __post_init__(self) -> None:
        """Checks the values."""
        require("decoding.beam_width", self.beam_width, "from 1 to 64", 1 <= self.beam_width <= 64)
        require("decoding.length_penalty", self.length_penalty, "from 0 to 10", 0 <= self.length_penalty <= 10)
        require("decoding.no_repeat", self.no_repeat, "0, or from 2 to 16", self.no_repeat in (0, *range(2, 17)))
