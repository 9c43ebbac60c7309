"""Continuing prompts with a token network: reading them, writing on, and turning ids back into text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import StepFunction, generate, generate_as_asked
from rnnapps.layers.token_network import TokenModel
from rnnapps.tasks.text_generation.predict_options import WritingConfig
from rnnapps.tasks.text_generation.repeats import RepeatRules, without_repeats
from rnnapps.tasks.text_generation.stops import before_stops, until_stop
from rnnapps.tasks.text_generation.streaming import stream
from rnnapps.tasks.text_generation.tokens.vocabulary import Opened, TextVocabulary
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["TextWriter", "continue_texts", "never_written", "read_prompts", "stop_ids", "stream_text", "text_writer"]

ROWS = 256
"""About how many texts are written at once; more would only take memory."""

IMPOSSIBLE = -1e9
"""Added to a logit, leaves it no probability."""


class TextWriter(Protocol):
    """Continues each prompt `sampling.samples` times.

    The continuations of a prompt follow one another. Their seeds count up from that of `sampling`, for every prompt
    anew: they do not depend on the prompts beside theirs.
    """

    def __call__(self, prompts: Sequence[str], sampling: WritingConfig, *, stop: str = "") -> list[str]:
        """The continuations, each ended before the string `stop` if it comes to it."""


def continue_texts(
    model: TokenModel,
    vocabulary: TextVocabulary,
    prompts: Tensor,
    rules: Rules,
    *,
    length: Tensor,
    stop: Tensor,
    repeats: RepeatRules | None = None,
) -> tuple[Tensor, Tensor]:
    """Writes on from prompts, in graph.

    Args:
        model: what predicts the next token.
        vocabulary: its tokens.
        prompts: strings `(batch,)`; an empty one stands for the beginning of a line.
        rules: how each row is sampled.
        length: int32 `(batch,)`, tokens wanted.
        stop: strings `(batch,)` before which texts end; empty for none.
        repeats: what each row holds of repetition; None for nothing.

    Returns:
        The continuations, strings `(batch,)`, and how many characters of each prompt the vocabulary does not know,
        int32 `(batch,)`.
    """
    opened, states, logits = read_prompts(model, vocabulary, prompts)
    write = generate if None in (rules.top_k, rules.top_p) else generate_as_asked
    step, begun = _writing_step(model, vocabulary, repeats)
    ids, lengths = write(step, begun(states), logits, rules, length=length)
    texts = vocabulary.decode(ids, lengths)
    if opened.given is None:
        return texts, opened.unknown
    rest = tf.strings.substr(texts, opened.given, tf.strings.length(texts), unit="UTF8_CHAR")
    return before_stops(rest, stop), opened.unknown


def read_prompts(model: TokenModel, vocabulary: TextVocabulary, prompts: Tensor) -> tuple[Opened, Tensors, Tensor]:
    """Prompts, strings `(batch,)`, opened, and the states and logits after each, of what may be written alone."""
    opened = vocabulary.open(prompts)
    logits, states = model.read_last(opened.ids, opened.lengths, model.zero_states(tf.shape(opened.ids)[0]))
    logits += never_written(vocabulary)
    return opened, states, logits if opened.allowed is None else tf.where(opened.allowed, logits, IMPOSSIBLE)


def _writing_step(
    model: TokenModel, vocabulary: TextVocabulary, repeats: RepeatRules | None
) -> tuple[StepFunction, Callable[[Nest], Nest]]:
    """One step of the model that never writes what is reserved, and what makes its states of those of the model."""
    advance = model.step()

    def step(ids: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        logits, new_states = advance(ids, states)
        return logits + never_written(vocabulary), new_states

    return (step, lambda states: states) if repeats is None else without_repeats(step, repeats)


def never_written(vocabulary: TextVocabulary) -> Tensor:
    """What is added to logits `(..., vocabulary)` so that what is reserved is never drawn."""
    penalties = np.zeros(vocabulary.size, np.float32)
    penalties[list(vocabulary.reserved)] = IMPOSSIBLE
    return tf.constant(penalties)


def text_writer(model: TokenModel, vocabulary: TextVocabulary) -> TextWriter:
    """Returns a function that continues prompts with the model's weights of that moment."""

    @tf.function(autograph=False, reduce_retracing=True)
    def write(rows: Tensor, rules: Rules, *, length: Tensor, stop: Tensor, repeats: RepeatRules | None) -> Tensor:
        return continue_texts(model, vocabulary, rows, rules, length=length, stop=stop, repeats=repeats)[0]

    def write_all(prompts: Sequence[str], sampling: WritingConfig, *, stop: str = "") -> list[str]:
        texts: list[str] = []
        together = max(1, ROWS // sampling.samples)
        for start in range(0, len(prompts), together):
            part = prompts[start : start + together]
            rows = tf.constant([prompt for prompt in part for _ in range(sampling.samples)])
            rules = _rules(vocabulary, sampling, stop, prompts=len(part))
            lengths, stops = tf.fill(rows.shape, sampling.length), tf.fill(rows.shape, stop)
            repeats = _repeat_rules(sampling, rows.shape[0])
            found = write(rows, rules, length=lengths, stop=stops, repeats=repeats)
            texts += [text.decode() for text in found.numpy()]
        return texts

    return write_all


def stream_text(
    model: TokenModel, vocabulary: TextVocabulary, prompt: str, sampling: WritingConfig, *, stop: str = ""
) -> Iterator[str]:
    """Yields the continuation piece by piece; together the pieces are the first text of `text_writer`."""
    opened, states, logits = read_prompts(model, vocabulary, tf.constant([prompt]))
    rules = Rules(*(None if part is None else part[:1] for part in _rules(vocabulary, sampling, stop)))
    step, begun = _writing_step(model, vocabulary, _repeat_rules(sampling, 1))
    written = stream(step, begun(states), logits, rules, length=sampling.length)
    pieces = (vocabulary.decode(ids[None], [len(ids)]).numpy()[0].decode() for ids in written)
    if opened.given is None:
        yield from pieces
        return
    rest = (piece[int(opened.given[0]) if number == 0 else 0 :] for number, piece in enumerate(pieces))
    yield from until_stop(rest, stop)


def stop_ids(vocabulary: TextVocabulary, stop: Tensor) -> tuple[Tensor, Tensor] | tuple[None, None]:
    """Stops as ids and lengths for `Rules`; None where a text may have other tokens there, and is cut afterwards."""
    return vocabulary.encode(stop) if vocabulary.kind == "characters" else (None, None)


def _rules(vocabulary: TextVocabulary, sampling: WritingConfig, stop: str, *, prompts: int = 1) -> Rules:
    """The same rules for every sample of every prompt, but for the seed, which counts up among those of a prompt."""
    rows = prompts * sampling.samples
    ids, lengths = stop_ids(vocabulary, tf.fill([rows], stop)) if stop else (None, None)
    return Rules(
        temperature=tf.fill([rows], sampling.temperature),
        seed=tf.tile(sampling.seed + tf.range(sampling.samples, dtype=tf.int64), [prompts]),
        top_k=tf.fill([rows], sampling.top_k) if sampling.top_k else None,
        top_p=tf.fill([rows], sampling.top_p) if sampling.top_p < 1 else None,
        stop=ids,
        stop_lengths=lengths,
        min_p=tf.fill([rows], sampling.min_p) if sampling.min_p else None,
    )


def _repeat_rules(sampling: WritingConfig, rows: int) -> RepeatRules | None:
    """The same rules of repetition for every row; None where there are none."""
    if sampling.repetition_penalty == 1 and not sampling.no_repeat:
        return None
    return RepeatRules(tf.fill([rows], float(sampling.repetition_penalty)), tf.fill([rows], sampling.no_repeat))
