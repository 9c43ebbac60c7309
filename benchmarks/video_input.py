"""Is the input of video training fast enough? Frames a second of the cached stream, and of training steps.

python -m benchmarks.video_input
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import keras

from rnnapps.cli.arguments import parse_arguments
from rnnapps.contract.fitted import Fitted
from rnnapps.tasks.video_recognition.pipeline import PIPELINE
from rnnapps.training.trainer import TrainingModel

__all__ = ["main", "measure"]


def measure(flags: list[str], *, batches: int) -> dict[str, float]:
    """Frames a second of decoding, of the stream alone, of training on one batch again and again, and on the stream.

    Args:
        flags: flags of `train`.
        batches: batches in each measurement.
    """
    config = parse_arguments(PIPELINE, "train", flags).config
    keras.utils.set_random_seed(config.seed)
    splits = PIPELINE.examples(config)
    video_format = PIPELINE.fit_preprocessor(config, splits)
    network = PIPELINE.build_model(config, video_format)
    objective = PIPELINE.objective(Fitted(config, video_format, network), splits)
    model = TrainingModel(network, objective.loss, config.training, objective.batches(0).element_spec)
    frames = config.training.batch_size * video_format.clip_frames * batches
    one = next(iter(objective.batches(0)))
    fit = {"steps_per_epoch": batches, "epochs": 1, "verbose": 0, "shuffle": False}

    def on_one_batch() -> None:
        for _ in range(batches):
            logs = model.train_function(iter([one]))
        float(logs["loss"])

    def stream() -> None:
        for _ in objective.batches(0).take(batches):
            pass

    stream()  # what is read for the first time comes from the disk
    model.fit(objective.batches(0), **fit)
    timed: dict[str, Callable[[], object]] = {
        "stream alone": stream,
        "training on one batch": on_one_batch,
        "training on the stream": lambda: model.fit(objective.batches(0).prefetch(2), **fit),
    }
    return {name: frames / _seconds(function) for name, function in timed.items()}


def _seconds(function: Callable[[], object]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def main() -> int:
    """Prints frames a second; flags it does not know are those of `train`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=30, help="batches in each measurement")
    arguments, flags = parser.parse_known_args()
    for name, rate in measure(flags, batches=arguments.batches).items():
        print(f"{name:<24}{rate:>10,.0f} frames/s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
