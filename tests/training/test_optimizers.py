"""Schedules against hand-computed values, optimizers by name."""

from __future__ import annotations

import math

import keras
import pytest

from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError
from rnnapps.training.optimizers import OPTIMIZERS, SCHEDULES, WarmupSchedule, build_optimizer, build_schedule

# Rates of updates 1, 2, 4, 5, 12, 20 of 20 with a peak of 0.1 and 4 updates of warm-up.
DONE = (0, 1, 3, 4, 12, 19)
EXPECTED = {
    "constant": (0.025, 0.05, 0.1, 0.1, 0.1, 0.1),
    "one_cycle": (0.025, 0.05, 0.1, 0.1, 0.05, 0.1 / 16),
    "cosine": (0.025, 0.05, 0.1, 0.1, 0.05, 0.05 * (1 + math.cos(math.pi * 15 / 16))),
    "exponential": (0.025, 0.05, 0.1, 0.1, 0.01, 0.1 * 0.01 ** (15 / 16)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_by_hand(name: str) -> None:
    schedule = WarmupSchedule(0.1, name, steps=20, warmup_steps=4)
    assert [float(schedule(done)) for done in DONE] == pytest.approx(EXPECTED[name], rel=1e-5)


def test_schedule_survives_serialisation() -> None:
    schedule = WarmupSchedule(0.1, "cosine", steps=20, warmup_steps=4)
    copy = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert copy.get_config() == schedule.get_config()
    assert float(copy(7)) == float(schedule(7))


def test_warmup_longer_than_training_only_rises() -> None:
    schedule = WarmupSchedule(0.1, "one_cycle", steps=5, warmup_steps=100)
    assert [float(schedule(done)) for done in range(5)] == pytest.approx([0.001, 0.002, 0.003, 0.004, 0.005])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", "SGD"), ("adam", "Adam"), ("adamw", "AdamW"), ("rmsprop", "RMSprop")],
)
def test_optimizers(name: str, kind: str) -> None:
    assert name in OPTIMIZERS
    config = TrainingConfig(optimizer=name, weight_decay=0.25 if name == "adamw" else 0.0)
    optimizer = build_optimizer(config, build_schedule(config))
    assert type(optimizer).__name__ == kind
    assert (optimizer.weight_decay or 0) == config.weight_decay


def test_weight_decay_needs_adamw() -> None:
    config = TrainingConfig(optimizer="adam", weight_decay=0.1)
    with pytest.raises(ConfigError, match="adamw, not adam"):
        build_optimizer(config, build_schedule(config))
