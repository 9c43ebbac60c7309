"""Which keys sound at once: a distribution over multi-hot frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnnapps.types import Tensor

__all__ = ["KeyDistribution"]


@keras.saving.register_keras_serializable(package="rnnapps")
class KeyDistribution(keras.layers.Layer):
    """Probabilities of frames, given a vector that stands for what came before.

    With `hidden_units` 0 keys are independent: p(v_i = 1) = sigmoid(b_i + V_i c). Otherwise each key also depends on
    all keys below it, as in the masked autoencoder (MADE, arXiv:1502.03509, section 3) under a recurrent network, the
    idea of RNN-NADE (Boulanger-Lewandowski et al. 2012, arXiv:1206.6392):

        a = d + D c + (W * M) v,   logit_i = b_i + V_i c + (U * N)_i relu(a) + (A * L)_i v

    Hidden unit k has a degree m_k; M lets it see the keys below m_k, N lets it speak to the keys from m_k on, L is
    strictly triangular: no key sees itself or one above it. One pass gives the likelihood; a sample takes 88.

    Args:
        keys: number of keys.
        hidden_units: size of the hidden layer between keys; 0 for independent keys.
        **kwargs: `name` and `trainable` of the Keras layer; it computes in float32.
    """

    def __init__(self, keys: int, *, hidden_units: int = 0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.keys, self.hidden_units = keys, hidden_units
        degrees = np.linspace(1, keys - 1, max(hidden_units, 1)).round()
        places = np.arange(keys)
        # The masks M (keys, hidden), N (hidden, keys) and L (keys, keys), all for a product from the left.
        self._sees = (places[:, None] < degrees[None, :]).astype(np.float32)
        self._speaks = (degrees[:, None] <= places[None, :]).astype(np.float32)
        self._below = np.triu(np.ones((keys, keys), np.float32), 1)

    def build(self, context_shape: Sequence[int], frames_shape: object = None) -> None:
        """Makes the weights for contexts `(..., features)`."""
        size, hidden = int(context_shape[-1]), self.hidden_units
        self.kernel = self.add_weight(name="kernel", shape=(size, self.keys))
        self.bias = self.add_weight(name="bias", shape=(self.keys,), initializer="zeros")
        if hidden:
            self.context_kernel = self.add_weight(name="context_kernel", shape=(size, hidden))
            self.hidden_bias = self.add_weight(name="hidden_bias", shape=(hidden,), initializer="zeros")
            self.read_kernel = self.add_weight(name="read_kernel", shape=(self.keys, hidden))
            self.write_kernel = self.add_weight(name="write_kernel", shape=(hidden, self.keys))
            self.key_kernel = self.add_weight(name="key_kernel", shape=(self.keys, self.keys), initializer="zeros")

    def call(self, context: Tensor, frames: Tensor | None = None) -> Tensor:
        """Logits of each key of frames.

        Args:
            context: `(..., features)`.
            frames: the frames, 0 or 1, `(..., keys)`; not needed where keys are independent.

        Returns:
            `(..., keys)`: the logit of each key given the context and the keys below it.
        """
        logits = tf.matmul(context, self.kernel.value) + self.bias.value
        if not self.hidden_units:
            return logits
        hidden = self._hidden(context) + tf.matmul(frames, self.read_kernel.value * self._sees)
        logits += tf.matmul(tf.nn.relu(hidden), self.write_kernel.value * self._speaks)
        return logits + tf.matmul(frames, self.key_kernel.value * self._below)

    def sample(self, context: Tensor, numbers: Tensor, scale: Tensor, top_p: Tensor) -> Tensor:
        """Draws frames.

        Args:
            context: `(batch, features)`.
            numbers: uniform numbers from 0 to below 1 `(batch, keys)`.
            scale: factors of the logits `(batch, 1)`, the inverse temperature.
            top_p: `(batch,)`; of a key's two outcomes the less likely one is never drawn where the other's probability
                reaches top_p. 1 draws both.

        Returns:
            float32 `(batch, keys)`, 0 or 1.
        """
        context = tf.cast(context, tf.float32)
        logits = tf.matmul(context, self.kernel.value) + self.bias.value
        if not self.hidden_units:
            return _drawn(logits * scale, numbers, top_p[:, None])
        return self._sample_upwards(logits, self._hidden(context), numbers, scale=scale, top_p=top_p)

    def _sample_upwards(
        self, logits: Tensor, hidden: Tensor, numbers: Tensor, *, scale: Tensor, top_p: Tensor
    ) -> Tensor:
        """One key after the other, from the lowest: each is drawn given those below it, and then is one of them."""
        read, write = self.read_kernel.value * self._sees, tf.transpose(self.write_kernel.value * self._speaks)
        # All that speaks to a key in one row, (keys, keys + hidden): the keys below it, then the hidden units.
        to_keys = tf.concat([tf.transpose(self.key_kernel.value * self._below), write], axis=1)
        by_key = tf.transpose(tf.stack([logits, numbers], axis=-1), [1, 0, 2])  # (keys, batch, 2): one gather a key

        def body(key: Tensor, frame: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            own = tf.gather(by_key, key)
            known = tf.concat([frame, tf.nn.relu(hidden)], axis=1)
            logit = own[:, 0] + tf.linalg.matvec(known, tf.gather(to_keys, key))
            value = _drawn(logit * scale[:, 0], own[:, 1], top_p)
            frame = frame + value[:, None] * tf.one_hot(key, self.keys)
            # A key that sounds adds its row of W * M to a: the hidden layer is kept up to date, not computed anew.
            return key + 1, frame, hidden + value[:, None] * tf.gather(read, key)

        start = (tf.constant(0), tf.zeros_like(logits), hidden)
        return tf.while_loop(lambda key, *_: key < self.keys, body, start, maximum_iterations=self.keys)[1]

    def _hidden(self, context: Tensor) -> Tensor:
        """The term d + D c, what the hidden layer is before any key is known: `(..., hidden)`."""
        return tf.matmul(context, self.context_kernel.value) + self.hidden_bias.value

    def compute_output_shape(
        self, context_shape: Sequence[int | None], frames_shape: object = None
    ) -> tuple[int | None, ...]:
        """`(..., keys)`."""
        return (*context_shape[:-1], self.keys)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"keys": self.keys, "hidden_units": self.hidden_units}


def _drawn(logits: Tensor, numbers: Tensor, top_p: Tensor) -> Tensor:
    """1 where a number is below the probability, after top-p."""
    probability = tf.sigmoid(logits)
    cut = top_p < 1
    probability = tf.where(cut & (probability >= top_p), 1.0, probability)
    probability = tf.where(cut & (1 - probability >= top_p), 0.0, probability)
    return tf.cast(numbers < probability, tf.float32)
