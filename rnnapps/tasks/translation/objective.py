"""Training a translation model: loss, batches and validation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.preprocessing.special_pieces import PADDING
from rnnapps.tasks.translation.batches import (
    EncodedPairs,
    StoredEncodedPairs,
    decoder_reads,
    encode_pairs,
    encode_training_pairs,
    pair_batches,
)
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits
from rnnapps.tasks.translation.decoding import GREEDY, Translator, translator
from rnnapps.tasks.translation.model_config import TranslationModelConfig
from rnnapps.tasks.translation.scores import score_translations
from rnnapps.tasks.translation.vocabularies import PairVocabularies
from rnnapps.types import Tensor

__all__ = ["pair_scorer", "smoothed_loss", "translation_objective"]

VALIDATED = 1024
"""The most validation pairs that are translated at each evaluation."""
SHOWN = 4
SCORED_ROWS = 128


def translation_objective(
    network: keras.Model,
    vocabularies: PairVocabularies,
    pairs: PairSplits,
    *,
    model: TranslationModelConfig,
    training: TrainingConfig,
    lowercase: bool,
    seed: int,
) -> Objective:
    """The objective of `rnnapps.training.loop.train`.

    The best state is the one whose greedy translations of the validation pairs have the highest BLEU.
    """
    encoded = encode_training_pairs(vocabularies, pairs.train, seed=seed)
    cut = functools.partial(pair_batches, encoded, batch_size=training.batch_size, steps=training.steps)
    score = pair_scorer(network, encode_pairs(vocabularies, pairs.validation))
    write = translator(network, vocabularies, GREEDY)
    chosen = pairs.validation[:VALIDATED]

    def validate() -> dict[str, float]:
        texts = [best[0].text for best in write([pair.source for pair in chosen])]
        scores = score_translations(texts, [[pair.target] for pair in chosen], lowercase=lowercase)
        return {
            "validation_nats_per_token": score()["nats_per_token"],
            "validation_bleu": scores["bleu"],
            "validation_exact_match_percent": scores["exact_match_percent"],
        }

    return Objective(
        loss=lambda outputs, batch: smoothed_loss(outputs["logits"], batch["targets"], model.label_smoothing),
        batches=lambda start: cut(start_step=start, seed=seed, own_share=model.scheduled_sampling),
        validate=validate,
        metric="validation_bleu",
        samples=lambda: _samples(write, chosen[:SHOWN]),
        time_step="source token",
        higher_is_better=True,
        sequences=len(pairs.train),
        terms=lambda batch: tf.math.count_nonzero(tf.not_equal(batch["targets"], PADDING)),
    )


def smoothed_loss(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Mean cross-entropy of all tokens that are no padding, with label smoothing.

    Szegedy et al. 2016 (arXiv:1512.00567, section 7): targets give `smoothing` of their probability to all
    tokens alike.

    Args:
        logits: float32 `(batch, time, vocabulary)`.
        targets: int32 `(batch, time)`, 0 is padding.
        smoothing: 0 to below 1.
    """
    valid = tf.cast(tf.not_equal(targets, PADDING), tf.float32)
    if smoothing:
        size = logits.shape[-1]
        labels = tf.one_hot(targets, size, 1.0 - smoothing + smoothing / size, smoothing / size)
        losses = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    else:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    return tf.reduce_sum(losses * valid) / tf.maximum(tf.reduce_sum(valid), 1.0)


def pair_scorer(network: keras.Model, pairs: EncodedPairs | StoredEncodedPairs) -> Callable[[], dict[str, float]]:
    """A function that scores pairs with the network's weights of that moment.

    It returns `nats_per_token` and `perplexity` of the targets, their ends among them, without label smoothing.
    """
    signature = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32))

    @tf.function(input_signature=(*signature, signature[0]), autograph=False)
    def nats(source: Tensor, lengths: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Sums over a batch: nats, and tokens that are no padding."""
        inputs = _network_inputs(network, source, lengths, target)
        logits = network(inputs, training=False)["logits"]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target, logits)
        valid = tf.cast(tf.not_equal(target, PADDING), tf.float32)
        return tf.reduce_sum(losses * valid), tf.reduce_sum(valid)

    order = np.argsort(pairs.lengths.sum(axis=1), kind="stable")
    groups = [order[start : start + SCORED_ROWS] for start in range(0, len(order), SCORED_ROWS)]

    def score() -> dict[str, float]:
        sums = np.sum([nats(*pairs.batch(rows, pairs.lengths[rows].max(axis=0))) for rows in groups], axis=0)
        mean = float(sums[0] / sums[1])
        return {"nats_per_token": mean, "perplexity": float(np.exp(min(mean, 700.0)))}

    return score


def _network_inputs(network: keras.Model, source: Tensor, lengths: Tensor, target: Tensor) -> dict[str, Tensor]:
    """What the network reads; of its own choices, where it was trained with them, none."""
    inputs = {"source": source, "source_lengths": lengths, "target": decoder_reads(target)}
    if "use_own" in network.input:
        inputs["use_own"] = tf.zeros_like(target, tf.bool)
    return inputs


def _samples(write: Translator, pairs: Sequence[Pair]) -> list[str]:
    """Some translations beside their sources and references."""
    ranked = write([pair.source for pair in pairs])
    return [
        f"{pair.source}\n-> {best[0].text}\n(reference: {pair.target})"
        for pair, best in zip(pairs, ranked, strict=True)
    ]
