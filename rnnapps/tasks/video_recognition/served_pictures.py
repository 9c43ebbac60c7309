"""Pictures of strangers to working frames: each row by itself, its headers first, and whatever does not decode is told.

An operation that meets a damaged picture ends the request. Datasets can leave out what raises, so each row is decoded
as an element of one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from rnnapps.kernels.apart import apart
from rnnapps.tasks.video_recognition.export_config import VideoExportConfig
from rnnapps.tasks.video_recognition.picture_headers import measure_animations, picture_pixels
from rnnapps.tasks.video_recognition.video_format import FRAMES_AT_ONCE, VideoFormat
from rnnapps.types import Tensor

__all__ = ["animation_problems", "decode_animations", "decode_pictures", "most_frames", "picture_problems"]

LARGEST_BYTES = 1 << 23

LARGE_PICTURE = 1 << 20
"""Pixels beyond which pictures are worked on one after the other: side by side they would take gigabytes."""

SMALL_CANVAS, SMALL_ANIMATIONS = 1 << 18, 1 << 24
"""Pixels of a frame, and of all animations of a request, up to which these are decoded side by side."""


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
        f"has frames of more than {limits.largest_picture:,} pixels",
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
    large = tf.reduce_max(tf.where(bad[:, None], tf.zeros_like(pixels), pixels)) > LARGE_PICTURE

    def decode(frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return _one_by_one_if(large, lambda at_once: video_format.decode(frames, lengths, at_once=at_once)), lengths

    # A row with a problem is read as one of no frames.
    decoded, done, _ = _each_row(decode, (frames, tf.where(bad, 0, lengths)), video_format.frame_shape)
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
    wide = found.known & (found.canvas > limits.largest_picture)
    rules = (too_large, ~found.known, found.frames > most, found.pixels > limits.largest_video, wide)
    bad = tf.reduce_any(tf.stack(rules), axis=0)
    sizes = [tf.where(bad, tf.zeros_like(size), size) for size in (found.canvas, found.pixels)]
    canvas, pixels = tf.reduce_max(sizes[0]), tf.reduce_sum(sizes[1])

    def decode(contents: Tensor, wrong: Tensor) -> tuple[Tensor, Tensor]:
        def side_by_side(rows: int, frames: int) -> tuple[Tensor, Tensor]:
            return _decode_animations(video_format, contents, wrong, most=most, rows=rows, frames=frames)

        def in_turn() -> tuple[Tensor, Tensor]:
            turned: tuple[Tensor, Tensor] = _one_by_one_if(
                canvas > LARGE_PICTURE, lambda frames: side_by_side(1, frames)
            )
            return turned

        small = (canvas <= SMALL_CANVAS) & (pixels <= SMALL_ANIMATIONS)
        at_once = lambda: side_by_side(FRAMES_AT_ONCE, FRAMES_AT_ONCE)  # noqa: E731
        decoded: tuple[Tensor, Tensor] = tf.cond(small, at_once, apart(in_turn))
        return decoded

    decoded, done, lengths = _each_row(decode, (animations, bad), video_format.frame_shape)
    too_many = lengths > most
    problems = _said(animation_problems(video_format, limits), (*rules[:2], rules[2] | too_many, rules[3], ~done, wide))
    return decoded[:, :most], tf.clip_by_value(lengths, 1, most), problems


def _decode_animations(
    video_format: VideoFormat, contents: Tensor, wrong: Tensor, *, most: int, rows: int, frames: int
) -> tuple[Tensor, Tensor]:
    """Working frames of animations, one black frame of those that are `wrong`, and their numbers.

    Args:
        video_format: size and colours of working frames.
        contents: GIFs, strings `(batch,)`.
        wrong: bool `(batch,)`.
        most: one frame more than so many are kept of each.
        rows: animations that are decoded side by side.
        frames: frames of each that are.
    """

    def one(row: tuple[Tensor, Tensor]) -> Tensor:
        black = tf.zeros((1, *video_format.frame_shape), tf.uint8)
        read = lambda: video_format.decode_animation(row[0], at_once=frames)[: most + 1]  # noqa: E731
        return tf.cond(row[1], lambda: black, read)

    spec = tf.RaggedTensorSpec((None, *video_format.frame_shape), tf.uint8, ragged_rank=0)
    decoded = tf.map_fn(one, (contents, wrong), fn_output_signature=spec, parallel_iterations=rows)
    return decoded.to_tensor(), tf.cast(decoded.row_lengths(), tf.int32)


def _one_by_one_if(large: Tensor, decode: Callable[[int], Any]) -> Any:
    """What `decode` returns, which is told how many to work on side by side."""
    return tf.cond(large, apart(lambda: decode(1)), lambda: decode(FRAMES_AT_ONCE))


def _each_row(
    decode: Callable[..., tuple[Tensor, Tensor]], rows: tuple[Tensor, ...], frame_shape: tuple[int, int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Decodes rows, each by itself.

    Args:
        decode: maps the parts of rows to their working frames `(batch, frames, size, size, channels)` and the frames of
            each, int32 `(batch,)`, or raises.
        rows: the parts of all rows, each `(batch, ...)`.
        frame_shape: of a working frame.

    Returns:
        Working frames, zeros behind a row's end; whether each row was decoded, bool `(batch,)`; and its frames.
    """
    shape = (None, None, *frame_shape)

    def together(*parts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decoded, lengths = decode(*parts)
        return tf.ensure_shape(decoded, shape), tf.ones_like(lengths, tf.bool), lengths

    # All at once is quicker, and mostly goes well: row by row only if it does not.
    none = (tf.zeros((0, 0, *frame_shape), tf.uint8), tf.zeros([0], tf.bool), tf.zeros([0], tf.int32))
    attempt = tf.data.Dataset.from_tensors(rows).map(together).ignore_errors()
    frames, done, lengths = _only(attempt.concatenate(tf.data.Dataset.from_tensors(none)).take(1))
    done, lengths = tf.ensure_shape(done, [None]), tf.ensure_shape(lengths, [None])
    found = tf.cond(
        tf.size(done) > 0,
        lambda: (tf.ensure_shape(frames, shape), done, lengths),
        apart(lambda: _row_after_row(decode, rows, frame_shape)),
    )
    return tf.ensure_shape(found[0], shape), found[1], found[2]


def _row_after_row(
    decode: Callable[..., tuple[Tensor, Tensor]], rows: tuple[Tensor, ...], frame_shape: tuple[int, int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """`_each_row` of rows some of which raise."""
    batch = tf.shape(rows[0])[0]

    def element(number: Tensor, *row: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        frames, lengths = decode(*(part[None] for part in row))
        return number, tf.ensure_shape(frames, (None, None, *frame_shape))[0], lengths[0]

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
