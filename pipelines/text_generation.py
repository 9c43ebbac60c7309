"""Text generation: learns to continue text, character by character.

python -m pipelines.text_generation train --data.source book.txt --run runs/text_generation/book
python -m pipelines.text_generation predict --run runs/text_generation/book --prompt "It was"
"""

from __future__ import annotations

import sys

from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.text_generation.pipeline import PIPELINE

__all__ = ["PIPELINE"]

if __name__ == "__main__":
    sys.exit(main(PIPELINE))
