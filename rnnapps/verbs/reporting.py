"""The report of a run, written again whenever a verb has learned something new about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.verbs.opening import OpenModel
from rnnapps.verbs.runs import read_evaluation
from rnnapps.verbs.status import status

if TYPE_CHECKING:
    import keras

    from rnnapps.reports.inspect import Inspection
    from rnnapps.training.run import RunFolder

__all__ = ["PICTURES", "inspect_network", "refresh_report"]

PICTURES = "inspect"
"""Folder of pictures within a run folder."""


def inspect_network(
    network: keras.Model, folder: RunFolder, objective: Objective, *, measure_memory: bool = False
) -> Inspection:
    """Looks at the network through the first training batch, telling on a terminal what it does.

    Pictures go to `inspect/` in the run folder. `measure_memory` takes some ten seconds more.
    """
    from rnnapps.reports.inspect import inspect_run

    with status("reading a batch") as say:
        batch = next(iter(objective.batches(0)))
        pictures = folder.path / PICTURES
        return inspect_run(network, batch, objective.loss, pictures, measure_memory=measure_memory, progress=say)


def refresh_report(
    pipeline: Pipeline[Any, Any, Any],
    model: OpenModel,
    splits: Splits,
    objective: Objective,
    *,
    inspection: Inspection | None = None,
) -> Path:
    """Writes report.html of a run from all that is known of it; returns its path."""
    from rnnapps.reports.html import write_report

    folder = model.folder
    assert folder is not None, "an export has no report"
    samples = folder.read_samples()
    return write_report(
        folder,
        title=f"{pipeline.name.replace('_', ' ').capitalize()}: training report",
        evaluation=read_evaluation(folder),
        inspection=inspection or inspect_network(model.fitted.network, folder, objective),
        sections=pipeline.report_sections(model.fitted, splits, samples[-1]["samples"] if samples else []),
        loss_unit=objective.loss_unit,
        time_step=objective.time_step,
        higher_is_better=pipeline.higher_is_better,
    )
