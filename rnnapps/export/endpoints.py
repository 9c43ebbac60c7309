"""Signatures of models that read and write characters."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import LONGEST_SAMPLE
from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.prompts import continue_texts
from rnnapps.layers.token_network import read, zero_states
from rnnapps.pipeline import Endpoint
from rnnapps.preprocessing.characters import CharacterVocabulary

__all__ = ["text_endpoints"]

ROWS = 5
STEPS = 6


def text_endpoints(network: keras.Model, vocabulary: CharacterVocabulary) -> dict[str, Endpoint]:
    """`serving_default` writes text from prompts, `tensors` scores ids, `step` goes on from given states."""
    return {
        "serving_default": _writing(network, vocabulary),
        "tensors": _scoring(network, vocabulary),
        "step": _stepping(network, vocabulary),
    }


def _writing(network: keras.Model, vocabulary: CharacterVocabulary) -> Endpoint:
    def write(prompt: Any, length: Any, temperature: Any, seed: Any) -> dict[str, Any]:
        checks = [
            tf.debugging.assert_greater_equal(length, 1, "length must be at least 1"),
            tf.debugging.assert_less_equal(length, LONGEST_SAMPLE, f"length must be at most {LONGEST_SAMPLE}"),
            tf.debugging.assert_greater_equal(temperature, 0.0, "temperature must be at least 0"),
        ]
        with tf.control_dependencies(checks):
            rules = Rules(tf.identity(temperature), seed)
            text, unknown = continue_texts(network, vocabulary, prompt, rules, tf.identity(length))
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


def _scoring(network: keras.Model, vocabulary: CharacterVocabulary) -> Endpoint:
    def score(tokens: Any, lengths: Any) -> dict[str, Any]:
        states = zero_states(network, tf.shape(tokens)[0])
        return {"logits": read(network, tokens, _checked(lengths, tokens), states)[0]}

    return Endpoint(score, _token_signature(), _token_examples(vocabulary))


def _stepping(network: keras.Model, vocabulary: CharacterVocabulary) -> Endpoint:
    sizes = [state.shape[-1] for state in network.input["states"]]
    names = [f"state_{number}" for number in range(len(sizes))]

    def step(tokens: Any, lengths: Any, **states: Any) -> dict[str, Any]:
        logits, final = read(network, tokens, _checked(lengths, tokens), [states[name] for name in names])
        return {"logits": logits, **dict(zip(names, final, strict=True))}

    state_type = zero_states(network, 1)[0].dtype
    signature = {name: tf.TensorSpec((None, size), state_type) for name, size in zip(names, sizes, strict=True)}
    examples = {
        name: np.zeros((ROWS, size), state_type.as_numpy_dtype) for name, size in zip(names, sizes, strict=True)
    }
    return Endpoint(step, _token_signature() | signature, _token_examples(vocabulary) | examples)


def _checked(lengths: Any, tokens: Any) -> Any:
    """The lengths, once it is known that they lie within the tokens."""
    checks = [
        tf.debugging.assert_greater_equal(lengths, 0, "lengths must be at least 0"),
        tf.debugging.assert_less_equal(lengths, tf.shape(tokens)[1], "lengths must be at most the number of tokens"),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(lengths)


def _token_signature() -> dict[str, tf.TensorSpec]:
    return {"tokens": tf.TensorSpec((None, None), tf.int32), "lengths": tf.TensorSpec((None,), tf.int32)}


def _token_examples(vocabulary: CharacterVocabulary) -> dict[str, np.ndarray[Any, Any]]:
    tokens = np.arange(ROWS * STEPS, dtype=np.int32).reshape(ROWS, STEPS) % vocabulary.size
    return {"tokens": tokens, "lengths": np.array([STEPS, 1, 3, STEPS, 2], np.int32)}
