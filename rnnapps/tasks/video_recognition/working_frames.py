"""Frames to the working size in NumPy, for processes without TensorFlow: the twin of `video_format`."""

from __future__ import annotations

import functools

import numpy as np

from rnnapps.types import Array

__all__ = [
    "BLACK",
    "GREY_SHARES",
    "SUBJECT_MIDDLE",
    "SUBJECT_SIDE",
    "Box",
    "centre_box",
    "resampling_matrix",
    "resized",
    "subject_box",
    "to_working_size",
]

Box = tuple[int, int, int, int]
"""Top, left, height and width of a part of a frame, in pixels."""

GREY_SHARES = (0.299, 0.587, 0.114)
"""Red, green and blue in a grey value, ITU-R BT.601."""

BLACK = 24
"""Brightest grey value that counts as background for `subject_box`."""

SUBJECT_SIDE, SUBJECT_MIDDLE = 150, 42
"""Side of the square around a subject, and its middle from the subject's top, in hundredths of the subject's height.

A raised arm must fit.
"""


def to_working_size(frame: Array, box: Box, size: int, *, grey: bool) -> Array:
    """A part of a frame at the working size.

    Args:
        frame: uint8 `(height, width, 3)`.
        box: the part; what lies outside of the frame is black.
        size: height and width of the result, in pixels.
        grey: one channel instead of three.

    Returns:
        uint8 `(size, size, 1 or 3)`.
    """
    part = _cut(frame, box).astype(np.float32)
    if grey:
        part = (part @ np.array(GREY_SHARES, np.float32))[..., None]
    small: Array = np.rint(np.clip(resized(part, size), 0, 255)).astype(np.uint8)
    return small


def resized(image: Array, size: int) -> Array:
    """Resizes `(height, width, channels)` to a square: bilinear, smoothed where it shrinks.

    It equals `tf.image.resize(..., method="bilinear", antialias=True)`.
    """
    rows, columns = (resampling_matrix(length, size) for length in image.shape[:2])
    square: Array = np.einsum("ih,hwc,jw->ijc", rows, image, columns, optimize=True)
    return square


@functools.lru_cache(maxsize=64)
def resampling_matrix(length: int, size: int) -> Array:
    """Weights float32 `(size, length)` of the old pixels in each new one: a triangle around its centre."""
    step = length / size
    reach = max(step, 1.0)
    centres = (np.arange(size) + 0.5) * step
    distances = np.abs(np.arange(length) + 0.5 - centres[:, None]) / reach
    weights = np.maximum(0.0, 1.0 - distances)
    shares: Array = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def centre_box(height: int, width: int) -> Box:
    """The largest square in the middle of a frame."""
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side, side


def subject_box(frame: Array) -> Box:
    """The square around what is not black in a frame uint8 `(height, width, 3)`; may reach beyond the frame.

    A frame that is all black has the square of `centre_box`.
    """
    bright = frame.astype(np.int32) @ np.rint(1000 * np.array(GREY_SHARES)).astype(np.int32) > 1000 * BLACK
    rows, columns = np.flatnonzero(bright.any(axis=1)), bright.sum(axis=0)
    if not len(rows):
        return centre_box(frame.shape[0], frame.shape[1])
    top, height = int(rows[0]), int(rows[-1] - rows[0] + 1)
    middle = int(np.searchsorted(np.cumsum(columns), (columns.sum() + 1) // 2))
    side = max(8, height * SUBJECT_SIDE // 100)
    return top + height * SUBJECT_MIDDLE // 100 - side // 2, middle - side // 2, side, side


def _cut(frame: Array, box: Box) -> Array:
    """A part of a frame, black where it lies outside."""
    top, left, height, width = box
    inside = frame[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    before = max(-top, 0), max(-left, 0)
    after = height - before[0] - inside.shape[0], width - before[1] - inside.shape[1]
    if not any((*before, *after)):
        return inside
    return np.pad(inside, ((before[0], after[0]), (before[1], after[1]), (0, 0)))
