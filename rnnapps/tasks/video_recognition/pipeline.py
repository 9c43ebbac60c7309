"""Video activity recognition: learns to tell what happens in a video.

rnnapps video_recognition train --data.source clips/ --run runs/video_recognition/clips
rnnapps video_recognition predict --run runs/video_recognition/clips --video new.mp4
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnapps.config import TrainingConfig, require, require_seed
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.given import given_file
from rnnapps.data.given_rows import given_inputs, has_rate
from rnnapps.errors import ConfigError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.export_config import VideoExportConfig
from rnnapps.tasks.video_recognition.model_config import VideoModelConfig

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.bad_examples import BadExample
    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.video_recognition.data.video import VideoSplits
    from rnnapps.tasks.video_recognition.prediction import Recognition
    from rnnapps.tasks.video_recognition.streaming import Change
    from rnnapps.tasks.video_recognition.video_format import VideoFormat
    from rnnapps.types import Array

__all__ = ["PIPELINE", "Config", "PredictOptions", "VideoRecognition"]

ONE_INPUT = "name a video with --video, or (stream) a camera with --camera"


@dataclass(frozen=True)
class Config:
    """A video model.

    Attributes:
        data: where the videos come from, and what becomes of them.
        model: the network.
        training: how it is trained.
        export: what an export contains, and what it lets a row cost.
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
    export: VideoExportConfig = field(default_factory=VideoExportConfig)
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
        if self.video and self.camera:
            raise ConfigError(ONE_INPUT)
        if self.seconds and not self.camera:
            raise ConfigError("seconds stops a camera, and there is none; leave it out: videos end by themselves")


class VideoRecognition(Pipeline[Config, "VideoSplits", "VideoFormat"]):
    """A video in, the likeliest classes out."""

    name: ClassVar[str] = "video_recognition"
    summary: ClassVar[str] = "Tells what happens in a video: one of the classes it was trained on."
    config_class = Config
    predict_class = PredictOptions
    training_lacks: ClassVar[Mapping[str, str]] = {"window_steps": "the length of clips is data.clip_seconds"}
    intended_use: ClassVar[str] = "Telling apart activities in short videos of the kind the model was trained on."
    predict_only: ClassVar[frozenset[str]] = frozenset({"top"})
    stream_only: ClassVar[frozenset[str]] = frozenset({"camera", "restart_seconds", "seconds"})
    stream_frees: ClassVar[frozenset[str]] = frozenset({"seconds"})
    limitations: ClassVar[tuple[str, ...]] = (
        "It always answers with one of its classes, also for videos that show none of them.",
        "It expects one activity in a video, by one person, seen as in the training videos.",
        "It may do worse for people, places and cameras unlike those of its training videos.",
    )
    higher_is_better: ClassVar[frozenset[str]] = frozenset(
        f"{split}{name}" for split in ("", "validation_") for name in ("accuracy", "top_5_accuracy", "mean_recall")
    )
    run_frees: ClassVar[frozenset[str]] = frozenset({"data.test", "data.cache_megabytes"})

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task."""
        from rnnapps.tasks.video_recognition.recognise import recognise

        return recognise(source)

    def examples(self, config: Config, given: object = None) -> VideoSplits:
        """Reads the videos, splits them, and decodes what is not in the cache.

        From Python: (video, label) or (video, label, name) for each, in a list or a frame; videos as in `predict`. The
        name is what `data.groups` looks at.
        """
        from rnnapps.tasks.video_recognition.data.video import read_video_splits

        return read_video_splits(config.data, given)

    def look(self, config: Config, given: Any = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.video_recognition.data_report import look_at_videos

        return look_at_videos(config.data, given)

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

    def join(self, fitted: Sequence[Fitted[Config, VideoFormat]]) -> keras.Model:
        """The mean of the members' probabilities."""
        from rnnapps.layers.side_by_side import mean_of_probabilities, require_equal, side_by_side

        require_equal([own.config.model for own in fitted], ("bidirectional",))
        return side_by_side([own.network for own in fitted], {"logits": mean_of_probabilities})

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

        return video_endpoints(fitted.network, fitted.preprocessor, fitted.config.export)

    def is_one_input(self, given: object) -> bool:
        """A pair of frames and their rate is one video."""
        return has_rate(given) or super().is_one_input(given)

    def predict(
        self, fitted: Fitted[Config, VideoFormat], options: PredictOptions, given: Any = None
    ) -> Iterable[Recognition | BadExample]:
        """The likeliest classes of each video.

        From Python: files, frames uint8 `(frames, height, width, 3)` of the rate `data.source_rate`, or pairs of frames
        and their rate.
        """
        from rnnapps.tasks.video_recognition.data.films import Film, given_film
        from rnnapps.tasks.video_recognition.prediction import films_of, recognise

        _require_one_input(options, given)
        films: Sequence[Film] = films_of(options.video) if given is None else []
        if given is not None:
            inputs, rate = given_inputs(given, one=self.is_one_input(given)), fitted.config.data.source_rate
            films = [given_film(film, place, rate) for place, film in inputs]
        many = given is None and (len(films) > 1 or Path(options.video).is_dir())
        return recognise(fitted.network, fitted.preprocessor, films, top=options.top, many=many)

    def stream(
        self, fitted: Fitted[Config, VideoFormat], options: PredictOptions, given: Any = None
    ) -> Iterator[Change]:
        """The moments at which another class becomes the likeliest; from Python also of any iterable of frames."""
        return self._changes(fitted, options, StreamMemory(), given)

    def continue_stream(
        self, fitted: Fitted[Config, VideoFormat], options: PredictOptions, memory: StreamMemory, given: Any = None
    ) -> Iterator[Change]:
        """The same of what a camera sees next; a file is watched again, without what was given out before."""
        file = given_file(given, options.video)
        return memory.going_on(lambda own: self._changes(fitted, options, own, given), of=file)

    def _changes(
        self, fitted: Fitted[Config, VideoFormat], options: PredictOptions, memory: StreamMemory, given: Any
    ) -> Iterator[Change]:
        """The changes of whatever is to be watched."""
        from rnnapps.tasks.video_recognition.streaming import camera_frames, changes, given_frames, require_causal

        _require_one_input(options, given)
        require_causal(fitted.network)
        seen = fitted.preprocessor
        if options.camera:
            count = math.ceil(options.seconds * seen.frames_per_second) or None
            frames: Iterator[Array] = itertools.islice(camera_frames(options.camera, seen, memory), count)
        else:
            frames = given_frames(options.video if given is None else given, seen, fitted.config.data.source_rate)
        restart = options.restart_seconds
        yield from changes(fitted.network, seen, frames, restart_seconds=restart, memory=memory)

    def report_sections(
        self, fitted: Fitted[Config, VideoFormat], splits: VideoSplits, samples: Sequence[str]
    ) -> Sequence[Section]:
        """Validation videos with answers, their confusion, and answers over time."""
        from rnnapps.tasks.video_recognition.report import video_sections

        return video_sections(fitted.network, fitted.preprocessor, splits.validation)


def _require_one_input(options: PredictOptions, given: object) -> None:
    """Raises ConfigError, unless there is one of video, camera and input from Python."""
    if given is not None and (options.video or options.camera):
        raise ConfigError("the input is given twice: as an argument, and as video or camera")
    if given is None and not options.video and not options.camera:
        raise ConfigError(ONE_INPUT)


PIPELINE = VideoRecognition()
