"""The result of `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from rnnapps.types import Array

__all__ = ["MODEL", "Comparison", "Evaluation", "Outcome", "Verdict"]

MODEL = "model"
"""The model's name in `Comparison.statistics`."""

Outcome = Literal["better", "worse", "level", "too few examples", "not tested", "no baseline"]


@dataclass(frozen=True)
class Comparison:
    """The metric that decides between a model and its baselines, in parts that can be drawn again.

    A part is what stands on its own: a sentence pair, a recording, a piece, a block of running text. Each has
    statistics whose sums over any parts give the metric on them: errors and words for a word error rate, matched and
    possible n-grams for BLEU, a sum and a count for a mean. `rnnapps.metrics.parts` makes them.

    Attributes:
        metric: one of the evaluation's metrics; the pipeline's `higher_is_better` says which way it counts.
        statistics: `MODEL` and baselines by name -> float64 `(parts, statistics)`, the same parts in the same order.
        score: sums of statistics `(..., statistics)` -> the metric `(...)`.
        part: what the parts are, in the plural: "sentence pairs", "blocks of 200 characters"...
    """

    metric: str
    statistics: Mapping[str, Array]
    score: Callable[[Array], Array]
    part: str


@dataclass(frozen=True)
class Verdict:
    """Whether a model beats its best baseline, and whether that is more than chance.

    Attributes:
        outcome: "level" where chance may explain the difference, "too few examples" where there are too few parts to
            tell, "not tested" where there are no parts to draw, or no finite figure.
        sentence: the same for a person.
        metric: the metric that decides.
        model: its value for the model.
        baseline: the best baseline by this metric; None without baselines.
        baseline_value: its value for that baseline.
        advantage: by how much the model is better, below 0 where it is worse.
        interval: between which bounds 95 % of the redrawn advantages lie; None where none were drawn.
        parts: number of parts that were drawn.
        part: what they are.
        led_by: other metrics, each with the name of the baseline that is better by it than the model.
        leads_by: other metrics by which the model is better than every baseline.
    """

    outcome: Outcome
    sentence: str
    metric: str
    model: float
    baseline: str | None = None
    baseline_value: float | None = None
    advantage: float | None = None
    interval: tuple[float, float] | None = None
    parts: int = 0
    part: str = ""
    led_by: Mapping[str, str] = field(default_factory=dict)
    leads_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    Attributes:
        metrics: metric name with its unit -> value of the model.
        baselines: baseline name -> the same metrics of that baseline.
        examples: number of scored examples: characters, forecasts, recordings...
        split: "test" or "validation".
        diagnostics: further figures, or words about them, not compared with a baseline.
        comparison: what tells a real difference from chance; needed wherever there are baselines.
        verdict: what came of it; the verb `evaluate` fills it in.
        note: what else a reader of the figures must know, such as that they are of other data than the run's.
        alone: parts of a model that is made of several -> the same metrics of that part alone; no baselines, for they
            decide nothing.
    """

    metrics: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    examples: int
    split: str
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)
    comparison: Comparison | None = None
    verdict: Verdict | None = None
    note: str = ""
    alone: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def rows(self, model: str) -> list[tuple[str, Mapping[str, float]]]:
        """What stands in a table of the metrics: the model under a name, its parts, and the baselines."""
        return [(model, self.metrics), *self.alone.items(), *self.baselines.items()]

    def as_dict(self) -> dict[str, Any]:
        """All of it but the comparison, as JSON can hold it."""
        plain = asdict(replace(self, comparison=None))
        del plain["comparison"]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Evaluation:
        """The inverse of `as_dict`.

        Raises:
            TypeError: it is none, or one of another version.
        """
        verdict = plain.get("verdict")
        if verdict is not None:
            pairs = {name: verdict[name] and tuple(verdict[name]) for name in ("interval", "leads_by")}
            verdict = Verdict(**{**verdict, **pairs})
        return cls(**{**plain, "verdict": verdict})
