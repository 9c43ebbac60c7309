"""Labelled videos from built-in films, folders, CSV files, data sets and Python, split and decoded once."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.item_splits import ItemSplits
from rnnapps.data.part_names import PARTS, parts_of
from rnnapps.data.sources import is_tfds, tfds_builder
from rnnapps.errors import DataError
from rnnapps.tasks.video_recognition.data.builtin import builtin_videos
from rnnapps.tasks.video_recognition.data.clip import Clip
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.films import Film, Pictures, decoded_films, resampled
from rnnapps.tasks.video_recognition.data.frame_cache import FrameCache, digest_of, read_rows
from rnnapps.tasks.video_recognition.data.listed import Listed
from rnnapps.tasks.video_recognition.data.request import Request
from rnnapps.tasks.video_recognition.data.sources import BUILTIN, dealt, list_given, list_videos
from rnnapps.types import Array

__all__ = ["Video", "VideoSplits", "read_video_splits"]

WORTH_SAYING = 100
"""From so many videos on, decoding takes long enough to be told of."""


@dataclass(frozen=True)
class Video:
    """One labelled video, decoded.

    Attributes:
        name: its path as the source has it, or the number of its row.
        label: its class.
        frames: file of the decoded frames, see `FrameCache`.
        length: number of frames.
        restore: decodes the frames again, should another process have removed them; None where that cannot be.
    """

    name: str
    label: str
    frames: Path
    length: int
    restore: Callable[[], object] | None = field(default=None, compare=False, repr=False)

    def content(self) -> dict[str, str]:
        """Name, class and the key of the frames, which is a digest of them."""
        return {"video": self.name, "label": self.label, "frames": self.frames.stem}

    def rows(self, rows: Array | None = None) -> Array:
        """Some frames, or all, uint8 `(frames, size, size, channels)`.

        Raises:
            DataError: they have been removed from the cache and cannot be decoded again.
        """
        rows = np.arange(self.length) if rows is None else rows
        try:
            return read_rows(self.frames, rows)
        except DataError:
            if self.restore is None:
                raise
        self.restore()
        return read_rows(self.frames, rows)


VideoSplits = ItemSplits[Video]


def read_video_splits(config: VideoDataConfig, given: object = None) -> VideoSplits:
    """Lists, splits and decodes a source; what is in the cache is not decoded again.

    Args:
        config: the source, and how it is split.
        given: labelled videos from Python instead of the source, see `list_given`.

    Raises:
        DataError: the source is missing or has a single class, a file is damaged, a part has no video, or a class of
            the validation or test videos has none to learn from.
    """
    cache = FrameCache(config.cache_megabytes)
    good = GoodExamples(config.source, config, noun="videos", many=given is None)
    own: Mapping[str, Sequence[Video | Listed]]
    if given is None and is_tfds(config.source):
        own = found = _tfds_videos(config, cache)
        parts = dealt(found, config)
    else:
        own = rows = _listed(config, good) if given is None else list_given(given, config)
        parts = {name: _decoded(part, config, cache, good) for name, part in dealt(rows, config).items()}
    if config.test is not None:
        parts["test"] = _decoded(list_videos(config.test, config, good)["train"], config, cache, good)
    skipped = good.finish()
    _require_classes(config, parts)
    elsewhere = {"test"} if config.test is not None else set()
    lacking = tuple(name for name in PARTS if not own.get(name) and name not in elsewhere)
    called = "stick figures (synthetic)" if config.source == BUILTIN else config.source
    return ItemSplits(
        **{name: tuple(part) for name, part in parts.items()}, source=called, skipped=skipped, dealt=lacking
    )


def _listed(config: VideoDataConfig, good: GoodExamples) -> dict[str, list[Listed]]:
    """The videos of the source by part."""
    return list_videos(str(builtin_videos()) if config.source == BUILTIN else config.source, config, good)


def _decoded(listed: Sequence[Listed], config: VideoDataConfig, cache: FrameCache, good: GoodExamples) -> list[Video]:
    """The videos with their frames, decoding those that the cache does not hold."""
    keyed = [(video, key) for video, key in good.read(partial(_keyed, video, config) for video in listed)]
    damaged = _fill_cache({key: video.film for video, key in reversed(keyed)}, config, cache)
    videos = []
    for video, key in keyed:
        if key in damaged:
            good.count -= 1  # it could be opened, but not decoded
            good.leave_out(damaged[key])
            continue
        restore = _restorer(video.film, config, cache)
        videos.append(replace(_video(video.name, video.label, key, cache), restore=restore))
    return videos


def _keyed(video: Listed, config: VideoDataConfig) -> tuple[Listed, str]:
    """A video and the name of its frames."""
    return video, _key(video.film, config)


def _fill_cache(films: Mapping[str, Film], config: VideoDataConfig, cache: FrameCache) -> dict[str, DataError]:
    """Decodes those videos that the cache does not hold; the errors of those that cannot be, by key."""
    missing = {key: film for key, film in films.items() if cache.find(key) is None}
    if len(missing) >= WORTH_SAYING:
        print(f"decoding {len(missing):,} videos, which is done once", file=sys.stderr)
    damaged: dict[str, DataError] = {}
    with contextlib.closing(decoded_films(list(missing.values()), config)) as decoded:
        for key, (_, frames) in zip(missing, decoded, strict=True):
            try:
                content = frames()
            except DataError as error:
                damaged[key] = error
                continue
            cache.add(key, content)
    return damaged


def _restorer(film: Film, config: VideoDataConfig, cache: FrameCache) -> Callable[[], object] | None:
    """What puts the frames of a file into the cache again; pictures in memory are not kept for that."""
    if isinstance(film, Pictures):
        return None

    def restore() -> None:
        with contextlib.closing(decoded_films([film], config)) as decoded:
            _, frames = next(decoded)
            cache.add(_key(film, config), frames())

    return restore


def _video(name: str, label: str, key: str, cache: FrameCache) -> Video:
    """A video whose frames are in the cache."""
    path = cache.find(key)
    if path is None:
        raise DataError(cache.folder, "decoded frames were removed while they were made", "start again")
    return Video(name, label, path, len(np.load(path, mmap_mode="r", allow_pickle=False)))


def _key(film: Film, config: VideoDataConfig) -> str:
    """The name of the frames made from some content."""
    if isinstance(film, Pictures):
        return digest_of(film.frames, (Request.of("", config), film.rate))
    if isinstance(film, Clip):
        return digest_of(film.path, (Request.of("", config), film.start, film.end))
    return digest_of(film, (Request.of("", config), config.source_rate if film.is_dir() else None))


def _tfds_videos(config: VideoDataConfig, cache: FrameCache) -> dict[str, list[Video]]:
    """The videos of a data set by the names of its splits."""
    import tensorflow_datasets as tfds

    builder = tfds_builder(config.source)
    features = builder.info.features
    if not {"video", "label"} <= set(features):
        problem = f"lacks the features video and label; its features are {', '.join(features)}"
        raise DataError(config.source, problem, "use a data set of labelled videos, such as tfds:ucf101")
    parts: dict[str, list[Video]] = {}
    for part, (split,) in parts_of(builder.info.splits, config.source).items():
        rows = builder.as_dataset(split=split, read_config=tfds.ReadConfig(interleave_cycle_length=1))
        parts[part] = [
            _tfds_video(
                f"{split}/{number}",
                row["video"],
                features["label"].int2str(int(row["label"])),
                config=config,
                cache=cache,
            )
            for number, row in enumerate(rows.as_numpy_iterator())
        ]
    return parts


def _tfds_video(name: str, frames: Array, label: str, *, config: VideoDataConfig, cache: FrameCache) -> Video:
    """A video given as frames uint8 `(frames, height, width, 3)`, brought to the working size unless that is done."""
    pictures = Pictures(frames, config.source_rate, f"{config.source} {name}")
    key = _key(pictures, config)
    if cache.find(key) is None:
        cache.add(key, resampled(pictures, config))
    return _video(name, label, key, cache)


def _require_classes(config: VideoDataConfig, parts: dict[str, list[Video]]) -> None:
    """Raises DataError, unless each part has videos, of classes that the training videos show, two or more."""
    known = {video.label for video in parts["train"]}
    if len(known) < 2:
        least = f"only the class {min(known)}" if known else "no video"
        raise DataError(config.source, f"has {least} to learn from", "give videos of two classes or more")
    for name, part in parts.items():
        if not part:
            raise DataError(config.source, f"has no video for the {name} split", "give more videos")
        for video in (video for video in part if video.label not in known):
            problem = f"is of the class {video.label}, of which there is no training video"
            raise DataError(video.name, problem, f"leave it out of the {name} videos, or give some to learn from")
