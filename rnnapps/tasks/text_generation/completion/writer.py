"""Completing texts with the weights of a model as they are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Protocol

import tensorflow as tf

from rnnapps.layers.token_network import TokenModel
from rnnapps.tasks.text_generation.completion.search import complete_texts
from rnnapps.tasks.text_generation.continuation import Completion
from rnnapps.tasks.text_generation.tokens.vocabulary import TextVocabulary
from rnnapps.types import Tensor

__all__ = ["Completer", "text_completer"]

ROWS = 32
"""Prompts that are completed at once."""


class Completer(Protocol):
    """Completes each prompt in the likeliest ways, `count` of them or fewer."""

    def __call__(self, prompts: Sequence[str], *, count: int, whole_line: bool = False) -> list[tuple[Completion, ...]]:
        """The completions of each prompt, the likeliest first; up to the end of the line or, by default, of a word."""


def text_completer(model: TokenModel, vocabulary: TextVocabulary) -> Completer:
    """Returns a function that completes prompts with the model's weights of that moment."""

    @functools.cache
    def completing(count: int) -> Callable[..., tuple[Tensor, Tensor]]:
        def complete(prompts: Tensor, lines: Tensor) -> tuple[Tensor, Tensor]:
            return complete_texts(model, vocabulary, prompts, lines, count=count)[:2]

        specs = [tf.TensorSpec([None], kind) for kind in (tf.string, tf.bool)]
        traced: Callable[..., tuple[Tensor, Tensor]] = tf.function(complete, autograph=False, input_signature=specs)
        return traced

    def complete_all(prompts: Sequence[str], *, count: int, whole_line: bool = False) -> list[tuple[Completion, ...]]:
        found: list[tuple[Completion, ...]] = []
        for start in range(0, len(prompts), ROWS):
            rows = tf.constant(prompts[start : start + ROWS])
            answers = completing(count)(rows, tf.fill(rows.shape, whole_line))
            for texts, probabilities in zip(*(answer.numpy() for answer in answers), strict=True):
                pairs = zip(texts, probabilities, strict=True)
                found.append(tuple(Completion(text.decode(), float(share)) for text, share in pairs if share > 0))
        return found

    return complete_all
