"""Looks inside: gradients through time, gates, parameters, operations and memory; as pictures and in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.training.run import RunFolder
from rnnapps.verbs import reporting
from rnnapps.verbs.opening import OpenModel

if TYPE_CHECKING:
    from rnnapps.reports.inspect import Inspection

__all__ = ["Inspected", "inspect"]


@dataclass(frozen=True)
class Inspected:
    """What a look inside a network has shown, and where it is written.

    Attributes:
        inspection: the figures.
        pictures: name -> file.
        report: the file of the report.
    """

    inspection: Inspection
    pictures: Mapping[str, Path]
    report: Path


def inspect(pipeline: Pipeline[Any, Any, Any], model: OpenModel, folder: RunFolder, splits: Splits) -> Inspected:
    """Looks at a run's network through its first training batch; takes some ten seconds."""
    objective = pipeline.objective(model.fitted, splits)
    inspection = reporting.inspect_network(model.fitted.network, folder, objective, measure_memory=True)
    pictures = {name: folder.path / reporting.PICTURES / f"{name}.png" for name in inspection.plots}
    report = reporting.refresh_report(pipeline, model, splits, objective, inspection=inspection)
    return Inspected(inspection, pictures, report)
