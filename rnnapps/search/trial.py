"""One run of a search: trained from where it rests to where it is to rest, and measured at its end."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import ConfigError
from rnnapps.verbs.building import build_run, train_run
from rnnapps.verbs.opening import number_format
from rnnapps.verbs.runs import begin_run

if TYPE_CHECKING:
    from rnnapps.training.pause import Pause
    from rnnapps.training.run import RunFolder

__all__ = ["Reached", "answer_milliseconds", "train_on"]

AnyPipeline = Pipeline[Any, Any, Any]

ANSWERS = 15
"""Times that an answer is timed; the shortest counts, for all else that a machine does makes it longer."""


@dataclass(frozen=True)
class Reached:
    """Where a run rests.

    Attributes:
        step: updates so far.
        value: the best validation so far; None before the first.
        ended: nothing is left to train: all steps are done, or patience has ended it.
        seconds: of training so far, all its sessions together.
        parameters: weights that are trained.
        milliseconds: of one answer of the exported model; None until it has ended.
    """

    step: int
    value: float | None
    ended: bool
    seconds: float
    parameters: int
    milliseconds: float | None


def train_on(
    pipeline: AnyPipeline, config: Any, folder: RunFolder, splits: Splits, *, pause: Pause, resume: str, measured: bool
) -> Reached:
    """Trains a run without a word. It is, bit for bit, the run of the verb `train`, without report and evaluation.

    Args:
        pipeline: the application.
        config: the settings of the run.
        folder: the run folder, new or as this function left it; locked by whoever calls.
        splits: the data, which all runs of a search share.
        pause: where to rest.
        resume: what to type to go on, where a signal stops it.
        measured: also time an answer, if the run ends.

    Raises:
        RnnappsError: as for the verb `train`.
    """
    import keras
    import tensorflow as tf

    keras.backend.clear_session()  # what earlier runs have built
    try:
        with number_format(config.training.precision), _without_retracing_warnings():
            fitted, objective = build_run(pipeline, config, folder, splits=splits)
            begin_run(folder, pipeline, config, fitted.preprocessor)
            facts = train_run(folder, fitted, objective, splits, resume=resume, progress=False, pause=pause)
    except tf.errors.ResourceExhaustedError as error:
        raise ConfigError("needs more memory than there is") from error
    ended = facts["stopped"] != "pause"
    return Reached(
        step=facts["step"],
        value=facts[objective.metric],
        ended=ended,
        seconds=facts["elapsed_seconds"],
        parameters=int(sum(weight.shape.num_elements() for weight in fitted.network.trainable_variables)),
        milliseconds=answer_milliseconds(pipeline, fitted) if ended and measured else None,
    )


@contextlib.contextmanager
def _without_retracing_warnings() -> Iterator[None]:
    """TensorFlow takes the same function of one model after the other for one that is traced again and again."""
    import tensorflow as tf

    logger = tf.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def answer_milliseconds(pipeline: AnyPipeline, fitted: Fitted[Any, Any]) -> float:
    """How long the exported model takes for one answer, to the first example of `serving_default`."""
    import tensorflow as tf

    endpoint = pipeline.endpoints(fitted)["serving_default"]
    inputs = {
        name: tf.constant(endpoint.examples[name][:1].tolist(), spec.dtype, endpoint.examples[name][:1].shape)
        for name, spec in endpoint.input_signature.items()
    }
    answer = tf.function(lambda **inputs: endpoint.function(**inputs), autograph=False)
    answer(**inputs)
    taken = []
    for _ in range(ANSWERS):
        begun = time.perf_counter()
        tf.nest.map_structure(lambda tensor: tensor.numpy(), answer(**inputs))
        taken.append(time.perf_counter() - begun)
    return min(taken) * 1000
