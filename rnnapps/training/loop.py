"""The training loop of every pipeline: `keras.Model.fit` in intervals, each ended by an evaluation and a checkpoint."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Mapping
from typing import Any

import keras

from rnnapps.config import TrainingConfig
from rnnapps.errors import CheckpointError, ConfigError, Interrupted, TrainingDiverged
from rnnapps.pipeline import Objective
from rnnapps.training.events import EventWriter
from rnnapps.training.progress import Display, describe, make_display
from rnnapps.training.run import RunFolder
from rnnapps.training.signals import StopNow, StopSignals
from rnnapps.training.state import TrainState
from rnnapps.training.trainer import TrainingModel

__all__ = ["train"]

STRUCTURE = ("batch_size", "window_steps", "carry_state", "optimizer", "precision")
"""Settings that the state of a run depends on; the others may change when it is resumed."""

SECONDS_BETWEEN_LOOKS = 0.2
"""Time between two reads of the live loss: each read waits for the device."""


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

    Returns:
        `step`, `elapsed_seconds`, `best_step`, the objective's metric at its best, `stopped` ("steps", "patience").

    Raises:
        CheckpointError: the run folder is in use, full, read-only, damaged or of another model.
        ConfigError: a setting is wrong, or differs from the run's own where it must not.
        TrainingDiverged: loss or gradient stopped being finite; the last good state is restored.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    started = time.monotonic()
    with run.lock(), make_display(progress) as display, StopSignals(display.note) as signals:
        model = TrainingModel(network, objective.loss, config, objective.batches(0).element_spec)
        expected = {"seed": seed, **fingerprint, **{name: getattr(config, name) for name in STRUCTURE}}
        state = _resume(run, model, expected, when_changed or {}, display)
        session = _Session(run, model, objective, state, display, signals, started - state.elapsed_seconds)
        try:
            session.train()
        except StopNow:
            pass
        finally:
            session.events.close()
        if signals.received:
            session.save()
            raise Interrupted(
                f"stopped by {signals.name} at step {state.step} of {config.steps}; the state is saved; "
                f"to resume: {resume_command}",
                exit_code=signals.exit_code,
            )
        return session.summary()


def _resume(
    run: RunFolder, model: TrainingModel, expected: dict[str, Any], sayings: Mapping[str, str], display: Display
) -> TrainState:
    """Restores the newest intact state, or saves the first one."""
    expect = functools.partial(_compare, run, expected, sayings)
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
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            if name in sayings:
                raise ConfigError(f"{run.path}: {sayings[name]}")
            raise ConfigError(
                f"{run.path}: this run was trained with {name} = {found.get(name)!r}, now it is "
                f"{expected.get(name)!r}; give the old value to resume it, or another --run to start afresh"
            )


@dataclasses.dataclass
class _Session:
    """One process's share of a run."""

    run: RunFolder
    model: TrainingModel
    objective: Objective
    state: TrainState
    display: Display
    signals: StopSignals
    started: float

    def __post_init__(self) -> None:
        config = self.model.config
        self.steps, self.interval, self.patience = config.steps, config.evaluate_every, config.patience
        self.events = EventWriter(self.run.tensorboard_dir, config.tensorboard)

    def train(self) -> None:
        """Runs to the last step, or until patience or a signal ends it."""
        self.display.start(self.state.step, self.steps)
        if self.state.step and self._evaluation_due():
            self.evaluate()  # the last session was stopped between the interval's last step and its evaluation
        while self.state.step < self.steps and not self.out_of_patience() and not self.signals.received:
            self._fit()

    def _fit(self) -> None:
        """Runs whole intervals, or the incomplete one before the next evaluation or the last step."""
        step = self.state.step
        epoch_steps = min(self.interval - step % self.interval, self.steps - step)
        epochs = (self.steps - step) // self.interval if epoch_steps == self.interval else 1
        self.model.fit(
            self.objective.batches(step).prefetch(2),
            steps_per_epoch=epoch_steps,
            epochs=epochs,
            shuffle=False,  # the stream's own order is what makes a resumed run the same
            verbose=0,
            callbacks=[_Supervisor(self)],
        )

    def end_interval(self) -> None:
        """Evaluates and saves; called at the end of each of Keras's epochs, complete or not."""
        self.state.step = int(self.model.step)
        self.raise_if_diverged()
        if not self.signals.received:
            if not self._evaluation_due():
                raise ValueError(f"the objective's stream of batches ended before step {self.state.step + 1}")
            self.evaluate()
        self.model.stop_training = bool(self.signals.received) or self.out_of_patience()

    def evaluate(self) -> None:
        """Validates the current weights, records the figures and saves the state."""
        step = self.state.step
        with self.signals.breaking():
            metrics = {name: float(value) for name, value in self.objective.validate().items()}
            samples = self.objective.samples()
        value = metrics[self.objective.metric]
        if not math.isfinite(value):
            self.diverge(step, f"{self.objective.metric} is {value}")
        best = self.state.record(value)
        self.state.elapsed_seconds = time.monotonic() - self.started
        row = {"step": step, "elapsed_seconds": self.state.elapsed_seconds, **metrics, **self.model.means()}
        self.run.append_metrics(row)
        if samples:
            self.run.append_samples(step, samples)
        self.events.write(row)
        self.model.start_interval()
        self.save()
        self.display.note(describe(row, self.steps, best))

    def save(self) -> None:
        """Writes a checkpoint of the current step."""
        self.state.elapsed_seconds = time.monotonic() - self.started
        self.state.save(self.run, self.model.groups())

    def raise_if_diverged(self) -> None:
        """Stops when the compiled step has met a loss or gradient that is not finite."""
        step = int(self.model.first_bad_step)
        if step:
            loss, norm = float(self.model.last_loss), float(self.model.last_norm)
            self.diverge(step, f"the loss is {loss:g} and the gradient norm {norm:g}")

    def diverge(self, step: int, what: str) -> None:
        """Restores the last good state and raises TrainingDiverged."""
        restored = TrainState.restore(self.run, self.model.groups(), self.display.note)
        if restored is None:
            raise CheckpointError(f"{self.run.path}: no state is left to go back to")
        config = self.model.config
        clip = (
            f"a lower --training.clip_norm (now {config.clip_norm:g})" if config.clip_norm else "--training.clip_norm 1"
        )
        raise TrainingDiverged(
            f"training diverged at step {step}: {what}; the weights of step {restored.step} are restored; "
            f"resume with a lower --training.learning_rate (now {config.learning_rate:g}) or {clip}, "
            f"and look for values in the data that are not finite"
        )

    def out_of_patience(self) -> bool:
        """Whether the last evaluations brought no improvement for as long as the configuration allows."""
        return 0 < self.patience <= self.state.evaluations_since_best

    def _evaluation_due(self) -> bool:
        step = self.state.step
        return self.state.evaluated_step < step and (step % self.interval == 0 or step == self.steps)

    def summary(self) -> dict[str, Any]:
        """The result of `train`."""
        return {
            "step": self.state.step,
            "elapsed_seconds": self.state.elapsed_seconds,
            "best_step": self.state.best_step,
            self.objective.metric: self.state.best_value,
            "stopped": "patience" if self.state.step < self.steps else "steps",
        }


class _Supervisor(keras.callbacks.Callback):
    """Watches each step of `fit` at almost no cost: looks at device values only a few times a second."""

    def __init__(self, session: _Session) -> None:
        super().__init__()
        self.session, self.looked = session, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self.session.signals.received:
            self.session.model.stop_training = True
        now = time.monotonic()
        if logs and now - self.looked >= SECONDS_BETWEEN_LOOKS:
            self.looked = now
            self.session.model.stop_training |= int(logs["first_bad_step"]) > 0
            self.session.display.update(int(self.session.model.step), float(logs["loss"]))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.session.end_interval()
