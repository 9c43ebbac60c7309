"""Where videos come from, how they are split, sampled and altered while training. Imports nothing heavy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rnnapps.config import require, require_choice, shares_of_given
from rnnapps.data.bad_examples import BadExamplesConfig
from rnnapps.errors import ConfigError

__all__ = ["ANY_LABEL", "Colour", "Crop", "KnownClasses", "VideoDataConfig", "mirror_images"]

Colour = Literal["grey", "rgb"]
Crop = Literal["centre", "stretch", "subject"]
KnownClasses = Literal["drop", "keep"]

ANY_LABEL = "*"
MAXIMUM_FRAMES = 20_000
"""Most frames that are kept of one video, whatever its rate and length."""


@dataclass(frozen=True)
class VideoDataConfig(BadExamplesConfig):
    r"""The videos to learn from, and what becomes of them before the network sees them.

    Folders `train`, `validation` (or `valid`, `val`, `dev`) and `test` below `source`, in any case, are the split, or a
    column `split` of a list; what is missing is taken out of the training videos, whole groups at a time (see
    `groups`).

    Attributes:
        source: `builtin` (synthetic stick figures), a folder with a folder of videos for each class, a list of videos
            (CSV with the columns video, label and perhaps split, start and end, or as Kinetics, Something-Something and
            Jester are listed), a folder with such lists or with those of UCF101 and HMDB51, or `tfds:NAME[/config]`
            with features video and label. A folder of pictures is a video too.
        test: folder or list of the videos that are the test split; None takes what `source` offers.
        validation_fraction: share of the videos held out for validation where `source` has no such split.
        test_fraction: the same for the test.
        groups: regular expression that finds in a video's name what must not be on both sides of a split, such as
            `s\d+` for the person; empty splits video by video, each class by itself.
        fold: which of the splits that UCF101 and HMDB51 are published with.
        frames_per_second: rate at which frames are taken.
        clip_seconds: length of the clips that the network reads while training.
        size: width and height of the frames it reads, in pixels.
        colour: grey or rgb.
        crop: centre (the largest square in the middle), stretch (the whole frame, its sides made equal), or subject (a
            square around what is not black in a video's first frame, for silhouettes and depth).
        longest_seconds: longest video that is read.
        source_rate: frames per second of sources that do not say it: folders of pictures, and TensorFlow Datasets.
        flip: labels whose training clips may be mirrored; `left=right` says that a mirrored left is a right, and
            `*` stands for all other labels.
        shift: training clips are moved by up to this share of the frame's side.
        zoom: they are enlarged or reduced by up to this share, each side a little differently.
        rotate_degrees: they are turned by up to so many degrees.
        brightness: they are made brighter or darker by up to this share.
        time_warp: they are made faster or slower by up to this share, evenly and unevenly.
        cache_megabytes: disk space for decoded frames, kept between runs.
        known_classes: fine-tuning: drop or keep those classes of the source model that none of the new videos shows.

    Raises:
        ConfigError: a value is out of range.
    """

    source: str = "builtin"
    test: str | None = None
    validation_fraction: float = 0.15
    test_fraction: float = 0.15
    groups: str = ""
    fold: int = 1
    frames_per_second: float = 10.0
    clip_seconds: float = 3.0
    size: int = 64
    colour: Colour = "grey"
    crop: Crop = "centre"
    longest_seconds: float = 120.0
    source_rate: float = 25.0
    flip: tuple[str, ...] = ()
    shift: float = 0.1
    zoom: float = 0.15
    rotate_degrees: float = 6.0
    brightness: float = 0.3
    time_warp: float = 0.3
    cache_megabytes: int = 4096
    known_classes: KnownClasses = "drop"

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        require_choice("data.colour", self.colour, Colour)
        require_choice("data.crop", self.crop, Crop)
        require_choice("data.known_classes", self.known_classes, KnownClasses)
        for name, low, high in (
            ("fold", 1, 99),
            ("frames_per_second", 0.5, 120),
            ("source_rate", 0.5, 240),
            ("clip_seconds", 0.1, 600),
            ("longest_seconds", 0.1, 7200),
            ("size", 16, 512),
            ("shift", 0, 0.5),
            ("zoom", 0, 0.5),
            ("rotate_degrees", 0, 180),
            ("brightness", 0, 0.9),
            ("time_warp", 0, 0.9),
            ("cache_megabytes", 1, 10_000_000),
        ):
            value = getattr(self, name)
            require(f"data.{name}", value, f"from {low:g} to {high:,}", low <= value <= high)
        for name in ("validation_fraction", "test_fraction"):
            share = getattr(self, name)
            require(f"data.{name}", share, "above 0 and below 1", 0 < share < 1)
        if self.validation_fraction + self.test_fraction >= 1:
            raise ConfigError("data.validation_fraction and data.test_fraction leave no video to train on; lower them")
        if self.clip_frames < 2:
            raise ConfigError("data.clip_seconds: a clip must have two frames or more; raise it or frames_per_second")
        if self.longest_seconds * self.frames_per_second > MAXIMUM_FRAMES:
            raise ConfigError(f"data.longest_seconds: more than {MAXIMUM_FRAMES:,} frames of one video; lower it")
        try:
            re.compile(self.groups)
        except re.error as error:
            raise ConfigError(f"data.groups: {self.groups!r} is no regular expression: {error}") from None

    def without_effect(self) -> dict[str, str]:
        """Settings that mean nothing beside the others -> why."""
        return shares_of_given(self)

    @property
    def clip_frames(self) -> int:
        """Frames of a clip."""
        return max(1, round(self.clip_seconds * self.frames_per_second))

    @property
    def channels(self) -> int:
        """Channels of a frame."""
        return 1 if self.colour == "grey" else 3


def mirror_images(flip: tuple[str, ...], labels: tuple[str, ...]) -> list[int]:
    """For each label the number of the label that its mirrored clips have; -1 where they must not be mirrored.

    Args:
        flip: as in `VideoDataConfig`.
        labels: all labels; the place is the number.

    Raises:
        ConfigError: a label of `flip` does not exist.
    """
    mirrored = dict.fromkeys(labels, -1)
    if ANY_LABEL in flip:
        mirrored = {label: number for number, label in enumerate(labels)}
    for entry in flip:
        if entry != ANY_LABEL:
            left, _, right = entry.partition("=")
            right = right or left
            for name in (left, right):
                if name not in mirrored:
                    raise ConfigError(f"data.flip: there is no label {name!r}; the labels are {', '.join(labels)}")
            mirrored[left], mirrored[right] = labels.index(right), labels.index(left)
    return [mirrored[label] for label in labels]
