"""How a video model sees the world: classes, rate and size of frames; and encoded frames to it with TensorFlow core."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path

import tensorflow as tf

from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.preprocessing.storage import read_json, write_json
from rnnapps.tasks.video_recognition.data.config import Colour, Crop, VideoDataConfig
from rnnapps.tasks.video_recognition.working_frames import BLACK, GREY_SHARES, SUBJECT_MIDDLE, SUBJECT_SIDE
from rnnapps.types import Tensor

__all__ = ["FRAMES_AT_ONCE", "VideoFormat"]

FILE_NAME = "video.json"
FRAMES_AT_ONCE = 4
"""Pictures that are decoded side by side: each may take a hundred bytes a pixel while it is made smaller."""

FRAME_SETTINGS = ("frames_per_second", "clip_seconds", "size", "colour", "crop", "longest_seconds")


@dataclasses.dataclass(frozen=True)
class VideoFormat:
    """Classes of a model, and the frames it reads.

    Attributes:
        labels: names of the classes; the place is the number.
        frames_per_second: rate of the frames.
        clip_seconds: length of the clips it was trained on.
        size: height and width of the frames, in pixels.
        colour: grey or rgb.
        crop: which part of a frame is read, see `VideoDataConfig`.
        longest_seconds: longest video that is read.
        trained: whether it was read from a run or an export, whose weights then are there too.
    """

    labels: tuple[str, ...]
    frames_per_second: float = 10.0
    clip_seconds: float = 3.0
    size: int = 64
    colour: Colour = "grey"
    crop: Crop = "centre"
    longest_seconds: float = 120.0
    trained: bool = dataclasses.field(default=False, compare=False)

    @classmethod
    def of(cls, config: VideoDataConfig, labels: Iterable[str]) -> VideoFormat:
        """The format that a configuration asks for, with the labels of the training videos."""
        return cls(tuple(sorted(set(labels))), **{name: getattr(config, name) for name in FRAME_SETTINGS})

    @property
    def data_config(self) -> VideoDataConfig:
        """A configuration that asks for this format."""
        return VideoDataConfig(**{name: getattr(self, name) for name in FRAME_SETTINGS})

    @property
    def clip_frames(self) -> int:
        """Frames of a clip."""
        return self.data_config.clip_frames

    @property
    def channels(self) -> int:
        """Channels of a frame."""
        return self.data_config.channels

    @property
    def frame_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a frame."""
        return self.size, self.size, self.channels

    def grow(self, config: VideoDataConfig, labels: Iterable[str]) -> VideoFormat:
        """This format with further labels behind the known ones.

        Args:
            config: of the new videos; `known_classes` says what becomes of labels that they do not have.
            labels: those of the new videos.

        Raises:
            ConfigError: the configuration asks for other frames.
        """
        wanted = VideoFormat.of(config, labels)
        for name in FRAME_SETTINGS:
            have, want = getattr(self, name), getattr(wanted, name)
            if name != "longest_seconds" and have != want:
                raise ConfigError(f"data.{name} is {want}, but the model knows {have}; give that")
        new = (label for label in wanted.labels if label not in self.labels)
        kept = (label for label in self.labels if config.known_classes == "keep" or label in wanted.labels)
        return dataclasses.replace(self, labels=(*kept, *new))

    def save(self, folder: str | Path) -> None:
        """Writes `video.json`.

        Raises:
            CheckpointError: the folder cannot be written.
        """
        values = {name: getattr(self, name) for name in ("labels", *FRAME_SETTINGS)}
        write_json(Path(folder) / FILE_NAME, values)

    @classmethod
    def load(cls, folder: str | Path) -> VideoFormat:
        """Reads what `save` wrote.

        Raises:
            CheckpointError: the file is missing or broken.
        """
        path = Path(folder) / FILE_NAME
        try:
            values = read_json(path)
            video_format = cls(**{**values, "labels": tuple(values["labels"])}, trained=True)
            _ = video_format.data_config  # checks the values
        except (TypeError, KeyError, ConfigError) as error:
            raise CheckpointError(f"{path}: {error}; restore the file or train again") from None
        return video_format

    def decode(self, frames: Tensor, lengths: Tensor, *, at_once: int = FRAMES_AT_ONCE) -> Tensor:
        """Encoded frames to working frames.

        Args:
            frames: JPEG, PNG or BMP strings `(batch, frames)`, at the model's rate, of any size.
            lengths: int32 `(batch,)`; what lies behind is not looked at.
            at_once: pictures that are worked on side by side, of all rows together.

        Returns:
            uint8 `(batch, frames, size, size, channels)`, zeros behind a row's end.
        """
        boxes, shape = self._first_boxes(frames, lengths, at_once), tf.shape(frames)
        inside = tf.reshape(tf.sequence_mask(lengths, shape[1]), [-1])

        def working(picture: tuple[Tensor, Tensor, Tensor]) -> Tensor:
            content, box, valid = picture
            read = lambda: self._working(_picture(content), box)  # noqa: E731
            return tf.cond(valid, read, lambda: tf.zeros(self.frame_shape, tf.uint8))

        pictures = (tf.reshape(frames, [-1]), tf.repeat(boxes, shape[1], axis=0), inside)
        decoded = tf.map_fn(working, pictures, fn_output_signature=self._frame_spec(), parallel_iterations=at_once)
        return tf.reshape(decoded, [shape[0], shape[1], *self.frame_shape])

    def decode_animations(self, animations: Tensor) -> tuple[Tensor, Tensor]:
        """Animated GIFs, strings `(batch,)`, to (working frames as in `decode`, lengths int32 `(batch,)`)."""
        spec = tf.RaggedTensorSpec((None, *self.frame_shape), tf.uint8, ragged_rank=0)
        decoded = tf.map_fn(self.decode_animation, animations, fn_output_signature=spec)
        return decoded.to_tensor(), tf.cast(decoded.row_lengths(), tf.int32)

    def decode_animation(self, content: Tensor, *, at_once: int = FRAMES_AT_ONCE) -> Tensor:
        """An animated GIF, a string, to working frames uint8 `(frames, size, size, channels)`."""
        pictures = tf.io.decode_gif(content)
        box = self._first_box(lambda: pictures[0], tf.shape(pictures)[0])
        work = lambda picture: self._working(picture, box)  # noqa: E731
        return tf.map_fn(work, pictures, fn_output_signature=self._frame_spec(), parallel_iterations=at_once)

    def _frame_spec(self) -> tf.TensorSpec:
        return tf.TensorSpec(self.frame_shape, tf.uint8)

    def _first_boxes(self, frames: Tensor, lengths: Tensor, at_once: int) -> Tensor:
        """`_first_box` of each row of encoded frames `(batch, frames)`, int32 `(batch, 4)`."""
        if self.crop != "subject":
            return tf.zeros([tf.shape(frames)[0], 4], tf.int32)

        def box(row: tuple[Tensor, Tensor]) -> Tensor:
            return self._first_box(lambda: _picture(row[0][0]), row[1])

        spec = tf.TensorSpec((4,), tf.int32)
        return tf.map_fn(box, (frames, lengths), fn_output_signature=spec, parallel_iterations=at_once)

    def _first_box(self, first: Callable[[], Tensor], length: Tensor) -> Tensor:
        """The part of a row's frames that its first frame decides, int32 `(4,)`; any, where each decides for itself."""
        unknown = tf.zeros(4, tf.int32)
        if self.crop != "subject":
            return unknown
        return tf.cond(length > 0, lambda: _subject_box(first()), lambda: unknown)

    def _working(self, picture: Tensor, box: Tensor) -> Tensor:
        """A picture uint8 `(height, width, 3)` at the working size: the twin of `working_frames.to_working_size`."""
        if self.crop == "centre":
            picture = _centre(picture)
        elif self.crop == "subject":
            picture = _cut(picture, box)
        part = tf.cast(picture, tf.float32)
        if self.colour == "grey":
            # As `tf.tensordot` does, which asks for more sizes: this runs for each picture.
            flat = tf.matmul(tf.reshape(part, [-1, 3]), tf.constant(GREY_SHARES)[:, None])
            part = tf.reshape(flat, tf.concat([tf.shape(part)[:2], [1]], axis=0))
        small = tf.image.resize(part, (self.size, self.size), method="bilinear", antialias=True)
        return tf.ensure_shape(tf.cast(tf.round(tf.clip_by_value(small, 0.0, 255.0)), tf.uint8), self.frame_shape)


