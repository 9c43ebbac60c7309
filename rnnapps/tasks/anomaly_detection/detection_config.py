"""How rows are modelled, scored and flagged. Imports nothing heavy."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Literal

from rnnapps.config import RecurrentConfig, require, require_choice
from rnnapps.ranges import searched

__all__ = ["MOST_SPANS", "DetectionConfig", "DetectorModelConfig"]

MOST_SPANS = 4
"""Smoothing spans there is room for."""

Detector = Literal["forecaster", "autoencoder", "classifier"]
Scorer = Literal["absolute", "mahalanobis"]
Aggregate = Literal["max", "mean"]
Threshold = Literal["quantile", "dynamic", "extreme_value"]


@dataclass(frozen=True)
class DetectorModelConfig(RecurrentConfig):
    """The network behind a detector.

    Attributes:
        detector: forecaster predicts the next rows and is surprised by faults; autoencoder squeezes a window of rows
            through a narrow code and fails to rebuild faults (Malhotra et al. 2016, arXiv:1607.00148); classifier
            learns labelled faults.
        units: size of the state of each layer.
        horizon_steps: rows ahead that the forecaster predicts.
        history_steps: rows that autoencoder and classifier see, the judged one the last.
        code_units: size of the autoencoder's code.
        series_units: size of the vector that tells several series apart; 0 treats them all alike.
        hidden_share: share of the training windows in which sensors are hidden, over a stretch or throughout, so that
            the network can do without them.

    Raises:
        ConfigError: a value is out of range.
    """

    detector: Detector = "forecaster"
    units: int = 64
    horizon_steps: int = 1
    history_steps: int = 32
    code_units: int = searched(8, 1, 1024, logarithmic=True, factor=2)
    series_units: int = 8
    hidden_share: float = searched(0.5, 0.0, 1.0)

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require_choice("model.detector", self.detector, Detector)
        for name in ("horizon_steps", "history_steps", "code_units"):
            require(f"model.{name}", getattr(self, name), "at least 1", getattr(self, name) >= 1)
        require("model.series_units", self.series_units, "at least 0", self.series_units >= 0)
        require("model.hidden_share", self.hidden_share, "from 0 to 1", 0 <= self.hidden_share <= 1)
        reason = "false: a model that predicts the next row must not read backwards"
        require("model.bidirectional", self.bidirectional, reason, not self.bidirectional or not self.streams)

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing to this detector -> why."""
        read = {
            "forecaster": ("horizon_steps",),
            "autoencoder": ("history_steps", "code_units"),
            "classifier": ("history_steps",),
        }
        names = {"horizon_steps", "history_steps", "code_units"} - set(read[self.detector])
        return super().without_effect() | dict.fromkeys(names, f"model.detector {self.detector} does not read it")

    @property
    def streams(self) -> bool:
        """Whether the network reads row after row with a state, instead of windows."""
        return self.detector == "forecaster"


@dataclass(frozen=True)
class DetectionConfig:
    """How the network's errors become scores, and scores flags.

    Attributes:
        scorer: absolute looks at each channel's error alone; mahalanobis at errors that are unusual together.
        normalise: measure each channel's error in units of its errors on held-out rows.
        smoothing_steps: spans of the exponential averages of a channel's errors, in rows; 1 leaves them as they are.
            With several, the one that stands out most counts.
        aggregate: whether the score of a row is that of its worst channel or their mean.
        threshold: quantile of the held-out scores; dynamic, a threshold that adapts to the scores around it (Hundman
            et al. 2018, arXiv:1802.04431); or extreme_value, where a tail fitted to the largest held-out scores leaves
            `risk` (peaks over threshold, Siffer et al. 2017).
        quantile: share of held-out scores below the threshold.
        margin: factor on the threshold of quantile and extreme_value.
        risk: probability that a normal row lies above the threshold (extreme_value).
        warmup_steps: first rows of a series that are never flagged; a sensor that comes back from a silence is not
            judged for as many rows as it was silent, at most these.
        missing_steps: rows without a value after which a sensor, or all of them, is told to be silent, if that was
            never so for as long in training.
        join_steps: flagged rows with at most this many unflagged ones between them are one event, or alarm: its
            cool-down.
        budget_per_day: most alarms a day in each series, on average: each alarm doubles the threshold, which falls back
            while there is none, see `alarm_budget` (quantile, extreme_value); 0 leaves thresholds as they are.
        dynamic_window_steps: scores a dynamic threshold is computed from.
        dynamic_stride_steps: rows between two dynamic thresholds.
        dynamic_buffer_steps: rows before and after a dynamic exceedance that belong to its event.
        pruning: smallest relative drop between the peaks of dynamic events.

    Raises:
        ConfigError: a value is out of range.
    """

    scorer: Scorer = "mahalanobis"
    normalise: bool = True
    smoothing_steps: tuple[int, ...] = (1, 30)
    aggregate: Aggregate = "max"
    threshold: Threshold = "quantile"
    quantile: float = 0.999
    margin: float = 1.2
    risk: float = 1e-4
    warmup_steps: int = 32
    missing_steps: int = 10
    join_steps: int = 5
    budget_per_day: float = 0.0
    dynamic_window_steps: int = 2100
    dynamic_stride_steps: int = 70
    dynamic_buffer_steps: int = 100
    pruning: float = 0.13

    def __post_init__(self) -> None:
        """Checks the values."""
        choices = {"scorer": Scorer, "aggregate": Aggregate, "threshold": Threshold}
        for name, kind in choices.items():
            require_choice(f"detection.{name}", getattr(self, name), kind)
        spans = self.smoothing_steps
        holds = 1 <= len(spans) <= MOST_SPANS and min(spans) >= 1
        require("detection.smoothing_steps", spans, f"1 to {MOST_SPANS} numbers of at least 1", holds)
        for name in ("quantile", "risk", "pruning"):
            value = getattr(self, name)
            require(f"detection.{name}", value, "above 0 and below 1", 0 < value < 1)
        require("detection.margin", self.margin, "above 0", 0 < self.margin < math.inf)
        require("detection.budget_per_day", self.budget_per_day, "at least 0", 0 <= self.budget_per_day < math.inf)
        for name in ("warmup_steps", "join_steps", "dynamic_buffer_steps"):
            require(f"detection.{name}", getattr(self, name), "at least 0", getattr(self, name) >= 0)
        for name in ("missing_steps", "dynamic_window_steps", "dynamic_stride_steps"):
            require(f"detection.{name}", getattr(self, name), "at least 1", getattr(self, name) >= 1)

    @property
    def digest(self) -> int:
        """A number from 1 to 2³¹ - 1 that other settings do not share; defaults count for nothing."""
        own = {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }
        text = json.dumps(own, sort_keys=True)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) % (2**31 - 1) + 1

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing to this threshold -> why."""
        dynamic = ("dynamic_window_steps", "dynamic_stride_steps", "dynamic_buffer_steps", "pruning")
        fixed = ("margin", "budget_per_day")
        read = {"quantile": ("quantile", *fixed), "extreme_value": ("risk", *fixed), "dynamic": dynamic}
        names = {"quantile", "risk", *fixed, *dynamic} - set(read[self.threshold])
        return dict.fromkeys(names, f"detection.threshold {self.threshold} does not read it")
