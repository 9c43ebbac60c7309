"""The rows of a part to its answers, in any process on any machine that sees the files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnapps.contract.served import ServedSignature
from rnnapps.errors import ConfigError
from rnnapps.export.manifest import MANIFEST
from rnnapps.export.signature_file import read_signatures
from rnnapps.scoring.database_rows import Database
from rnnapps.scoring.model import Answer, Model, row_bytes
from rnnapps.scoring.options import Progress, ScoreOptions
from rnnapps.scoring.parts import Line, Parts, plain_value
from rnnapps.scoring.records import Records, Source, size_of
from rnnapps.scoring.row_format import Flat, Record
from rnnapps.scoring.rows import RowBuilder
from rnnapps.types import Arrays

__all__ = ["PartScorer", "ScoreJob", "told_signature"]

BYTES_AT_A_TIME = 64 << 20
"""Of rows that are in memory, waiting for the model."""


@dataclass(frozen=True)
class ScoreJob:
    """All that a process must know to score any part.

    Attributes:
        folder: version folder of the export.
        sources: of the rows.
        to: folder of the parts.
        options: which columns, which outputs, how many rows a part.
    """

    folder: Path
    sources: tuple[Source, ...]
    to: Path
    options: ScoreOptions


class PartScorer:
    """Turns rows into parts.

    Args:
        job: what is to be scored.
        progress: is told after each run of the model.

    Attributes:
        records: the rows.
        parts: the files of answers.

    Raises:
        ConfigError: columns or outputs are not what they must be.
        DataError: an input cannot be read.
        ExportError: the export cannot be read.
    """

    def __init__(self, job: ScoreJob, progress: Progress = lambda rows, share: None) -> None:
        self._job, self._options, self._progress = job, job.options, progress
        self._signature = told_signature(job.folder, job.options)
        self.records = Records(job.sources)
        self._build = _builder(self.records, self._signature, job.options)
        self.parts = Parts(job.to, self._signature, job.options.kind)

    @property
    def plan(self) -> dict[str, Any]:
        """What decides which answers stand in which part."""
        return {
            "model": hashlib.sha256((self._job.folder / MANIFEST).read_bytes()).hexdigest(),
            "input": [_identity(source) for source in self._job.sources],
            **{name: _as_json(value) for name, value in self._options.answers.items()},
        }

    def model(self, *, workers: int = 1) -> Model:
        """The model in so many processes, not yet started."""
        return Model(self._job.folder, self._options.signature, self._signature, workers=workers)

    async def write(self, model: Model, number: int, rows: Iterator[tuple[int, Record]]) -> tuple[int, int]:
        """Writes a part; returns how many rows have an answer, and how many have none.

        Args:
            model: is asked.
            number: of the part.
            rows: of the part, with their numbers in all sources.
        """
        lines, problems = await self._answered(model, rows)
        self.parts.write(number, lines, problems)
        return len(lines), len(problems)

    async def _answered(self, model: Model, rows: Iterator[tuple[int, Record]]) -> tuple[list[Line], list[Line]]:
        """Answers and problems, each in the order of the rows; few of the rows are in memory at a time."""
        lines: list[Line] = []
        problems: list[Line] = []
        before = self.records.share
        while taken := self._take(rows):
            asked = [row for *_, row in taken if not isinstance(row, str)]
            answers = iter(await model.answer(asked, self._told(before, len(asked))))
            before = self.records.share
            for keys, place, row in taken:
                answer = Answer({}, row) if isinstance(row, str) else next(answers)
                if answer.problem:
                    problems.append({**keys, "place": place, "problem": answer.problem})
                else:
                    lines.append({**keys, **_values(answer.outputs, self._options)})
        return lines, problems

    def _told(self, before: float, rows: int) -> Callable[[int], None]:
        """Tells progress through rows that were read since `before`."""
        done, after = 0, self.records.share

        def told(more: int) -> None:
            nonlocal done
            done += more
            self._progress(more, before + (after - before) * done / rows)

        return told

    def _take(self, rows: Iterator[tuple[int, Record]]) -> list[tuple[Line, str, Arrays | str]]:
        """Key, place and inputs of the next rows, or why there are no inputs."""
        taken: list[tuple[Line, str, Arrays | str]] = []
        size = 0
        for number, record in rows:
            row = self._built(record)
            keys = {"row": number, **{name: _key(record.values.get(name)) for name in self._options.key}}
            taken.append((keys, record.place, row))
            size += 0 if isinstance(row, str) else row_bytes(row)
            if size > BYTES_AT_A_TIME:
                break
        return taken

    def _built(self, record: Record) -> Arrays | str:
        try:
            return self._build(record)
        except ConfigError as error:
            return str(error)


def told_signature(folder: Path, options: ScoreOptions) -> ServedSignature:
    """The signature that is asked.

    Raises:
        ConfigError: it does not exist, or lacks an output that is wanted.
        ExportError: the export cannot be read.
    """
    found = read_signatures(folder).signatures
    if options.signature not in found:
        raise ConfigError(f"{folder}: has no signature {options.signature!r}; it has {', '.join(sorted(found))}")
    signature = found[options.signature]
    for name in options.outputs:
        if name not in signature.outputs:
            there = ", ".join(sorted(signature.outputs))
            raise ConfigError(f"signature {options.signature!r} has no output {name!r}; it has {there}")
    return signature


def _builder(records: Records, signature: ServedSignature, options: ScoreOptions) -> RowBuilder:
    """Looks at the first row that can be read, before anything is written."""
    first = next((record for record in records if not record.problem), None)
    records.read = 0
    if first is None:
        raise ConfigError("no row can be read; name files with rows")
    for column in options.key:
        if column not in first.values:
            raise ConfigError(f"there is no column {column!r}; the columns are {', '.join(first.values)}")
        if column in signature.outputs or column in ("row", "problem"):
            raise ConfigError(f"--key {column}: is the name of an output too; rename the column")
    return RowBuilder(options.signature, signature, options.columns, first.values, root=options.root)


def _identity(source: Source) -> list[str | int]:
    more = [source.query] if isinstance(source, Database) else []
    return [str(source), size_of(source), *more]


def _as_json(value: object) -> object:
    """As JSON gives it back."""
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value


def _key(value: Any) -> Any:
    """A column as it is written beside the answers."""
    if isinstance(value, Flat):
        return _key(value[0]) if len(value) == 1 else [_key(each) for each in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _values(outputs: Arrays, options: ScoreOptions) -> Line:
    wanted = options.outputs or tuple(outputs)
    return {name: plain_value(name, outputs[name], as_json=options.kind == "jsonl") for name in wanted}