def _picture(content: Tensor) -> Tensor:
    """A picture from the bytes of a PNG, JPEG or BMP, uint8 `(height, width, 3)`."""
    picture = tf.io.decode_image(content, channels=3, expand_animations=False)
    return tf.ensure_shape(picture, (None, None, 3))


def _centre_box(height: Tensor, width: Tensor) -> Tensor:
    """The twin of `working_frames.centre_box`."""
    side = tf.minimum(height, width)
    return tf.stack([(height - side) // 2, (width - side) // 2, side, side])


def _centre(picture: Tensor) -> Tensor:
    """The part of a picture that `_centre_box` names, which lies inside."""
    sizes = tf.shape(picture)[:2]
    side = tf.reduce_min(sizes)
    begin = tf.concat([(sizes - side) // 2, [0]], axis=0)
    return tf.ensure_shape(tf.strided_slice(picture, begin, begin + tf.stack([side, side, 3])), (None, None, 3))


def _subject_box(picture: Tensor) -> Tensor:
    """The twin of `working_frames.subject_box`."""
    shares = tf.constant([round(1000 * share) for share in GREY_SHARES])
    bright = tf.reduce_sum(tf.cast(picture, tf.int32) * shares, axis=-1) > 1000 * BLACK
    rows = tf.where(tf.reduce_any(bright, axis=1))[:, 0]
    columns = tf.cumsum(tf.reduce_sum(tf.cast(bright, tf.int32), axis=0))

    def around() -> Tensor:
        top = tf.cast(rows[0], tf.int32)
        height = tf.cast(rows[-1], tf.int32) - top + 1
        middle = tf.searchsorted(columns, [(columns[-1] + 1) // 2])[0]
        side = tf.maximum(8, height * SUBJECT_SIDE // 100)
        return tf.stack([top + height * SUBJECT_MIDDLE // 100 - side // 2, middle - side // 2, side, side])

    return tf.cond(tf.size(rows) > 0, around, lambda: _centre_box(tf.shape(picture)[0], tf.shape(picture)[1]))


def _cut(picture: Tensor, box: Tensor) -> Tensor:
    """A part of a picture, black where it lies outside."""
    top, left, height, width = tf.unstack(box)
    first = tf.maximum([top, left], 0)
    last = tf.maximum([top + height, left + width], 0)
    inside = picture[first[0] : last[0], first[1] : last[1]]
    before = tf.maximum([-top, -left], 0)
    after = tf.stack([height, width]) - before - tf.shape(inside)[:2]
    return tf.pad(inside, tf.concat([tf.stack([before, after], axis=1), [[0, 0]]], axis=0))
