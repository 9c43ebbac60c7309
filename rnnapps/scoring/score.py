"""All rows of some files through an exported model, part by part."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnnapps.contract.served import ServedSignature
from rnnapps.errors import ConfigError
from rnnapps.export.manifest import MANIFEST
from rnnapps.export.signature_file import read_signatures
from rnnapps.export.versions import find_version
from rnnapps.scoring.model import Answer, Model, row_bytes
from rnnapps.scoring.parts import FORMATS, Line, Parts, plain_value
from rnnapps.scoring.records import Record, Records, find_inputs
from rnnapps.scoring.rows import RowBuilder
from rnnapps.types import Arrays

__all__ = ["ScoreOptions", "Scored", "score"]

BYTES_AT_A_TIME = 64 << 20
"""Of rows that are in memory, waiting for the model."""


@dataclass(frozen=True)
class ScoreOptions:
    """How files are scored.

    Attributes:
        signature: of the model that is asked.
        columns: input -> the column that it is read from, where their names differ.
        key: columns that are written beside the answers.
        outputs: those that are written; all where it is empty.
        kind: of the files that are written: jsonl or parquet.
        part_rows: rows of one part, which is done as a whole or not at all.
        workers: processes of the model.
        root: folder that paths in the rows are relative to, and stay inside of; by default that of their file.
    """

    signature: str = "serving_default"
    columns: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    kind: str = "jsonl"
    part_rows: int = 10_000
    workers: int = 1
    root: Path | None = None

    def __post_init__(self) -> None:
        """Checks every value; raises ConfigError."""
        if self.kind not in FORMATS:
            raise ConfigError(f"--format must be one of {', '.join(FORMATS)}, not {self.kind!r}")
        for name in ("part_rows", "workers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"--{name} must be at least 1, not {getattr(self, name)}")


@dataclass
class Scored:
    """What was done.

    Attributes:
        rows: answered now.
        problems: rows without an answer now; the reasons stand in `part-*.problems.jsonl`.
        parts: written now.
        parts_before: that an earlier command has written.
        seconds: it took, without loading the model.
    """

    rows: int = 0
    problems: int = 0
    parts: int = 0
    parts_before: int = 0
    seconds: float = 0.0


Progress = Callable[[int, float], None]
"""Is told of so many more rows that were run, and which share of the input has been read."""


def score(
    export: Path,
    inputs: Sequence[Path],
    to: Path,
    options: ScoreOptions,
    *,
    progress: Progress = lambda rows, share: None,
) -> Scored:
    """Asks a model for every row of some files.

    A row without an answer goes with its reason into a file beside the part. The same command again goes on where it
    was ended, however that happened; no row is lost, and none is answered twice.

    Args:
        export: version folder, or folder of versions, whose newest is taken.
        inputs: files, or folders of files.
        to: folder of the parts.
        options: which columns, which outputs, how many rows a part.
        progress: is told after each run of the model.

    Raises:
        ConfigError: columns, outputs or the folder are not what they must be.
        DataError: an input cannot be read.
        ExportError: the model cannot be loaded.
    """
    folder = find_version(export)
    signature = _signature(folder, options)
    records = Records(find_inputs(inputs))
    build = _builder(records, signature, options)
    parts = Parts(to, _plan(folder, records, options), signature, options.kind)
    with parts.open():
        scorer = _Scorer(build, options, records, progress)
        return asyncio.run(_score(folder, scorer, parts))


def _signature(folder: Path, options: ScoreOptions) -> ServedSignature:
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
    records.read_bytes = 0
    if first is None:
        raise ConfigError("no row can be read; name files with rows")
    for column in options.key:
        if column not in first.values:
            raise ConfigError(f"there is no column {column!r}; the columns are {', '.join(first.values)}")
        if column in signature.outputs or column in ("row", "problem"):
            raise ConfigError(f"--key {column}: is the name of an output too; rename the column")
    return RowBuilder(options.signature, signature, options.columns, first.values, root=options.root)


def _plan(folder: Path, records: Records, options: ScoreOptions) -> dict[str, Any]:
    """What decides which answers stand in which part."""
    settings = {name: value for name, value in asdict(options).items() if name != "workers"}
    return {
        "model": hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest(),
        "input": [[str(path), path.stat().st_size] for path in records.paths],
        **{name: str(value) if isinstance(value, Path) else _listed(value) for name, value in settings.items()},
    }


def _listed(value: Any) -> Any:
    """As JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value


async def _score(folder: Path, scorer: _Scorer, parts: Parts) -> Scored:
    """Writes the parts that are not there; the model is loaded for the first of them."""
    done, options = Scored(), scorer.options
    model, began = None, 0.0
    async with AsyncExitStack() as stack:
        for number, part in itertools.groupby(enumerate(scorer.records), key=lambda row: row[0] // options.part_rows):
            if parts.done(number):
                done.parts_before += 1
                continue
            if model is None:
                model = await stack.enter_async_context(Model(folder, options.signature, options.workers))
                began = time.monotonic()
            lines, problems = await scorer.part(model, part)
            parts.write(number, lines, problems)
            done.parts += 1
            done.rows += len(lines)
            done.problems += len(problems)
            done.seconds = time.monotonic() - began
    return done


@dataclass(frozen=True)
class _Scorer:
    """Turns rows into lines."""

    build: RowBuilder
    options: ScoreOptions
    records: Records
    progress: Progress

    async def part(self, model: Model, rows: Iterator[tuple[int, Record]]) -> tuple[list[Line], list[Line]]:
        """Answers and problems of a part, each in the order of the rows; few of the rows are in memory at a time."""
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
                    lines.append({**keys, **_values(answer.outputs, self.options)})
        return lines, problems

    def _told(self, before: float, rows: int) -> Callable[[int], None]:
        """Tells progress through rows that were read since `before`."""
        done, after = 0, self.records.share

        def told(more: int) -> None:
            nonlocal done
            done += more
            self.progress(more, before + (after - before) * done / rows)

        return told

    def _take(self, rows: Iterator[tuple[int, Record]]) -> list[tuple[Line, str, Arrays | str]]:
        """Key, place and inputs of the next rows, or why there are no inputs."""
        taken: list[tuple[Line, str, Arrays | str]] = []
        size = 0
        for number, record in rows:
            row = self._built(record)
            keys = {"row": number, **{name: record.values.get(name) for name in self.options.key}}
            taken.append((keys, record.place, row))
            size += 0 if isinstance(row, str) else row_bytes(row)
            if size > BYTES_AT_A_TIME:
                break
        return taken

    def _built(self, record: Record) -> Arrays | str:
        try:
            return self.build(record)
        except ConfigError as error:
            return str(error)


def _values(outputs: Arrays, options: ScoreOptions) -> Line:
    wanted = options.outputs or tuple(outputs)
    return {name: plain_value(name, outputs[name], as_json=options.kind == "jsonl") for name in wanted}
