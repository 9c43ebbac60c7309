"""Continuing prompts with a token network: reading them, writing on, and turning ids back into text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import tensorflow as tf

from rnnapps.config import SamplingConfig
from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import StepFunction, generate, generate_as_asked
from rnnapps.layers.token_network import TokenModel
from rnnapps.preprocessing.characters import UNKNOWN_ID, CharacterVocabulary
from rnnapps.tasks.text_generation.streaming import stream
from rnnapps.types import Tensor, Tensors

__all__ = ["TextWriter", "begun", "continue_texts", "stream_text", "text_writer"]

EMPTY_PROMPT = "\n"
"""What an empty prompt stands for: the beginning of a line."""

ROWS = 256
"""About how many texts are written at once; more would only take memory."""

IMPOSSIBLE = -1e9
"""Added to a logit, leaves it no probability."""


class TextWriter(Protocol):
    """Continues each prompt `sampling.samples` times.

    The continuations of a prompt follow one another. Their seeds count up from that of `sampling`, for every prompt
    anew: they do not depend on the prompts beside theirs.
    """

    def __call__(self, prompts: Sequence[str], sampling: SamplingConfig, *, stop: str = "") -> list[str]:
        """The continuations, each ended before the string `stop` if it comes to it."""


def continue_texts(
    model: TokenModel, vocabulary: CharacterVocabulary, prompts: Tensor, rules: Rules, *, length: Tensor
) -> tuple[Tensor, Tensor]:
    """Writes on from prompts, in graph.

    Args:
        model: what predicts the next character.
        vocabulary: its characters.
        prompts: strings `(batch,)`; an empty one stands for the beginning of a line.
        rules: how each row is sampled.
        length: int32 `(batch,)`, characters wanted.

    Returns:
        The continuations, strings `(batch,)`, and how many characters of each prompt the vocabulary does not know,
        int32 `(batch,)`.
    """
    states, logits, unknown = _read_prompts(model, vocabulary, prompts)
    write = generate if None in (rules.top_k, rules.top_p, rules.stop) else generate_as_asked
    ids, lengths = write(_writing_step(model, vocabulary), states, logits, rules, length=length)
    return vocabulary.decode(ids, lengths), unknown


def begun(prompts: Tensor) -> Tensor:
    """Prompts, strings `(batch,)`; an empty one is the beginning of a line."""
    return tf.where(tf.equal(prompts, ""), EMPTY_PROMPT, prompts)


def _read_prompts(
    model: TokenModel, vocabulary: CharacterVocabulary, prompts: Tensor
) -> tuple[Tensors, Tensor, Tensor]:
    """States and logits after each prompt, and its number of unknown characters."""
    ids, lengths = vocabulary.encode(begun(prompts))
    logits, states = model.read_last(ids, lengths, model.zero_states(tf.shape(ids)[0]))
    unknown = tf.where(tf.equal(prompts, ""), 0, vocabulary.count_unknown(ids, lengths))
    return states, logits + _never_unknown(vocabulary), unknown


def _writing_step(model: TokenModel, vocabulary: CharacterVocabulary) -> StepFunction:
    """One step of the model that never writes the unknown character."""
    advance = model.step()

    def step(ids: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        logits, new_states = advance(ids, states)
        return logits + _never_unknown(vocabulary), new_states

    return step


def _never_unknown(vocabulary: CharacterVocabulary) -> Tensor:
    """What is added to logits `(..., vocabulary)` so that the unknown character is never drawn."""
    return tf.one_hot(UNKNOWN_ID, vocabulary.size, on_value=IMPOSSIBLE, off_value=0.0)


def text_writer(model: TokenModel, vocabulary: CharacterVocabulary) -> TextWriter:
    """Returns a function that continues prompts with the model's weights of that moment."""

    @tf.function(autograph=False, reduce_retracing=True)
    def write(rows: Tensor, rules: Rules, length: Tensor) -> Tensor:
        return continue_texts(model, vocabulary, rows, rules, length=length)[0]

    def write_all(prompts: Sequence[str], sampling: SamplingConfig, *, stop: str = "") -> list[str]:
        texts: list[str] = []
        together = max(1, ROWS // sampling.samples)
        for start in range(0, len(prompts), together):
            part = prompts[start : start + together]
            rows = tf.constant([prompt for prompt in part for _ in range(sampling.samples)])
            rules = _rules(vocabulary, sampling, stop, prompts=len(part))
            texts += [text.decode() for text in write(rows, rules, tf.fill(rows.shape, sampling.length)).numpy()]
        return texts

    return write_all


def stream_text(
    model: TokenModel, vocabulary: CharacterVocabulary, prompt: str, sampling: SamplingConfig, *, stop: str = ""
) -> Iterator[str]:
    """Yields the continuation piece by piece; together the pieces are the first text of `text_writer`."""
    states, logits, _ = _read_prompts(model, vocabulary, tf.constant([prompt]))
    rules = Rules(*(None if part is None else part[:1] for part in _rules(vocabulary, sampling, stop)))
    for ids in stream(_writing_step(model, vocabulary), states, logits, rules, length=sampling.length):
        yield vocabulary.decode(ids[None], [len(ids)]).numpy()[0].decode()


def _rules(vocabulary: CharacterVocabulary, sampling: SamplingConfig, stop: str, *, prompts: int = 1) -> Rules:
    """The same rules for every sample of every prompt, but for the seed, which counts up among those of a prompt."""
    rows = prompts * sampling.samples
    stop_ids, stop_lengths = vocabulary.encode(tf.constant([stop] * rows)) if stop else (None, None)
    return Rules(
        temperature=tf.fill([rows], sampling.temperature),
        seed=tf.tile(sampling.seed + tf.range(sampling.samples, dtype=tf.int64), [prompts]),
        top_k=tf.fill([rows], sampling.top_k) if sampling.top_k else None,
        top_p=tf.fill([rows], sampling.top_p) if sampling.top_p < 1 else None,
        stop=stop_ids,
        stop_lengths=stop_lengths,
    )
