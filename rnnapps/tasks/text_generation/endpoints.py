"""Signatures of models that read and write characters."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import LONGEST_SAMPLE
from rnnapps.contract.endpoint import Endpoint
from rnnapps.decoding.distribution import Rules
from rnnapps.export.token_endpoints import token_endpoints
from rnnapps.preprocessing.characters import CharacterVocabulary
from rnnapps.tasks.text_generation.prompts import continue_texts
from rnnapps.types import Tensor

__all__ = ["text_endpoints"]


def text_endpoints(network: keras.Model, vocabulary: CharacterVocabulary) -> dict[str, Endpoint]:
    """`serving_default` writes text from prompts, `tensors` scores ids, `step` goes on from given states."""
    return {
        "serving_default": _writing(network, vocabulary),
        **token_endpoints(network, vocabulary.size),
    }


def _writing(network: keras.Model, vocabulary: CharacterVocabulary) -> Endpoint:
    """Prompts in, continuations out."""

    def write(prompt: Tensor, length: Tensor, temperature: Tensor, seed: Tensor) -> dict[str, Tensor]:
        checks = [
            tf.debugging.assert_greater_equal(length, 1, "length must be at least 1"),
            tf.debugging.assert_less_equal(length, LONGEST_SAMPLE, f"length must be at most {LONGEST_SAMPLE}"),
            tf.debugging.assert_greater_equal(temperature, 0.0, "temperature must be at least 0"),
        ]
        with tf.control_dependencies(checks):
            rules = Rules(tf.identity(temperature), seed)
            text, unknown = continue_texts(network, vocabulary, prompt, rules, length=tf.identity(length))
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
    return Endpoint(write, signature, examples)
