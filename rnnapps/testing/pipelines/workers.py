"""Training by several workers: they have what one would have, and one can go on where they ended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.contract.fitted import Fitted
from rnnapps.testing.pipelines.subject import QUICK, PipelineSubject, weights
from rnnapps.training.recurrence import complete_inputs
from rnnapps.training.run import RunFolder
from rnnapps.training.shards import SHARE, rows_of, sharded_batches
from rnnapps.verbs.launch import launch
from rnnapps.verbs.start import train

__all__ = ["check_shares", "check_workers"]

STEADY = {"training.schedule": "constant", "training.learning_rate": 0.01}
ADAPTIVE_SHARE = 0.98
"""Adam divides by the size of a gradient: where that is little but rounding, so is the whole update. Where a pipeline
wants weight decay, and Adam with it, so many weights must be as with one worker; with SGD all of them."""

TOLERANCE = 1e-4
"""Of sums in another order, after four updates, relative to the largest weight of a variable."""


def check_shares(subject: PipelineSubject) -> None:
    """The losses of two parts of a batch add up to the loss of the whole, each weighed by its share of the terms."""
    fitted: Fitted[Any, Any] = subject.fitted
    objective = subject.pipeline.objective(fitted, subject.splits)
    whole = next(iter(objective.batches(0)))
    rows = rows_of(objective.batches(0).element_spec)
    assert rows % 2 == 0, f"{subject.pipeline.name}: give an even training.batch_size, here {rows}"
    parts = [next(iter(sharded_batches(objective, index=index, count=2)(0))) for index in range(2)]

    def loss(batch: Any) -> float:
        return float(objective.loss(fitted.network(complete_inputs(fitted.network, batch["inputs"])), batch))

    shares = [float(part[SHARE]) for part in parts]
    joint = sum(share * loss(part) for share, part in zip(shares, parts, strict=True) if share)
    expected = loss(whole)
    assert math.isclose(sum(shares), 1.0, abs_tol=1e-6) and math.isclose(joint, expected, rel_tol=1e-4), (
        f"{subject.pipeline.name}: two parts of a batch have losses that add up to {joint}, the whole has {expected}; "
        "give the Objective `terms`, the number of terms whose mean the loss is"
    )
    for name, own in zip(("inputs", "targets"), (parts[0]["inputs"], parts[0]["targets"]), strict=True):
        for half, full in zip(tf.nest.flatten(own), tf.nest.flatten(whole[name]), strict=True):
            np.testing.assert_array_equal(half, full[: rows // 2] if full.shape.rank else full)


def check_workers(subject: PipelineSubject) -> None:
    """Two processes train as one does, up to rounding, and one goes on with their run."""
    decays = subject.config.training.weight_decay > 0
    steady = {**STEADY, **({} if decays else {"training.optimizer": "sgd"})}
    settings = {**QUICK, **subject.settings, **steady}
    alone = train(subject.pipeline, run=subject.folder / "alone", **settings)
    run, half = subject.folder / "shared", settings["training.steps"] // 2
    flags = subject.flags(**steady, **{"training.steps": half, "training.strategy": "multiworker"})
    command = subject.process("train", "--skip_evaluation", "--run", str(run), *flags)
    code = launch(command, 2, environment=subject.environment)
    assert code == 0, f"{subject.pipeline.name}: two workers end with the exit code {code}"
    joint = train(subject.pipeline, run=run, **{**settings, "training.strategy": "single"})
    for path, expected in weights(alone.network).items():
        apart = np.abs(weights(joint.network)[path] - expected)
        close = apart <= TOLERANCE * np.abs(expected).max(initial=1e-3)
        assert np.mean(close) >= (ADAPTIVE_SHARE if decays else 1.0), (
            f"{subject.pipeline.name}: {path} differs by up to {apart.max():.3g} between two workers and one"
        )
    losses = [[row["loss"] for row in RunFolder(each).read_metrics()] for each in (alone.path, run)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=TOLERANCE)
