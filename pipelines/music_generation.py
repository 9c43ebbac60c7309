"""Music generation: learns to continue pieces, as a piano roll or note by note.

python -m pipelines.music_generation train --data.source pieces/ --run runs/music_generation/pieces
python -m pipelines.music_generation predict --run runs/music_generation/pieces --primer start.mid --bars 8
"""

from __future__ import annotations

import sys

from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.music_generation.pipeline import PIPELINE

__all__ = ["PIPELINE"]

if __name__ == "__main__":
    sys.exit(main(PIPELINE))
