"""Pictures of strangers to working frames: each row by itself, its headers first, and whatever does not decode is told.

An operation that meets a damaged picture ends the request. Datasets can leave out what raises, so each row is decoded
as an element of one.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnapps.tasks.video_recognition.export_config import VideoExportConfig
from rnnapps.tasks.video_recognition.picture_headers import measure_animations, picture_pixels
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import Tensor

__all__ = ["animation_problems", "decode_animations", "decode_pictures", "most_frames", "picture_problems"]

LARGEST_BYTES = 1 << 23


def picture_problems(limits: VideoExportConfig) -> tuple[str, ...]:
    """What `decode_pictures` may say of a row, by its number; 0 is nothing."""
    return (
        "",
        "a frame is no PNG, JPEG or BMP",
        f"a frame has more than {limits.largest_picture:,} pixels",
        f"the frames have more than {limits.largest_video:,} pixels together",
        "a frame is damaged",
    )


def animation_problems(video_format: VideoFormat, limits: VideoExportConfig) -> tuple[str, ...]:
    """What `decode_animations` may say of a row, by its number; 0 is nothing."""
    return (
        "",
        f"has more than {LARGEST_BYTES:,} bytes",
        "is no GIF",
        f"has more than {most_frames(video_format):,} frames",
        f"has more than {limits.largest_video:,} pixels in all frames",
        "is damaged",
    )


def most_frames(video_format: VideoFormat) -> int:
    """Frames of the longest video that is read."""
    return max(1, round(video_format.longest_seconds * video_format.frames_per_second))


def decode_pictures(
    video_format: VideoFormat, frames: Tensor, lengths: Tensor, limits: VideoExportConfig
) -> tuple[Tensor, Tensor]:
    """Encoded pictures to working frames.

    Args:
        video_format: size and colours of working frames.
        frames: PNG, JPEG or BMP strings `(batch, frames)`.
        lengths: int32 `(batch,)`; what lies behind is not looked at.
        limits: the largest pictures that are decoded.

    Returns:
        uint8 `(batch, frames, size, size, channels)`, zeros behind a row's end and in rows with a problem; and the
        problems, string `(batch,)`.
    """
    shape = tf.shape(frames)
    inside = tf.sequence_mask(lengths, shape[1])
    pixels = tf.reshape(picture_pixels(tf.reshape(tf.where(inside, frames, ""), [-1])), shape)
    rules = (
        tf.reduce_any(inside & tf.equal(pixels, 0), axis=1),
        tf.reduce_any(pixels > limits.largest_picture, axis=1),
        tf.reduce_sum(tf.minimum(pixels, limits.largest_picture), axis=1) > limits.largest_video,
    )
    bad = tf.reduce_any(tf.stack(rules), axis=0)
    # A row with a problem is read as one of no frames.
    rows = (frames, tf.where(bad, 0, lengths))
    spec = tf.TensorSpec((None, *video_format.frame_shape), tf.uint8)
    decoded, done, _ = _each_row(video_format.decode_row, rows, spec)
    wide = tf.pad(decoded, [[0, 0], [0, shape[1] - tf.shape(decoded)[1]], [0, 0], [0, 0], [0, 0]])
    return wide, _said(picture_problems(limits), (*rules, ~done))


def decode_animations(
    video_format: VideoFormat, animations: Tensor, limits: VideoExportConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Animated GIFs, strings `(batch,)`, to working frames as `decode_pictures` gives them, lengths and problems.

    A row with a problem has one black frame.
    """
    most = most_frames(video_format)
    too_large = tf.strings.length(animations) > LARGEST_BYTES
    animations = tf.where(too_large, "", animations)
    found = measure_animations(animations, most_pixels=limits.largest_video, most_frames=most)
    rules = (too_large, ~found.known, found.frames > most, found.pixels > limits.largest_video)
    bad = tf.reduce_any(tf.stack(rules), axis=0)

    def decode(content: Tensor, wrong: Tensor) -> Tensor:
        black = tf.zeros((1, *video_format.frame_shape), tf.uint8)
        return tf.cond(wrong, lambda: black, lambda: video_format.decode_animation(content)[: most + 1])

    spec = tf.RaggedTensorSpec((None, *video_format.frame_shape), tf.uint8, ragged_rank=0)
    decoded, done, lengths = _each_row(decode, (animations, bad), spec)
    too_many = lengths > most
    problems = _said(animation_problems(video_format, limits), (*rules[:2], rules[2] | too_many, rules[3], ~done))
    return decoded[:, :most], tf.clip_by_value(lengths, 1, most), problems


