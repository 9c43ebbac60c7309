"""The sections that show how a run went: result, curves, samples, and what happens inside the network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.sections import Block, Details, Gallery, Paragraph, Picture, Samples, Section, Table
from rnnapps.reports.inspect import Inspection
from rnnapps.reports.plots import Curve, plot_curves
from rnnapps.reports.render import label

__all__ = [
    "curves_section",
    "inside_section",
    "result_section",
    "samples_section",
]

Rows = Sequence[Mapping[str, Any]]
_STEP = "training step"
_GRADIENT_NOTE = (
    "How far gradients reach back in time. Every step feeds the gradient of the loss; that of a layer's last output "
    "alone shows its memory: flat means that the layer can learn from the distant past, falling towards the left that "
    "gradients vanish, rising that they explode. Gates whose values gather at the ends of their range are saturated."
)
_NOT_A_METRIC = frozenset({"step", "elapsed_seconds", "loss", "gradient_norm", "learning_rate"})


def result_section(evaluation: Evaluation, *, higher_is_better: frozenset[str] = frozenset()) -> Section:
    """Whether the model beats its best baseline, and all of them beside it."""
    metrics = list(evaluation.metrics)
    rows = [(name, *(_number(values.get(metric)) for metric in metrics)) for name, values in evaluation.rows("model")]
    best = frozenset(
        (row, column)
        for column, metric in enumerate(metrics, start=1)
        for row in _best_rows([line[column] for line in rows], highest=metric in higher_is_better)
    )
    caption = f"{evaluation.examples:,} scored examples of the {evaluation.split} split"
    told = [evaluation.verdict.sentence if evaluation.verdict else "", evaluation.note]
    blocks: list[Block] = [Paragraph(text, verdict=True) for text in told if text]
    blocks.append(Table(("", *map(label, metrics)), rows, caption=caption, best=best))
    if evaluation.diagnostics:
        rows = [(label(name), value) for name, value in evaluation.diagnostics.items()]
        blocks.append(Table(("Diagnostic", "Value"), rows))
    return Section("Result", blocks)


def curves_section(rows: Rows, *, loss_unit: str) -> Section:
    """Loss, validation metrics, learning rate and gradient norm over the steps.

    Args:
        rows: rows of metrics.jsonl.
        loss_unit: unit of the training loss; a validation metric whose name ends with it shares its axis.
    """
    if not rows:
        return Section("Learning curves", [Paragraph("No evaluation has been recorded yet.")])
    metrics = [name for name in rows[-1] if name not in _NOT_A_METRIC and _is_curve(rows, name)]
    shared = [name for name in metrics if loss_unit and label(name).endswith(label(loss_unit))]
    loss_curves = [_curve(rows, "loss", "training loss")] if _is_curve(rows, "loss") else []
    loss_curves += [_curve(rows, name, label(name).removesuffix(label(loss_unit)).strip()) for name in shared]
    blocks: list[Block] = []
    if loss_curves:
        y_label = label(loss_unit) or "loss"
        blocks.append(plot_curves(loss_curves, x_label=_STEP, y_label=y_label, title="Loss").picture())
    singles = [name for name in metrics if name not in shared] + ["learning_rate", "gradient_norm"]
    blocks.append(Gallery([_single(rows, name) for name in singles if _is_curve(rows, name)]))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table([label(name) for name in columns], [[row.get(name) for name in columns] for row in rows])
    return Section("Learning curves", [*blocks, Details("All figures as a table", [table])])


def samples_section(samples: Rows) -> Section:
    """What the model made in the course of training."""
    entries = [(int(row["step"]), [str(text) for text in row["samples"]]) for row in samples]
    return Section("Samples through training", [Samples(entries)])


def inside_section(inspection: Inspection) -> Section:
    """Gradient through time and gate activations."""
    blocks: list[Block] = [Paragraph(_GRADIENT_NOTE)]
    blocks += [Gallery([panel.picture() for panel in panels]) for panels in inspection.plots.values()]
    if inspection.observation.gates:
        blocks.append(Details("Gate activations as a table", [inspection.gate_table()]))
    blocks.append(Details("Gradient norms as a table", [inspection.gradient_table()]))
    return Section("Inside the network", blocks)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _best_rows(values: Sequence[Any], *, highest: bool) -> list[int]:
    """Rows with the best value, several where equal."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    best = (max if highest else min)(finite, default=None)
    return [row for row, value in enumerate(values) if value is not None and value == best]


def _is_curve(rows: Rows, name: str) -> bool:
    """Whether any row has a number of this name."""
    return any(isinstance(row.get(name), int | float) for row in rows)


def _single(rows: Rows, name: str) -> Picture:
    """A picture of one metric; gradient norms, which span decades, on a logarithmic axis."""
    logarithmic = name == "gradient_norm"
    return plot_curves([_curve(rows, name)], x_label=_STEP, y_label=label(name), logarithmic=logarithmic).picture()


def _curve(rows: Rows, name: str, title: str | None = None) -> Curve:
    """One metric over the steps."""
    return Curve(title or label(name), [row["step"] for row in rows], [row.get(name) for row in rows])
