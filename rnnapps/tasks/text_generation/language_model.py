"""The network of a text model, and the whole model around it."""

from __future__ import annotations

from typing import Any

import keras

from rnnapps.contract.fitted import Fitted
from rnnapps.layers.token_network import TokenModel, token_network
from rnnapps.tasks.text_generation.blend.gate import BlendGate
from rnnapps.tasks.text_generation.blend.lookup import GramLookup
from rnnapps.tasks.text_generation.blend.model import BlendedModel
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.tasks.text_generation.preprocessor import TextPreprocessor

__all__ = ["language_model", "text_network", "with_gate"]


def text_network(config: TextModelConfig, preprocessor: TextPreprocessor) -> keras.Model:
    """A token network; where there are n-grams, it also owns the weights of the blend with them."""
    return with_gate(token_network(config, preprocessor.size), preprocessor)


def with_gate(network: keras.Model, preprocessor: TextPreprocessor) -> keras.Model:
    """The network with the weights of the blend, where there are n-grams."""
    if preprocessor.grams is None:
        return network
    outputs = {**network.output, "logits": BlendGate(preprocessor.grams.order)(network.output["logits"])}
    return keras.Model(network.input, outputs, name=network.name)


def language_model(fitted: Fitted[Any, TextPreprocessor]) -> TokenModel:
    """What writes and judges text: the network alone, or blended with n-grams."""
    grams = fitted.preprocessor.grams
    if grams is None:
        return TokenModel(fitted.network)
    return fitted.once("language_model", lambda: BlendedModel(fitted.network, GramLookup(grams)))
