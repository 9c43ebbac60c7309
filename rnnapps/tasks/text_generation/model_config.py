"""The model of text generation: a network, and what it is blended with. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnapps.config import TokenModelConfig, require, require_choice

__all__ = ["TextModelConfig"]

Blend = Literal["ngram", "none"]


@dataclass(frozen=True)
class TextModelConfig(TokenModelConfig):
    """A recurrent network that predicts the next token, blended with what followed in the training text.

    Attributes:
        blend: `ngram` mixes the network's probabilities with counts of n-grams, by weights that are fitted to
            parts of the training text that are kept from both; `none` leaves the network alone.
        ngram_order: tokens of the longest n-grams, 3 to 16.
        ngram_megabytes: what their table may take in an export; the rarest are left out until it fits.

    Raises:
        ConfigError: a value is out of range.
    """

    blend: Blend = "ngram"
    ngram_order: int = 12
    ngram_megabytes: float = 20.0

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require_choice("model.blend", self.blend, Blend)
        require("model.ngram_order", self.ngram_order, "from 3 to 16", 3 <= self.ngram_order <= 16)
        megabytes = self.ngram_megabytes
        require("model.ngram_megabytes", megabytes, "above 0 and at most 1,000", 0 < megabytes <= 1000)

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        found = super().without_effect()
        if self.blend == "none":
            found |= dict.fromkeys(("ngram_order", "ngram_megabytes"), "needs model.blend ngram")
        return found
