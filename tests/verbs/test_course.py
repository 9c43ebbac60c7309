from __future__ import annotations

import dataclasses
from typing import Any

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.verbs.course import course, passes


def objective(sequences: float) -> Objective:
    unused: Any = None
    return Objective(unused, unused, unused, "", sequences=sequences)


def test_passes_by_hand() -> None:
    training = TrainingConfig(steps=300, batch_size=8)
    assert passes(training, objective(200)) == 12
    assert passes(training, objective(0)) is None


def test_what_is_told_before_a_training() -> None:
    training = TrainingConfig(steps=1500, batch_size=8)
    (line,) = course(training, objective(200), finetuned=False)
    assert line == "1,500 updates of 8 sequences read the training data 60 times"
    assert list(course(training, objective(0), finetuned=True)) == []
    (line,) = course(training, objective(200), finetuned=True)
    assert line.endswith("; shorten it with --training.steps, or let it stop early with --training.patience")
    (line,) = course(dataclasses.replace(training, patience=3), objective(200), finetuned=True)
    assert "shorten" not in line


def test_a_rate_that_is_never_reached_is_told() -> None:
    short = TrainingConfig(steps=100, warmup_steps=100, learning_rate=0.01)
    (line,) = course(short, objective(0), finetuned=False)
    assert "rises over 100 updates, but the training ends after 100: 0.01 is never reached" in line
    assert not list(course(dataclasses.replace(short, steps=101), objective(0), finetuned=False))
