"""Ray Train starts the workers, gives each its TF_CONFIG, and starts all of them again when one has ended.

    python docs/recipes/ray_train.py --workers 4 --run /shared/runs/text --data /shared/book.txt

The run folder and the data are on a disk that all machines share, or at least the one of worker 0.
"""

from __future__ import annotations

import argparse
from typing import Any


def train_worker(settings: dict[str, Any]) -> None:
    """What each worker does: the same call, which goes on with a run that exists."""
    import rnnapps

    rnnapps.train("text_generation", settings["data"], run=settings["run"], config="large", strategy="multiworker")


def main() -> None:
    """Reads the command line and trains."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.tensorflow import TensorflowTrainer

    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--run", required=True)
    parser.add_argument("--data", required=True)
    arguments = parser.parse_args()
    trainer = TensorflowTrainer(
        train_worker,
        train_loop_config={"run": arguments.run, "data": arguments.data},
        scaling_config=ScalingConfig(num_workers=arguments.workers, resources_per_worker={"CPU": 8}),
        run_config=RunConfig(failure_config=FailureConfig(max_failures=20)),
    )
    trainer.fit()


if __name__ == "__main__":
    main()
