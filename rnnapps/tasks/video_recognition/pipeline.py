"""Video activity recognition: learns to tell what happens in a video.

rnnapps video_recognition train --data.source clips/ --run runs/video_recognition/clips
rnnapps video_recognition predict --run runs/video_recognition/clips --video new.mp4
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnapps.config import ExportConfig, TrainingConfig, require, require_seed
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.model_config import VideoModelConfig

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.video_recognition.data.video import VideoSplits
    from rnnapps.tasks.video_recognition.video_format import VideoFormat

__all__ = ["PIPELINE", "Config", "PredictOptions", "VideoRecognition"]


@dataclass(frozen=True)
class Config:
    """A video model.

    Attributes:
        data: where the videos come from, and what becomes of them.
        model: the network.
        training: how it is trained.
        export: what an export contains.
        seed: number that decides everything random.
    """

    data: VideoDataConfig = field(default_factory=VideoDataConfig)
    model: VideoModelConfig = field(default_factory=VideoModelConfig)
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            steps=600,
            evaluate_every=100,
            batch_size=16,
            carry_state=False,
            learning_rate=0.002,
            warmup_steps=20,
            optimizer="adamw",
            weight_decay=0.01,
            compile="graph",
        )
    )
    export: ExportConfig = field(default_factory=ExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)


@dataclass(frozen=True)
class PredictOptions:
    """What to look at.

    Attributes:
        video: a video file, or (predict) a folder of them.
        camera: stream: a camera instead: /dev/video0, or one that FFmpeg knows by kind and name, such as
            avfoundation:0; lavfi:testsrc,realtime is a test picture.
        top: classes to tell of, the likeliest first.
        restart_seconds: stream: forget everything after so many seconds, for videos in which one activity follows
            another; 0 never does.
        seconds: stream: stop after so many seconds of a camera; 0 never does.
    """

    video: str = ""
    camera: str = ""
    top: int = 3
    restart_seconds: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Checks the values."""
        require("top", self.top, "from 1 to 1,000", 1 <= self.top <= 1000)
        for name in ("restart_seconds", "seconds"):
            require(name, getattr(self, name), "from 0 to 1,000,000", 0 <= getattr(self, name) <= 1e6)
        if bool(self.video) == bool(self.camera):
            raise ConfigError("name a video with --video, or (stream) a camera with --camera")


