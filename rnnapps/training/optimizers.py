"""Optimizers and learning-rate schedules from the training configuration."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError
from rnnapps.types import Tensor

__all__ = ["OPTIMIZERS", "SCHEDULES", "WarmupSchedule", "build_optimizer", "build_schedule"]

SMALLEST_SHARE = 0.01
"""Share of the peak rate at which the exponential schedule ends."""


def _constant(progress: Tensor) -> Tensor:
    return ops.ones_like(progress)


def _one_cycle(progress: Tensor) -> Tensor:
    """Falls evenly to 0; the warm-up before it is the other half of the cycle."""
    return 1.0 - progress


def _cosine(progress: Tensor) -> Tensor:
    return 0.5 * (1.0 + ops.cos(math.pi * progress))


def _exponential(progress: Tensor) -> Tensor:
    return ops.exp(math.log(SMALLEST_SHARE) * progress)


SCHEDULES = {"constant": _constant, "one_cycle": _one_cycle, "cosine": _cosine, "exponential": _exponential}
"""Schedule name -> share of the peak rate over the progress (0 to 1) after the warm-up."""


@keras.saving.register_keras_serializable(package="rnnapps")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise to the peak over the warm-up, then one of four courses; a pure function of the step.

    - `constant`: stays at the peak.
    - `one_cycle`: falls linearly to zero at the last step, the triangle of arXiv:1708.07120, section 3, with its tip
      at `warmup_steps`.
    - `cosine`: falls to zero along half a cosine (arXiv:1608.03983, equation 5, without restarts).
    - `exponential`: falls by a constant factor a step, to a hundredth of the peak at the last step.

    Args:
        peak: highest learning rate.
        schedule: name of the course after the warm-up.
        steps: updates in all.
        warmup_steps: updates of the rise; update number `n` (from 1) of them has `peak * n / warmup_steps`. With as
            many as `steps` or more, training ends during the rise.
    """

    def __init__(self, peak: float, schedule: str, *, steps: int, warmup_steps: int = 0) -> None:
        super().__init__()
        self.peak, self.schedule, self.steps, self.warmup_steps = peak, schedule, steps, warmup_steps

    def __call__(self, step: Tensor) -> Tensor:
        """Maps the number of updates already done (an integer scalar) to the rate of the next one."""
        done = ops.cast(step, "float32")
        rise = (done + 1.0) / max(self.warmup_steps, 1)
        progress = ops.clip((done - self.warmup_steps) / max(self.steps - self.warmup_steps, 1), 0.0, 1.0)
        return self.peak * ops.minimum(rise, SCHEDULES[self.schedule](progress))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "peak": self.peak,
            "schedule": self.schedule,
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
        }


def _sgd(schedule: WarmupSchedule, config: TrainingConfig) -> keras.optimizers.Optimizer:
    return keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True)


def _adam(schedule: WarmupSchedule, config: TrainingConfig) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(schedule)


def _adamw(schedule: WarmupSchedule, config: TrainingConfig) -> keras.optimizers.Optimizer:
    return keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)


def _rmsprop(schedule: WarmupSchedule, config: TrainingConfig) -> keras.optimizers.Optimizer:
    return keras.optimizers.RMSprop(schedule)


OPTIMIZERS = {"sgd": _sgd, "adam": _adam, "adamw": _adamw, "rmsprop": _rmsprop}
"""Optimizer name -> its constructor; `sgd` has Nesterov momentum 0.9, the others Keras's defaults."""


def build_schedule(config: TrainingConfig) -> WarmupSchedule:
    """Returns the configured learning-rate schedule."""
    return WarmupSchedule(config.learning_rate, config.schedule, steps=config.steps, warmup_steps=config.warmup_steps)


def build_optimizer(config: TrainingConfig, schedule: WarmupSchedule) -> keras.optimizers.Optimizer:
    """Returns the configured optimizer; clipping is done by the training step, not here.

    Raises:
        ConfigError: weight decay is asked of an optimizer that has none.
    """
    if config.weight_decay and config.optimizer != "adamw":
        raise ConfigError(f"training.weight_decay needs training.optimizer adamw, not {config.optimizer}")
    return OPTIMIZERS[config.optimizer](schedule, config)
