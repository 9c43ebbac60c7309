"""Looks at data before any training: what is understood of it, and what usually ruins a model."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnapps.contract.data_report import DataReport
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.data.bad_examples import LEFT_OUT
from rnnapps.verbs.configure import read_configuration
from rnnapps.verbs.data import read_examples, require_readable, with_data
from rnnapps.verbs.pipelines import find_configuration, find_pipeline
from rnnapps.verbs.step_clock import StepClock

__all__ = ["look", "look_at_data", "measured_costs"]

AnyPipeline = Pipeline[Any, Any, Any]

LEAST_SECONDS, MOST_STEPS, FIRST_STEPS = 3.0, 80, 2
"""How long training steps are timed, at most how many at once, and those before, in which they are compiled."""


def look(
    pipeline: str | AnyPipeline, data: Any = None, *, config: str | Path | None = None, **changes: Any
) -> DataReport:
    """Reads data as training would, and says what was understood of it; nothing is trained.

    Args:
        pipeline: as in `rnnapps.train`.
        data: as in `rnnapps.train`.
        config: as in `rnnapps.train`.
        changes: as in `rnnapps.train`.

    Raises:
        RnnappsError: as in `rnnapps.train`; but examples that cannot be read are listed, unless none can be.
    """
    task = find_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    base: Mapping[str, Any] = read_configuration(task, find_configuration(task, str(config))) if config else {}
    settled, given = with_data(task, base, data, changes)
    return look_at_data(task, settled, given)


def look_at_data(pipeline: AnyPipeline, config: Any, given: Any = None) -> DataReport:
    """What a pipeline has understood of its data.

    Args:
        pipeline: the application.
        config: its settings; examples that cannot be read are skipped, whatever the settings say.
        given: examples from Python instead of the source.
    """
    require_readable(config, given)
    with contextlib.redirect_stderr(io.StringIO()) as told:
        report = pipeline.look(_lenient(pipeline, config), given)
    notes = [line for line in told.getvalue().splitlines() if line.strip() and f"{LEFT_OUT}:" not in line]
    return dataclasses.replace(report, notes=[*report.notes, *notes])


def measured_costs(pipeline: AnyPipeline, config: Any, given: Any = None) -> dict[str, float | int]:
    """What training costs on this machine, by some real steps: seconds of one and of all, and memory.

    Args:
        pipeline: the application.
        config: its settings.
        given: examples from Python instead of the source.
    """
    import keras

    from rnnapps.training.measure import peak_resident_bytes
    from rnnapps.verbs.opening import number_format

    with contextlib.redirect_stderr(io.StringIO()):
        splits = read_examples(pipeline, _lenient(pipeline, config), given)
    keras.utils.set_random_seed(config.seed)
    preprocessor = pipeline.fit_preprocessor(config, splits)
    with number_format(config.training.precision):
        network = pipeline.build_model(config, preprocessor)
        first, each = _timed_steps(pipeline, Fitted(config, preprocessor, network), splits)
    return {
        "parameters": int(sum(weight.shape.num_elements() for weight in network.trainable_variables)),
        "seconds to compile a training step": round(first, 1),
        "seconds of a training step": round(each, 4),
        "minutes of training without evaluations": round((first + each * config.training.steps) / 60, 2),
        "memory of the process, MB": round(peak_resident_bytes() / 2**20),
    }


def _timed_steps(pipeline: AnyPipeline, fitted: Fitted[Any, Any], splits: Any) -> tuple[float, float]:
    """Seconds until the first steps are done, and of each step behind them."""
    from rnnapps.training.trainer import TrainingModel

    objective, training = pipeline.objective(fitted, splits), fitted.config.training
    batches = objective.batches(0)
    model = TrainingModel(fitted.network, objective.loss, training, batches.element_spec)
    begun = time.perf_counter()
    model.fit(batches, steps_per_epoch=FIRST_STEPS, shuffle=False, verbose=0)
    first, steps, clock = time.perf_counter() - begun, 5, StepClock()
    while sum(clock.seconds) < LEAST_SECONDS and steps < MOST_STEPS:  # more at once: to begin takes long
        steps *= 2
        model.fit(
            objective.batches(FIRST_STEPS),
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
            callbacks=[clock.callback()],
        )
    return first + clock.compiling_seconds(), clock.usual_seconds()


def _lenient(pipeline: AnyPipeline, config: Any) -> Any:
    """The settings with all bad examples skipped, where the pipeline has a setting for that."""
    if not hasattr(config.data, "on_bad"):
        return config
    data = dataclasses.replace(config.data, on_bad="skip", bad_limit=1.0)
    return dataclasses.replace(config, data=data)
