"""Configuration shared by every pipeline: frozen dataclasses, which the command line turns into flags.

This module imports nothing heavy: `--help` must answer without TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ExportConfig", "RecurrentConfig", "TrainingConfig"]

Schedule = Literal["constant", "one_cycle", "cosine", "exponential"]
Optimizer = Literal["sgd", "adam", "adamw", "rmsprop"]
Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


@dataclass(frozen=True)
class RecurrentConfig:
    """The recurrent part of any model.

    Attributes:
        cell: name of the recurrent cell; `rnnapps list` prints them.
        units: size of the state of each layer.
        layers: number of stacked recurrent layers.
        bidirectional: also read the sequence backwards (not for models that generate or stream).
        residual: add each layer's input to its output.
        dropout: share of values dropped between layers while training, 0 to 1.
    """

    cell: str = "gru"
    units: int = 256
    layers: int = 1
    bidirectional: bool = False
    residual: bool = False
    dropout: float = 0.0


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
        patience: evaluations without improvement after which training stops; 0 never stops early.
        precision: number format of the computation.
        compile: "xla" compiles the whole step, "graph" runs it as a TensorFlow graph, "auto" chooses.
        tensorboard: also write TensorBoard events.
    """

    steps: int = 2000
    evaluate_every: int = 200
    batch_size: int = 32
    window_steps: int = 64
    carry_state: bool = True
    learning_rate: float = 0.003
    schedule: Schedule = "one_cycle"
    warmup_steps: int = 100
    optimizer: Optimizer = "adam"
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    patience: int = 0
    precision: Precision = "float32"
    compile: Literal["auto", "xla", "graph"] = "auto"
    tensorboard: bool = True


@dataclass(frozen=True)
class ExportConfig:
    """What an export contains.

    Attributes:
        warmup_requests: requests stored in the warm-up file, 0 to 1000.
    """

    warmup_requests: int = 4
