"""Networks that read one sequence of tokens and write another, and the ways to run them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from rnnapps.cells import make_cell
from rnnapps.layers.dropout import dropout_of
from rnnapps.layers.sequence_mask import SequenceMask
from rnnapps.layers.stack import RecurrentStack
from rnnapps.tasks.translation.attention import Attention
from rnnapps.tasks.translation.attention_decoder import AttentionDecoder, Memory
from rnnapps.tasks.translation.layers import Bridge, OwnChoices
from rnnapps.tasks.translation.model_config import TranslationModelConfig
from rnnapps.types import Tensor, Tensors

__all__ = [
    "Encoded",
    "decoder_step",
    "encode",
    "go_on",
    "translation_network",
]


class Encoded(NamedTuple):
    """A source as its decoder sees it.

    Attributes:
        memory: what to attend to.
        states: states of the decoder before its first step, each `(batch, size)`.
    """

    memory: Memory
    states: Tensors


def translation_network(config: TranslationModelConfig, source_vocabulary: int, target_vocabulary: int) -> keras.Model:
    """Embedding -> encoder -> decoder with attention -> scores of the next target token.

    Args:
        config: sizes and options.
        source_vocabulary: number of source ids.
        target_vocabulary: number of target ids.

    Returns:
        Functional model {"source": int32 `(batch, places)`, "source_lengths": int32 `(batch,)`, "target": int32
        `(batch, time)`, the tokens before each to be predicted} -> {"logits": float32 `(batch, time, target
        vocabulary)`, "attention": float32 `(batch, time, places)`}. With scheduled sampling there is another input,
        "use_own": bool `(batch, time)`, True where the decoder reads what it would have chosen itself.
    """
    source = keras.Input((None,), dtype="int32", name="source")
    lengths = keras.Input((), dtype="int32", name="source_lengths")
    target = keras.Input((None,), dtype="int32", name="target")
    inputs = {"source": source, "source_lengths": lengths, "target": target}
    encoder, decoder = _encoder(config), _decoder(config)

    mask = SequenceMask(name="valid_places")(source, lengths)
    embedded = _embedding(config, source_vocabulary, "source_embedding")(source)
    memory, final = encoder(dropout_of(config, "source_dropout")(embedded), mask=mask)
    states = Bridge(decoder.state_sizes, name="bridge")(final)
    memory = dropout_of(config, "memory_dropout")(memory)
    embedding = _target_embedding(config, target_vocabulary)
    head = _head(config, embedding, target_vocabulary)
    target_dropout, output_dropout = (dropout_of(config, f"{name}_dropout") for name in ("target", "output"))

    def predict(tokens: Tensor) -> tuple[Tensor, Tensor]:
        vectors, weights = decoder(target_dropout(embedding(tokens)), memory, states, memory_mask=mask)
        return head(output_dropout(vectors)), weights

    logits, weights = predict(target)
    if config.scheduled_sampling:
        inputs["use_own"] = keras.Input((None,), dtype="bool", name="use_own")
        logits, weights = predict(OwnChoices(name="own_choices")(target, logits, inputs["use_own"]))
    outputs = {"logits": logits, "attention": weights}
    outputs = {name: keras.layers.Activation("linear", dtype="float32", name=name)(v) for name, v in outputs.items()}
    return keras.Model(inputs, outputs, name="translation_network")


def encode(network: keras.Model, source: Tensor, lengths: Tensor) -> Encoded:
    """Reads sources, in graph; what lies behind a row's end has no influence.

    Args:
        network: what `translation_network` returned.
        source: int32 `(batch, places)`.
        lengths: int32 `(batch,)`, valid places of each row.
    """
    part = network.get_layer
    mask = tf.sequence_mask(lengths, tf.shape(source)[1])
    embedded = part("source_embedding")(tf.where(mask, source, 0))
    memory, final = part("encoder")(embedded, mask=mask)
    decoder: AttentionDecoder = part("decoder")
    return Encoded(decoder.attend_to(memory, mask), decoder.start(part("bridge")(final)))


def decoder_step(network: keras.Model, memory: Memory) -> Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Tensors]]:
    """One step for a beam of hypotheses of each row of the memory.

    Args:
        network: what `translation_network` returned.
        memory: what `encode` returned.

    Returns:
        A function that maps (last tokens int32 `(batch, beams)`, states `(batch, beams, size)`) to (logits `(batch,
        beams, vocabulary)`, new states).
    """
    embedding, decoder = network.get_layer("target_embedding"), network.get_layer("decoder")
    head = _stored_head(network)

    def step(tokens: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Tensors]:
        batch, beams = tf.shape(tokens)[0], tf.shape(tokens)[1]
        several = _repeated(memory, beams) if tokens.shape[1] != 1 else memory
        flat = [tf.reshape(state, [batch * beams, *state.shape[2:]]) for state in states]
        vectors, _, new = decoder.step(embedding(tf.reshape(tokens, [-1])), several, flat)
        logits = head(vectors)
        shape = [batch, beams]
        folded = [tf.reshape(state, [*shape, *state.shape[1:]]) for state in new]
        return tf.reshape(logits, [*shape, logits.shape[-1]]), folded

    return step


def go_on(network: keras.Model, tokens: Tensor, lengths: Tensor, encoded: Encoded) -> tuple[Tensor, Tensor, Tensors]:
    """Runs the decoder over a chunk of a target that goes on from given states.

    Args:
        network: what `translation_network` returned.
        tokens: int32 `(batch, time)`; the first of a target is the start.
        lengths: int32 `(batch,)`, valid tokens of each row.
        encoded: what to attend to, and the states before the chunk.

    Returns:
        Logits `(batch, time, vocabulary)` and attention weights `(batch, time, places)`, zero behind a row's end, and
        the new states.
    """
    valid = tf.sequence_mask(lengths, tf.shape(tokens)[1])
    embedded = network.get_layer("target_embedding")(tf.where(valid, tokens, 0))
    vectors, weights, new = network.get_layer("decoder").go_on(embedded, encoded.memory, encoded.states, mask=valid)
    inside = tf.cast(valid[..., None], tf.float32)
    return _stored_head(network)(vectors) * inside, weights * inside, new


def _repeated(memory: Memory, times: Tensor) -> Memory:
    """Each row as many times, one after the other: the memory of `(batch * times)` hypotheses."""
    return Memory(*(tf.repeat(part, times, axis=0) for part in memory))


def _encoder(config: TranslationModelConfig) -> RecurrentStack:
    return RecurrentStack(
        [make_cell(config.cell, config.encoder_units, name="cell") for _ in range(config.layers)],
        bidirectional=config.bidirectional,
        residual=config.residual,
        dropout=config.dropout,
        weight_drop=config.weight_drop,
        name="encoder",
    )


def _decoder(config: TranslationModelConfig) -> AttentionDecoder:
    def stack(layers: int, name: str) -> RecurrentStack:
        cells = [make_cell(config.cell, config.units, name="cell") for _ in range(layers)]
        return RecurrentStack(
            cells, residual=config.residual, dropout=config.dropout, weight_drop=config.weight_drop, name=name
        )

    return AttentionDecoder(
        stack(config.layers, "recurrent"),
        Attention(config.attention, name="attention"),
        units=config.embedding_units,
        context=stack(config.context_layers, "context") if config.context_layers else None,
        input_feeding=config.input_feeding,
        name="decoder",
    )


def _embedding(config: TranslationModelConfig, vocabulary: int, name: str) -> keras.layers.Embedding:
    """Vectors that are large from the start: of small ones the encoder would make the same of every token."""
    normal = keras.initializers.RandomNormal(stddev=1.0)
    return keras.layers.Embedding(vocabulary, config.embedding_units, embeddings_initializer=normal, name=name)


def _target_embedding(config: TranslationModelConfig, vocabulary: int) -> keras.layers.Embedding:
    """What the decoder reads; with tied embeddings its transpose also scores the vocabulary."""
    if config.tie_embeddings:
        return keras.layers.ReversibleEmbedding(vocabulary, config.embedding_units, name="target_embedding")
    return _embedding(config, vocabulary, "target_embedding")


def _head(
    config: TranslationModelConfig, embedding: keras.layers.Embedding, vocabulary: int
) -> Callable[[Tensor], Tensor]:
    """Maps attentional vectors to scores of the vocabulary, for a network that is being built."""
    if config.tie_embeddings:
        return lambda vectors: embedding(vectors, reverse=True)
    return keras.layers.Dense(vocabulary, name="scores")  # type: ignore[no-any-return]


def _stored_head(network: keras.Model) -> Callable[[Tensor], Tensor]:
    """Maps attentional vectors of any leading shape to float32 logits."""
    embedding = network.get_layer("target_embedding")
    untied = {layer.name: layer for layer in network.layers}.get("scores")

    def scores(vectors: Tensor) -> Tensor:
        vectors = tf.identity(vectors)  # without a Keras mask
        return tf.cast(embedding(vectors, reverse=True) if untied is None else untied(vectors), tf.float32)

    return scores
