"""Forecasting: learns from the past of series what comes next, with intervals.

python -m pipelines.forecasting train --data.source load.csv --run runs/forecasting/load
python -m pipelines.forecasting predict --run runs/forecasting/load --input recent.csv
"""

from __future__ import annotations

import sys

from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.forecasting.pipeline import PIPELINE

__all__ = ["PIPELINE"]

if __name__ == "__main__":
    sys.exit(main(PIPELINE))
