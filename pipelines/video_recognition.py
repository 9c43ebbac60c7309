"""Video activity recognition: learns to tell what happens in a video.

python -m pipelines.video_recognition train --data.source clips/ --run runs/video_recognition/clips
python -m pipelines.video_recognition predict --run runs/video_recognition/clips --video new.mp4
"""

from __future__ import annotations

import sys

from rnnapps.cli.pipeline_cli import main
from rnnapps.tasks.video_recognition.pipeline import PIPELINE

__all__ = ["PIPELINE"]

if __name__ == "__main__":
    sys.exit(main(PIPELINE))
