"""The report of a run, written again whenever a verb has learned something new about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli.runs import OpenRun, read_evaluation
from rnnapps.cli.status import status

if TYPE_CHECKING:
    from rnnapps.contract.pipeline import Objective, Pipeline, Splits
    from rnnapps.reports.inspect import Inspection

__all__ = ["inspect_open_run", "refresh_report"]

PICTURES = "inspect"


def inspect_open_run(run: OpenRun, objective: Objective, *, measure_memory: bool = False) -> Inspection:
    """Looks at the network through the first training batch, telling on a terminal what it does.

    Pictures go to `inspect/` in the run folder. `measure_memory` takes some ten seconds more.
    """
    from rnnapps.reports.inspect import inspect_run

    with status("reading a batch") as say:
        batch = next(iter(objective.batches(0)))
        folder = run.folder.path / PICTURES
        return inspect_run(run.network, batch, objective.loss, folder, measure_memory=measure_memory, progress=say)


def refresh_report(
    pipeline: Pipeline[Any],
    run: OpenRun,
    splits: Splits,
    objective: Objective,
    inspection: Inspection | None = None,
) -> Path:
    """Writes report.html from all that is known of the run; returns its path."""
    from rnnapps.reports.html import write_report

    samples = run.folder.read_samples()
    latest = samples[-1]["samples"] if samples else []
    return write_report(
        run.folder,
        title=f"{pipeline.name.replace('_', ' ').capitalize()}: training report",
        evaluation=read_evaluation(run.folder),
        inspection=inspection or inspect_open_run(run, objective),
        sections=pipeline.report_sections(run.config, run.network, run.preprocessor, splits, latest),
        loss_unit=objective.loss_unit,
        time_step=objective.time_step,
        higher_is_better=pipeline.higher_is_better,
    )
