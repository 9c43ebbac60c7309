"""The conformance suites of cells and of pipelines, for those of this package and for anyone's own.

from rnnapps.testing import check_cell, check_pipeline

def test_my_cell():
    check_cell(MyCell(4))

def test_my_pipeline(tmp_path):
    check_pipeline(PIPELINE, folder=tmp_path, inputs="an input", settings={"model.units": 8})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnnapps.cells import Cell
from rnnapps.contract.pipeline import Pipeline
from rnnapps.testing import contract, derivatives, layers, sequences
from rnnapps.testing.pipelines import command_line, examples, serving, training, workers
from rnnapps.testing.pipelines.subject import PipelineSubject, joined
from rnnapps.testing.subject import Subject
from rnnapps.types import Nest

__all__ = [
    "CELL_PROPERTIES",
    "PIPELINE_PROPERTIES",
    "PipelineSubject",
    "Subject",
    "check_cell",
    "check_pipeline",
]

CELL_PROPERTIES: dict[str, Callable[[Subject], None]] = {
    "config": contract.check_config,
    "declarations": contract.check_declarations,
    "weights": contract.check_weights,
    "linear_recurrence": contract.check_linear_recurrence,
    "rows": contract.check_rows,
    "call": contract.check_call,
    "parity": sequences.check_parity,
    "compiled": sequences.check_compiled,
    "masks": sequences.check_masks,
    "split": sequences.check_split,
    "derivatives": derivatives.check_derivatives,
    "stock_layer": layers.check_stock_layer,
    "mixed_precision": layers.check_mixed_precision,
    "file": layers.check_file,
    "export": layers.check_export,
}

PIPELINE_PROPERTIES: dict[str, Callable[[PipelineSubject], None]] = {
    "config": command_line.check_config,
    "help": command_line.check_help,
    "ranges": command_line.check_ranges,
    "errors": command_line.check_errors,
    "look": examples.check_look,
    "batches": examples.check_batches,
    "shares": workers.check_shares,
    "preprocessor": examples.check_preprocessor,
    "growth": examples.check_growth,
    "interruption": training.check_interruption,
    "evaluation": serving.check_evaluation,
    "export": serving.check_export,
    "answers": serving.check_answers,
    "stream": serving.check_stream,
    "ensemble": serving.check_ensemble,
    "kill": training.check_kill,
    "twice": training.check_twice,
    "workers": workers.check_workers,
}


def check_cell(cell: Cell, *, features: int = 3, memory: Nest = None) -> None:
    """Checks a cell against every property in `CELL_PROPERTIES`, on small float32 problems; takes seconds.

    The cell itself is only read: copies made from its config are built and run.

    Args:
        cell: the cell, with a few units (3 to 8) so that the check is quick.
        features: number of input features; give the number of units where the cell needs them equal (`Residual`).
        memory: for a cell with `constants`, an example of them: a tensor of 5 rows, or a nest of such.

    Raises:
        AssertionError: a property does not hold; the message says which, by how much, and what to fix.
        ConfigError: the memory is not one for this cell.
    """
    subject = Subject(cell, features, memory)
    for check in CELL_PROPERTIES.values():
        check(subject)


def check_pipeline(
    pipeline: Pipeline[Any, Any, Any],
    *,
    folder: Path,
    inputs: Any,
    settings: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    other: Mapping[str, Any] | None = None,
    streamed: Callable[[list[Any]], Any] | None = joined,
    predicted: Callable[[Any], Any] = str,
) -> None:
    """Checks a pipeline against every property in `PIPELINE_PROPERTIES`; takes a minute or two.

    Settings are written and read; help is light; errors are one line; data are looked at; the same step gives the same
    batch, which workers can share; a preprocessor is the same after a reload; fine-tuning keeps what is known by name;
    a training that was interrupted, or killed, ends with the same bits; each verb says the same twice; two processes
    train as one; the export verifies, padded requests among them; run, export and stream give one answer, and so do
    those of an ensemble of two.

    Args:
        pipeline: the application; an instance that its module holds under some name.
        folder: an empty folder for runs and exports, pytest's `tmp_path`.
        inputs: an input for `predict`, as Python users give it.
        settings: dotted key -> value: a small model and small data, so that a training takes seconds.
        options: options of `predict` and `stream`.
        other: dotted key -> value: settings of other data, for fine-tuning; the same data by default.
        streamed: what the pieces of a stream add up to; None where the pipeline cannot stream with these settings.
        predicted: what of the result of `predict` compares with that.

    Raises:
        AssertionError: a property does not hold; the message says which, and what to fix.
    """
    subject = PipelineSubject(
        pipeline,
        folder,
        settings or {},
        inputs,
        options=options or {},
        other=other or {},
        streamed=streamed,
        predicted=predicted,
    )
    for check in PIPELINE_PROPERTIES.values():
        check(subject)
