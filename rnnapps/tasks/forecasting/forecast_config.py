"""What a forecaster is made of. Imports nothing heavy."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

from rnnapps.config import RecurrentConfig, require, require_choice
from rnnapps.errors import ConfigError
from rnnapps.ranges import chosen

__all__ = ["ForecastModelConfig", "Values"]

Decoder = Literal["direct", "autoregressive"]
Distribution = Literal["quantiles", "gaussian", "student_t", "negative_binomial"]
Normalization = Literal["instance", "difference", "none"]
Channels = Literal["independent", "joint"]
Calendar = Literal["auto", "none"]
LossUnits = Literal["channel", "window"]
Blend = Literal["linear", "none"]
Values = Literal["any", "nonnegative", "counts"]


@dataclass(frozen=True)
class ForecastModelConfig(RecurrentConfig):
    """A recurrent network that reads a history and forecasts the steps behind it.

    Attributes:
        units: size of the state of each layer.
        history_steps: rows that a forecast looks back on.
        minimum_history_steps: rows that must exist before a forecast; 0 for all of `history_steps`. Shorter histories
            are masked in front.
        horizon_steps: rows that are forecast.
        decoder: direct reads the whole horizon off the last state; autoregressive walks through it with a recurrent
            layer that reads its own forecast of the step before.
        distribution: what is learned beside the mean: quantiles (pinball loss), or the parameters of a gaussian,
            student_t, or negative_binomial distribution (the last for counts).
        quantiles: probabilities of the forecast quantiles.
        normalization: instance subtracts each window's mean and divides by its deviation, and undoes both at the end;
            difference reads the changes from row to row and forecasts the change since the last; none trusts the
            training rows' scale.
        channels: independent reads each channel by itself with shared weights; joint reads all of them at once.
        segment_steps: rows that are read, and by the autoregressive decoder written, in one recurrent step.
        linear: add a linear map from history to horizon, shared by all channels, beside the recurrent network.
        calendar: auto adds what the frequency makes useful of hour, weekday and day of the year; none adds nothing.
        holidays: a country, or a part of it, whose public holidays and working days the model sees, rows of a day or
            less apart: DE, DE-BY, US-CA; empty for none.
        values: nonnegative for series that are never below 0, counts for whole numbers: forecasts are such then.
        series_units: size of the vector learned for each series of the training data; 0 for none.
        loss_units: channel weighs errors in units of a channel's deviation; window in units of each window's deviation,
            so that series of any size count alike.
        blend: linear mixes the network's forecasts with naive and linear ones of the same history, by shares that are
            chosen on validation rows, and are all the network's where nothing is gained there; none leaves it alone.

    Raises:
        ConfigError: a value is out of range.
    """

    units: int = 64
    history_steps: int = 96
    minimum_history_steps: int = 0
    horizon_steps: int = 24
    decoder: Decoder = "direct"
    distribution: Distribution = "quantiles"
    quantiles: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)
    normalization: Normalization = "instance"
    channels: Channels = "independent"
    segment_steps: int = 1
    linear: bool = chosen(False, False, True)
    calendar: Calendar = "auto"
    holidays: str = ""
    values: Values = "any"
    series_units: int = 0
    loss_units: LossUnits = "channel"
    blend: Blend = "linear"

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        for name, least in (("history_steps", 2), ("horizon_steps", 1), ("segment_steps", 1)):
            require(f"model.{name}", getattr(self, name), f"at least {least}", getattr(self, name) >= least)
        for name in ("minimum_history_steps", "series_units"):
            require(f"model.{name}", getattr(self, name), "at least 0", getattr(self, name) >= 0)
        fits = self.minimum_history_steps <= self.history_steps
        require("model.minimum_history_steps", self.minimum_history_steps, "at most history_steps", fits)
        for name, kind in _CHOICES.items():
            require_choice(f"model.{name}", getattr(self, name), kind)
        rising = all(low < high for low, high in itertools.pairwise(self.quantiles))
        inside = bool(self.quantiles) and all(0 < level < 1 for level in self.quantiles)
        require("model.quantiles", list(self.quantiles), "rising numbers above 0 and below 1", rising and inside)
        written = ("horizon_steps",) if self.decoder == "autoregressive" else ()
        for name in ("history_steps", *written):
            size = getattr(self, name)
            divisor = f"a divisor of {name} ({size})"
            require("model.segment_steps", self.segment_steps, divisor, size % self.segment_steps == 0)
        if self.distribution == "negative_binomial" and self.normalization != "instance":
            raise ConfigError("model.distribution negative_binomial needs model.normalization instance")

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        found = super().without_effect()
        if self.normalization == "none":
            found["loss_units"] = "with model.normalization none no window has units of its own"
        return found

    @property
    def own_units(self) -> bool:
        """Whether the network reads each window in units of its own, rather than in those of its series, or counts."""
        return self.normalization != "none" and self.distribution != "negative_binomial"

    @property
    def needed_history(self) -> int:
        """Rows that must exist before a forecast."""
        return self.minimum_history_steps or self.history_steps


_CHOICES: dict[str, object] = {
    "decoder": Decoder,
    "distribution": Distribution,
    "normalization": Normalization,
    "channels": Channels,
    "calendar": Calendar,
    "loss_units": LossUnits,
    "blend": Blend,
    "values": Values,
}
