"""Speech recognition: learns to write down what is said in recordings.

python -m pipelines.speech_recognition train --data.source recordings.csv --run runs/speech_recognition/mine
python -m pipelines.speech_recognition predict --run runs/speech_recognition/mine --file meeting.wav
"""

from __future__ import annotations

import sys

from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.speech_recognition.pipeline import PIPELINE

__all__ = ["PIPELINE"]

if __name__ == "__main__":
    sys.exit(main(PIPELINE))
