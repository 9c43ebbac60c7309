"""The likeliest ends of the word, or of the line, that a text breaks off in: a beam search in graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rnnapps.layers.token_network import TokenModel
from rnnapps.tasks.text_generation.completion.borders import Borders
from rnnapps.tasks.text_generation.prompts import never_written, read_prompts
from rnnapps.tasks.text_generation.tokens.vocabulary import TextVocabulary
from rnnapps.types import Tensor, Tensors

__all__ = ["MOST_TOKENS", "Growing", "Hypotheses", "complete_texts"]

MOST_TOKENS = 64
"""Of the longest completion; a longer line is cut there."""

NONE = -1e9
"""The score of what does not exist."""

UNFINISHED = -1e4
"""Added to the score of what was cut: it comes behind all that has an end."""


class Hypotheses(NamedTuple):
    """Texts that are weighed.

    Attributes:
        scores: logarithms of their probabilities, float32 `(batch, texts)`, falling in each row; `NONE` for no text.
        ids: int32 `(batch, texts, MOST_TOKENS)`.
        lengths: int32 `(batch, texts)`.
    """

    scores: Tensor
    ids: Tensor
    lengths: Tensor


class Growing(NamedTuple):
    """What the search carries from token to token.

    Attributes:
        open: what goes on.
        in_word: bool `(batch, width)`, whether each has a character of the word that is asked for.
        logits: of the next token `(batch * width, vocabulary)`.
        states: after the last one.
        done: what has come to its end.
    """

    open: Hypotheses
    in_word: Tensor
    logits: Tensor
    states: Tensors
    done: Hypotheses


def complete_texts(
    model: TokenModel, vocabulary: TextVocabulary, prompts: Tensor, whole_line: Tensor, *, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The likeliest continuations up to the end of a word, or of the line.

    A continuation is what stands before the next word, if anything does, and the word, or its rest; its probability is
    that of just this word: that another token than one that goes on follows. A mark counts as a word. All tokens that
    are not in the beam are neglected, so that the probabilities are right and some completion may be missed.

    Args:
        model: what predicts the next token.
        vocabulary: its tokens.
        prompts: strings `(batch,)`; an empty one stands for the beginning of a line.
        whole_line: bool `(batch,)`, go on to the end of the line.
        count: completions of each.

    Returns:
        Strings `(batch, count)`, the likeliest first; their probabilities float32 `(batch, count)`, 0 where there are
        no more; and how many characters of each prompt are unknown, int32 `(batch,)`.
    """
    opened, states, logits = read_prompts(model, vocabulary, prompts)
    width = 2 * count
    rows = tf.shape(logits)[0]
    given = tf.zeros([rows], tf.int32) if opened.given is None else opened.given
    beam = _Beam(vocabulary, whole_line, given, width=width, count=count)
    advance = model.step()

    def step(ids: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        logits, new = advance(ids, states)
        return logits + never_written(vocabulary), new

    done = beam.search(step, tf.repeat(logits, width, axis=0), [tf.repeat(state, width, axis=0) for state in states])
    ids, lengths = tf.reshape(done.ids, [-1, MOST_TOKENS]), tf.reshape(done.lengths, [-1])
    texts = vocabulary.decode(ids, lengths)
    skipped = tf.minimum(tf.repeat(given, width), tf.strings.length(texts, unit="UTF8_CHAR"))
    rest = tf.strings.substr(texts, skipped, tf.strings.length(texts), unit="UTF8_CHAR")
    chances = tf.where(done.scores > NONE / 2, tf.exp(tf.minimum(done.scores, 0.0)), 0.0)
    return *_distinct(tf.reshape(rest, tf.shape(chances)), chances, count), opened.unknown


def _distinct(texts: Tensor, chances: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """The likeliest texts `(batch, texts)`, what different tokens make of one taken together; "" and 0 for no more."""
    same = tf.equal(texts[:, :, None], texts[:, None]) & (chances > 0)[:, None]
    first = tf.equal(tf.argmax(tf.cast(same, tf.int32), axis=2, output_type=tf.int32), tf.range(tf.shape(texts)[1]))
    sums = tf.reduce_sum(tf.where(same, chances[:, None], 0.0), axis=2)
    best, places = tf.math.top_k(tf.where(first & (chances > 0), sums, 0.0), most)
    return tf.where(best > 0, tf.gather(texts, places, batch_dims=1), ""), best


class _Beam:
    """The rules of the search, for one batch of prompts."""

    def __init__(
        self, vocabulary: TextVocabulary, whole_line: Tensor, given: Tensor, *, width: int, count: int
    ) -> None:
        texts = vocabulary.texts
        self.borders = Borders(*map(tf.constant, Borders.of(texts, vocabulary.reserved)))
        self.sizes = tf.constant(np.array([len(text) for text in texts], np.int32))
        self.line, self.given, self.width, self.count = whole_line[:, None, None], given, width, count

    def search(self, step: Callable[..., tuple[Tensor, Tensors]], logits: Tensor, states: Tensors) -> Hypotheses:
        """Grows all texts of the beam token by token until nothing better can come."""
        rows = tf.shape(self.given)[0]
        first = tf.tile(tf.constant([[0.0] + [NONE] * (self.width - 1)]), [rows, 1])
        empty = [
            Hypotheses(scores, tf.zeros([rows, size, MOST_TOKENS], tf.int32), tf.zeros([rows, size], tf.int32))
            for scores, size in ((first, self.width), (tf.fill([rows, self.width], NONE), self.width))
        ]
        start = Growing(empty[0], tf.zeros([rows, self.width], tf.bool), logits, list(states), empty[1])

        def better(now: Tensor, growing: Growing) -> Tensor:
            possible = tf.reduce_max(growing.open.scores, axis=1)
            return (now < MOST_TOKENS) & tf.reduce_any(
                (possible > growing.done.scores[:, self.count - 1]) & (possible > NONE / 2)
            )

        def body(now: Tensor, growing: Growing) -> tuple[Tensor, Growing]:
            new = self._grown(now, growing, step)
            tf.nest.map_structure(lambda own, old: own.set_shape(old.shape), new, growing)
            return now + 1, new

        _, last = tf.while_loop(better, body, (tf.constant(0), start), parallel_iterations=1)
        cut = last.open._replace(scores=tf.maximum(last.open.scores + UNFINISHED, NONE))
        found = _best([last.done, cut], self.width)
        whole = tf.where(found.scores > UNFINISHED / 2, found.scores, found.scores - UNFINISHED)
        return found._replace(scores=tf.where(found.scores > NONE / 2, whole, NONE))

    def _grown(self, now: Tensor, growing: Growing, step: Callable[..., tuple[Tensor, Tensors]]) -> Growing:
        """With one token more."""
        logs = tf.reshape(tf.nn.log_softmax(growing.logits), [-1, self.width, growing.logits.shape[-1]])
        total = growing.open.scores[..., None] + logs
        goes, waits, ends, closes = self._moves(now, growing.in_word)
        ended = tf.reduce_logsumexp(tf.where(ends, total, NONE), axis=-1)
        closed, _ = self._extended(now, growing.open, tf.where(closes, total, NONE))
        done = _best([growing.done, growing.open._replace(scores=ended), closed], self.width)
        kept, parents = self._extended(now, growing.open, tf.where(goes | waits, total, NONE))
        tokens = tf.reshape(kept.ids[..., now], [-1])
        goes = tf.reshape(tf.broadcast_to(goes, tf.shape(total)), [-1, tf.shape(total)[-1]])
        in_word = tf.reshape(tf.gather(goes, parents), [-1, tf.shape(total)[-1]])
        in_word = tf.reshape(tf.gather(in_word, tokens, batch_dims=1), tf.shape(kept.scores))
        logits, states = step(tokens, [tf.gather(state, parents) for state in growing.states])
        return Growing(kept, in_word, tf.cast(logits, tf.float32), states, done)

    def _moves(self, now: Tensor, in_word: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What each token does to each text, bool `(batch, width, vocabulary)` each: go on, wait, end before it, close.

        A first token that adds nothing to what the prompt already has of it leaves all to the next.
        """
        own, inside = self.borders, in_word[..., None]
        adds = ((now > 0) | (self.sizes > self.given[:, None]))[:, None]
        before = tf.logical_not(inside | self.line)
        goes = tf.where(self.line, tf.logical_not(own.ends_line), tf.where(inside, own.goes_on, own.opens & adds))
        waits = before & (own.spaces | (own.opens & tf.logical_not(adds)))
        ends = tf.where(self.line, own.ends_line, inside & tf.logical_not(own.goes_on))
        return goes, waits, ends, before & own.closes

    def _extended(self, now: Tensor, texts: Hypotheses, total: Tensor) -> tuple[Hypotheses, Tensor]:
        """The best texts with one token more, and the flat number of what each was made of `(batch * width,)`."""
        rows, vocabulary, most = tf.shape(total)[0], tf.shape(total)[2], self.width
        scores, places = tf.math.top_k(tf.reshape(total, [rows, -1]), most)
        parents, tokens = places // vocabulary, places % vocabulary
        ids = tf.gather(texts.ids, parents, batch_dims=1)
        here = tf.equal(tf.range(MOST_TOKENS), now)
        grown = Hypotheses(
            tf.maximum(scores, NONE), tf.where(here, tokens[..., None], ids), tf.fill([rows, most], now + 1)
        )
        return grown, tf.reshape(tf.range(rows)[:, None] * self.width + parents, [-1])


def _best(sets: list[Hypotheses], most: int) -> Hypotheses:
    """The best of several sets of texts."""
    scores, ids, lengths = (tf.concat(parts, axis=1) for parts in zip(*sets, strict=True))
    best, places = tf.math.top_k(scores, most)
    return Hypotheses(
        tf.maximum(best, NONE), tf.gather(ids, places, batch_dims=1), tf.gather(lengths, places, batch_dims=1)
    )
