"""What a training step usually takes."""

from __future__ import annotations

import statistics
import time
from typing import Any

__all__ = ["StepClock"]

COMPILED = 3.0
"""So many times the usual time takes a step that compiles something."""


class StepClock:
    """The time of each step but the first of a call, in which data begin to flow.

    Attributes:
        seconds: of each.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def callback(self) -> Any:
        """A Keras callback that counts the steps of one call of `fit`."""
        import keras

        ends: list[float] = []

        def note(*_: Any, **__: Any) -> None:
            ends.append(time.perf_counter())
            self.seconds += [ends[-1] - ends[-2]] if len(ends) > 1 else []

        return keras.callbacks.LambdaCallback(on_train_batch_end=note)

    def usual_seconds(self) -> float:
        """The mean of all steps but those in which something was compiled, as for each new length of a bucket."""
        return statistics.fmean(seconds for seconds in self.seconds if seconds <= self._most())

    def compiling_seconds(self) -> float:
        """The time of those others, all together."""
        return sum(seconds for seconds in self.seconds if seconds > self._most())

    def _most(self) -> float:
        return COMPILED * statistics.median(self.seconds)
