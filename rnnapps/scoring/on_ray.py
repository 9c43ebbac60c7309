"""Parts by Ray Data: each of its actors holds the model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import ray
import ray.data

from rnnapps.errors import ConfigError
from rnnapps.scoring.engine import PartTask, PartWorker, counted, missing_parts
from rnnapps.scoring.options import Progress, Scored
from rnnapps.scoring.part_scorer import ScoreJob

__all__ = ["score_on_ray"]


def score_on_ray(job: ScoreJob, progress: Progress) -> Scored:
    """Writes the missing parts of a job.

    The cluster is that of `address` of the engine's options, or of RAY_ADDRESS; without either it is started on this
    machine and ended afterwards. All machines see the files of the job under the same names.

    Args:
        job: what is to be scored; as many actors as it has workers, or as there is room for.
        progress: is told of each part.

    Raises:
        ConfigError: an option is unknown, or the cluster cannot be reached.
    """
    with _Cluster(job.options.engine_options):
        return _scored(job, progress)


class _Cluster:
    """A connection to Ray, ended by whoever has made it."""

    def __init__(self, options: Mapping[str, str]) -> None:
        unknown = sorted(set(options) - {"address"})
        if unknown:
            raise ConfigError(f"--engine_options: Ray takes address, not {', '.join(unknown)}")
        self._address, self._mine = options.get("address"), not ray.is_initialized()

    def __enter__(self) -> None:
        if not self._mine:
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        local = {} if self._address or "RAY_ADDRESS" in os.environ else {"include_dashboard": False}
        try:
            ray.init(self._address, logging_level="ERROR", log_to_driver=False, **local)
        except Exception as error:  # whatever Ray lets out: it has no type for what a busy machine does to it
            reason = str(error).partition("\n")[0].rstrip(". ")
            raise ConfigError(
                f"--engine ray: {reason}; check the address, and that machines are not too busy"
            ) from error

    def __exit__(self, *_: object) -> None:
        if self._mine:
            ray.shutdown()


class _Parts:
    """An actor of Ray Data."""

    def __init__(self, job: ScoreJob) -> None:
        self._worker = PartWorker(job)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return vars(self._worker(PartTask(**row)))


def _scored(job: ScoreJob, progress: Progress) -> Scored:
    ray.data.DataContext.get_current().enable_progress_bars = False
    counts = ray.get([ray.remote(counted).remote(source) for source in job.sources])
    tasks = [vars(task) for task in missing_parts(job, counts)]
    scored = Scored()
    if not tasks:
        return scored
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=job.options.workers)
    parts = ray.data.from_items(tasks, override_num_blocks=len(tasks))
    for done in parts.map(_Parts, fn_constructor_args=(job,), compute=pool).iter_rows():
        scored.parts += 1
        scored.rows += done["rows"]
        scored.problems += done["problems"]
        progress(done["rows"] + done["problems"], scored.parts / len(tasks))
    return scored
