"""The training loop of every pipeline: `keras.Model.fit` in intervals, each ended by an evaluation and a checkpoint."""

from __future__ import annotations

import dataclasses
import functools
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras

from rnnapps.config import TrainingConfig
from rnnapps.contract.objective import Objective
from rnnapps.errors import ConfigError, Interrupted
from rnnapps.training.pause import Pause
from rnnapps.training.progress import Display, make_display
from rnnapps.training.run import RunFolder
from rnnapps.training.session import Session
from rnnapps.training.shards import shared
from rnnapps.training.signals import StopNow, StopSignals
from rnnapps.training.state import TrainState
from rnnapps.training.trainer import TrainingModel
from rnnapps.training.workers import ALONE, Workers

__all__ = ["train"]

STRUCTURE = ("batch_size", "window_steps", "carry_state", "optimizer", "precision", "average_decay")
"""Settings that the state of a run depends on; the others may change when it is resumed."""
UNSAID = {"average_decay": 0.0}
"""What runs were trained with that began before there was the setting."""


def train(
    run: RunFolder,
    network: keras.Model,
    objective: Objective,
    config: TrainingConfig,
    *,
    seed: int,
    fingerprint: Mapping[str, Any],
    when_changed: Mapping[str, str] | None = None,
    progress: bool = True,
    resume_command: str = "the same command",
    pause: Pause | None = None,
    workers: Workers = ALONE,
) -> dict[str, Any]:
    """Trains a network, or goes on where the run folder's last session stopped.

    The same seed, data and number of threads give the same weights bit for bit on a CPU, however often training was
    stopped or killed in between. Afterwards the network holds the last weights; `restore_best` loads the best.

    Args:
        run: where state, metrics and samples are kept.
        network: functional model, as `Pipeline.build_model` returns it.
        objective: loss, batches and validation.
        config: how to train.
        seed: the seed from which network and batches were made.
        fingerprint: what else the run must not change when resumed, such as a digest of the data; JSON values.
        when_changed: name in `fingerprint` -> what to say, with a remedy, when its value says nothing to a person.
        progress: show progress on stderr.
        resume_command: what to type to resume, for the message after an interruption.
        pause: where to rest before the end, with the state saved; None for nowhere.
        workers: who trains together; the first of them keeps the run folder, and the folders of the others are scratch.

    Returns:
        `step`, `elapsed_seconds`, `best_step`, the objective's metric at its best, `stopped` ("steps", "patience" or
        "pause").

    Raises:
        CheckpointError: the run folder is in use, full, read-only, damaged or of another model.
        ConfigError: a setting is wrong, or differs from the run's own where it must not.
        TrainingDiverged: loss or gradient stopped being finite; the last good state is restored.
        Interrupted: Ctrl-C or SIGTERM, of any worker; the state is saved.
        WorkerLost: another worker has ended.
    """
    started, objective, shown = time.monotonic(), shared(objective, workers), progress and workers.chief
    with run.lock(), workers.together(), make_display(shown) as display, StopSignals(display.note) as signals:
        model = TrainingModel(network, objective.loss, config, objective.batches(0).element_spec, workers=workers)
        expected = {"seed": seed, **fingerprint, **{name: getattr(config, name) for name in STRUCTURE}}
        resume = functools.partial(_resume, run, model, display, expected=expected, sayings=when_changed or {})
        state = _begun_by_all(model, resume)
        session = Session(
            run, model, objective, state, display, signals, started - state.elapsed_seconds, pause or Pause()
        )
        try:
            session.train()
        except StopNow:
            pass
        finally:
            session.events.close()
            session.trackers.close()
        if session.is_unsaved():
            session.save()
        if signals.received or session.signalled():
            by = signals.name if signals.received else "a signal to another worker"
            raise Interrupted(
                f"stopped by {by} at step {session.state.step} of {config.steps}; the state is saved; "
                f"to resume: {resume_command}",
                exit_code=signals.exit_code if signals.received else 128 + signal.SIGTERM,
            )
        return session.summary()


def _begun_by_all(model: TrainingModel, resume: Callable[[], TrainState]) -> TrainState:
    """The state that the chief resumes or begins, and its variables, for all workers."""
    workers = model.workers
    state = TrainState(**workers.by_chief(lambda: dataclasses.asdict(resume())))
    workers.share(model.variables_shared())
    model.spread_states()
    return state


def _resume(
    run: RunFolder, model: TrainingModel, display: Display, *, expected: dict[str, Any], sayings: Mapping[str, str]
) -> TrainState:
    """Restores the newest intact state, or saves the first one."""
    expect = functools.partial(_compare, run, expected, sayings)
    with model.averages.shown():
        state = TrainState.restore(run, model.groups(), display.note, expect=expect)
        if state is None:
            state = TrainState(fingerprint=expected)
            run.forget_after(-1)
            state.save(run, model.groups())
            return state
    run.forget_after(state.evaluated_step)
    display.note(f"{run.path}: resuming at step {state.step} after {state.elapsed_seconds:.1f} s of training")
    return state


def _compare(run: RunFolder, expected: Mapping[str, Any], sayings: Mapping[str, str], found: Mapping[str, Any]) -> None:
    """Raises an error that names the first setting in which two fingerprints differ."""
    found = {**UNSAID, **found}
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            if name in sayings:
                raise ConfigError(f"{run.path}: {sayings[name]}")
            raise ConfigError(
                f"{run.path}: this run was trained with {name} = {found.get(name)!r}, now it is "
                f"{expected.get(name)!r}; give the old value to resume it, or another --run to start afresh"
            )
