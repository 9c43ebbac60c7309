"""Anomaly detection: learns what is normal in sensors or transactions, and flags what is not.

python -m pipelines.anomaly_detection train --data.source machine.csv --run runs/anomaly_detection/machine
python -m pipelines.anomaly_detection predict --run runs/anomaly_detection/machine --input new.csv
"""

from __future__ import annotations

import sys

from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE

__all__ = ["PIPELINE"]

if __name__ == "__main__":
    sys.exit(main(PIPELINE))
