"""A verdict in one sentence, which is the same on the command line, in the report and in the model card."""

from __future__ import annotations

import math

from rnnapps.contract.evaluation import Verdict

__all__ = ["FEWEST_PARTS", "sentence"]

FEWEST_PARTS = 10
"""Of fewer parts, redrawing tells nothing: their spread says too little of that of others."""


def sentence(verdict: Verdict) -> str:
    """Whether the model beats its best baseline, which one, by how much, and whether that is more than chance."""
    if verdict.baseline is None:
        return _alone(verdict)
    assert verdict.baseline_value is not None and verdict.advantage is not None
    metric, drawn = _words(verdict.metric), f"{verdict.parts:,} {verdict.part}"
    figures = f"{_number(verdict.model)} against {_number(verdict.baseline_value)} {metric}"
    amount, name = f"{abs(verdict.advantage):.3g}", verdict.baseline
    chance = f"({_interval(verdict)}{drawn})"
    if verdict.outcome == "better":
        told = f"The model beats its best baseline, {name}: {figures}, better by {amount}, more than chance {chance}"
    elif verdict.outcome == "worse":
        told = f"The model loses to its best baseline, {name}: {figures}, worse by {amount}, more than chance {chance}"
    elif verdict.outcome == "level":
        told = f"The model and its best baseline, {name}, are level: {figures}; {amount} may be chance {chance}"
    elif verdict.outcome == "too few examples":
        few = f"{drawn} of the {FEWEST_PARTS} that are needed"
        told = f"Too few examples to tell whether the model beats its best baseline, {name}: {figures}, on {few}"
    else:
        place = "is ahead of" if verdict.advantage > 0 else "is behind" if verdict.advantage < 0 else "is level with"
        unknown = "whether by chance is not known, for single examples have no scores"
        told = f"The model {place} its best baseline, {name}: {figures}; {unknown}"
    return f"{told}{_other_metrics(verdict)}."


def _alone(verdict: Verdict) -> str:
    """Where there is nothing to compare, or no figure."""
    if not math.isfinite(verdict.model):
        return f"The model has no finite {_words(verdict.metric)}."
    return f"The model has {_number(verdict.model)} {_words(verdict.metric)}, and no baseline to compare it with."


def _other_metrics(verdict: Verdict) -> str:
    """Metrics that tell otherwise than the deciding one: a headline must not be the one metric that wins."""
    if verdict.outcome == "worse":
        return f"; but it leads by {' and '.join(map(_words, verdict.leads_by))}" if verdict.leads_by else ""
    leaders: dict[str, list[str]] = {}
    for metric, name in verdict.led_by.items():
        leaders.setdefault(name, []).append(_words(metric))
    led = ", ".join(f"{name} leads by {' and '.join(metrics)}" for name, metrics in leaders.items())
    return f"; but {led}" if led else ""


def _interval(verdict: Verdict) -> str:
    if verdict.interval is None:
        return ""
    return f"95 % interval {' to '.join(f'{bound:+.3g}' for bound in verdict.interval)}, "


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float) -> str:
    """Four significant digits, thousands set apart."""
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
