"""The result of `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Evaluation"]


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    Attributes:
        metrics: metric name with its unit -> value of the model.
        baselines: baseline name -> the same metrics of that baseline.
        examples: number of scored examples: characters, forecasts, recordings...
        split: "test" or "validation".
        diagnostics: further figures, or words about them, not compared with a baseline.
    """

    metrics: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    examples: int
    split: str
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)
