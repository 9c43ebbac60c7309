"""Contestants that write text with TensorFlow: our loop in the graph, and a Python loop around one step."""

from __future__ import annotations

import keras
import tensorflow as tf

from benchmarks import problems
from rnnapps.config import TokenModelConfig
from rnnapps.decoding.distribution import Rules
from rnnapps.decoding.sampling import generate
from rnnapps.layers.token_network import token_network, token_step, zero_states
from rnnapps.types import Array, Tensor

__all__ = ["one_step_function", "our_loop"]


class OurLoop:
    """The whole loop over characters is one graph.

    Args:
        writer: sizes.
        batch: rows written at once.
        length: characters of each row.
    """

    def __init__(self, writer: problems.Writer, batch: int, length: int) -> None:
        config = TokenModelConfig(cell="gru", units=writer.units, embedding_units=writer.embedding_units)
        self.network, self.batch, self.length = token_network(config, writer.vocabulary), batch, length
        self.network.set_weights(problems.writer_weights(writer))
        self.function = tf.function(self._write, autograph=False)

    def run(self) -> Array:
        """Writes all rows; ids int32 `(batch, length)`."""
        ids: Array = self.function().numpy()
        return ids

    def answers(self) -> dict[str, float]:
        """The logits after some fixed ids."""
        step, states = token_step(self.network), zero_states(self.network, self.batch)
        for token in problems.FIXED_IDS:
            logits, states = step(tf.fill([self.batch], token), states)
        return {"logits": problems.projection(logits.numpy())}

    def _write(self) -> Tensor:
        """Ids int32 `(batch, length)`."""
        step, states = token_step(self.network), zero_states(self.network, self.batch)
        logits, states = step(tf.zeros([self.batch], tf.int32), states)
        rules = Rules(temperature=tf.ones([self.batch]), seed=tf.range(self.batch, dtype=tf.int64))
        return generate(step, states, logits, rules, length=tf.fill([self.batch], self.length))[0]


class OneStepFunction:
    """A Python loop around a `tf.function` of one step, as in TensorFlow's tutorial "Text generation with an RNN".

    Args:
        writer: sizes.
        batch: rows written at once.
        length: characters of each row.
    """

    def __init__(self, writer: problems.Writer, batch: int, length: int) -> None:
        self.embedding = keras.layers.Embedding(writer.vocabulary, writer.embedding_units)
        self.gru = keras.layers.GRU(writer.units, return_sequences=True, return_state=True)
        self.dense = keras.layers.Dense(writer.vocabulary)
        self.batch, self.length, self.units = batch, length, writer.units
        self.embedding.build((None, None))
        self.gru.build((None, None, writer.embedding_units))
        self.dense.build((None, writer.units))
        weights = problems.writer_weights(writer)
        for layer, part in ((self.embedding, weights[:1]), (self.gru, weights[1:4]), (self.dense, weights[4:])):
            layer.set_weights(part)
        self.function = tf.function(self._step)

    def run(self) -> Array:
        """Writes all rows; ids `(batch, length)`."""
        ids, state = tf.zeros([self.batch, 1], tf.int64), tf.zeros([self.batch, self.units])
        written = []
        for _ in range(self.length):
            ids, _, state = self.function(ids, state)
            written.append(ids)
        all_ids: Array = tf.concat(written, axis=1).numpy()
        return all_ids

    def answers(self) -> dict[str, float]:
        """The logits after some fixed ids."""
        state = tf.zeros([self.batch, self.units])
        for token in problems.FIXED_IDS:
            _, logits, state = self.function(tf.fill([self.batch, 1], tf.cast(token, tf.int64)), state)
        return {"logits": problems.projection(logits.numpy())}

    def _step(self, ids: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden, state = self.gru(self.embedding(ids), initial_state=state, training=False)
        logits = self.dense(hidden)[:, -1]
        return tf.random.categorical(logits, num_samples=1), logits, state


def our_loop(*, writer: dict[str, int], batch: int, length: int) -> OurLoop:
    """Our generation; `writer` holds the sizes."""
    return OurLoop(problems.Writer(**writer), batch, length)


def one_step_function(*, writer: dict[str, int], batch: int, length: int) -> OneStepFunction:
    """The tutorial's way; `writer` holds the sizes."""
    return OneStepFunction(problems.Writer(**writer), batch, length)
