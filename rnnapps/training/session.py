"""One process's share of a training run: intervals of `keras.Model.fit`, evaluations and checkpoints."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any

import keras

from rnnapps.contract.objective import Objective
from rnnapps.errors import CheckpointError, TrainingDiverged
from rnnapps.training.events import EventWriter
from rnnapps.training.pause import Pause
from rnnapps.training.progress import Display, describe
from rnnapps.training.run import RunFolder
from rnnapps.training.signals import StopNow, StopSignals
from rnnapps.training.state import TrainState
from rnnapps.training.trackers import Trackers
from rnnapps.training.trainer import VOTES, TrainingModel
from rnnapps.training.workers import Workers

__all__ = ["Session"]

SECONDS_BETWEEN_LOOKS = 0.2
"""Time between two reads of the live loss: each read waits for the device."""


@dataclasses.dataclass
class Session:
    """One process's share of a run.

    Attributes:
        run: the run folder.
        model: the network as it is trained.
        objective: loss, batches and validation.
        state: the progress of the run, restored or new.
        display: is told of the progress.
        signals: asks to stop.
        started: `time.monotonic()` at which the run would have begun if it had never been interrupted.
        pause: where to rest before the end.
    """

    run: RunFolder
    model: TrainingModel
    objective: Objective
    state: TrainState
    display: Display
    signals: StopSignals
    started: float
    pause: Pause

    def __post_init__(self) -> None:
        config, chief = self.model.config, self.model.workers.chief
        self.steps, self.interval, self.patience = config.steps, config.evaluate_every, config.patience
        self.last = self.pause.last(self.steps)
        self.events = EventWriter(self.run.tensorboard_dir, config.tensorboard and chief)
        self.trackers = Trackers(self.run, config.track if chief else ())
        self.saved_step = self.state.step
        self.voted: set[str] = set()

    def train(self) -> None:
        """Runs to the last step, or until patience, a pause or a signal ends it."""
        self.display.start(self.state.step, self.steps)
        if self.state.step and self._evaluation_due():
            self.evaluate()  # the last session was stopped between the interval's last step and its evaluation
        while self.state.step < self.last and not self.out_of_patience() and not self.stops():
            self._fit()

    @property
    def workers(self) -> Workers:
        """Who trains together."""
        return self.model.workers

    def stops(self) -> bool:
        """Whether a signal or the pause asks to stop behind the current step."""
        return self.signalled() or (self.pause.is_due() if self.workers.count == 1 else "pause" in self.voted)

    def signalled(self) -> bool:
        """Whether a signal asks to stop; of several workers, whether all of them know of it."""
        return bool(self.signals.received) if self.workers.count == 1 else "signal" in self.voted

    def is_unsaved(self) -> bool:
        """Whether steps were done since the state was saved: a signal or a pause came between two evaluations."""
        return self.signalled() or self.state.step != self.saved_step

    def vote(self, logs: Mapping[str, Any]) -> None:
        """Behind a step of several workers: reads what they want to stop for, and says it before the next one."""
        self.voted |= {name for name in VOTES if float(logs[name]) > 0}
        wishes = [float(bool(self.signals.received)), float(self.pause.is_due())]
        if any(wishes):
            self.model.votes.assign(wishes)

    def _fit(self) -> None:
        """Runs whole intervals, or the incomplete one before the next evaluation or the last step."""
        step = self.state.step
        epoch_steps = min(self.interval - step % self.interval, self.last - step)
        epochs = (self.last - step) // self.interval if epoch_steps == self.interval else 1
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
        if self._evaluation_due() and not self.signalled():
            self.evaluate()
        elif not self.stops():
            raise ValueError(f"the objective's stream of batches ended before step {self.state.step + 1}")
        self.model.stop_training = self.stops() or self.out_of_patience()

    def evaluate(self) -> None:
        """Validates the current weights, records the figures and saves the state: the chief does, and tells the others.

        Raises:
            StopNow: the chief was asked to stop meanwhile.
        """
        self.model.gather_states()
        try:
            progress = self.workers.by_chief(self._judge)
        except StopNow:
            self.voted.add("signal")
            raise
        if not self.workers.chief:
            self.state, self.saved_step = TrainState(**progress), progress["step"]
            self.model.start_interval()
        # Validation may have changed the network, and unequal processors may have let the workers drift apart.
        self.workers.share(self.model.variables_shared())

    def _judge(self) -> dict[str, Any]:
        """What the chief does at an evaluation; returns the progress."""
        step = self.state.step
        with self.model.averages.shown(), self.signals.breaking():
            metrics = {name: float(value) for name, value in self.objective.validate().items()}
            samples = self.objective.samples()
        value = metrics[self.objective.metric]
        if not math.isfinite(value):
            self.diverge(step, f"{self.objective.metric} is {value}")
        config = self.model.config
        best = self.state.record(
            value,
            higher_is_better=self.objective.higher_is_better,
            kept=config.average_states,
            averaged=config.averaged,
        )
        self.state.elapsed_seconds = time.monotonic() - self.started
        row = {"step": step, "elapsed_seconds": self.state.elapsed_seconds, **metrics, **self.model.means()}
        self.run.append_metrics(row)
        if samples:
            self.run.append_samples(step, samples)
        self.events.write(row)
        self.trackers.write(row)
        self.model.start_interval()
        self._write()
        self.display.note(describe(row, self.steps, best))
        return dataclasses.asdict(self.state)

    def save(self) -> None:
        """Writes a checkpoint of the current step."""
        self.model.gather_states()
        self.workers.by_chief(self._write)
        self.saved_step = self.state.step

    def _write(self) -> None:
        self.state.elapsed_seconds = time.monotonic() - self.started
        with self.model.averages.shown():
            self.state.save(self.run, self.model.groups())
        self.saved_step = self.state.step

    def raise_if_diverged(self) -> None:
        """Stops when the compiled step has met a loss or gradient that is not finite."""
        step = int(self.model.first_bad_step)
        if step:
            loss, norm = float(self.model.last_loss), float(self.model.last_norm)
            self.diverge(step, f"the loss is {loss:g} and the gradient norm {norm:g}")

    def diverge(self, step: int, what: str) -> None:
        """Restores the last good state and raises TrainingDiverged."""
        if not self.workers.chief:
            raise TrainingDiverged(f"training diverged at step {step}: {what}; worker 0 says how to go on")
        with self.model.averages.shown():
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
        """Whether the current step ends an interval or the run, and was not evaluated yet."""
        step = self.state.step
        return self.state.evaluated_step < step and (step % self.interval == 0 or step == self.steps)

    def summary(self) -> dict[str, Any]:
        """The result of `train`."""
        return {
            "step": self.state.step,
            "elapsed_seconds": self.state.elapsed_seconds,
            "best_step": self.state.best_step,
            self.objective.metric: self.state.best_value,
            "stopped": self._why(),
        }

    def _why(self) -> str:
        if self.state.step >= self.steps:
            return "steps"
        return "patience" if self.out_of_patience() else "pause"


class _Supervisor(keras.callbacks.Callback):
    """Watches each step of `fit` at almost no cost: looks at device values only a few times a second."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session, self.looked = session, time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if logs and self.session.workers.count > 1:  # all must stop behind the same step, so each looks at each
            self.session.vote(logs)
            self.session.model.stop_training |= int(logs["first_bad_step"]) > 0
        if self.session.stops():
            self.session.model.stop_training = True
        now = time.monotonic()
        if logs and now - self.looked >= SECONDS_BETWEEN_LOOKS:
            self.looked = now
            self.session.model.stop_training |= int(logs["first_bad_step"]) > 0
            self.session.display.update(int(self.session.model.step), float(logs["loss"]))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.session.end_interval()
