"""What a search has found, by its journal; the best, and the configuration as it is, are scored on test data."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnapps.atomic import write_atomically
from rnnapps.contract.evaluation import Evaluation
from rnnapps.search.choice import best, finalists, repeated
from rnnapps.search.halving import BASELINE, Record
from rnnapps.search.sampling import importances
from rnnapps.search.space import space_as_text
from rnnapps.search.state import Search
from rnnapps.verbs import yaml_files
from rnnapps.verbs.settings import flatten

__all__ = ["BEST", "REPORT", "Configuration", "Found", "conclude", "contradicted", "verdict"]

BEST = "best.yaml"
REPORT = "report.html"


@dataclass(frozen=True)
class Configuration:
    """A configuration that was tried.

    Attributes:
        number: counts them; 0 is the one as it is.
        settings: dotted key -> value of what was varied.
        step: how far its own run has come.
        value: its best validation; None where it was never evaluated.
        rungs: step -> the best validation up to it.
        repeats: its validation with each further seed.
        parameters: weights that are trained.
        milliseconds: of an answer of its exported model.
        on_frontier: nothing that was trained to the end is better in one of value, parameters and milliseconds, and no
            worse in the others.
        reason: why it could not be trained; empty otherwise.
    """

    number: int
    settings: Mapping[str, Any]
    step: int
    value: float | None
    rungs: Mapping[int, float]
    repeats: Sequence[float]
    parameters: int | None
    milliseconds: float | None
    on_frontier: bool
    reason: str

    @property
    def mean(self) -> float | None:
        """The mean of its validation over the further seeds; None without."""
        return statistics.fmean(self.repeats) if self.repeats else None


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes:
        pipeline: its name.
        folder: of the search.
        metric: name of the validation metric.
        higher_is_better: of that metric.
        minutes: that it may take.
        spent_minutes: that it has taken.
        steps: of a whole training.
        space: what was varied.
        configurations: all of them, the best first.
        best: the number of the best.
        changed: the settings in which the best differs from the configuration as it is.
        confirmed: it was repeated with further seeds, and is the best by their mean.
        importances: setting -> its share in what decides, at the first rung; empty where too little is known.
        first_rung: the step of that rung.
        run: the run of the best, trained to its end; None while there was no time for it.
        test: number -> scores on test data; of the best, and of the configuration as it is.
        scored: how often anything was scored on test data: once for each of both, unless a search went on.
        contradicted: the metric by which, on test data, the configuration as it is does better than the best; empty
            where there is none.
        command: trains the best anew, to the same bits.
    """

    pipeline: str
    folder: Path
    metric: str
    higher_is_better: bool
    minutes: float
    spent_minutes: float
    steps: int
    space: Mapping[str, Any]
    configurations: Sequence[Configuration]
    best: int
    changed: Mapping[str, Any]
    confirmed: bool
    importances: Mapping[str, float]
    first_rung: int
    run: Path | None
    test: Mapping[int, Evaluation]
    scored: int
    contradicted: str
    command: str

    def configuration(self, number: int) -> Configuration:
        """One of them by its number."""
        return next(each for each in self.configurations if each.number == number)

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        rows = [{**dataclasses.asdict(each), "mean": each.mean} for each in self.configurations]
        test = {str(number): evaluation.as_dict() for number, evaluation in self.test.items()}
        return {**plain, "configurations": rows, "test": test, "verdict": verdict(self)}


def conclude(search: Search, *, judged: bool) -> Found:
    """Says what was found so far, and writes the settings of the best.

    Args:
        search: the search.
        judged: score on test data what has not been scored, unless another process is still at work.
    """
    records, facts = search.journal.records(), search.journal.facts()
    chosen = facts.get("finalists")
    if chosen is None:
        chosen = finalists(records, higher_is_better=search.higher_is_better)
    repeats = repeated(facts, [BASELINE, *chosen], search.config.seed)
    number = best(records, repeats, higher_is_better=search.higher_is_better)
    content = yaml_files.dump(search.pipeline.name, search.config_of(records[number].settings))
    write_atomically(search.folder / BEST, content.encode())
    ended = records[number].state == "done"
    if judged and ended and records[BASELINE].state == "done" and not search.is_at_work(records):
        _score(search, records, dict.fromkeys((BASELINE, number)))
    facts, now = search.journal.facts(), flatten(search.config)
    scored = facts.get("test", {})
    settings, first = records[number].settings, search.rungs[0]
    name = search.pipeline.name
    test = {each: Evaluation.from_dict(scored[str(each)]) for each in (BASELINE, number) if str(each) in scored}
    return Found(
        pipeline=name,
        folder=search.folder,
        metric=search.metric,
        higher_is_better=search.higher_is_better,
        minutes=search.budget.minutes,
        spent_minutes=search.budget.spent() / 60,
        steps=search.rungs[-1],
        space=space_as_text(search.space),
        configurations=_ordered(search, records, repeats),
        best=number,
        changed={key: value for key, value in settings.items() if value != now[key]},
        confirmed=bool(repeats.get(number)),
        importances=importances(search.space, records, first, higher_is_better=search.higher_is_better),
        first_rung=first,
        run=search.path_of(number) if ended else None,
        test=test,
        scored=len(scored),
        contradicted=contradicted(test, number, search.pipeline.higher_is_better),
        command=f"rnnapps {name} train --config {search.folder / BEST} --run runs/{name}/best",
    )


