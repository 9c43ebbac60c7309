"""Configuration shared by every pipeline: frozen dataclasses, which the command line turns into flags.

This module imports nothing heavy: `--help` must answer without TensorFlow.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rnnapps.errors import ConfigError
from rnnapps.ranges import chosen, searched

__all__ = [
    "LONGEST_SAMPLE",
    "TRACKERS",
    "ExportConfig",
    "RecurrentConfig",
    "SamplingConfig",
    "TokenModelConfig",
    "TrainingConfig",
    "dotted",
    "require",
    "require_choice",
    "require_seed",
    "shares_of_given",
]

Schedule = Literal["constant", "one_cycle", "cosine", "exponential"]
Optimizer = Literal["sgd", "adam", "adamw", "rmsprop"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
Compilation = Literal["auto", "xla", "graph"]
Averaged = Literal["best", "last"]
Strategy = Literal["single", "multiworker"]

TRACKERS = ("mlflow", "wandb")
"""Services that `training.track` may name."""

LONGEST_SAMPLE = 10_000
MOST_STATES = 50
LARGEST_LIMIT = 1_000_000_000


@dataclass(frozen=True)
class RecurrentConfig:
    """The recurrent part of any model.

    Attributes:
        cell: name of the recurrent cell; `rnnapps list` prints them.
        units: size of the state of each layer.
        layers: number of stacked recurrent layers.
        bidirectional: also read the sequence backwards (not for models that generate or stream).
        residual: add each layer's input to its output, wherever both are of one size.
        dropout: share of values dropped between layers while training, 0 to below 1.
        locked_dropout: drop the same values of a row at all its time steps (variational dropout; Gal & Ghahramani 2016,
            arXiv:1512.05287).
        weight_drop: share of the recurrent weights that a training step does without, 0 to below 1 (Merity et al. 2017,
            arXiv:1708.02182); for cells that have a recurrent matrix.
        activation_regularization: what the loss adds for each unit of the mean square of the last recurrent layer's
            outputs (Merity et al. 2017, arXiv:1708.01009).
        temporal_activation_regularization: the same of the differences between outputs of neighbouring steps.

    Raises:
        ConfigError: a value is out of range.
    """

    cell: str = "gru"
    units: int = searched(256, 8, 4096, logarithmic=True, factor=2)
    layers: int = searched(1, 1, 4, factor=2)
    bidirectional: bool = False
    residual: bool = False
    dropout: float = searched(0.0, 0.0, 0.5)
    locked_dropout: bool = False
    weight_drop: float = 0.0
    activation_regularization: float = 0.0
    temporal_activation_regularization: float = 0.0

    def __post_init__(self) -> None:
        """Checks the values."""
        for name in ("units", "layers"):
            require(f"model.{name}", getattr(self, name), "at least 1", getattr(self, name) >= 1)
        for name in ("dropout", "weight_drop"):
            share = getattr(self, name)
            require(f"model.{name}", share, "at least 0 and below 1", 0 <= share < 1)
        for name in ("activation_regularization", "temporal_activation_regularization"):
            factor = getattr(self, name)
            require(f"model.{name}", factor, "at least 0", 0 <= factor < math.inf)

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        return {} if self.dropout else {"locked_dropout": "needs model.dropout"}


@dataclass(frozen=True)
class TokenModelConfig(RecurrentConfig):
    """A recurrent network that predicts the next token (character, note event...) of a sequence.

    Attributes:
        embedding_units: size of the vector that stands for a token.
        embedding_dropout: share of the vocabulary that a training step reads as zeros wherever it stands, 0 to below 1
            (Merity et al. 2017, arXiv:1708.02182, section 4.3).
        tie_weights: predict with the embedding's own weights (Press & Wolf 2017, arXiv:1608.05859).

    Raises:
        ConfigError: a value is out of range, or the network is bidirectional and would see what it predicts.
    """

    embedding_units: int = searched(64, 8, 1024, logarithmic=True, factor=2)
    embedding_dropout: float = 0.0
    tie_weights: bool = False

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require("model.embedding_units", self.embedding_units, "at least 1", self.embedding_units >= 1)
        share = self.embedding_dropout
        require("model.embedding_dropout", share, "at least 0 and below 1", 0 <= share < 1)
        reason = "false: a model that predicts the next token must not read backwards"
        require("model.bidirectional", self.bidirectional, reason, not self.bidirectional)


@dataclass(frozen=True)
class SamplingConfig:
    """How sequences are drawn from a model that predicts the next token.

    Attributes:
        length: tokens to add, 1 to 10,000.
        temperature: 0 always takes the likeliest token; higher is more varied.
        top_k: draw only among the k likeliest tokens; 0 means all.
        top_p: draw only among the likeliest tokens that together reach this probability; 1 means all.
        seed: the same seed gives the same result.
        samples: number of results (predict), 1 to 1,000.

    Raises:
        ConfigError: a value is out of range.
    """

    length: int = 500
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    samples: int = 1

    def __post_init__(self) -> None:
        """Checks the values."""
        require("length", self.length, f"from 1 to {LONGEST_SAMPLE:,}", 1 <= self.length <= LONGEST_SAMPLE)
        require("temperature", self.temperature, "at least 0", 0 <= self.temperature < math.inf)
        require("top_k", self.top_k, "at least 0", self.top_k >= 0)
        require("top_p", self.top_p, "above 0 and at most 1", 0 < self.top_p <= 1)
        require("samples", self.samples, "from 1 to 1,000", 1 <= self.samples <= 1000)


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        steps: number of optimizer updates.
        evaluate_every: updates between two evaluations; the state is saved at each.
        batch_size: sequences per update.
        window_steps: time steps per update (the length of truncated backpropagation through time).
        carry_state: start each window from the final state of the window before it.
        learning_rate: peak learning rate.
        schedule: course of the learning rate over the steps.
        warmup_steps: updates over which the rate rises linearly from zero.
        optimizer: rule of the update.
        weight_decay: decoupled weight decay (adamw only).
        clip_norm: gradients are scaled down to this global norm; 0 turns clipping off.
        average_decay: what is evaluated, kept and exported are averages of the weights, of which an update leaves this
            share, 0 to below 1; 0 for the weights themselves.
        average_states: after the last update, the mean of so many evaluated states is kept and exported where it
            validates better than the best of them; 0 for none.
        averaged: which states: the best ones, or the last.
        refit: after the last update, train again from the beginning on all rows, those of validation too, for as many
            updates as the best state had; what is calibrated on validation rows stays that of the run before.
        patience: evaluations without improvement after which training stops; 0 never stops early.
        precision: number format of the computation.
        compile: "xla" compiles the whole step, "graph" runs it as a TensorFlow graph in which recurrent layers compile
            their loops, "auto" chooses by the batch size.
        strategy: "multiworker" trains in several processes or on several machines, which share each batch and are told
            of each other by TF_CONFIG; "single" trains in this process alone.
        tensorboard: also write TensorBoard events.
        track: services that are told of the run too: mlflow, wandb.

    Raises:
        ConfigError: a value is out of range.
    """

    steps: int = 2000
    evaluate_every: int = 200
    batch_size: int = 32
    window_steps: int = 64
    carry_state: bool = True
    learning_rate: float = searched(0.003, 1e-5, 0.3, logarithmic=True, factor=5)
    schedule: Schedule = chosen("one_cycle", "one_cycle", "cosine")
    warmup_steps: int = 100
    optimizer: Optimizer = "adam"
    weight_decay: float = searched(0.0, 0.0, 0.1)
    clip_norm: float = searched(1.0, 0.05, 20.0, logarithmic=True, factor=5)
    average_decay: float = chosen(0.0, 0.0, 0.9, 0.99)
    average_states: int = 0
    averaged: Averaged = "best"
    refit: bool = False
    patience: int = 0
    precision: Precision = "float32"
    compile: Compilation = "auto"
    strategy: Strategy = "single"
    tensorboard: bool = True
    track: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Checks the values."""
        for name in ("steps", "evaluate_every", "batch_size", "window_steps"):
            require(f"training.{name}", getattr(self, name), "at least 1", getattr(self, name) >= 1)
        for name in ("warmup_steps", "weight_decay", "clip_norm", "patience"):
            value = getattr(self, name)
            require(f"training.{name}", value, "at least 0", 0 <= value < math.inf)
        require("training.learning_rate", self.learning_rate, "above 0", 0 < self.learning_rate < math.inf)
        states, most = self.average_states, MOST_STATES
        require("training.average_states", states, f"0, or from 2 to {most}", states == 0 or 2 <= states <= most)
        decay = self.average_decay
        require("training.average_decay", decay, "at least 0 and below 1", 0 <= decay < 1)
        choices: dict[str, object] = {"schedule": Schedule, "optimizer": Optimizer, "precision": Precision}
        choices |= {"compile": Compilation, "averaged": Averaged, "strategy": Strategy}
        for name, kind in choices.items():
            require_choice(f"training.{name}", getattr(self, name), kind)
        told = f"some of {', '.join(TRACKERS)}"
        require("training.track", list(self.track), told, set(self.track) <= set(TRACKERS))

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        found = {} if self.optimizer == "adamw" else {"weight_decay": "needs training.optimizer adamw"}
        if self.refit:
            why = "training.refit trains anew, and only to the best step"
            found |= dict.fromkeys(("average_states", "averaged"), why)
        elif not self.average_states:
            found["averaged"] = "needs training.average_states"
        return found


@dataclass(frozen=True)
class ExportConfig:
    """What an export contains; tasks add what a row of a request may cost at most, each limit above 0.

    Attributes:
        warmup_requests: requests stored in the warm-up file, 0 to 1000.

    Raises:
        ConfigError: a value is out of range.
    """

    warmup_requests: int = 4

    def __post_init__(self) -> None:
        """Checks the values."""
        requests = self.warmup_requests
        require("export.warmup_requests", requests, "from 0 to 1000", 0 <= requests <= 1000)
        for limit in dataclasses.fields(self)[1:]:
            value = getattr(self, limit.name)
            require(f"export.{limit.name}", value, f"above 0 and at most {LARGEST_LIMIT:,}", 0 < value <= LARGEST_LIMIT)


def shares_of_given(data: Any) -> dict[str, str]:
    """Shares of the data that mean nothing, for what they would hold out is given by itself -> why."""
    given = [part for part in ("validation", "test") if getattr(data, part, None) is not None]
    return {f"{part}_fraction": f"data.{part} gives those examples" for part in given}


def require(key: str, value: object, expected: str, holds: bool) -> None:
    """Raises ConfigError, unless `holds`: the key must be what is expected, not this value."""
    if not holds:
        raise ConfigError(f"{key} must be {expected}, not {value}")


def require_choice(key: str, value: object, choices: object) -> None:
    """Raises ConfigError, unless the value is one of a `Literal`'s."""
    names = typing.get_args(choices)
    require(key, value, f"one of {', '.join(names)}", value in names)


def require_seed(seed: int) -> None:
    """Raises ConfigError, unless initialisers and streams can take the seed, which is one of 32 bits."""
    require("seed", seed, f"from 0 to {2**32 - 1:,}", 0 <= seed < 2**32)


def dotted(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted key: {"model": {"units": 8}} -> {"model.units": 8}."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        found |= dotted(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found
