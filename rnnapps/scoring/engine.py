"""Parts in the hands of an engine: which are to be done, and what does one.

A part is written by its number, whole or not at all, and its rows are found by where they stand in the sources. So it
does not matter which process writes it, or that an engine tries it again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from rnnapps.scoring.model_thread import ModelThread
from rnnapps.scoring.part_scorer import PartScorer, ScoreJob
from rnnapps.scoring.parts import part_path

__all__ = ["PartDone", "PartTask", "PartWorker", "missing_parts"]


@dataclass(frozen=True)
class PartTask:
    """Where a part begins.

    Attributes:
        number: of the part.
        source: number of the source that its first row is in.
        row: number of this row in the source.
    """

    number: int
    source: int
    row: int


@dataclass(frozen=True)
class PartDone:
    """What came of a part.

    Attributes:
        number: of the part.
        rows: that have an answer.
        problems: rows that have none.
    """

    number: int
    rows: int
    problems: int


class PartWorker:
    """What one process of an engine holds: the model, and all that it takes to write any part.

    Args:
        job: what is to be scored.

    Raises:
        ExportError: the model is refused.
    """

    def __init__(self, job: ScoreJob) -> None:
        self._scorer, self._part_rows = PartScorer(job), job.options.part_rows
        self._model = ModelThread(self._scorer.model())

    def __call__(self, task: PartTask) -> PartDone:
        """Writes a part."""
        return self._model.run(self._written(task))

    async def _written(self, task: PartTask) -> PartDone:
        # In one thread from beginning to end, as a connection to a database wants it.
        with closing(self._scorer.records.beginning(task.source, task.row)) as records:
            rows = enumerate(itertools.islice(records, self._part_rows), task.number * self._part_rows)
            return PartDone(task.number, *await self._scorer.write(self._model.model, task.number, rows))

    def close(self) -> None:
        """Ends the model's process."""
        self._model.close()


def missing_parts(job: ScoreJob, counts: Sequence[int]) -> Iterator[PartTask]:
    """The parts that are not there.

    Args:
        job: what is to be scored.
        counts: rows of each source.
    """
    size, source, before = job.options.part_rows, 0, 0
    for number in range(-(-sum(counts) // size)):
        while number * size >= before + counts[source]:
            before += counts[source]
            source += 1
        if not part_path(job.to, number, job.options.kind).is_file():
            yield PartTask(number, source, number * size - before)
