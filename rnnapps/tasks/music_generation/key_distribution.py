"""Which keys sound at once: a distribution over multi-hot frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from rnnapps.types import Tensor, Tensors

__all__ = ["KeyDistribution", "KeyTerms"]


class KeyTerms(NamedTuple):
    """The terms of the logits of frames, for some contexts; names as in `KeyDistribution`.

    Attributes:
        base: b + V c, `(..., keys)`.
        hidden: d + D c, `(..., hidden)`; None, as all that follows, where keys are independent.
        read: W * M, `(keys, hidden)`.
        write: U * N, `(hidden, keys)`.
        below: A * L, `(keys, keys)`.
    """

    base: Tensor
    hidden: Tensor | None = None
    read: Tensor = None
    write: Tensor = None
    below: Tensor = None

    def logits(self, frames: Tensor | None = None) -> Tensor:
        """Logits `(..., keys)` of each key, given those of frames `(..., keys)` that lie below it.

        Without frames given the keys alone that `with_key` has told of.
        """
        if self.hidden is None:
            return self.base
        if frames is None:
            return self.base + tf.matmul(tf.nn.relu(self.hidden), self.write)
        hidden = tf.nn.relu(self.hidden + tf.matmul(frames, self.read))
        return self.base + tf.matmul(hidden, self.write) + tf.matmul(frames, self.below)

    @property
    def sums(self) -> Tensors:
        """What a key that sounds adds to."""
        return [self.base] if self.hidden is None else [self.base, self.hidden]

    def with_sums(self, sums: Tensors) -> KeyTerms:
        """The terms with others of their `sums`."""
        return self._replace(**dict(zip(("base", "hidden"), sums, strict=False)))

    def with_key(self, key: Tensor, sounds: Tensor) -> KeyTerms:
        """The terms of the logits given that one key more sounds.

        Args:
            key: int32 `(batch,)`, the key of each row; it did not sound.
            sounds: bool `(batch,)`, whether it does; keys that are none do not.
        """
        if self.hidden is None:
            return self
        told, key = tf.cast(sounds, tf.float32)[:, None], tf.minimum(key, self.read.shape[0] - 1)
        hidden = self.hidden + told * tf.gather(self.read, key)
        return self._replace(base=self.base + told * tf.gather(self.below, key), hidden=hidden)

    def of_keys(self, keys: slice) -> KeyTerms:
        """The terms of the logits of some keys only, in a row; `read` and `with_key` still know all."""
        if self.hidden is None:
            return self._replace(base=self.base[..., keys])
        return self._replace(base=self.base[..., keys], write=self.write[:, keys], below=self.below[:, keys])

    def logits_with(self, row: Tensor, key: Tensor) -> Tensor:
        """Logits `(pairs, keys)` given that one key more sounds.

        Args:
            row: int `(pairs,)`, a row of the batch.
            key: int `(pairs,)`, the key that sounds in it; it did not.
        """
        if self.hidden is None:
            return tf.gather(self.base, row)
        hidden = tf.nn.relu(tf.gather(self.hidden, row) + tf.gather(self.read, key))
        return tf.matmul(hidden, self.write) + tf.gather(self.base, row) + tf.gather(self.below, key)


@keras.saving.register_keras_serializable(package="rnnapps")
class KeyDistribution(keras.layers.Layer):
    """Probabilities of frames, given a vector that stands for what came before.

    With `hidden_units` 0 keys are independent: p(v_i = 1) = sigmoid(b_i + V_i c). Otherwise each key also depends on
    all keys below it, as in the masked autoencoder (MADE, arXiv:1502.03509, section 3) under a recurrent network, the
    idea of RNN-NADE (Boulanger-Lewandowski et al. 2012, arXiv:1206.6392):

        a = d + D c + (W * M) v,   logit_i = b_i + V_i c + (U * N)_i relu(a) + (A * L)_i v

    Hidden unit k has a degree m_k; M lets it see the keys below m_k, N lets it speak to the keys from m_k on, L is
    strictly triangular: no key sees itself or one above it. One pass gives the likelihood; a sample (see `draw_frame`)
    takes a few for each key that sounds.

    Args:
        keys: number of keys.
        hidden_units: size of the hidden layer between keys; 0 for independent keys.
        recalled: the last values of a context are logits of the keys (`Echo`) that are added to these.
        **kwargs: `name` and `trainable` of the Keras layer; it computes in float32.
    """

    def __init__(self, keys: int, *, hidden_units: int = 0, recalled: bool = False, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.keys, self.hidden_units, self.recalled = keys, hidden_units, recalled
        degrees = np.linspace(1, keys - 1, max(hidden_units, 1)).round()
        places = np.arange(keys)
        # The masks M (keys, hidden), N (hidden, keys) and L (keys, keys), all for a product from the left.
        self._sees = (places[:, None] < degrees[None, :]).astype(np.float32)
        self._speaks = (degrees[:, None] <= places[None, :]).astype(np.float32)
        self._below = np.triu(np.ones((keys, keys), np.float32), 1)

    def build(self, context_shape: Sequence[int], frames_shape: object = None) -> None:
        """Makes the weights for contexts `(..., features)`."""
        size, hidden = int(context_shape[-1]) - self.keys * self.recalled, self.hidden_units
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
        return self.given(context).logits(frames)

    def between_keys(self) -> Sequence[Tensor]:
        """The masked weights between keys: `read`, `write`, `below` of `KeyTerms`; none where keys are independent."""
        if not self.hidden_units:
            return ()
        read, write = self.read_kernel.value * self._sees, self.write_kernel.value * self._speaks
        return read, write, self.key_kernel.value * self._below

    def given(self, context: Tensor, between: Sequence[Tensor] | None = None) -> KeyTerms:
        """What the logits of frames are computed from.

        Args:
            context: `(..., features)`.
            between: what `between_keys` returned, which a loop over frames asks for once.
        """
        context, recalled = tf.cast(context, tf.float32), None
        if self.recalled:
            context, recalled = context[..., : -self.keys], context[..., -self.keys :]
        base = tf.matmul(context, self.kernel.value) + self.bias.value
        base = base if recalled is None else base + recalled
        if not self.hidden_units:
            return KeyTerms(base)
        hidden = tf.matmul(context, self.context_kernel.value) + self.hidden_bias.value
        return KeyTerms(base, hidden, *(self.between_keys() if between is None else between))

    def compute_output_shape(
        self, context_shape: Sequence[int | None], frames_shape: object = None
    ) -> tuple[int | None, ...]:
        """`(..., keys)`."""
        return (*context_shape[:-1], self.keys)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        config: dict[str, Any] = super().get_config()
        return config | {"keys": self.keys, "hidden_units": self.hidden_units, "recalled": self.recalled}
