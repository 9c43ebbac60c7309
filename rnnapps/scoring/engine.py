"""Parts in the hands of an engine: which are to be done, and what does one.

A part is written by its number, whole or not at all, and its rows are found by where they stand in the sources. So it
does not matter which process writes it, or that an engine tries it again.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from rnnapps.errors import ConfigError, RnnappsError
from rnnapps.scoring.model_thread import ModelThread
from rnnapps.scoring.part_scorer import PartScorer, ScoreJob
from rnnapps.scoring.parts import part_path
from rnnapps.scoring.records import Source, rows_of

__all__ = ["PartDone", "PartTask", "PartWorker", "counted", "failure_in", "missing_parts"]

_MARK = "rnnapps says: "
_MARKED = re.compile(_MARK + r'("(?:[^"\\]|\\.)*")')


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
        RuntimeError: whatever is wrong, as `failure_in` finds it.
    """

    def __init__(self, job: ScoreJob) -> None:
        with _marked():
            self._scorer, self._part_rows = PartScorer(job), job.options.part_rows
            self._model = ModelThread(self._scorer.model())

    def __call__(self, task: PartTask) -> PartDone:
        """Writes a part."""
        with _marked():
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


def counted(source: Source) -> int:
    """How many rows a source has; raises RuntimeError as `PartWorker` does."""
    with _marked():
        return rows_of(source)


def failure_in(error: Exception) -> ConfigError | None:
    """What a worker has said was wrong, out of all that an engine makes of it; None where it was nothing of ours."""
    found = _MARKED.search(str(error))
    return ConfigError(json.loads(found[1])) if found else None


@contextmanager
def _marked() -> Iterator[None]:
    """Turns an error of ours into one that finds its way through any engine: they pass on texts, not objects."""
    try:
        yield
    except RnnappsError as error:
        raise RuntimeError(f"{_MARK}{json.dumps(str(error))}") from None
