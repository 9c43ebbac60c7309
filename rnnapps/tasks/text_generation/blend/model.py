"""The blend of a network and n-grams in a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from rnnapps.layers.stack import StackStep
from rnnapps.layers.token_network import TokenModel, read, token_step, zero_states
from rnnapps.tasks.text_generation.blend.gate import GATE
from rnnapps.tasks.text_generation.blend.lookup import Followers, GramLookup
from rnnapps.types import Size, Tensor, Tensors

__all__ = ["BlendedModel"]

SMALLEST = 1e-30

UNKNOWN = -1000.0
"""The score of a context that is not in the table: its sigmoid is 0 in float32, and that of its negative 1."""


@dataclass(frozen=True)
class BlendedModel(TokenModel):
    """A network whose distribution is mended by what followed the last symbols in the training text.

        p_0 = network,    p_k(w) = (1 - g_k s_k) p_{k-1}(w) + g_k max(count(c_k w) - D_k, 0) / count(c_k)

    for the contexts c_k of one symbol, two, ... up to the longest: Kneser-Ney smoothing with the network in the place
    of the uniform distribution, and a gate. s_k is the sum of the shares that are added, and g_k = sigmoid(weights_k .
    features_k) how much the context is believed, see `BlendGate`; 0 where it is unknown.

    The states are those of the network, and the contexts at the last place.

    Attributes:
        network: a token network with a `BlendGate`.
        lookup: the n-grams.
    """

    lookup: GramLookup

    @property
    def state_limits(self) -> list[int | None]:
        """Contexts are entries of the table."""
        return [*super().state_limits, self.lookup.entries - 1]

    @property
    def trackables(self) -> tuple[tf.Module, ...]:
        """The table."""
        return (self.lookup,)

    def zero_states(self, rows: Size) -> Tensors:
        """No symbol was read, so no context is known."""
        return [*zero_states(self.network, rows), tf.zeros([rows, self.lookup.lengths], tf.int32)]

    def read(self, tokens: Tensor, lengths: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        """Logarithms of the probabilities of each next token, and the states after the last."""
        logits, through, new = self._read_both(tokens, lengths, states)
        blended = self._blended(_rows(logits), _rows(through[:, 1:]))
        valid = tf.sequence_mask(lengths, tf.shape(tokens)[1])
        return tf.where(valid[..., None], tf.reshape(blended, tf.shape(logits)), 0.0), new

    def read_last(self, tokens: Tensor, lengths: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        """The same of the last token alone: what is before it need not be blended."""
        logits, _, new = self._read_both(tokens, lengths, states)
        return self._blended(tf.gather(logits, lengths - 1, batch_dims=1), new[-1]), new

    def step(self) -> StackStep:
        """One token per row."""
        advance = token_step(self.network)

        def step(tokens: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
            *own, before = states
            logits, new = advance(tokens, own)
            contexts = self.lookup.advance(before, tokens)
            return self._blended(logits, contexts), [*new, contexts]

        return step

    def _read_both(self, tokens: Tensor, lengths: Tensor, states: Tensors) -> tuple[Tensor, Tensor, Tensors]:
        """Logits of the network, the contexts before and after each token `(batch, 1 + time, lengths)`, new states."""
        *own, before = states
        logits, final = read(self.network, tokens, lengths, own)
        valid = tf.sequence_mask(lengths, tf.shape(tokens)[1])
        contexts = self.lookup.read(before, tf.where(valid, tokens, 0))
        through = tf.concat([before[:, None], contexts], axis=1)
        return logits, through, [*final, tf.gather(through, lengths, batch_dims=1)]

    def _blended(self, logits: Tensor, contexts: Tensor) -> Tensor:
        """Logarithms of probabilities `(rows, vocabulary)` of logits and contexts `(rows, lengths)`."""
        scores = tf.nn.log_softmax(logits)
        network = tf.exp(scores)
        found = self.lookup.followers(contexts)
        believed, doubted = self._belief(found, -tf.reduce_sum(network * scores, axis=-1, keepdims=True))
        # 1 - g s as a sum: a difference would lose the digits of what is hardly likely.
        passed = doubted + believed * found.spared
        # What a context takes off all that is shorter, the longer ones leave of it in turn.
        left = tf.math.cumprod(passed, axis=1, exclusive=True, reverse=True)
        weights = tf.gather(tf.reshape(believed * left / found.totals, [-1]), found.owners)
        places = found.owners // self.lookup.lengths * self.vocabulary_size + found.symbols
        added = tf.math.unsorted_segment_sum(weights * found.counts, places, tf.size(network))
        blended = network * tf.reduce_prod(passed, axis=1, keepdims=True) + tf.reshape(added, tf.shape(network))
        return tf.math.log(tf.maximum(blended, SMALLEST))

    def _belief(self, found: Followers, entropy: Tensor) -> tuple[Tensor, Tensor]:
        """How much contexts `(rows, lengths)` are believed, from 0 to 1, and what is left of 1."""
        scores, *weights = tf.unstack(self.network.get_layer(GATE).kernel.value, axis=1)
        features = (tf.math.log(found.totals), tf.math.log(tf.maximum(found.kinds, 1)), found.kept, entropy)
        for weight, feature in zip(weights, features, strict=True):
            scores += weight * feature
        scores = tf.where(found.kinds > 0, scores, UNKNOWN)
        return tf.sigmoid(scores), tf.sigmoid(-scores)


def _rows(values: Tensor) -> Tensor:
    """`(batch, time, size)` -> `(batch * time, size)`."""
    return tf.reshape(values, [-1, values.shape[-1]])
