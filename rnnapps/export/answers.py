"""The requests that verification sends to a model, and the judgement of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rnnapps.contract.tensor_names import PROBLEM
from rnnapps.export.arrays import Arrays
from rnnapps.export.checks import Check, check
from rnnapps.export.hostile import bad_rows, no_steps
from rnnapps.export.isolated import Run
from rnnapps.export.parity import differences, not_finite, pad_like_server, wrong_batch, wrong_text

__all__ = ["BATCH", "Answer", "Example", "Request", "check_answers", "plan"]

BATCH = 5
ALL = BATCH
"""Stands for the number of the bad row where every row may be."""
Kind = Literal["whole", "part", "padded", "again", "bad", "none"]


@dataclass(frozen=True)
class Example:
    """Stored requests of one signature, and what the Keras model answers.

    Attributes:
        signature: its name.
        inputs: input name -> array with five rows.
        outputs: output name -> array with five rows.
    """

    signature: str
    inputs: Arrays
    outputs: Arrays


@dataclass(frozen=True)
class Request:
    """One run of a signature.

    Attributes:
        example: where its rows come from.
        first: the first of these rows.
        batch: the number of rows.
        kind: what the answer is compared with.
        run: what the isolated process is asked.
        bad_row: of these rows the one that may be no good, -1 for none, `ALL` for any.
    """

    example: Example
    first: int
    batch: int
    kind: Kind
    run: Run
    bad_row: int = -1

    def rows(self, arrays: Arrays) -> Arrays:
        """The request's rows of arrays that have all five."""
        return {name: array[self.first : self.first + self.batch] for name, array in arrays.items()}


@dataclass(frozen=True)
class Answer:
    """A request and the outputs that came back for it."""

    request: Request
    outputs: Arrays


def plan(example: Example, input_shapes: Mapping[str, list[int | None]]) -> Iterator[Request]:
    """Yields the requests: batch 5 and 2, each row alone, all rows padded, batch 5 again, a bad row, and none."""

    def request(first: int, batch: int, label: str, *, kind: Kind, inputs: Arrays | None = None) -> Request:
        rows = {name: array[first : first + batch] for name, array in (inputs or example.inputs).items()}
        return Request(example, first, batch, kind, Run(example.signature, label, rows))

    yield request(0, BATCH, f"batch {BATCH}", kind="whole")
    yield request(0, 2, "batch 2", kind="part")
    for row in range(BATCH):
        yield request(row, 1, f"row {row} alone", kind="part")
    padded = pad_like_server(example.inputs, input_shapes)
    if padded is not None:
        yield request(0, BATCH, "padded rows", kind="padded", inputs=padded)
    yield request(0, BATCH, "second run", kind="again")
    for label, row, inputs in bad_rows(example.inputs):
        yield replace(request(0, BATCH, label, kind="bad", inputs=inputs), bad_row=row)
    yield request(0, 0, "no rows", kind="none")
    short = no_steps(example.inputs, input_shapes)
    if short is not None:
        yield replace(request(0, BATCH, "rows without places", kind="bad", inputs=short), bad_row=ALL)


