"""The processes of a model that rows are sent to; what ends one or is refused costs the row whose fault it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from rnnapps.contract.served import ServedSignature as ToldSignature
from rnnapps.contract.served import ServedTensor
from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.export.batching_settings import BatchingSettings, read_batching
from rnnapps.serving.job import Job
from rnnapps.serving.model_process import ModelProcess
from rnnapps.serving.options import ServeOptions
from rnnapps.serving.pieces import ALONE, Key, Piece, cut, gather, parts_of
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature, TensorKind, Width
from rnnapps.types import Arrays

__all__ = ["Answer", "Model", "row_bytes"]

MOST_ROWS, MOST_BYTES = 256, 16 << 20
"""Of a run: more rows gain nothing on a processor, and large ones are not gathered at all."""


@dataclass(frozen=True)
class Answer:
    """What became of a row.

    Attributes:
        outputs: name -> array, the batch of one first; empty where there is none.
        problem: why there is none.
    """

    outputs: Arrays
    problem: str = ""


class Model:
    """A model in some processes; `async with` starts and ends them.

    Args:
        folder: version folder of the export.
        name: of the signature that is asked.
        told: this signature, as the export tells it.
        workers: how many processes.
    """

    def __init__(self, folder: Path, name: str, told: ToldSignature, *, workers: int = 1) -> None:
        settings = read_batching(folder) or BatchingSettings()
        self._allowed = settings.allowed_batch_sizes
        options = ServeOptions()
        self._load_seconds = options.load_seconds
        self._job = Job(str(folder), [], options.memory_mib << 20, 1, learn=False)
        self._name, self._told, self._workers = name, told, workers
        self._idle: asyncio.Queue[ModelProcess] = asyncio.Queue()
        self._processes: list[ModelProcess] = []

    async def __aenter__(self) -> Self:
        """Starts the processes, all but the first at the same time; raises ExportError where the model is refused."""
        first = await self._start(replace(self._job, learn=True))
        self._idle.put_nowait(first)
        widths = tuple(Width(**width) for width in first.ready.widths.get(self._name, ()))
        inputs, outputs = _kinds(self._told.inputs), _kinds(self._told.outputs)
        self._signature = ServedSignature(self._name, inputs, outputs, widths)
        for process in await asyncio.gather(*(self._start(self._job) for _ in range(self._workers - 1))):
            self._idle.put_nowait(process)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(process.stop() for process in self._processes))

    async def answer(self, rows: Sequence[Arrays], told: Callable[[int], None] = lambda rows: None) -> list[Answer]:
        """The answers to some rows, each as if it had been asked alone; `told` learns how many more there are."""
        pieces = [cut(self._signature, row, 1)[0] for row in rows]
        answers: list[Answer | None] = [None] * len(rows)

        async def run(numbers: Sequence[int]) -> None:
            found = await self._run([pieces[number] for number in numbers])
            for number, each in zip(numbers, found, strict=True):
                answers[number] = each
            told(len(numbers))

        await asyncio.gather(*map(run, self._batches(pieces)))
        return [answer for answer in answers if answer is not None]

    def _batches(self, pieces: Sequence[Piece]) -> Iterator[Sequence[int]]:
        """Numbers of rows that run together: of one key, and no more than a batch may have."""
        by_key: dict[Key, list[int]] = {}
        for number, piece in enumerate(pieces):
            by_key.setdefault(piece.key, []).append(number)
        for key, numbers in by_key.items():
            size = max(row_bytes(pieces[numbers[0]].inputs), 1)
            most = 1 if key == ALONE else max(1, min(MOST_ROWS, MOST_BYTES // size))
            yield from (numbers[start : start + most] for start in range(0, len(numbers), most))

    async def _run(self, pieces: Sequence[Piece]) -> list[Answer]:
        """Runs some rows; where that fails, each half apart, down to the row whose fault it is."""
        process = await self._idle.get()
        try:
            outputs = await process.run(self._name, gather(pieces, self._allowed))
        except Refusal as refusal:
            if refusal.code is Code.UNAVAILABLE:
                self._processes.remove(process)
                process = await self._start(self._job)
            reason = refusal.message
        else:
            return [_answer(part) for part in parts_of(self._signature, pieces, outputs)]
        finally:
            self._idle.put_nowait(process)
        if len(pieces) == 1:
            return [Answer({}, " ".join(reason.split()))]
        half = len(pieces) // 2
        return [*await self._run(pieces[:half]), *await self._run(pieces[half:])]

    async def _start(self, job: Job) -> ModelProcess:
        process = await ModelProcess.start(job, timeout_seconds=self._load_seconds)
        self._processes.append(process)
        return process


def _kinds(tensors: Mapping[str, ServedTensor]) -> dict[str, TensorKind]:
    """What the export's own file says: protocol buffers would bring in TensorFlow, which only its process needs."""
    return {
        name: TensorKind(np.dtype(object if tensor.dtype == "string" else tensor.dtype), tuple(tensor.shape))
        for name, tensor in tensors.items()
    }


def row_bytes(inputs: Arrays) -> int:
    """The size of a row's inputs."""
    return sum(
        sum(map(len, array.ravel().tolist())) if array.dtype == object else array.nbytes for array in inputs.values()
    )


def _answer(outputs: Arrays) -> Answer:
    """The outputs of a row, or the reason that the model itself gives for having none."""
    problem = outputs.get(PROBLEM)
    told = problem[0].decode("utf-8", "replace") if problem is not None and problem.shape == (1,) else ""
    return Answer({}, told) if told else Answer({name: array for name, array in outputs.items() if name != PROBLEM})
