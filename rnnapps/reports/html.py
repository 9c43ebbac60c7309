"""report.html of a run: one file that shows what was trained, how it went and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnapps.atomic import write_atomically
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.sections import Section
from rnnapps.errors import CheckpointError
from rnnapps.reports.facts import configuration_section, environment_section, parameters_section, speed_section
from rnnapps.reports.inspect import Inspection
from rnnapps.reports.render import label, render_page
from rnnapps.reports.standard import curves_section, inside_section, result_section, samples_section
from rnnapps.training.environment import kept_environment
from rnnapps.training.run import RunFolder

__all__ = ["write_report"]


def write_report(
    run: RunFolder,
    *,
    title: str = "Training report",
    evaluation: Evaluation | None = None,
    inspection: Inspection | None = None,
    sections: Sequence[Section] = (),
    loss_unit: str = "",
    time_step: str = "time step",
    higher_is_better: frozenset[str] = frozenset(),
) -> Path:
    """Writes `report.html` into a run folder, replacing the one before in one step.

    What the run has not recorded yet, or is not passed, is left out or said to be missing.

    Args:
        run: the run; its config.yaml, metrics.jsonl and samples.jsonl are read.
        title: title of the report.
        evaluation: the model's metrics beside its baselines.
        inspection: what `inspect_network` found.
        sections: the pipeline's own sections, shown after the samples.
        loss_unit: unit of the training loss as metric names have it: "nats_per_character". Validation metrics in this
            unit share the axis of the loss.
        time_step: what one time step is: "character", "hour", "frame"...
        higher_is_better: names of the metrics of which more is better; of all others less is.

    Returns:
        The path of the report.

    Raises:
        CheckpointError: a file of the run is damaged, or the report cannot be written.
    """
    config, rows = run.read_config(), run.read_metrics()
    parts: list[Section] = []
    if evaluation is not None:
        parts.append(result_section(evaluation, higher_is_better=higher_is_better))
    samples = run.read_samples()
    parts.append(curves_section(rows, loss_unit=loss_unit))
    if samples:
        parts.append(samples_section(samples))
    parts += sections
    if inspection is not None:
        parts += [inside_section(inspection), parameters_section(inspection)]
    batch_steps = inspection.batch_size * inspection.time_steps if inspection is not None else 0
    parts.append(speed_section(rows, batch_steps=batch_steps, time_step=time_step))
    parts += [configuration_section(config), environment_section(kept_environment(run.path))]
    page = render_page(title, _lead(run, rows, evaluation), parts)
    try:
        write_atomically(run.report_path, page.encode("utf-8"))
    except OSError as error:
        reason = error.strerror or error
        raise CheckpointError(
            f"{run.report_path}: cannot write the report: {reason}; free space or use --run"
        ) from error
    return run.report_path


def _lead(run: RunFolder, rows: Sequence[Mapping[str, Any]], evaluation: Evaluation | None) -> str:
    """The line below the title: how long was trained, and what came of it."""
    words = [f"Run {run.path.name}"]
    if rows:
        words.append(f"{rows[-1]['step']:,} training steps")
    if rows and isinstance(rows[-1].get("elapsed_seconds"), int | float):
        words.append(f"{rows[-1]['elapsed_seconds']:,.0f} seconds of training")
    if evaluation is not None:
        words += [f"{evaluation.split} {value:.4g} {label(name)}" for name, value in evaluation.metrics.items()][:2]
    return " · ".join(words)
