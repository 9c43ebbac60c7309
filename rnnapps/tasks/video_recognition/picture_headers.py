"""What pictures say of their sizes, read from their headers with TensorFlow core ops before anything is decoded.

TensorFlow's decoders have no limit: a PNG of 62 kB can cost 2 GB. Whoever serves strangers must read the header first.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnapps.kernels.apart import apart
from rnnapps.preprocessing.raw_bytes import big_endian, bytes_at, little_endian
from rnnapps.types import Tensor

__all__ = ["Animation", "measure_animations", "picture_pixels"]

MOST_SEGMENTS, MOST_SCANS = 200, 32
"""Of a JPEG: segments before its size, and passes over its picture, each of which costs as much as a picture."""

LARGEST_RATIO = 2_731
"""Pixels that a byte of a GIF can stand for: a code of 12 bits stands for up to 4,096."""

SMALLEST_FRAME = 12
"""Bytes of a frame of a GIF, at least."""

HEAD, FAR = 32, 1 << 40
_FRAME_MARKERS = [marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC)]


class Animation(NamedTuple):
    """What GIFs hold.

    Attributes:
        known: bool `(batch,)`, whether it is a GIF.
        canvas: int64 `(batch,)`, pixels of a frame.
        pixels: int64 `(batch,)`, of all frames together, at most.
        frames: int64 `(batch,)`, how many there are, as far as they were counted; 0 for small files.
    """

    known: Tensor
    canvas: Tensor
    pixels: Tensor
    frames: Tensor


def picture_pixels(contents: Tensor) -> Tensor:
    """Pixels of PNG, JPEG and BMP files, strings `(files,)`: int64 `(files,)`, 0 for what is none of them."""
    head = _head(contents)
    png = _is(head, b"\x89PNG\r\n\x1a\n")
    bmp = _is(head, b"BM")
    jpeg = _is(head, b"\xff\xd8\xff")
    of_png = _area(big_endian(head[:, 16:20]), big_endian(head[:, 20:24]))
    height = tf.cast(tf.bitcast(tf.cast(little_endian(head[:, 22:26]), tf.uint32), tf.int32), tf.int64)
    of_bmp = _area(little_endian(head[:, 18:22]), tf.abs(height))
    of_jpeg = tf.cond(tf.reduce_any(jpeg), apart(lambda: _jpeg_pixels(contents, jpeg)), lambda: tf.zeros_like(of_png))
    return tf.where(png, of_png, 0) + tf.where(bmp, of_bmp, 0) + of_jpeg


def _jpeg_pixels(contents: Tensor, jpeg: Tensor) -> Tensor:
    """Pixels of those files that are JPEGs: the product in the first frame header, 0 where there is none."""
    sizes = tf.strings.length(contents)

    def body(count: Tensor, place: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        segment = bytes_at(contents, place, 12)
        marker = segment[:, 1]
        frame = tf.reduce_any(tf.equal(marker[:, None], _FRAME_MARKERS), axis=1)
        found = tf.equal(segment[:, 0], 0xFF) & frame
        product = big_endian(segment[:, 5:7]) * big_endian(segment[:, 7:9])
        length = tf.cast(big_endian(segment[:, 2:4]), tf.int32)
        behind = place + tf.where(tf.equal(marker, 0xFF), 1, 2 + length)  # a byte FF may fill up
        return count + 1, tf.where(tf.equal(segment[:, 0], 0xFF), behind, sizes), tf.where(found, product, pixels)

    def going(count: Tensor, place: Tensor, pixels: Tensor) -> Tensor:
        return (count < MOST_SEGMENTS) & tf.reduce_any(tf.equal(pixels, 0) & (place < sizes))

    start = (tf.constant(0), tf.where(jpeg, 2, sizes), tf.zeros_like(sizes, tf.int64))
    # Once a size is known the place no longer matters: later headers are those of previews within the data.
    pixels = tf.while_loop(going, lambda *state: _keeping(state, body(*state)), start)[2]
    scans = tf.strings.split(tf.where(jpeg, contents, ""), b"\xff\xda").row_lengths() - 1
    return tf.where(scans <= MOST_SCANS, pixels, 0)


def _keeping(before: tuple[Tensor, ...], after: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The state after a segment, with the first size that was found."""
    return after[0], after[1], tf.where(before[2] > 0, before[2], after[2])


