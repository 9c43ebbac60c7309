"""The sections that hold the facts of a run: configuration, size, speed and environment."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rnnapps.config import dotted
from rnnapps.contract.sections import Block, Paragraph, Section, Table, Value
from rnnapps.reports.inspect import Inspection

__all__ = ["configuration_section", "environment_section", "parameters_section", "speed_section"]

Rows = Sequence[Mapping[str, Any]]


def configuration_section(config: Mapping[str, Any]) -> Section:
    """What was run, one row a key."""
    rows = [(key, _shown(value)) for key, value in dotted(config).items()]
    blocks: list[Block] = [Table(("Setting", "Value"), rows)] if rows else [Paragraph("The run has no configuration.")]
    return Section("Configuration", blocks)


def parameters_section(inspection: Inspection) -> Section:
    """Parameters, operations and memory."""
    return Section("Parameters and cost", [inspection.parameter_table(), inspection.cost_table()])


def speed_section(rows: Rows, *, batch_steps: int = 0, time_step: str = "time step") -> Section:
    """Training speed between evaluations.

    Args:
        rows: rows of metrics.jsonl.
        batch_steps: time steps of all sequences of a batch, padding included; 0 where it is not known.
        time_step: what one time step is: "character", "hour", "frame"...
    """
    speeds = [
        (after["step"] - before["step"]) / (after["elapsed_seconds"] - before["elapsed_seconds"])
        for before, after in itertools.pairwise(rows)
        if after.get("elapsed_seconds", 0) > before.get("elapsed_seconds", 0)
    ]
    if not speeds:
        return Section("Speed", [Paragraph("Speed needs at least two evaluations.")])
    steps = statistics.median(speeds)
    table: list[tuple[Value, ...]] = [("training steps per second, median", steps)]
    if batch_steps:
        table.append((f"{time_step}s per second, median", steps * batch_steps))
        table.append((f"{time_step}s per training step", batch_steps))
    table.append(("training time, seconds", rows[-1]["elapsed_seconds"]))
    return Section("Speed", [Table(("", "Value"), table, caption="Evaluation between the steps is included")])


def environment_section(kept: Sequence[Mapping[str, Any]]) -> Section:
    """Versions and machines a run was trained with.

    Args:
        kept: from `kept_environment`.
    """
    if not kept:
        return Section("Environment", [Paragraph("Not kept: the run was begun by an older version.")])
    columns = [f"from step {entry['step']:,}" for entry in kept]
    rows = [(name, *(str(entry.get(name, "")) for entry in kept)) for name in kept[-1] if name != "step"]
    note = Paragraph("Other values than these may change the last digits of what is measured.")
    return Section("Environment", [Table(("", *columns), rows), note])


def _shown(value: Any) -> Value:
    """Numbers as numbers, so that tables can be sorted."""
    return value if isinstance(value, int | float) and value is not True else str(value)
