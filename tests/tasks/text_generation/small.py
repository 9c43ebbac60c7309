"""A text whose entropy is known, a model small enough to learn it in seconds, and the command line as a user has it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import keras
import numpy as np

from rnnapps.contract.fitted import Fitted
from rnnapps.tasks.text_generation.pipeline import PIPELINE, Config
from tests.tasks.command import Command

__all__ = [
    "SETTINGS",
    "WORDS",
    "answer",
    "complaint",
    "gru_logits",
    "succeed",
    "sums",
    "untrained",
    "weights_at",
    "write_words",
]

_command = Command(PIPELINE)
succeed, answer, complaint = _command.succeed, _command.answer, _command.complaint

WORDS = ("über", "naïve", "crâne", "xylophone", "zoo", "knight", "river", "jasmine")
"""No two begin alike: after its first letter nothing in a word is left to chance."""

SETTINGS = (
    "--model.blend=none",
    "--model.units=32",
    "--model.embedding_units=16",
    "--training.batch_size=16",
    "--training.window_steps=32",
    "--training.warmup_steps=10",
    "--training.learning_rate=0.02",
    "--training.tensorboard=false",
)


def write_words(path: Path, count: int, *, seed: int = 0, words: tuple[str, ...] = WORDS) -> Path:
    """Writes a text of words drawn uniformly."""
    draw = random.Random(seed)
    path.write_text("".join(f"{draw.choice(words)} " for _ in range(count)), encoding="utf-8")
    return path


def untrained(config: Config, splits: Any) -> Fitted[Any, Any]:
    """A model before training, whose weights of n-grams validation fits."""
    keras.utils.set_random_seed(0)
    preprocessor = PIPELINE.fit_preprocessor(config, splits)
    return Fitted(config, preprocessor, PIPELINE.build_model(config, preprocessor))


def weights_at(run: Path, step: int) -> dict[str, Any]:
    """Variable path -> array of the network in one checkpoint."""
    from rnnapps.training.checkpoint import read_checkpoint

    arrays, _ = read_checkpoint(run / "state", step)
    return {key.split("/", 2)[2]: array for key, array in arrays.items() if key.startswith("network/")}


def sums(folder: Path) -> dict[str, bytes]:
    """Content of every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def gru_logits(weights: dict[str, Any], tokens: Any) -> Any:
    """Logits `(time, vocabulary)` of a one-layer GRU character model in float64 NumPy.

    Source: Cho et al. 2014 with Keras's `reset_after=True`: the reset gate acts on the recurrent product.
    """
    weights = {path: array.astype(np.float64) for path, array in weights.items()}
    kernel, recurrent, bias = (
        next(array for path, array in weights.items() if path.startswith("recurrent/") and path.endswith(f"/{name}"))
        for name in ("kernel", "recurrent_kernel", "bias")
    )
    state, logits = np.zeros(recurrent.shape[0]), []
    for token in tokens:
        inputs = np.split(weights["embedding/embeddings"][token] @ kernel + bias[0], 3)
        before = np.split(state @ recurrent + bias[1], 3)
        update, reset = (1 / (1 + np.exp(-(inputs[gate] + before[gate]))) for gate in (0, 1))
        state = update * state + (1 - update) * np.tanh(inputs[2] + reset * before[2])
        logits.append(state @ weights["logits/kernel"] + weights["logits/bias"])
    return np.stack(logits)
