"""The sections that hold the facts of a run: configuration, size, speed and environment."""

from __future__ import annotations

import itertools
import os
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

from rnnapps.contract.sections import Block, Paragraph, Section, Table, Value
from rnnapps.reports.inspect import Inspection

__all__ = ["configuration_section", "environment_section", "parameters_section", "speed_section"]

Rows = Sequence[Mapping[str, Any]]
_PACKAGES = ("rnnapps", "tensorflow", "keras", "numpy", "matplotlib")


def configuration_section(config: Mapping[str, Any]) -> Section:
    """What was run, one row a key."""
    rows = list(_flatten(config))
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


def environment_section() -> Section:
    """Versions and machine this report was made on."""
    rows: list[tuple[Value, ...]] = [("python", platform.python_version())]
    rows += [(name, _version(name)) for name in _PACKAGES]
    rows += [("system", platform.platform()), ("processor cores", len(os.sched_getaffinity(0)))]
    return Section("Environment", [Table(("", "Version"), rows)])


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Nested settings as "group.key" and value."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value if isinstance(value, int | float) and value is not True else str(value)


def _version(package: str) -> str:
    """Version of an installed package, or "not installed"."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed as a package"