def _each_row(
    decode: Callable[..., Tensor], rows: tuple[Tensor, ...], spec: tf.TypeSpec
) -> tuple[Tensor, Tensor, Tensor]:
    """Decodes rows, each by itself.

    Args:
        decode: maps the parts of a row to its working frames `(frames, size, size, channels)`, or raises.
        rows: the parts of all rows, each `(batch, ...)`.
        spec: of the frames of a row: ragged where rows differ in number.

    Returns:
        Working frames, zeros behind a row's end; whether each row was decoded, bool `(batch,)`; and its frames.
    """
    frame_shape = spec.shape.as_list()[1:]
    shape = (None, None, *frame_shape)

    def together(*parts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decoded = tf.map_fn(lambda row: decode(*row), parts, fn_output_signature=spec)
        if isinstance(decoded, tf.RaggedTensor):
            lengths = tf.cast(decoded.row_lengths(), tf.int32)
            decoded = decoded.to_tensor()
        else:
            lengths = tf.fill(tf.shape(decoded)[:1], tf.shape(decoded)[1])
        return tf.ensure_shape(decoded, shape), tf.ones_like(lengths, tf.bool), lengths

    # All at once is quicker, and mostly goes well: row by row only if it does not.
    none = (tf.zeros((0, 0, *frame_shape), tf.uint8), tf.zeros([0], tf.bool), tf.zeros([0], tf.int32))
    attempt = tf.data.Dataset.from_tensors(rows).map(together).ignore_errors()
    frames, done, lengths = _only(attempt.concatenate(tf.data.Dataset.from_tensors(none)).take(1))
    done, lengths = tf.ensure_shape(done, [None]), tf.ensure_shape(lengths, [None])
    found = tf.cond(
        tf.size(done) > 0,
        lambda: (tf.ensure_shape(frames, shape), done, lengths),
        lambda: _row_after_row(decode, rows, frame_shape),
    )
    return tf.ensure_shape(found[0], shape), found[1], found[2]


def _row_after_row(
    decode: Callable[..., Tensor], rows: tuple[Tensor, ...], frame_shape: list[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """`_each_row` of rows some of which raise."""
    batch = tf.shape(rows[0])[0]

    def element(number: Tensor, *row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        frames = decode(*row)
        return number, frames, tf.shape(frames)[0]

    # One row more, so that there is one if all others raise.
    spare = tf.data.Dataset.from_tensors((batch, tf.zeros((1, *frame_shape), tf.uint8), 0))
    decoded = tf.data.Dataset.from_tensor_slices((tf.range(batch), *rows)).map(element).ignore_errors()
    numbers, frames, lengths = _only(spare.concatenate(decoded).padded_batch(tf.cast(batch + 1, tf.int64)))
    numbers = numbers[:, None]
    shape = tf.concat([[batch + 1], tf.shape(frames)[1:]], axis=0)
    placed = tf.ensure_shape(tf.scatter_nd(numbers, frames, shape)[:batch], (None, None, *frame_shape))
    done = tf.scatter_nd(numbers, tf.ones_like(lengths), [batch + 1])[:batch] > 0
    return placed, done, tf.scatter_nd(numbers, lengths, [batch + 1])[:batch]


def _only(dataset: tf.data.Dataset) -> tuple[Tensor, ...]:
    """The one element of a dataset, without the search for a quicker way to make it, which takes longer."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    element: tuple[Tensor, ...] = dataset.with_options(options).get_single_element()
    return element


def _said(problems: tuple[str, ...], rules: tuple[Tensor, ...]) -> Tensor:
    """The problem of the first rule that each row breaks, string `(batch,)`."""
    broken = tf.stack([tf.zeros_like(rules[0]), *rules])
    return tf.gather(tf.constant(problems), tf.argmax(tf.cast(broken, tf.int32), axis=0))
