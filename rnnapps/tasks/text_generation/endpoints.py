"""Signatures of models that read and write characters."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.decoding.distribution import Rules
from rnnapps.export.row_rules import between, text_within
from rnnapps.export.token_endpoints import token_endpoints
from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.tasks.text_generation.export_config import TextExportConfig
from rnnapps.tasks.text_generation.prompts import continue_texts
from rnnapps.types import Tensor

__all__ = ["text_endpoints"]


def text_endpoints(
    network: keras.Model, vocabulary: CharacterVocabulary, limits: TextExportConfig
) -> dict[str, Endpoint]:
    """`serving_default` writes text from prompts, `tensors` scores ids, `step` goes on from given states."""
    return {
        "serving_default": _writing(network, vocabulary, limits),
        **token_endpoints(network, vocabulary.size, most_steps=limits.longest_prompt),
    }


def _writing(network: keras.Model, vocabulary: CharacterVocabulary, limits: TextExportConfig) -> Endpoint:
    """Prompts in, continuations out."""

    def write(prompt: Tensor, length: Tensor, temperature: Tensor, seed: Tensor) -> dict[str, Tensor]:
        text, unknown = continue_texts(network, vocabulary, prompt, Rules(temperature, seed), length=length)
        return {"text": text, "unknown_characters": unknown}

    signature = {
        "prompt": tf.TensorSpec((None,), tf.string),
        "length": tf.TensorSpec((None,), tf.int32),
        "temperature": tf.TensorSpec((None,), tf.float32),
        "seed": tf.TensorSpec((None,), tf.int64),
    }
    known = vocabulary.characters
    examples = {
        "prompt": np.array([known[:7].encode(), b"", known[-3:].encode(), b"\xe2\x98\x83 snow", known[2:4].encode()]),
        "length": np.array([12, 3, 20, 1, 7], np.int32),
        "temperature": np.array([0.8, 0.0, 1.0, 0.5, 1.5], np.float32),
        "seed": np.array([1, 2, 3, 2**40, -5], np.int64),
    }
    rules = (
        between("length", 1, limits.longest_answer),
        between("temperature", 0),
        text_within("prompt", limits.longest_prompt),
    )
    return Endpoint(write, signature, examples, rules=rules, neutral={"length": 1})
