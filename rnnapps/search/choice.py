"""Which configuration is the best: by validation data, and by seeds that the search has not seen."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rnnapps.search.budget import SEEDS, STRONGEST
from rnnapps.search.halving import BASELINE, Record, best_first

__all__ = ["best", "finalists", "repeat_name", "repeated"]


def finalists(records: Sequence[Record], *, higher_is_better: bool) -> list[int]:
    """The numbers of the best configurations, the best first: those that came furthest, and of these the best.

    One that is no better than the configuration as it is at the same step is left out.
    """
    found: list[int] = []
    baseline = records[BASELINE].values
    for step in sorted({record.step for record in records if record.step}, reverse=True):
        arrived = [record for record in records if record.step == step and record.state != "failed"]
        for record in best_first(arrived, step, higher_is_better):
            known = baseline.get(step, math.nan)
            better = record.value > known if higher_is_better else record.value < known
            if record.number != BASELINE and better:
                found.append(record.number)
    return found[:STRONGEST]


def repeat_name(number: int, seed: int) -> str:
    """Under which name the validation of a repetition is kept."""
    return f"repeat/{number}/{seed}"


def repeated(facts: Mapping[str, Any], numbers: Sequence[int], seed: int) -> dict[int, list[float]]:
    """Number -> its validation with each further seed; only seeds that all of them have been trained with.

    Args:
        facts: about the search.
        numbers: the configurations.
        seed: of the search; the further ones are those behind it.
    """
    rounds: list[list[Any]] = [
        [facts.get(repeat_name(number, seed + more)) for number in numbers] for more in range(1, SEEDS + 1)
    ]
    whole = [[float(value) for value in values] for values in rounds if None not in values]
    return {number: [values[place] for values in whole] for place, number in enumerate(numbers)}


def best(records: Sequence[Record], repeats: Mapping[int, Sequence[float]], *, higher_is_better: bool) -> int:
    """The number of the best configuration: by the mean over the further seeds; without those by what was reached.

    Args:
        records: all configurations.
        repeats: as `repeated` returns it, the baseline among them.
        higher_is_better: of the metric.
    """
    values = {number: statistics.fmean(found) for number, found in repeats.items() if found}
    if not values:
        last = max((record.step for record in records), default=0)
        values = {number: records[number].value for number in repeats if records[number].step == last}
    sign = -1 if higher_is_better else 1
    return min(values, key=lambda number: (sign * values[number], number), default=BASELINE)
