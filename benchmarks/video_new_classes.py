"""Does fine-tuning a video model to new classes beat training from scratch? Both, with budgets of updates and seeds.

python -m benchmarks.video_new_classes --from runs/video_recognition/fifteen --data.source five
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import keras

from rnnapps.cli.arguments import parse_arguments
from rnnapps.contract.fitted import Fitted
from rnnapps.tasks.video_recognition.classification import classification_metrics
from rnnapps.tasks.video_recognition.pipeline import PIPELINE
from rnnapps.tasks.video_recognition.scoring import numbers_of, video_scorer
from rnnapps.training.finetune import transfer
from rnnapps.training.trainer import TrainingModel
from rnnapps.verbs.opening import load_preprocessor, read_weights

__all__ = ["main", "score"]


def score(flags: list[str], *, source: Path | None, part: str) -> dict[str, float]:
    """Accuracy and nats of a model after its last update.

    Args:
        flags: flags of `train` or `finetune`.
        source: run or export whose weights it starts from; None starts from scratch.
        part: the videos that are scored, `validation` or `test`.
    """
    config = parse_arguments(PIPELINE, "train", flags).config
    keras.utils.set_random_seed(config.seed)
    splits = PIPELINE.examples(config)
    fresh = PIPELINE.fit_preprocessor(config, splits)
    known = load_preprocessor(PIPELINE, source) if source else None
    seen = PIPELINE.grow_preprocessor(config, known, splits) if known else fresh
    network = PIPELINE.build_model(config, seen)
    if source and known:
        changes = PIPELINE.vocabulary_changes(network, known, seen)
        transfer(network, read_weights(source), vocabularies=changes, seed=config.seed)
    objective = PIPELINE.objective(Fitted(config, seen, network), splits)
    batches = objective.batches(0)
    model = TrainingModel(network, objective.loss, config.training, batches.element_spec)
    model.fit(batches.prefetch(2), steps_per_epoch=config.training.steps, epochs=1, shuffle=False, verbose=0)
    videos = getattr(splits, part)
    probabilities = video_scorer(network, videos, seen.clip_frames)()
    return classification_metrics(probabilities, numbers_of(videos, seen.labels), item="video")


def main() -> int:
    """Prints a line for each model; flags it does not know are those of `train`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, help="run or export to start from")
    parser.add_argument("--steps", type=int, nargs="+", default=[30, 60, 120], help="budgets of updates")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds")
    parser.add_argument("--part", choices=["validation", "test"], default="validation", help="what is scored")
    arguments, flags = parser.parse_known_args()
    for steps in arguments.steps:
        for source in (arguments.source, None):
            found = []
            for seed in arguments.seeds:
                own = [*flags, f"--training.steps={steps}", f"--seed={seed}"]
                found.append(score(own, source=source, part=arguments.part))
            name = f"{steps} updates, {'fine-tuned' if source else 'from scratch'}"
            for metric in ("accuracy", "nats_per_video"):
                values = [row[metric] for row in found]
                each = "  ".join(f"{value:.3f}" for value in values)
                print(f"{name:<26}{metric:<16}{sum(values) / len(values):.3f}  of  {each}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