def contradicted(test: Mapping[int, Evaluation], number: int, higher_is_better: Collection[str]) -> str:
    """The metric that decides on test data, where it is better for the configuration as it is than for the best."""
    if number not in test or BASELINE not in test or test[number].verdict is None:
        return ""
    metric = test[number].verdict.metric
    own, before = (test[each].metrics.get(metric, math.nan) for each in (number, BASELINE))
    return metric if (own < before if metric in higher_is_better else own > before) else ""


def _score(search: Search, records: Sequence[Record], numbers: Mapping[int, None]) -> None:
    """Scores runs on test data, each once for good; the last use of the data, behind every choice."""
    from rnnapps.training.run import RunFolder
    from rnnapps.verbs.evaluate import score
    from rnnapps.verbs.opening import number_format, open_model
    from rnnapps.verbs.runs import save_evaluation

    scored = dict(search.journal.facts().get("test", {}))
    for number in numbers:
        if str(number) not in scored:
            path, config = search.path_of(number), search.config_of(records[number].settings)
            with number_format("float32"):
                evaluation = score(search.pipeline, open_model(search.pipeline, path, config), search.splits)
            save_evaluation(RunFolder(path), evaluation)
            scored[str(number)] = evaluation.as_dict()
            search.journal.keep("test", scored)


def _ordered(search: Search, records: Sequence[Record], repeats: Mapping[int, Sequence[float]]) -> list[Configuration]:
    """All configurations: first those that came furthest, of these the best."""
    sign = -1 if search.higher_is_better else 1
    front = _frontier(records, sign)
    found = [
        Configuration(
            number=record.number,
            settings=record.settings,
            step=record.step,
            value=record.value if record.values else None,
            rungs=record.values,
            repeats=[value for value in repeats.get(record.number, []) if math.isfinite(value)],
            parameters=record.facts.get("parameters"),
            milliseconds=record.facts.get("milliseconds"),
            on_frontier=record.number in front,
            reason=record.facts.get("reason", ""),
        )
        for record in records
    ]
    return sorted(found, key=lambda each: (-each.step, sign * (each.value or 0.0), each.number))


def _frontier(records: Sequence[Record], sign: int) -> set[int]:
    """Numbers of those of which no other is better in one thing, and no worse in the others."""
    costs = {
        record.number: (sign * record.value, record.facts["parameters"], record.facts["milliseconds"])
        for record in records
        if record.state == "done" and "milliseconds" in record.facts
    }
    return {
        number
        for number, own in costs.items()
        if not any(
            other != own and all(theirs <= mine for theirs, mine in zip(other, own, strict=True))
            for other in costs.values()
        )
    }


def verdict(found: Found) -> str:
    """What came of a search, in a sentence."""
    baseline, leader = found.configuration(BASELINE), found.configuration(found.best)
    if baseline.step < found.steps:
        came = f"the configuration as it is came to step {baseline.step:,} of {found.steps:,}"
        return f"{came} in {found.minutes:g} minutes, and no other is known to be better: give more --minutes"
    if found.best == BASELINE:
        return _baseline_wins(found, baseline)
    changes = ", ".join(f"{key} {value}" for key, value in found.changed.items())
    if leader.mean is None or baseline.mean is None:
        ahead = f"{changes} is ahead, {_number(leader.value)} instead of {_number(baseline.value)}, with one seed"
        return f"{ahead}: that may be luck, and there was no time to repeat it; give more --minutes"
    seeds = len(leader.repeats)
    gain = f"{leader.mean:.4g} instead of {baseline.mean:.4g}, the mean of {seeds} further seed{'s' * (seeds > 1)}"
    apart = max(leader.repeats) < min(baseline.repeats) or min(leader.repeats) > max(baseline.repeats)
    caution = "" if apart else "; single seeds of both overlap, so the difference may be chance"
    return f"best is {changes}: {gain}{caution}"


def _baseline_wins(found: Found, baseline: Configuration) -> str:
    """Why the configuration as it is, is the best; or that there was no time to tell."""
    sign = -1 if found.higher_is_better else 1
    others = [each for each in found.configurations if each.number != BASELINE and each.value is not None]
    for each in others:
        known = baseline.rungs.get(each.step)
        unended = each.step < found.steps and known is not None and sign * (each.value or 0.0) < sign * known
        if unended and not found.confirmed:
            ahead = f"{each.number} is ahead at step {each.step:,}, {_number(each.value)} instead of {_number(known)}"
            return f"{ahead}, but there was no time to train it to its end: give more --minutes"
    how = "by the mean of further seeds" if found.confirmed else f"none of the {len(others)} others is better"
    return f"the configuration as it is wins: {how}; keep it, or give more --minutes"


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.4g}"
