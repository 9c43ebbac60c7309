"""Where a training rests, to be gone on with later as if it had never stopped."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

__all__ = ["Pause"]


@dataclass(frozen=True)
class Pause:
    """Where a training rests: behind a step or at a time, whatever comes first.

    The course of the training, its learning rate for one, remains that of all its steps: a run that rested ends bit for
    bit like one that did not.

    Attributes:
        step: the step; one at which the run is evaluated anyway, so that resting adds nothing. None for the last one.
        deadline: the time, of `time.monotonic`, in seconds; the step that is being computed is finished.
    """

    step: int | None = None
    deadline: float = math.inf

    def last(self, steps: int) -> int:
        """The last step of this session, of a training of so many steps."""
        return steps if self.step is None else min(self.step, steps)

    def is_due(self) -> bool:
        """Whether the time has come."""
        return time.monotonic() >= self.deadline
