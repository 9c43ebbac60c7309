"""A budget of alarms beside a fixed threshold, over 90 days of a simulated machine that wears (synthetic).

python -m benchmarks.alarm_budget runs/anomaly_detection/demo --budget 2

The machine is the built-in one, a row a minute. Its vibration, temperature, pressure and flow become noisier from day
to day, and it has a fault every third day. Alarms are counted by the day, and faults found, where a flagged event
overlaps.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys

import numpy as np

import rnnapps
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.tasks.anomaly_detection.data.machine import FAULTS, SENSORS, Fault, inject, simulate
from rnnapps.tasks.anomaly_detection.evaluate import judge_parts, judged_part
from rnnapps.tasks.anomaly_detection.judge import Judged
from rnnapps.tasks.anomaly_detection.metrics import count_events
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
from rnnapps.tasks.anomaly_detection.streams import DetectorStream
from rnnapps.types import Array

__all__ = ["main", "worn_machine"]

DAY_ROWS = 1440
WORN = ("temperature", "vibration", "pressure", "flow")
FAULT_ROWS = 60


def worn_machine(days: int, *, wear: float, seed: int) -> tuple[Array, list[Fault]]:
    """Rows `(rows, 8)` of a machine that wears, and its faults, one every third day.

    Args:
        days: how long it is watched.
        wear: noise at the end, in standard deviations of each sensor that wears.
        seed: of everything random.
    """
    generator = np.random.default_rng(seed)
    values = simulate(days * DAY_ROWS, generator)
    for column in map(SENSORS.index, WORN):
        noise = generator.normal(size=len(values)) * values[:, column].std()
        values[:, column] += wear * np.linspace(0, 1, len(values)) * noise
    faults = []
    for day in range(1, days, 3):
        first = day * DAY_ROWS + int(generator.integers(DAY_ROWS - FAULT_ROWS))
        kind, sensor = str(generator.choice(FAULTS[:2])), str(generator.choice(SENSORS[1:7]))
        faults.append(Fault(kind, sensor, first, first if kind == "spike" else first + FAULT_ROWS - 1))
        inject(values, faults[-1], generator)
    return values, faults


def _figures(judged: Judged, faults: list[Fault]) -> str:
    """Alarms a day in each third of the time and on the worst day, and how many faults were found."""
    days = len(judged.scores) // DAY_ROWS
    counts = np.bincount([first // DAY_ROWS for first, _ in judged.events], minlength=days)
    thirds = " | ".join(f"{third.mean():.2f}" for third in np.array_split(counts, 3))
    found = count_events([(fault.first, fault.last) for fault in faults], judged.events)
    flagged = judged.flags().mean()
    return (
        f"{thirds} | {counts.mean():.2f} | {counts.max()} | {flagged:.1%} | "
        f"{found.true_positives} of {len(faults)} | {found.false_positives}"
    )


def main() -> int:
    """Prints a row of a table for a fixed threshold, and one for each budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run of anomaly_detection that was trained on the built-in machine")
    parser.add_argument("--budget", type=float, nargs="+", default=[2.0], help="alarms a day (default: 2)")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--wear", type=float, default=0.2, help="noise at the end, in standard deviations")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = rnnapps.load(options.run)
    values, faults = worn_machine(options.days, wear=options.wear, seed=options.seed)
    stream = DetectorStream(model.network, model.preprocessor)
    name = stream.rows.series[0]
    part = SeriesPart(Series(name, None, values, SENSORS, source="simulated"), 0, len(values))
    (fixed,) = judge_parts(PartRunner(stream), [part], stream.config)
    warmup = stream.config.warmup_steps
    print("| | first third | second | last | all | worst day | rows flagged | faults found | false alarms |")
    print(f"| fixed | {_figures(fixed, faults)} |", flush=True)
    for budget in options.budget:
        config = dataclasses.replace(stream.config, budget_per_day=budget)
        kept = judged_part(part, stream.rows, fixed.scores, threshold=fixed.threshold, config=config, unsettled=warmup)
        print(f"| at most {budget:g} a day | {_figures(kept, faults)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
