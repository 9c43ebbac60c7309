"""Training: it can be killed at any moment, and ends with the same bits."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.testing.pipelines.subject import QUICK, PipelineSubject, weights
from rnnapps.verbs.model import Model
from rnnapps.verbs.opening import open_model
from rnnapps.verbs.start import train

__all__ = ["UNSTEADY", "check_interruption", "check_kill", "check_twice"]

LONGEST_SECONDS = 600.0
"""A training of a few updates that has not saved a state by then never will."""


UNSTEADY = ("measured_memory", "real_time_factor")
"""What is measured of the machine, and not of the model."""


class _Stopped(BaseException):
    """Ends a training in the middle, past everything that would catch an error."""


def check_interruption(subject: PipelineSubject) -> None:
    """A training that stops dead within its second interval, and is resumed, ends with the same bits."""
    run, settings = subject.folder / "interrupted", {**QUICK, **subject.settings}
    try:
        train(_interrupted(subject.pipeline), run=run, **settings)
    except _Stopped:
        pass
    else:
        raise AssertionError("a training of two intervals must validate twice")
    _require_same(subject, train(subject.pipeline, run=run, **settings))


def check_kill(subject: PipelineSubject) -> None:
    """The same through the command line: kill -9 after the first saved state, then `train` again."""
    run = subject.folder / "killed"
    command = subject.process("train", "--run", str(run), *subject.flags())
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=subject.environment)
    _wait_for_state(run, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = subprocess.run(command, capture_output=True, text=True, check=False, env=subject.environment)
    assert again.returncode == 0, f"a killed run does not go on: {again.stderr[-500:]}"
    _require_same(subject, _reopened(subject, run))


def _interrupted(pipeline: Pipeline[Any, Any, Any]) -> Pipeline[Any, Any, Any]:
    """The pipeline, whose second validation never ends well."""

    class Interrupted(type(pipeline)):  # type: ignore[misc]
        def objective(self, fitted: Fitted[Any, Any], splits: Any) -> Objective:
            objective: Objective = super().objective(fitted, splits)
            calls: list[int] = []

            def validate() -> dict[str, float]:
                calls.append(len(calls))
                if len(calls) == 2:
                    raise _Stopped
                return objective.validate()

            return dataclasses.replace(objective, validate=validate)

    return Interrupted()


def _wait_for_state(run: Path, process: subprocess.Popen[bytes]) -> None:
    """Returns when the run has saved a state; most trainings here are still going on then."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not any((run / "state").glob("[!.]*")):
        assert process.poll() is None or any((run / "state").glob("[!.]*")), (
            f"training ended before it saved a state: {process.communicate()[1][-500:]!r}"
        )
        assert time.monotonic() < deadline, "training saved no state in time"
        time.sleep(0.05)


def check_twice(subject: PipelineSubject) -> None:
    """Each verb that measures says the same in two processes of its own: train, evaluate, inspect."""
    run = subject.folder / "again"
    _said(subject, "train", "--run", str(run), *subject.flags())
    _require_same(subject, _reopened(subject, run))
    for verb in ("evaluate", "inspect"):
        first, second = (_steady(_said(subject, verb, "--run", str(run))) for _ in range(2))
        different = [name for name in first if first[name] != second.get(name)]
        assert not different, f"{verb} says something else the second time: {different}"


def _said(subject: PipelineSubject, *argv: str) -> dict[str, Any]:
    """What a verb prints as JSON in a process of its own."""
    command = subject.process(*argv, "--json")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=subject.environment)
    assert done.returncode == 0, f"{argv[0]} fails: {done.stderr[-500:]}"
    return dict(json.loads(done.stdout))


def _steady(told: Any) -> Any:
    """What was told, without what is measured of the machine, at any depth."""
    if not isinstance(told, Mapping):
        return told
    return {name: _steady(value) for name, value in told.items() if name not in UNSTEADY}


def _reopened(subject: PipelineSubject, run: Path) -> Model[Any, Any, Any]:
    return Model(subject.pipeline, open_model(subject.pipeline, run, subject.config))


def _require_same(subject: PipelineSubject, resumed: Model[Any, Any, Any]) -> None:
    whole, other = weights(subject.model.network), weights(resumed.network)
    different = [path for path in whole if not np.array_equal(whole[path], other[path])]
    assert not different, f"a repeated or resumed training ends with other weights: {different[:3]}"
    lines = [(each.path / "metrics.jsonl").read_text().splitlines() for each in (subject.model, resumed)]
    metrics = [[_without_times(line) for line in rows] for rows in lines]
    assert metrics[0] == metrics[1], (
        f"a repeated or resumed training has other metrics: {metrics[1]}, expected {metrics[0]}"
    )


def _without_times(line: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(line).items() if "second" not in name}
