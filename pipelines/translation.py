"""Translation: learns to turn sentences of one kind into sentences of another.

python -m pipelines.translation train --data.source pairs.tsv --run runs/translation/pairs
python -m pipelines.translation predict --run runs/translation/pairs --sentence "Guten Tag!"
"""

from __future__ import annotations

import sys

from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.translation.pipeline import PIPELINE

__all__ = ["PIPELINE"]

if __name__ == "__main__":
    sys.exit(main(PIPELINE))
