"""The benchmark of served translations."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.served_translations import sentences_per_second


def test_whole_batches_are_timed_after_one_that_warms_up() -> None:
    called: list[list[str]] = []

    def translate(group: np.ndarray) -> None:
        called.append(list(group))
        time.sleep(0.01)

    rate = sentences_per_second(translate, ["a", "b", "c", "d", "e"], 2)
    assert called == [["a", "b"], ["a", "b"], ["c", "d"]]
    assert 0 < rate <= 4 / 0.02