class VideoRecognition(Pipeline[Config, "VideoSplits", "VideoFormat"]):
    """A video in, the likeliest classes out."""

    name: ClassVar[str] = "video_recognition"
    summary: ClassVar[str] = "Tells what happens in a video: one of the classes it was trained on."
    config_class = Config
    predict_class = PredictOptions
    intended_use: ClassVar[str] = "Telling apart activities in short videos of the kind the model was trained on."
    limitations: ClassVar[tuple[str, ...]] = (
        "It always answers with one of its classes, also for videos that show none of them.",
        "It expects one activity in a video, by one person, seen as in the training videos.",
        "It may do worse for people, places and cameras unlike those of its training videos.",
    )
    higher_is_better: ClassVar[frozenset[str]] = frozenset(
        f"{split}{name}" for split in ("", "validation_") for name in ("accuracy", "top_5_accuracy", "mean_recall")
    )
    run_frees: ClassVar[frozenset[str]] = frozenset({"data.test", "data.cache_megabytes"})

    def examples(self, config: Config) -> VideoSplits:
        """Reads the videos, splits them, and decodes what is not in the cache."""
        from rnnapps.tasks.video_recognition.data.video import read_video_splits

        return read_video_splits(config.data)

    def fit_preprocessor(self, config: Config, splits: VideoSplits) -> VideoFormat:
        """Rate and size of the frames, and the classes of the training videos."""
        from rnnapps.tasks.video_recognition.video_format import VideoFormat

        return VideoFormat.of(config.data, (video.label for video in splits.train))

    def load_preprocessor(self, folder: Path) -> VideoFormat:
        """The frames and classes a run or an export was made with."""
        from rnnapps.tasks.video_recognition.video_format import VideoFormat

        return VideoFormat.load(folder)

    def grow_preprocessor(self, config: Config, preprocessor: VideoFormat, splits: VideoSplits) -> VideoFormat:
        """The same frames; of the known classes those that are shown (or all), and the new ones behind them."""
        grown = preprocessor.grow(config.data, (video.label for video in splits.train))
        dropped = [label for label in preprocessor.labels if label not in grown.labels]
        if dropped:
            remedy = "--data.known_classes keep keeps them"
            print(f"no new video shows {', '.join(dropped)}: dropped; {remedy}", file=sys.stderr)
        return grown

    def vocabulary_changes(self, network: keras.Model, old: VideoFormat, new: VideoFormat) -> list[VocabularyChange]:
        """Classes keep their weights by name."""
        from rnnapps.contract.vocabulary import VocabularyChange
        from rnnapps.tasks.video_recognition.model import vocabulary_axes

        return [VocabularyChange(old.labels, new.labels, vocabulary_axes())]

    def build_model(self, config: Config, preprocessor: VideoFormat) -> keras.Model:
        """Frame encoder, recurrent stack, attention over time, softmax."""
        from rnnapps.tasks.video_recognition.model import build_network

        return build_network(config.model, preprocessor)

    def objective(self, fitted: Fitted[Config, VideoFormat], splits: VideoSplits) -> Objective:
        """Mean nats per clip."""
        from rnnapps.tasks.video_recognition.objective import video_objective

        if fitted.config.training.carry_state:
            raise ConfigError("training.carry_state must be false: each clip is a sequence of its own")
        return video_objective(
            fitted.network,
            fitted.preprocessor,
            splits,
            data=fitted.config.data,
            training=fitted.config.training,
            label_smoothing=fitted.config.model.label_smoothing,
            seed=fitted.config.seed,
        )

    def evaluate(self, fitted: Fitted[Config, VideoFormat], splits: VideoSplits) -> Evaluation:
        """Accuracy on test videos beside classifiers of single frames and of mean frames."""
        from rnnapps.tasks.video_recognition.evaluation import evaluate_video

        return evaluate_video(
            fitted.network,
            fitted.preprocessor,
            splits,
            data=fitted.config.data,
            model=fitted.config.model,
            seed=fitted.config.seed,
        )

    def endpoints(self, fitted: Fitted[Config, VideoFormat]) -> dict[str, Endpoint]:
        """`serving_default` takes encoded frames, `animation` GIFs, `tensors` arrays, `step` one frame and states."""
        from rnnapps.tasks.video_recognition.endpoints import video_endpoints

        return video_endpoints(fitted.network, fitted.preprocessor)

    def predict(self, fitted: Fitted[Config, VideoFormat], options: PredictOptions) -> list[Any]:
        """The likeliest classes of each video."""
        from rnnapps.tasks.video_recognition.prediction import recognise

        if options.camera:
            raise ConfigError("predict takes --video; a camera is for stream")
        return recognise(fitted.network, fitted.preprocessor, options.video, top=options.top)

    def stream(self, fitted: Fitted[Config, VideoFormat], options: PredictOptions) -> Iterator[str]:
        """A line of JSON for each moment at which another class becomes the likeliest."""
        from rnnapps.tasks.video_recognition.data.video import read_frames
        from rnnapps.tasks.video_recognition.streaming import camera_frames, change_lines, require_causal

        require_causal(fitted.network)
        frames: Any
        if options.camera:
            count = math.ceil(options.seconds * fitted.preprocessor.frames_per_second) or None
            frames = itertools.islice(camera_frames(options.camera, fitted.preprocessor), count)
        else:
            frames = read_frames(options.video, fitted.preprocessor.data_config)
        yield from change_lines(fitted.network, fitted.preprocessor, frames, restart_seconds=options.restart_seconds)

    def report_sections(
        self, fitted: Fitted[Config, VideoFormat], splits: VideoSplits, samples: Sequence[str]
    ) -> Sequence[Section]:
        """Validation videos with answers, their confusion, and answers over time."""
        from rnnapps.tasks.video_recognition.report import video_sections

        return video_sections(fitted.network, fitted.preprocessor, splits.validation)


PIPELINE = VideoRecognition()
