"""Asynchronous successive halving (arXiv:1810.05834), in which a configuration goes on where it rested.

All configurations are trained to the first rung. The best third of those that have reached a rung may go on to the
next, at any time: nobody waits for others. The last rung is the end of the training.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["BASELINE", "Record", "best_first", "promotable", "rung_steps"]

ETA = 3
"""One in so many goes on to the next rung."""

MOST_RUNGS = 4
BASELINE = 0
"""The number of the configuration as it is."""


@dataclass(frozen=True)
class Record:
    """A configuration of a search, and what is known of it.

    Attributes:
        number: counts them from 0 on.
        settings: dotted key -> value of what is searched over.
        values: step of a rung -> the best validation up to it.
        state: "open" while it may go on, "done" at its end, "failed" where it cannot be trained.
        facts: parameters, milliseconds of an answer, seconds of training, the reason of a failure...
    """

    number: int
    settings: Mapping[str, Any]
    values: Mapping[int, float] = field(default_factory=dict)
    state: Literal["open", "done", "failed"] = "open"
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """The last rung it has reached; 0 for none."""
        return max(self.values, default=0)

    @property
    def value(self) -> float:
        """The best validation so far; NaN before the first rung."""
        return self.values[self.step] if self.values else math.nan


def rung_steps(steps: int, evaluate_every: int) -> list[int]:
    """The steps at which configurations are compared, ascending; the last is the end.

    They are ends of intervals, at which every run is evaluated anyway: a run that rests there is, bit for bit, the run
    of `train` with the same settings.
    """
    found = {steps}
    for power in range(1, MOST_RUNGS):
        share = math.ceil(steps / ETA**power / evaluate_every) * evaluate_every
        if share < steps:
            found.add(share)
    return sorted(found)


def promotable(
    records: Sequence[Record], rungs: Sequence[int], *, higher_is_better: bool, busy: Collection[int] = ()
) -> tuple[Record, int] | None:
    """The configuration that goes on next, and the rung it goes on to; None where nobody has earned it.

    Args:
        records: all configurations; the baseline takes part as one that is judged, and never needs to be sent on.
        rungs: as `rung_steps` gives them.
        higher_is_better: of the validation metric.
        busy: numbers of those that are being trained.
    """
    for here, following in reversed(list(itertools.pairwise(rungs))):
        arrived = best_first([record for record in records if here in record.values], here, higher_is_better)
        for record in arrived[: len(arrived) // ETA]:
            waits = record.state == "open" and record.step == here and record.number not in busy
            if waits and record.number != BASELINE:
                return record, following
    return None


def best_first(records: Sequence[Record], step: int, higher_is_better: bool) -> list[Record]:
    """Configurations by their value at a rung; of equal ones the earlier goes first."""
    sign = -1 if higher_is_better else 1
    return sorted(records, key=lambda record: (sign * record.values[step], record.number))
