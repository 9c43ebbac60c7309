"""TrainingModel: one optimizer update of any network as one compiled program, run by `keras.Model.fit`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import keras
import tensorflow as tf

from rnnapps.config import TrainingConfig
from rnnapps.errors import ConfigError
from rnnapps.kernels.choice import gains_as_one_program
from rnnapps.kernels.random_mask import drawn_for_part
from rnnapps.layers.recurrent import Recurrent
from rnnapps.training.averages import WeightAverages
from rnnapps.training.joint_moments import joint_moments, normalised_layers
from rnnapps.training.optimizers import build_optimizer, build_schedule
from rnnapps.training.shards import SHARE, rows_of
from rnnapps.training.workers import ALONE, Workers
from rnnapps.types import Nest, Tensor, Tensors

__all__ = ["TrainingModel"]

Batch = Mapping[str, Nest]

FIRST_LOSS_SCALE = 2.0**15
STEPS_UNTIL_LOSS_SCALE_DOUBLES = 2000
VOTES = ("signal", "pause")
"""What a worker may ask all to stop for; see `votes` of the model."""


class TrainingModel(keras.Model):
    """Wraps a network for training.

    Beside the network it owns, as variables: the states carried from one window to the next, the number of updates,
    the sums behind the interval's mean loss and gradient norm, the number of the first step that was not finite, the
    averages of the weights, and the loss scale of float16. From that step on updates are skipped.

    Several workers each differentiate their share of the loss, add up gradients and losses as one vector, and all make
    the same update of it. `votes`, one number for each of `VOTES`, travels with it, so that all stop behind one step.

    Args:
        network: functional model, dict in and dict out; the key "states" on both sides marks carried states.
        loss: maps (network outputs, batch) to the scalar mean loss.
        config: the training configuration.
        batch_spec: `element_spec` of the batches. Where widths vary between batches, the step is compiled once for
            each shape that occurs; keep them few (`rnnapps.data.buckets`). The number of rows never varies.
        workers: who share each batch; the batches are this worker's part, as `sharded_batches` makes it.
    """

    def __init__(
        self,
        network: keras.Model,
        loss: Callable[[Nest, Batch], Tensor],
        config: TrainingConfig,
        batch_spec: Batch,
        *,
        workers: Workers = ALONE,
    ) -> None:
        super().__init__(name="training")
        self.workers = workers
        self.network, self.task_loss, self.config = network, loss, config
        self.clip_norm, self.carry_state = config.clip_norm, config.carry_state
        self.scales_loss = config.precision == "mixed_float16"
        self.carried = self._carried_states(batch_spec, "carried_state")
        self.whole_carried = self.carried
        if workers.count > 1:
            self.whole_carried = self._carried_states(batch_spec, "whole_carried_state", parts=workers.count)
        self.step = self._counter("step")
        self.first_bad_step = self._counter("first_bad_step")
        self.counted = self._counter("counted")
        self.loss_sum = self._number("loss_sum", 0.0)
        self.norm_sum = self._number("gradient_norm_sum", 0.0)
        self.last_loss = self._number("last_loss", 0.0)
        self.last_norm = self._number("last_gradient_norm", 0.0)
        self.loss_scale = self._number("loss_scale", FIRST_LOSS_SCALE if self.scales_loss else 1.0)
        self.steps_at_scale = self._counter("steps_at_loss_scale")
        self.built = True
        self.schedule = build_schedule(config)
        optimizer = build_optimizer(config, self.schedule)
        optimizer.build(network.trainable_variables)
        self.averages = WeightAverages(network.trainable_variables, config.average_decay)
        self.compiles = _compiles(network, config, batch_spec, workers)
        whole_step = self.compiles and workers.count == 1
        self.compile(optimizer=optimizer, jit_compile=whole_step, auto_scale_loss=False)
        self.votes = tf.Variable([0.0] * len(VOTES), trainable=False)
        self.shapes_vary = not all(spec.shape.is_fully_defined() for spec in tf.nest.flatten(batch_spec))
        self.programs: dict[tuple[tuple[int, ...], ...], Callable[[Batch], dict[str, Tensor]]] = {}

    def groups(self) -> dict[str, list[keras.Variable]]:
        """All variables that a checkpoint must hold: group name -> variables in a fixed order.

        They are saved and restored while the averages of the weights are shown.
        """
        own = [*self.whole_carried, self.step, self.first_bad_step, self.counted, self.loss_sum, self.norm_sum]
        own += [self.last_loss, self.last_norm, self.loss_scale, self.steps_at_scale]
        weights = list(self.network.weights)
        known = {id(weight) for weight in weights}
        return {
            "network": weights,
            "random": [variable for variable in self.network.variables if id(variable) not in known],
            "training": own,
            "optimizer": list(self.optimizer.variables),
            "trained": self.averages.trained,
        }

    def variables_shared(self) -> list[keras.Variable]:
        """All that workers have alike."""
        return [variable for members in self.groups().values() for variable in members]

    def means(self) -> dict[str, float]:
        """Mean loss and gradient norm since `start_interval`, and the learning rate of the last update."""
        count = max(int(self.counted), 1)
        return {
            "loss": float(self.loss_sum) / count,
            "gradient_norm": float(self.norm_sum) / count,
            "learning_rate": float(self.schedule(max(int(self.optimizer.iterations) - 1, 0))),
        }

    def start_interval(self) -> None:
        """Forgets the losses and norms summed so far."""
        for variable in (self.counted, self.loss_sum, self.norm_sum):
            variable.assign(0)

    def gather_states(self) -> None:
        """Before a save: the carried states of all workers' rows."""
        if self.workers.count > 1:
            for whole, own in zip(self.whole_carried, self.carried, strict=True):
                whole.assign(self.workers.whole(own.value))

    def spread_states(self) -> None:
        """After a state was restored: the carried states of this worker's rows."""
        if self.workers.count > 1:
            for whole, own in zip(self.whole_carried, self.carried, strict=True):
                rows = own.shape[0]
                own.assign(whole.value[self.workers.index * rows : (self.workers.index + 1) * rows])

    def make_train_function(self, force: bool = False) -> None:
        """Keras's own step, traced once, or one trace for each shape of batches whose shapes vary."""
        if self.shapes_vary:
            self.train_function = self._train_on_next
        else:
            super().make_train_function(force)

    def _train_on_next(self, iterator: Iterator[Batch]) -> dict[str, Tensor]:
        """One step of a stream whose shapes vary, by the program of the batch's shapes."""
        data = next(iterator)
        shapes = tuple(tuple(tensor.shape) for tensor in tf.nest.flatten(data))
        if shapes not in self.programs:
            step = tf.function(self.train_step, autograph=False, jit_compile=self.jit_compile)
            self.programs[shapes] = step.get_concrete_function(data)  # called as it is, it warns of no retracing
        logs: dict[str, Tensor] = self.programs[shapes](data)
        return logs

    def train_step(self, data: Batch) -> dict[str, Tensor]:
        """One update from one batch, {"inputs", "targets", "reset"}; returns the interval's live mean loss."""
        if self.workers.count > 1:
            return self._joint_step(data)
        return self._finish(*self._differentiate(data))

    def _joint_step(self, data: Batch) -> dict[str, Tensor]:
        """One update from the batch of which this worker has a part.

        What is compiled is what lies before and behind the sum over the workers, which XLA cannot take.
        """
        first, second = (
            tf.function(part, autograph=False, jit_compile=self.compiles) for part in (self._addends, self._from_sums)
        )
        addends, states = first(data)
        sums = self.workers.sum(tf.concat([addends, self.votes], axis=0))
        votes = dict(zip(VOTES, tf.unstack(sums[-len(VOTES) :]), strict=True))
        return {**second(sums[: -len(VOTES)], states), **votes}

    def _addends(self, data: Batch) -> tuple[Tensor, Tensors]:
        """What the workers add up, one vector of all gradients and the loss, and the new states of the own rows."""
        with drawn_for_part(self.workers.index), joint_moments(self.network, self.workers):
            loss, gradients, states = self._differentiate(data)
        return tf.concat([*(tf.reshape(tf.cast(each, tf.float32), [-1]) for each in gradients), [loss]], axis=0), states

    def _from_sums(self, sums: Tensor, states: Tensors) -> dict[str, Tensor]:
        """The update by what all workers have added up."""
        weights = self.network.trainable_variables
        *parts, loss = tf.split(sums, [*(math.prod(weight.shape) for weight in weights), 1])
        gradients = [
            tf.cast(tf.reshape(part, weight.shape), weight.dtype) for part, weight in zip(parts, weights, strict=True)
        ]
        return self._finish(loss[0], gradients, states)

    def _finish(self, loss: Tensor, gradients: Tensors, states: Tensors) -> dict[str, Tensor]:
        """Updates the weights, unless something is not finite, and counts."""
        # `fit` looks at the device a few times a second only. Until it sees that a step went wrong, the steps behind
        # that one run too, but change nothing: `running` is False.
        norm = tf.linalg.global_norm(gradients)
        running = tf.equal(self.first_bad_step.value, 0)
        overflow = self._rescale(loss, norm) if self.scales_loss else tf.constant(False)
        finite = tf.math.is_finite(loss) & tf.math.is_finite(norm)
        diverged = running & ~finite & ~overflow
        self.step.assign_add(tf.cast(running, tf.int32))
        self.first_bad_step.assign(tf.where(diverged, self.step.value, self.first_bad_step.value))
        self.last_loss.assign(tf.where(running, loss, self.last_loss.value))
        self.last_norm.assign(tf.where(running, norm, self.last_norm.value))
        tf.cond(running & finite, lambda: self._update(loss, gradients, norm, states), lambda: None)
        mean = self.loss_sum.value / tf.cast(tf.maximum(self.counted.value, 1), tf.float32)
        return {"loss": mean, "first_bad_step": self.first_bad_step.value}

    def _differentiate(self, batch: Batch) -> tuple[Tensor, Tensors, Tensors]:
        """Returns (loss, dense gradients of the trainable variables, new states)."""
        inputs = dict(batch["inputs"])
        if self.carried:
            keep = ~tf.cast(batch["reset"], tf.bool) if self.carry_state else tf.constant(False)
            inputs["states"] = [tf.where(keep, state.value, tf.zeros_like(state.value)) for state in self.carried]
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            outputs = self.network(inputs, training=True)
            loss = tf.cast(self.task_loss(outputs, batch), tf.float32)
            loss = tf.add_n([loss, *(tf.cast(penalty, tf.float32) for penalty in self.network.losses)])
            if SHARE in batch:
                loss *= batch[SHARE]  # the workers' losses then add up to that of the whole batch
            scaled = loss * self.loss_scale.value
        # Scaled before and divided after: what would be 0 in float16 stays above it on its way through the layers.
        gradients = tape.gradient(scaled, [v.value for v in variables], unconnected_gradients="zero")
        dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
        if self.scales_loss:
            dense = [gradient / tf.cast(self.loss_scale.value, gradient.dtype) for gradient in dense]
        return loss, dense, list(outputs["states"]) if self.carried else []

    def _update(self, loss: Tensor, gradients: Tensors, norm: Tensor, states: Tensors) -> None:
        """Applies finite gradients, clipped to the global norm, and moves the carried states on."""
        if self.clip_norm:
            share = tf.minimum(1.0, self.clip_norm / tf.maximum(norm, 1e-30))
            gradients = [gradient * tf.cast(share, gradient.dtype) for gradient in gradients]
        self.optimizer.apply(gradients, self.network.trainable_variables)
        self.averages.update(self.step.value)
        for carried, state in zip(self.carried, states, strict=True):
            carried.assign(tf.stop_gradient(state))  # the next window starts here, its gradient ends here
        self.loss_sum.assign_add(loss)
        self.norm_sum.assign_add(norm)
        self.counted.assign_add(1)

    def _rescale(self, loss: Tensor, norm: Tensor) -> Tensor:
        """Moves the loss scale (arXiv:1710.03740, section 3.2); returns whether this step merely overflowed float16."""
        scale, steady = self.loss_scale.value, self.steps_at_scale.value + 1
        fits = tf.math.is_finite(norm)
        double = fits & (steady >= STEPS_UNTIL_LOSS_SCALE_DOUBLES)
        self.loss_scale.assign(tf.where(fits, tf.where(double, scale * 2.0, scale), tf.maximum(scale / 2.0, 1.0)))
        self.steps_at_scale.assign(tf.where(fits & ~double, steady, 0))
        return ~fits & tf.math.is_finite(loss) & (scale > 1.0)

    def _carried_states(self, batch_spec: Batch, name: str, parts: int = 1) -> list[keras.Variable]:
        """One zero variable `(batch, ...)` for each state the network takes, of so many parts of a batch."""
        states = self.network.input.get("states", []) if isinstance(self.network.input, dict) else []
        if not states:
            return []
        rows = rows_of(batch_spec) * parts
        return [
            self.add_weight(
                name=f"{name}_{index}",
                shape=(rows, *state.shape[1:]),
                dtype=state.dtype,
                initializer="zeros",
                trainable=False,
            )
            for index, state in enumerate(states)
        ]

    def _counter(self, name: str) -> keras.Variable:
        """An int32 variable that starts at 0."""
        return self.add_weight(name=name, shape=(), dtype="int32", initializer="zeros", trainable=False)

    def _number(self, name: str, value: float) -> keras.Variable:
        """A float32 variable."""
        initializer = keras.initializers.Constant(value)
        return self.add_weight(name=name, shape=(), dtype="float32", initializer=initializer, trainable=False)


def _compiles(network: keras.Model, config: TrainingConfig, batch_spec: Batch, workers: Workers) -> bool:
    """Whether the whole step is one XLA program; of several workers, what lies before and behind their sum.

    With "auto" it is, if no tensor is a string, and the batch is small or no layer recurrent.

    Raises:
        ConfigError: it must be, but workers have to add something up in its midst.
    """
    if workers.count > 1 and normalised_layers(network):
        if config.compile == "xla":
            layer = normalised_layers(network)[0].name
            raise ConfigError(
                f"training.compile xla: {layer} takes its mean and variance from the rows of all workers, which XLA "
                f"cannot ask for; take auto or graph"
            )
        return False
    if config.compile != "auto":
        return config.compile == "xla"
    numbers = all(spec.dtype != tf.string for spec in tf.nest.flatten(batch_spec))
    if not numbers or not any(isinstance(layer, Recurrent) for layer in network._flatten_layers()):
        return numbers
    return gains_as_one_program(next(iter(tf.nest.flatten(batch_spec["inputs"]))).shape[0])
