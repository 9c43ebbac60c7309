"""Networks that predict the next token of a sequence, and the ways to run them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from rnnapps.config import TokenModelConfig
from rnnapps.layers.dense import Dense
from rnnapps.layers.dropout import dropout_of
from rnnapps.layers.side_by_side import apart, log_mean, members_of
from rnnapps.layers.stack import RecurrentStack, StackStep, recurrent_stack
from rnnapps.layers.token_dropout import TokenDropout
from rnnapps.types import Size, Tensor, Tensors

__all__ = ["TokenModel", "read", "token_network", "token_step", "vocabulary_axes", "zero_states"]

RECURRENT = "recurrent"
LARGEST_TABLE = 512
"""Tokens of the largest vocabulary whose projections are computed ahead: the work of a few dozen steps."""


def token_network(config: TokenModelConfig, vocabulary_size: int) -> keras.Model:
    """Embedding -> recurrent stack -> scores of the next token.

    Args:
        config: sizes and options; `config.dropout` also acts on the embedding's and the stack's outputs.
        vocabulary_size: number of token ids.

    Returns:
        Functional model {"tokens": int32 `(batch, time)`, "states": list of `(batch, size)`} ->
        {"logits": float32 `(batch, time, vocabulary)`, "states": list of `(batch, size)`}.
    """
    stack = recurrent_stack(config, name=RECURRENT)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    states = [keras.Input(shape, name=f"state_{number}") for number, shape in enumerate(stack.state_shapes)]
    embedding = _embedding(config, vocabulary_size)
    hidden = embedding(tokens)
    if config.embedding_dropout:
        hidden = TokenDropout(config.embedding_dropout, vocabulary_size, name="token_dropout")(hidden, tokens)
    hidden = dropout_of(config, "embedding_dropout")(hidden)
    hidden, final = stack(hidden, states=states)
    hidden = dropout_of(config, "output_dropout")(hidden)
    if config.tie_weights:
        logits = embedding(keras.layers.Dense(config.embedding_units, name="to_embedding")(hidden), reverse=True)
    else:
        logits = Dense(vocabulary_size, name="logits")(hidden)
    logits = keras.layers.Activation("linear", dtype="float32", name="scores")(logits)
    return keras.Model({"tokens": tokens, "states": states}, {"logits": logits, "states": final}, name="token_network")


def _embedding(config: TokenModelConfig, vocabulary_size: int) -> keras.layers.Layer:
    """Token ids -> vectors; with tied weights also the way back, to scores."""
    if config.tie_weights:
        return keras.layers.ReversibleEmbedding(vocabulary_size, config.embedding_units, name="embedding")
    return keras.layers.Embedding(vocabulary_size, config.embedding_units, name="embedding")


@dataclass(frozen=True)
class TokenModel:
    """What predicts the next token: a token network alone, or one with something beside it in a class derived of this.

    Attributes:
        network: what `token_network` returned.
    """

    network: keras.Model

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids."""
        size: int = self.network.output["logits"].shape[-1]
        return size

    @property
    def state_limits(self) -> list[int | None]:
        """The largest value of each state that holds whole numbers from 0, None for one of any numbers."""
        return [None] * len(self.network.input["states"])

    @property
    def trackables(self) -> tuple[tf.Module, ...]:
        """What an export must save beside the network."""
        return ()

    def zero_states(self, rows: Size) -> Tensors:
        """The states before the first token, each `(rows, size)`."""
        return zero_states(self.network, rows)

    def read(self, tokens: Tensor, lengths: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        """Logits of each next token, and the states after the last; see `read`."""
        return read(self.network, tokens, lengths, states)

    def read_last(self, tokens: Tensor, lengths: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        """Logits `(batch, vocabulary)` behind each row's last token, of one at least, and the states after it."""
        logits, new = self.read(tokens, lengths, states)
        return tf.gather(logits, lengths - 1, batch_dims=1), new

    def step(self) -> StackStep:
        """One token per row; see `token_step`."""
        return token_step(self.network)


def vocabulary_axes(network: keras.Model) -> dict[str, int]:
    """The weights of a token network that are indexed by the vocabulary: path -> axis."""
    axes = {"embedding/embeddings": 0, "logits/kernel": 1, "logits/bias": 0}
    return {weight.path: axes[weight.path] for weight in network.weights if weight.path in axes}


def zero_states(network: keras.Model, batch_size: Size) -> Tensors:
    """The states before the first token, each `(batch, size)`; of an ensemble those of all members."""
    if members := members_of(network):
        return [state for member in members for state in zero_states(member, batch_size)]
    stack: RecurrentStack = network.get_layer(RECURRENT)
    return stack.initial_states(batch_size)


def read(network: keras.Model, tokens: Tensor, lengths: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
    """Runs a token network over rows of different lengths; what lies behind a row's end has no influence.

    Args:
        network: what `token_network` returned.
        tokens: int32 `(batch, time)`.
        lengths: int32 `(batch,)`, valid tokens of each row.
        states: states before the first token, each `(batch, size)`.

    Returns:
        Logits `(batch, time, vocabulary)`, zero behind a row's end, and the states after each row's last token.
    """
    valid = tf.sequence_mask(lengths, tf.shape(tokens)[1])
    if members := members_of(network):
        pairs = zip(members, apart(states, _state_counts(members)), strict=True)
        each, new = zip(*(read(member, tokens, lengths, own) for member, own in pairs), strict=True)
        return tf.where(valid[..., None], log_mean(each), 0.0), [state for own in new for state in own]
    hidden = network.get_layer("embedding")(tf.where(valid, tokens, 0))
    hidden, final = network.get_layer(RECURRENT)(hidden, states=states, mask=valid)
    logits = _scores(network, tf.identity(hidden))  # without the Keras mask, which the embedding would complain about
    return tf.where(valid[..., None], logits, tf.zeros_like(logits)), final


def _scores(network: keras.Model, hidden: Tensor) -> Tensor:
    """Logits `(..., vocabulary)` in float32 of the stack's outputs `(..., units)`."""
    names = {layer.name for layer in network.layers}
    if "logits" in names:
        logits = network.get_layer("logits")(hidden)
    else:
        logits = network.get_layer("embedding")(network.get_layer("to_embedding")(hidden), reverse=True)
    return tf.cast(logits, tf.float32)


def token_step(network: keras.Model) -> StackStep:
    """One token per row: (tokens int32 `(batch,)`, states) -> (logits `(batch, vocabulary)`, new states).

    Where the vocabulary is small, what the lowest layer makes of each token is computed once, here.
    """
    if members := members_of(network):
        return _step_of_members([token_step(member) for member in members], _state_counts(members))
    embedding, stack = network.get_layer("embedding"), network.get_layer(RECURRENT)
    vocabulary_size = network.output["logits"].shape[-1]
    if vocabulary_size > LARGEST_TABLE:
        return lambda tokens, states: _advance(network, tokens, states)
    look_up = stack.looking_up(embedding(tf.range(vocabulary_size)))

    def step(tokens: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
        hidden, new_states = look_up(tokens, states)
        return _scores(network, hidden), new_states

    return step


def _state_counts(members: Sequence[keras.Model]) -> list[int]:
    """How many states each network has."""
    return [len(member.input["states"]) for member in members]


def _step_of_members(steps: Sequence[StackStep], counts: Sequence[int]) -> StackStep:
    """One token per row through all members of an ensemble."""

    def step(tokens: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
        pairs = zip(steps, apart(states, counts), strict=True)
        each, new = zip(*(advance(tokens, own) for advance, own in pairs), strict=True)
        return log_mean(each), [state for own in new for state in own]

    return step


def _advance(network: keras.Model, tokens: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
    """One token per row through the whole network: logits `(batch, vocabulary)` and the new states."""
    outputs = network({"tokens": tokens[:, None], "states": states}, training=False)
    return outputs["logits"][:, 0], outputs["states"]
