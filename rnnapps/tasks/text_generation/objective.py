"""What training needs to know of text generation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.data.text.stored_ids import StoredIds
from rnnapps.data.text.windows import batches
from rnnapps.metrics.text import nats
from rnnapps.tasks.text_generation.blend.held_out import gate_fitter, split_held_out
from rnnapps.tasks.text_generation.data.text import TextSplits
from rnnapps.tasks.text_generation.data.token_kinds import NOUNS
from rnnapps.tasks.text_generation.held_text import HeldText
from rnnapps.tasks.text_generation.preprocessor import TextPreprocessor
from rnnapps.tasks.text_generation.scoring import Reader, text_scorer
from rnnapps.tasks.text_generation.tokens.vocabulary import ids_of
from rnnapps.types import Array

__all__ = ["text_objective"]


def text_objective(
    fitted: Fitted[Any, TextPreprocessor], splits: TextSplits, *, read: Reader, samples: Callable[[], list[str]]
) -> Objective:
    """Mean nats per token, on windows of the training text.

    Validation fits the blend with n-grams first, to parts of the training text which the network does not learn from:
    the validation text decides nothing but which state is the best.

    Args:
        fitted: the model.
        splits: its text.
        read: reads a text with the network's current weights.
        samples: writes a few texts.
    """
    training, preprocessor = fitted.config.training, fitted.preprocessor
    vocabulary = preprocessor.vocabulary
    ids, fit = _learned_part(fitted, ids_of(vocabulary, splits.train), read)
    score = text_scorer(fitted.network, read, HeldText.of(vocabulary, splits.validation), preprocessor.grams)
    token = NOUNS[vocabulary.kind]

    def validate() -> dict[str, float]:
        fit()
        return {f"validation_{name}": value for name, value in score().metrics().items()}

    return Objective(
        loss=lambda outputs, batch: tf.reduce_mean(nats(outputs["logits"], batch["targets"])),
        batches=lambda start: batches(
            ids,
            start_step=start,
            batch_size=training.batch_size,
            window_steps=training.window_steps,
            seed=fitted.config.seed,
            carry_state=training.carry_state,
            token=token,
        ),
        validate=validate,
        metric="validation_nats_per_character",
        samples=samples,
        loss_unit=f"nats_per_{token}",
        time_step=token,
        sequences=len(ids) / training.window_steps,
    )


def _learned_part(
    fitted: Fitted[Any, TextPreprocessor], ids: Array | StoredIds, read: Reader
) -> tuple[Array | StoredIds, Callable[[], None]]:
    """What the network learns from, and a function that fits the blend, if there is one, to the rest."""
    if fitted.preprocessor.grams is None:
        return ids, lambda: None
    learned, held_out = split_held_out(ids)

    @functools.cache  # counted when it is needed first: who only looks at batches need not wait
    def fitter() -> Callable[[], None]:
        table = fitted.preprocessor.count(fitted.config.model, learned)
        return gate_fitter(fitted.network, table, held_out, functools.partial(read, held_out))

    return learned, lambda: fitter()()
