"""Endpoints whose words become numbers where they leave TensorFlow: runtimes beside it have no strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.types import Array

__all__ = ["numbered"]

Words = Sequence[Sequence[str]]
"""The words that are told apart in each column of an input."""


def numbered(endpoint: Endpoint) -> Endpoint:
    """The endpoint with the numbers of its `words`, from 1 on, in place of these; 0 is any other word."""
    own = {name: columns for name, columns in endpoint.words.items() if name in endpoint.input_signature}
    specs = {name: tf.TensorSpec(endpoint.input_signature[name].shape, tf.int32) for name in own}
    examples = {name: _numbers(endpoint.examples[name], columns) for name, columns in own.items()}
    meanings = {name: f"{endpoint.meaning(name)}; {_list(columns)}" for name, columns in own.items()}
    return replace(
        endpoint,
        input_signature=endpoint.input_signature | specs,
        examples=endpoint.examples | examples,
        meanings={**endpoint.meanings, **meanings},
    )


def _numbers(texts: Array, words: Words) -> Array:
    """The number of each word, int32 of the same shape."""
    columns = texts if texts.ndim > 1 else texts[:, None]
    result = np.zeros(columns.shape, np.int32)
    for column, own in enumerate(words):
        for number, word in enumerate(own, start=1):
            result[..., column][columns[..., column] == word.encode()] = number
    return result.reshape(texts.shape)


def _list(words: Words) -> str:
    """What the numbers stand for."""
    columns = [", ".join(f"{number} {word}" for number, word in enumerate(own, start=1)) for own in words]
    return f"as a number: {' | '.join(columns)}; 0 any other"
