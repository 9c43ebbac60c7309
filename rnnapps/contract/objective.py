"""What training needs to know of a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnapps.types import NamedTensors, Tensor

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = ["Objective"]


@dataclass(frozen=True)
class Objective:
    """What training needs to know of a task.

    Attributes:
        loss: maps (network outputs, batch) to a scalar tensor, the mean loss; called inside the compiled step.
        batches: maps a first step to an endless `tf.data.Dataset` of batches with static shapes, or with the few widths
            of `rnnapps.data.buckets`. A batch is a dict {"inputs": {...}, "targets": ...}; the same step always yields
            the same batch. All of its tensors but scalars have the rows as their first axis. For a network with
            "states" it also holds "reset", a bool scalar: True where sequences start afresh.
        validate: returns {metric name with its unit: value} on held-out data for the current weights.
        metric: the name in `validate` that decides which state is best.
        samples: returns a few model outputs a person can look at, for the report; none by default.
        loss_unit: unit of the loss as metric names have it ("nats_per_character"); the validation metrics whose names
            end with it share the axis of the loss in the report. Empty: the loss has an axis of its own.
        time_step: what one time step of the inputs is: "character", "hour", "frame"...
        higher_is_better: of `metric`; by default lower is better.
        terms: maps a batch, or some rows of one, to the number of terms that its mean loss is the mean of, such as its
            tokens that are no padding; with it workers that share a batch weigh their losses. None where each row
            counts alike.
        sequences: so many sequences of a batch are the training data once; 0 where that is not known.
    """

    loss: Callable[[NamedTensors, Any], Tensor]
    batches: Callable[[int], tf.data.Dataset]
    validate: Callable[[], dict[str, float]]
    metric: str
    samples: Callable[[], list[str]] = list
    loss_unit: str = ""
    time_step: str = "time step"
    higher_is_better: bool = False
    sequences: float = 0.0
    terms: Callable[[Any], Tensor] | None = None