def check_answers(answers: Sequence[Answer], tolerance: float) -> Iterator[Check]:
    """Judges the answers, by themselves, against the Keras model and against each other.

    Args:
        answers: of the requests that succeeded.
        tolerance: largest difference of floats, relative to the largest value of an output (or to 1).
    """

    def told(lines: Callable[[Answer], Iterator[str]], kind: Kind | None = None) -> Iterator[str]:
        for answer in answers:
            if kind in (None, answer.request.kind):
                place = f"signature {answer.request.run.signature!r}, {answer.request.run.label}"
                yield from (f"{place}, {line}" for line in lines(answer))

    yield check("batch dimension", told(_batch_lines), "leads every output")
    answers = [answer for answer in answers if not any(_batch_lines(answer))]
    yield check("finite", told(lambda answer: not_finite(answer.outputs)), "no NaN, no infinity")
    yield check("binary outputs", told(lambda answer: wrong_text(answer.outputs)), "end in _bytes, others are UTF-8")
    yield check(
        "parity",
        _with(
            told(lambda answer: _keras_lines(answer, tolerance), "whole"), "the saved graph and the Keras model differ"
        ),
        f"equal to the Keras model within {tolerance:g}",
    )
    whole = {item.request.run.signature: item.outputs for item in answers if item.request.kind == "whole"}
    for name, kind, success, remedy in _COMPARED_WITH_WHOLE:
        lines = told(lambda answer: _whole_lines(answer, whole, tolerance), kind)
        none = kind == "padded" and not any(answer.request.kind == kind for answer in answers)
        yield check(name, _with(lines, remedy), "no input of variable length" if none else success)
    count = sum(answer.request.kind == "bad" for answer in answers)
    yield check(
        "bad rows",
        told(lambda answer: _row_lines(answer, whole, tolerance)),
        f"{count} requests: the bad row has a problem or an answer, its neighbours answer as without it",
    )


_COMPARED_WITH_WHOLE: tuple[tuple[str, Kind, str, str], ...] = (
    (
        "batch invariance",
        "part",
        f"each row alone answers as in a batch of {BATCH}",
        "a row's answer depends on the other rows; reduce over no batch dimension and mask what is padded",
    ),
    (
        "padding",
        "padded",
        "rows that a batching server padded answer the same",
        "a batching server pads requests; add an input `lengths` and mask with it",
    ),
    (
        "repeatable",
        "again",
        "the same request again, the same answer",
        "the graph keeps state or draws random numbers; take states or `seed` as inputs",
    ),
)


def _with(lines: Iterator[str], remedy: str) -> Iterator[str]:
    """The lines, each with what to do about it."""
    return (f"{line}; {remedy}" for line in lines)


def _batch_lines(answer: Answer) -> Iterator[str]:
    """Outputs that do not lead with the batch dimension of the request."""
    return wrong_batch(answer.outputs, answer.request.batch)


def _keras_lines(answer: Answer, tolerance: float) -> Iterator[str]:
    """Differences from what the Keras model answered before the export."""
    expected = answer.request.rows(answer.request.example.outputs)
    return differences(expected, answer.outputs, tolerance=tolerance)


def _whole_lines(answer: Answer, whole: Mapping[str, Arrays], tolerance: float) -> Iterator[str]:
    """Differences from the same rows in the answer to all rows; none where that run failed, which is told already."""
    outputs = whole.get(answer.request.run.signature)
    if outputs is None:
        return iter(())
    padding = answer.request.kind != "again"
    return differences(answer.request.rows(outputs), answer.outputs, tolerance=tolerance, padding=padding)


def _row_lines(answer: Answer, whole: Mapping[str, Arrays], tolerance: float) -> Iterator[str]:
    """What is wrong with the problems of rows, and with the answers to those beside a bad one."""
    problems, bad_row = answer.outputs.get(PROBLEM), answer.request.bad_row
    if problems is None or problems.dtype != object or problems.ndim != 1:
        yield f"has no output {PROBLEM!r}, a string for each row; export the model again with this version"
        return
    for row, problem in enumerate(problems.tolist()):
        if problem and bad_row not in (row, ALL):
            yield f"row {row} has the problem {problem.decode(errors='replace')!r}, but is good"
        if problem and any(np.any(array[row]) for name, array in answer.outputs.items() if name != PROBLEM):
            yield f"row {row} has a problem and an answer; blank it"
    outputs = whole.get(answer.request.run.signature)
    if outputs is not None and 0 <= bad_row < ALL:
        expected, found = (
            {name: np.delete(array, bad_row, 0) for name, array in both.items()} for both in (outputs, answer.outputs)
        )
        lines = differences(expected, found, tolerance=tolerance, padding=True)
        yield from (f"{line}, beside the bad row; a row's answer depends on the other rows" for line in lines)
