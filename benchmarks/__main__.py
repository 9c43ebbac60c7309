"""Runs all speed and memory benchmarks and writes one report.

Examples:
  python -m benchmarks                   to benchmarks/results/<date>.md and .json
  python -m benchmarks --quick           small cases only: does everything work?
  python -m benchmarks --only layers generation --to somewhere/report
"""

from __future__ import annotations

import datetime
from pathlib import Path

from benchmarks import first_fit, generation, layers, linear_scan, matrix_memory, memory
from benchmarks.command import parser, report_all

BENCHMARKS = {
    "layers": layers,
    "first_fit": first_fit,
    "memory": memory,
    "generation": generation,
    "linear_scan": linear_scan,
    "matrix_memory": matrix_memory,
}
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """The command."""
    made = parser(__doc__ or "")
    made.add_argument("--only", nargs="+", choices=tuple(BENCHMARKS), default=tuple(BENCHMARKS))
    for module in BENCHMARKS.values():
        module.add_arguments(made)
    options = made.parse_args()
    options.to = options.to or RESULTS / datetime.date.today().isoformat()
    chosen = [BENCHMARKS[name] for name in options.only]
    families = dict.fromkeys(family for module in chosen for family in module.FAMILIES)
    report_all(list(families), [module.measure for module in chosen], options)


if __name__ == "__main__":
    main()