def measure_animations(contents: Tensor, *, most_pixels: int, most_frames: int) -> Animation:
    """What GIFs, strings `(batch,)`, hold; they are walked over only where their bytes could hold more than a limit.

    Args:
        contents: the files.
        most_pixels: where counting ends.
        most_frames: the same.
    """
    head = _head(contents)
    sizes = tf.strings.length(contents)
    known = _is(head, b"GIF87a") | _is(head, b"GIF89a")
    canvas = little_endian(head[:, 6:8]) * little_endian(head[:, 8:10])
    bytes_held = tf.cast(sizes, tf.int64)
    bound = tf.maximum(bytes_held * LARGEST_RATIO, bytes_held // SMALLEST_FRAME * canvas)
    large = known & (bound > most_pixels)

    def counted() -> tuple[Tensor, Tensor]:
        return _walked(contents, head, large, most_pixels=most_pixels, most_frames=most_frames)

    zero = tf.zeros_like(bound)
    pixels, frames = tf.cond(tf.reduce_any(large), apart(counted), lambda: (zero, zero))
    return Animation(known, canvas, tf.where(large, pixels, bound), frames)


class _Walk(NamedTuple):
    """Where a walk over the blocks of GIFs stands, each `(files,)`.

    Attributes:
        place: of the next block, or of the next part of one.
        inside: whether it is such a part.
        pixels: of the frames so far.
        frames: how many.
    """

    place: Tensor
    inside: Tensor
    pixels: Tensor
    frames: Tensor


def _walked(
    contents: Tensor, head: Tensor, large: Tensor, *, most_pixels: int, most_frames: int
) -> tuple[Tensor, Tensor]:
    """Pixels and frames of those GIFs that are large, block by block, until a limit is passed or the file ends."""
    sizes = tf.cast(tf.strings.length(contents), tf.int64)

    def going(walk: _Walk) -> Tensor:
        return (walk.place < sizes) & (walk.pixels <= most_pixels) & (walk.frames <= most_frames)

    def body(count: Tensor, walk: _Walk) -> tuple[Tensor, _Walk]:
        return count + 1, _stepped(contents, head, walk, going(walk))

    zero = tf.zeros_like(sizes)
    start = _Walk(tf.where(large, 13 + _colours(head[:, 10]), sizes), tf.zeros_like(large), zero, zero)
    most = tf.reduce_max(sizes)
    walk = tf.while_loop(
        lambda count, walk: (count < most) & tf.reduce_any(going(walk)), body, (tf.constant(0, tf.int64), start)
    )[1]
    return walk.pixels, walk.frames


def _stepped(contents: Tensor, head: Tensor, walk: _Walk, going: Tensor) -> _Walk:
    """One block, or part of one, further in the files that are `going`."""
    block = bytes_at(contents, walk.place, 10)
    first = block[:, 0]
    image, more = ~walk.inside & tf.equal(first, 0x2C), ~walk.inside & tf.equal(first, 0x21)
    own, canvas = (little_endian(part[:, :2]) * little_endian(part[:, 2:]) for part in (block[:, 5:9], head[:, 6:10]))
    # Behind an image stand its colours and the size of its codes; behind its name an extension; then parts, each after
    # its size, the last of size 0.
    step = tf.where(image, 11 + _colours(block[:, 9]), tf.where(more, tf.constant(2, tf.int64), 1 + first))
    ended = ~walk.inside & ~image & ~more
    return _Walk(
        tf.where(ended, tf.constant(FAR, tf.int64), walk.place + step),
        image | more | (walk.inside & (first > 0)),
        walk.pixels + tf.where(image & going, tf.maximum(own, canvas), 0),
        walk.frames + tf.cast(image & going, tf.int64),
    )


def _colours(flags: Tensor) -> Tensor:
    """Bytes of a table of colours, by the flags that announce it."""
    return tf.where(flags >= 0x80, 3 * tf.bitwise.left_shift(tf.constant(2, tf.int64), flags % 8), 0)


def _head(contents: Tensor) -> Tensor:
    """The first bytes of files."""
    return bytes_at(contents, tf.zeros_like(contents, tf.int32), HEAD)


def _is(head: Tensor, magic: bytes) -> Tensor:
    """Which files begin so."""
    return tf.reduce_all(tf.equal(head[:, : len(magic)], list(magic)), axis=1)


def _area(width: Tensor, height: Tensor) -> Tensor:
    """Their product, which stays an int64 number whatever a header claims."""
    return tf.minimum(width, tf.int32.max) * tf.minimum(height, tf.int32.max)
