"""The usual time of a step is not that of one which compiles."""

from __future__ import annotations

import time

import keras
import pytest

from rnnapps.verbs.step_clock import StepClock


def test_steps_that_compile_do_not_count() -> None:
    clock = StepClock()
    clock.seconds = [0.1, 0.12, 9.0, 0.1, 0.08, 7.0, 0.1]
    assert clock.usual_seconds() == pytest.approx(0.1)
    assert clock.compiling_seconds() == pytest.approx(16)


def test_the_first_step_of_a_call_is_left_out() -> None:
    clock = StepClock()
    for _ in range(2):
        called = keras.callbacks.CallbackList([clock.callback()])
        for batch in range(3):
            time.sleep(0.05 if batch == 0 else 0.001)
            called.on_train_batch_end(batch, {})
    assert len(clock.seconds) == 4 and max(clock.seconds) < 0.05
