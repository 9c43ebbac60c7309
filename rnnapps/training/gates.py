"""Statistics of gate activations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnapps.types import Array

__all__ = ["SATURATION_MARGIN", "GateActivations", "summarise_gate"]

SATURATION_MARGIN = 0.1  # share of the range at each end that counts as saturated
_BINS = 20


@dataclass(frozen=True)
class GateActivations:
    """Values of one gate of one recurrent layer over batch, time and units; masked steps are left out.

    Attributes:
        layer: name of the layer.
        gate: the cell's name of the gate.
        mean: mean value.
        low: share of values in the lowest tenth of the gate's range, 0 to 1: below 0.1 (closed) for a sigmoid, below
            -0.8 for a tanh; nan for a gate without bounds.
        high: share of values in the highest tenth, 0 to 1: above 0.9 (open) for a sigmoid, above 0.8 for a tanh.
        mean_over_time: mean value at each time step; nan where every row is masked.
        histogram: number of values in each of 20 equal bins.
        edges: the 21 edges of the bins: from 0 to 1, from -1 to 1 if the gate has negative values, or over the range
            of the values if it leaves both.
    """

    layer: str
    gate: str
    mean: float
    low: float
    high: float
    mean_over_time: tuple[float, ...]
    histogram: tuple[int, ...]
    edges: tuple[float, ...]


def summarise_gate(layer: str, gate: str, values: Array, valid: Array) -> GateActivations:
    """Summarises the activations of one gate.

    Args:
        layer: name of the layer.
        gate: name of the gate.
        values: its activations `(batch, time, units)`.
        valid: `(batch, time)`, True where a step counts, False where it is masked.
    """
    inside = values[valid]
    lowest, highest = _range(inside)
    bounded = (lowest, highest) in ((0.0, 1.0), (-1.0, 1.0))
    margin = (highest - lowest) * SATURATION_MARGIN
    counts, edges = np.histogram(inside, bins=_BINS, range=(lowest, highest))
    return GateActivations(
        layer=layer,
        gate=gate,
        mean=float(inside.mean()) if inside.size else float("nan"),
        low=float((inside < lowest + margin).mean()) if bounded and inside.size else float("nan"),
        high=float((inside > highest - margin).mean()) if bounded and inside.size else float("nan"),
        mean_over_time=tuple(
            float(values[rows, step].mean()) if rows.any() else float("nan") for step, rows in enumerate(valid.T)
        ),
        histogram=tuple(int(count) for count in counts),
        edges=tuple(float(edge) for edge in edges),
    )


def _range(values: Array) -> tuple[float, float]:
    """The gate's range: 0 to 1 (sigmoid), -1 to 1 (tanh), or that of the values where they leave both."""
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if lowest >= 0.0 and highest <= 1.0:
        return 0.0, 1.0
    if lowest >= -1.0 and highest <= 1.0:
        return -1.0, 1.0
    return lowest, highest
