"""What is told of a training before it begins: how often it reads its data, and a rate that is never reached."""

from __future__ import annotations

from collections.abc import Iterator

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective

__all__ = ["course", "passes"]

MANY_PASSES = 30
"""From here on fine-tuning, whose settings come from a larger training, is told how to shorten it."""


def passes(training: TrainingConfig, objective: Objective) -> float | None:
    """How often the training data are read; None where that is not known."""
    return training.steps * training.batch_size / objective.sequences if objective.sequences else None


def course(training: TrainingConfig, objective: Objective, *, finetuned: bool) -> Iterator[str]:
    """Lines to tell before a training begins.

    Args:
        training: its settings.
        objective: says how large the data are.
        finetuned: whether it begins from trained weights.
    """
    often = passes(training, objective)
    if often is not None:
        line = (
            f"{training.steps:,} updates of {training.batch_size} sequences read the training data {often:,.3g} times"
        )
        shorter = "; shorten it with --training.steps, or let it stop early with --training.patience"
        yield line + (shorter if finetuned and often > MANY_PASSES and not training.patience else "")
    if training.warmup_steps >= training.steps > 1:
        yield (
            f"note: the learning rate rises over {training.warmup_steps:,} updates, but the training ends after "
            f"{training.steps:,}: {training.learning_rate:g} is never reached; lower --training.warmup_steps"
        )
