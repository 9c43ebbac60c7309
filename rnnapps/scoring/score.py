"""All rows of some files through an exported model, part by part."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from rnnapps.errors import ConfigError
from rnnapps.export.versions import find_version
from rnnapps.scoring.engine import failure_in
from rnnapps.scoring.options import Progress, Scored, ScoreOptions
from rnnapps.scoring.part_scorer import PartScorer, ScoreJob
from rnnapps.scoring.records import find_inputs

__all__ = ["score"]


def score(
    export: Path,
    inputs: Sequence[str | Path],
    to: Path,
    options: ScoreOptions,
    *,
    progress: Progress = lambda rows, share: None,
) -> Scored:
    """Asks a model for every row of some files.

    A row without an answer goes with its reason into a file beside the part. The same command again goes on where it
    was ended, however that happened, and whichever engine ran it; no row is lost, and none is answered twice.

    Args:
        export: version folder, or folder of versions, whose newest is taken.
        inputs: files, folders of files, or addresses of databases.
        to: folder of the parts.
        options: which columns, which outputs, how many rows a part, which engine.
        progress: is told after each run of the model, or where an engine runs it after each part.

    Raises:
        ConfigError: columns, outputs or the folder are not what they must be, or an engine is not installed.
        DataError: an input cannot be read.
        ExportError: the model cannot be loaded.
    """
    sources = tuple(find_inputs(inputs, options.query))
    job = ScoreJob(find_version(export), sources, to, options)
    scorer = PartScorer(job, progress)
    with scorer.parts.open(scorer.plan):
        if options.engine == "local":
            return asyncio.run(_score(scorer, options))
        return _by_engine(job, progress)


async def _score(scorer: PartScorer, options: ScoreOptions) -> Scored:
    """Writes the parts that are not there; the model is loaded for the first of them."""
    done, model, began = Scored(), None, 0.0
    async with AsyncExitStack() as stack:
        for number, part in itertools.groupby(enumerate(scorer.records), key=lambda row: row[0] // options.part_rows):
            if scorer.parts.done(number):
                done.parts_before += 1
                continue
            if model is None:
                model = await stack.enter_async_context(scorer.model(workers=options.workers))
                began = time.monotonic()
            rows, problems = await scorer.write(model, number, part)
            done.parts += 1
            done.rows += rows
            done.problems += problems
            done.seconds = time.monotonic() - began
    return done


def _by_engine(job: ScoreJob, progress: Progress) -> Scored:
    """Has an engine write the parts that are not there; raises ConfigError for what it or a worker says is wrong."""
    engine, begun = job.options.engine, time.monotonic()
    try:
        scored = _run(engine)(job, progress)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--engine {engine}: {error.name} is not installed; in an environment of its own, "
            f"pip install 'rnnapps[serve,{engine}]'"
        ) from error
    except Exception as error:
        failure = failure_in(error)
        if failure is None:
            raise
        raise failure from error
    scored.parts_before = len(list(job.to.glob(f"part-*[0-9].{job.options.kind}"))) - scored.parts
    scored.seconds = time.monotonic() - begun if scored.parts else 0.0
    return scored


def _run(engine: str) -> Callable[[ScoreJob, Progress], Scored]:
    """What runs a job; raises ModuleNotFoundError."""
    if engine == "ray":
        from rnnapps.scoring.on_ray import score_on_ray

        return score_on_ray
    from rnnapps.scoring.on_beam import score_on_beam

    return score_on_beam
